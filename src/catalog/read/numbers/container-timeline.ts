import sql, { raw, type Sql } from 'sql-template-tag';
import type { TimeRange } from '../../../domain/time-bucket.ts';
import type { Connection } from '../../database.ts';
import { CONTAINER_JOINS, CONTAINER_KEYS, type BreakdownBy } from './metric.ts';
import { MAX_SERIES, type PointRow } from './series.ts';

/**
 * How many containers there were at the end of each bucket, of the range, or now, whichever is first. Counted back from
 * those that there are: what came since was not there, and what went was.
 */
export async function containerPoints(
  connection: Connection,
  range: TimeRange,
  by: BreakdownBy | null,
  buckets: readonly Date[],
): Promise<PointRow[]> {
  if (buckets.length === 0) return [];
  const rows = await connection.query<ChangeRow>(statementOf(range, by, buckets));
  return [...Map.groupBy(rows, ({ key }) => key)].flatMap(([key, changes]) => {
    const changeOf = new Map(changes.map(({ place, amount }) => [place, amount]));
    let value = (changeOf.get(null) ?? 0) - (changeOf.get(buckets.length) ?? 0);
    return buckets
      .map((bucket, place) => ({ at: bucket.getTime(), place }))
      .reverse()
      .map(({ at, place }) => {
        const point = { key, at, value };
        value -= changeOf.get(place) ?? 0;
        return point;
      });
  });
}

interface ChangeRow {
  /** Null for the rest. */
  key: string | null;
  /** In which bucket, or behind the last; null for those that there are now. */
  place: number | null;
  /** How many are there, or came without those that went. */
  amount: number;
}

/** A change counts in every bucket before it, which tells how much there was of a series without a look at its points. */
function statementOf({ from, to }: TimeRange, by: BreakdownBy | null, buckets: readonly Date[]): Sql {
  const key = raw(by === null ? `''` : CONTAINER_KEYS[by]);
  const joins = raw(by === null ? '' : CONTAINER_JOINS[by]);
  const place = sql`case when e.at < ${to}::timestamptz then width_bucket(e.at, ${buckets}::timestamptz[]) - 1 else ${buckets.length}::int end`;
  return sql`/* catalog.containerTimeline */
with live as materialized (select ${key} as key, count(*) as amount from container c${joins} where c.removed_at is null group by 1), change as materialized (select key, place, sum(amount) as amount from (select ${by === 'CONTAINER_STATE' ? raw('told.key') : key} as key, ${place} as place, told.amount from container_event e${raw(by === null ? '' : ' join container c on c.id = e.container_id')}${joins} cross join lateral (${by === 'CONTAINER_STATE' ? OF_STATE : OF_PRESENCE}) told where e.at >= ${from}::timestamptz) each group by 1, 2 having sum(amount) <> 0), part as (select key, null::int as place, amount, amount * ${buckets.length}::int as size from live union all select key, place, amount, -amount * place from change), series as (select key, row_number() over (order by sum(size) desc, key collate "C") as rank from part where key is not null group by key having sum(size) > 0) select case when series.rank <= ${MAX_SERIES} then series.key end as key, part.place, sum(part.amount)::int8 as amount from part join series using (key) group by 1, 2 order by min(least(series.rank, ${MAX_SERIES + 1}))`;
}

const OF_PRESENCE = raw(`select case e.kind when 'SEEN' then 1 else -1 end as amount where e.kind <> 'STATE_CHANGED'`);

const OF_STATE = raw(
  `select e.state as key, 1 as amount where e.kind <> 'REMOVED' union all select e.previous_state, -1 where e.kind <> 'SEEN'`,
);
