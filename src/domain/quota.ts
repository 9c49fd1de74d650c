/** What an answer says of one limit of its host. Null where it does not say; never is all of it null. */
export interface Announcement {
  /** What is counted: `pulls` are fetched manifests alone, every other name counts every request. */
  readonly name: string;
  /** Requests in a period. */
  readonly limit: number | null;
  readonly remaining: number | null;
  /** Milliseconds from the answer to the end of the period. */
  readonly resetsIn: number | null;
  /** Milliseconds of a whole period. */
  readonly span: number | null;
}

/** A limit as it is kept: how much of it may still be sent, for sure. Times are milliseconds. */
export interface Quota {
  limit: number | null;
  /** Requests that may still be sent, apart from those in flight: never more than the host will take. */
  remaining: number;
  /** What remained when the period was first seen, or was filled up again. */
  base: number;
  startedAt: number;
  /** From then on nothing is known. */
  endsAt: number;
  /** Of the last announcement. */
  observedAt: number;
  /** Requests that it counts and whose outcome is known. */
  settled: number;
}

/** Counts manifests that are fetched; all others count every request. */
export const PULLS = 'pulls';

/** How long a period is where nobody says. */
const UNSAID_SPAN = 60_000;
const LONGEST_SPAN = 24 * 3600_000;
/** Figures stand in columns of 32 bits. */
const MOST = 2 ** 31 - 1;

export function isOver(quota: Quota, now: number): boolean {
  return now >= quota.endsAt;
}

/**
 * How many may be sent now. Half of what was there at first may go at once; the other half becomes free bit by bit until
 * the period ends, so that a host is never found empty, and others who share the limit find something left. When the
 * period is over and nobody knows what the next one holds, one goes to find out, unless it is under way.
 */
export function allowanceOf(quota: Quota, inFlight: number, isUnderWay: boolean, now: number): number {
  if (isOver(quota, now)) return isUnderWay ? 0 : (quota.limit ?? 1) - inFlight;
  const left = (quota.endsAt - now) / Math.max(quota.endsAt - quota.startedAt, 1);
  return quota.remaining - inFlight - Math.floor((quota.base / 2) * Math.min(left, 1));
}

/** When `wanted` may be sent, if nothing else is sent until then and what is in flight is counted. */
export function freeAt(quota: Quota, inFlight: number, wanted: number, now: number): number {
  const spare = quota.remaining - inFlight - wanted;
  if (spare < 0) return Math.max(quota.endsAt, now);
  const left = (2 * (spare + 1)) / Math.max(quota.base, 1);
  const at = quota.endsAt - Math.floor(left * (quota.endsAt - quota.startedAt)) + 1;
  return Math.min(Math.max(at, now), Math.max(quota.endsAt, now));
}

/** What the request that an answer belongs to shows of when it was sent. */
export interface Sending {
  readonly sentAt: number;
  /** `settled` of the quota when the request was sent; null where nobody counted then. */
  readonly mark: number | null;
}

/**
 * Takes in what an answer says. Answers overtake each other, so each is read for what it proves: what it names remained
 * when the host counted its request; whatever was answered while it was in flight may have been counted later. The host's
 * own figure is the truth: it is followed up as well as down.
 */
export function observe(quota: Quota | null, said: Announcement, sending: Sending, now: number): Quota | null {
  const limit = said.limit === null ? null : Math.min(said.limit, MOST);
  const announced = said.remaining ?? (limit === null ? null : Math.max(limit - 1, 0));
  if (announced === null) return quota;
  const remaining = Math.min(announced, MOST);
  const endsAt = now + Math.min(said.resetsIn ?? said.span ?? UNSAID_SPAN, LONGEST_SPAN);
  const isLaterPeriod = quota !== null && isOver(quota, now) && sending.sentAt >= quota.endsAt;
  if (quota === null || isLaterPeriod) {
    const settled = quota?.settled ?? 0;
    return { limit, remaining, base: remaining, startedAt: now, endsAt, observedAt: now, settled };
  }
  if (isOver(quota, now)) return quota;
  if (said.remaining === null || sending.sentAt < quota.startedAt) return spend(quota);

  const proven = sending.mark === null ? 0 : remaining - (quota.settled - sending.mark);
  const next = Math.max(Math.min(quota.remaining, remaining), proven);
  const isRefilled = next > quota.base;
  return {
    ...quota,
    limit: limit ?? quota.limit,
    remaining: next,
    observedAt: now,
    // Where only its length is known, the period may have begun with this very request.
    endsAt: Math.max(quota.endsAt, endsAt),
    ...(isRefilled && { base: next, startedAt: now }),
  };
}

/** One request more may have been counted. */
export function spend(quota: Quota): Quota {
  return { ...quota, remaining: Math.max(quota.remaining - 1, 0) };
}

/** The host refused: nothing is left, for `resetsIn` at least where it says so. */
export function exhaust(quota: Quota, resetsIn: number | null, now: number): Quota {
  const unsaid = isOver(quota, now) ? now + UNSAID_SPAN : quota.endsAt;
  const endsAt = Math.max(resetsIn === null ? unsaid : now + Math.min(resetsIn, LONGEST_SPAN), quota.endsAt);
  return { ...quota, remaining: 0, base: 0, startedAt: now, endsAt, observedAt: now };
}
