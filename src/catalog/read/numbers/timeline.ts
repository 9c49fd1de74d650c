import sql, { raw, type Sql } from 'sql-template-tag';
import {
  bucketsOf,
  checkRange,
  chooseInterval,
  type TimeInterval,
  type TimeRange,
  type WantedInterval,
} from '../../../domain/time-bucket.ts';
import type { Connection } from '../../database.ts';
import { containerPoints } from './container-timeline.ts';
import {
  IMAGE_KEYS,
  IMAGE_PLACES,
  isOfImage,
  NAMED,
  NAMED_KEYS,
  PLACES,
  type BreakdownBy,
  type Metric,
} from './metric.ts';
import { MAX_SERIES, type PointRow } from './series.ts';

export interface Timeline extends TimeRange, WantedInterval {
  readonly metric: Metric;
  readonly by?: BreakdownBy | null;
}

export interface TimelinePoint {
  /** When its bucket begins. */
  readonly time: Date;
  readonly metric: Metric;
  readonly series: string;
  readonly value: number;
}

/** Buckets of one answer at most, and where each is there for many series. */
const MAX_BUCKETS = 10_000;
const MAX_BUCKETS_OF_SERIES = 1_000;

export function timelineReads(connection: Connection) {
  return {
    /** Every bucket of the range for every series, ascending; within a bucket the largest series comes first. */
    timeline: async (wanted: Timeline): Promise<TimelinePoint[]> => {
      checkRange(wanted);
      const by = wanted.by ?? null;
      const interval = chooseInterval(wanted, wanted, by === null ? MAX_BUCKETS : MAX_BUCKETS_OF_SERIES);
      const { metric } = wanted;
      const buckets = bucketsOf(wanted, interval);
      const rows =
        metric === 'CONTAINERS'
          ? await containerPoints(connection, wanted, by, buckets)
          : await connection.query<PointRow>(statementOf({ ...wanted, metric }, by, interval));
      const rest = nameOfRest(rows);
      const nameOf = (row: PointRow) => (by === null ? metric : (row.key ?? rest));
      const series = by === null ? [metric] : [...new Set(rows.map(nameOf))];
      const values = new Map(rows.map((row) => [`${row.at} ${nameOf(row)}`, row]));
      return buckets.flatMap((time) =>
        series.map((each) => ({
          time,
          metric,
          series: each,
          value: values.get(`${time.getTime()} ${each}`)?.value ?? 0,
        })),
      );
    },
  };
}

/** What comes once, and so is summed up by when it came. */
interface SummedTimeline extends Timeline {
  readonly metric: Exclude<Metric, 'CONTAINERS'>;
}

/** No series of its own has this name, whatever its key is. */
function nameOfRest(rows: readonly PointRow[]): string {
  const keys = new Set(rows.map(({ key }) => key));
  let name = '(other)';
  while (keys.has(name)) name = `(${name})`;
  return name;
}

/** Where the bucket of `at` begins, as `bucketsOf` has it; from a Monday on, twice as fast as it is truncated. */
const BUCKET: Record<TimeInterval, string> = {
  HOUR: `date_bin('1 hour', at, '2000-01-03 00:00:00+00')`,
  DAY: `date_bin('1 day', at, '2000-01-03 00:00:00+00')`,
  WEEK: `date_bin('7 days', at, '2000-01-03 00:00:00+00')`,
  MONTH: `date_trunc('month', at, 'UTC')`,
};

function statementOf({ metric, from, to }: SummedTimeline, by: BreakdownBy | null, interval: TimeInterval): Sql {
  const range = (at: string) => sql`${raw(at)} >= ${from}::timestamptz and ${raw(at)} < ${to}::timestamptz`;
  const things =
    metric === 'TAGS' || metric === 'TAG_EVENTS' ? namesOf(metric, by, range) : contentOf(metric, by, range);
  return sql`/* catalog.timeline */
with point as materialized (select key, ${raw(BUCKET[interval])} as at, sum(amount) as value from (${things}) thing group by 1, 2), series as (select key, row_number() over (order by sum(value) desc, key collate "C") as place from point group by key) select case when series.place <= ${MAX_SERIES} then series.key end as key, (extract(epoch from point.at) * 1000)::int8 as at, least(sum(point.value), ${Number.MAX_SAFE_INTEGER}::int8)::int8 as value from point join series using (key) group by 1, 2 order by min(least(series.place, ${MAX_SERIES + 1})), 2`;
}

