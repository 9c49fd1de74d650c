import { CatalogError } from './errors.ts';

/** Spans of the calendar in UTC; weeks begin on Monday. From the finest to the coarsest. */
const TIME_INTERVALS = ['HOUR', 'DAY', 'WEEK', 'MONTH'] as const;
export type TimeInterval = (typeof TIME_INTERVALS)[number];

export interface TimeRange {
  readonly from: Date;
  /** Not part of it. */
  readonly to: Date;
}

/** How fine a client wants its buckets, each null where it does not say: the first that is given decides. */
export interface WantedInterval {
  readonly interval?: TimeInterval | null;
  readonly intervalMs?: number | null;
  readonly maxDataPoints?: number | null;
}

/**
 * The interval asked for; else the one whose length is nearest to `intervalMs`, or a coarser one, so that at most
 * `limit` buckets come of it; else the finest that gives at most `maxDataPoints`, or the coarsest; else days. Throws
 * INVALID_ARGUMENT where that still gives more than `limit`.
 */
export function chooseInterval(range: TimeRange, wanted: WantedInterval, limit: number): TimeInterval {
  checkWanted(wanted);
  const { interval, intervalMs, maxDataPoints } = wanted;
  const fitting = TIME_INTERVALS.filter((each) => countBuckets(range, each) <= limit);
  const chosen =
    interval ??
    (intervalMs != null
      ? nearest(fitting, intervalMs)
      : maxDataPoints != null
        ? (fitting.find((each) => countBuckets(range, each) <= maxDataPoints) ?? 'MONTH')
        : 'DAY');
  const count = countBuckets(range, chosen);
  if (count <= limit) return chosen;
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `from ${range.from.toISOString()} to ${range.to.toISOString()} there are ${count} buckets of one ${chosen} each: at most ${limit} are returned at once; take a coarser interval or a shorter range.`,
  );
}

/** First instants of the buckets that a range touches, ascending; none where it is empty. */
export function bucketsOf(range: TimeRange, interval: TimeInterval): Date[] {
  const start = startOfBucket(range.from, interval);
  return Array.from({ length: countBuckets(range, interval) }, (_, place) => bucketAfter(start, interval, place));
}

/** How many buckets a range touches. */
function countBuckets({ from, to }: TimeRange, interval: TimeInterval): number {
  if (from >= to) return 0;
  if (interval === 'MONTH') return monthOf(new Date(to.getTime() - 1)) - monthOf(from) + 1;
  return Math.ceil((to.getTime() - startOfBucket(from, interval).getTime()) / LENGTHS[interval]);
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** In milliseconds; that of a month on average. */
const LENGTHS: Record<TimeInterval, number> = { HOUR, DAY, WEEK: 7 * DAY, MONTH: (365.2425 / 12) * DAY };

/** 5 January 1970 was a Monday. */
const FIRST_MONDAY = 4 * DAY;

function startOfBucket(instant: Date, interval: TimeInterval): Date {
  if (interval === 'MONTH') return firstOfMonth(monthOf(instant));
  const shift = interval === 'WEEK' ? FIRST_MONDAY : 0;
  const length = LENGTHS[interval];
  return new Date(Math.floor((instant.getTime() - shift) / length) * length + shift);
}

function bucketAfter(start: Date, interval: TimeInterval, place: number): Date {
  if (interval === 'MONTH') return firstOfMonth(monthOf(start) + place);
  return new Date(start.getTime() + place * LENGTHS[interval]);
}

function monthOf(instant: Date): number {
  return instant.getUTCFullYear() * 12 + instant.getUTCMonth();
}

/** Not Date.UTC, which takes the year 50 for 1950. */
function firstOfMonth(month: number): Date {
  return new Date(new Date(0).setUTCFullYear(Math.floor(month / 12), month % 12, 1));
}

/** Where nothing fits, the coarsest, which is then refused. */
function nearest(intervals: readonly TimeInterval[], length: number): TimeInterval {
  const distance = (interval: TimeInterval) => Math.abs(LENGTHS[interval] - length);
  return intervals.toSorted((a, b) => distance(a) - distance(b))[0] ?? 'MONTH';
}

function checkWanted({ intervalMs, maxDataPoints }: WantedInterval): void {
  for (const [name, value] of Object.entries({ intervalMs, maxDataPoints })) {
    if (value == null || value >= 1) continue;
    throw new CatalogError('INVALID_ARGUMENT', `${name} is ${value}: write a whole number above 0, or leave it out.`);
  }
}

/** Throws INVALID_ARGUMENT for a range that ends before it begins. */
export function checkRange({ from, to }: TimeRange): void {
  if (from <= to) return;
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `from ${from.toISOString()} is after to ${to.toISOString()}: give the earlier instant as from.`,
  );
}