type Range = (at: string) => Sql;

/** What was first seen in a range: images, and the layers that came with them at the size of their smallest packing. */
function contentOf(metric: 'IMAGES' | 'LAYERS' | 'STORED_SIZE', by: BreakdownBy | null, range: Range): Sql {
  const isImage = metric === 'IMAGES';
  const thing = isImage ? 'i.manifest_id' : 'l.id';
  const at = isImage ? 'i.first_seen_at' : 'l.first_seen_at';
  const amount = metric === 'STORED_SIZE' ? 'l.size' : '1';
  const key = by === null ? `''` : by === 'MEDIA_TYPE' && !isImage ? 'b.media_type' : IMAGE_KEYS[by];
  const from = isImage ? `image i${joinsOfImage(by)}` : `layer l${joinsOfLayer(by)}`;
  // One thing may be reached in many ways, each of which would count.
  const once = raw(by === null ? '' : ` group by ${thing}, ${key}`);
  return sql`select ${raw(`${key} as key, ${amount} as amount, ${at} as at from ${from}`)} where ${range(at)}${once}`;
}

function joinsOfImage(by: BreakdownBy | null): string {
  if (by === 'MEDIA_TYPE') return ' join manifest m on m.id = i.manifest_id';
  return by === null ? '' : IMAGE_PLACES[by];
}

function joinsOfLayer(by: BreakdownBy | null): string {
  if (by === null) return '';
  if (by === 'MEDIA_TYPE') return ' join layer_blob b on b.layer_id = l.id';
  if (by === 'REGISTRY') {
    return ' join layer_blob b on b.layer_id = l.id join held_blob k on k.blob_id = b.id join registry h on h.id = k.registry_id';
  }
  return ` join image_layer s on s.layer_id = l.id join image i on i.manifest_id = s.image_id${joinsOfImage(by)}`;
}

/** As NAMED, with what a deleted tag named last. */
const EVER_NAMED = {
  ...NAMED,
  TAGS: `(select t.repository_id, t.first_seen_at as at, coalesce(t.manifest_id, (select e.from_id from tag_event e where e.tag_id = t.id order by e.id desc limit 1)) as manifest_id from tag t)`,
} as const;

/** Tags first seen, or movements that happened, in a range; by platform through the images that each reaches. */
function namesOf(metric: keyof typeof NAMED, by: BreakdownBy | null, range: Range): Sql {
  const named = sql`${raw(EVER_NAMED[metric])} n`;
  if (by === null) return sql`select '' as key, 1 as amount, n.at from ${named} where ${range('n.at')}`;
  if (isOfImage(by)) {
    return sql`with recursive below (top, id) as (select n.manifest_id, n.manifest_id from ${named} where ${range('n.at')} and n.manifest_id is not null union select below.top, x.child_id from below join index_entry x on x.index_id = below.id where x.child_id is not null), reached as (select distinct below.top, ${raw(IMAGE_KEYS[by])} as key from below join image i on i.manifest_id = below.id${raw(IMAGE_PLACES[by])}) select reached.key, 1 as amount, n.at from ${named} join reached on reached.top = n.manifest_id where ${range('n.at')}`;
  }
  const manifest = by === 'MEDIA_TYPE' ? ' join manifest w on w.id = n.manifest_id' : '';
  return sql`select ${raw(NAMED_KEYS[by])} as key, 1 as amount, n.at from ${named}${raw(PLACES + manifest)} where ${range('n.at')}`;
}
