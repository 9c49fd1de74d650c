import sql, { raw, type Sql } from 'sql-template-tag';
import type { Connection } from '../database.ts';
import { largest, type BreakdownRow } from './numbers/index.ts';
import { listsBy } from './rows.ts';
import { beginsWith, hasRarestLayer, heightOf } from './stands-on.ts';

/** What containers that stand on an image are counted by. */
export interface ContainerBreakdown {
  readonly by: 'RUNTIME' | 'CONTAINER_STATE';
  readonly first?: number | null;
}

/** Containers that were created from images, or from what stands on these. */
export function derivedContainerReads(connection: Connection) {
  return {
    /** How many of them are running. */
    runningCounts: async (imageIds: readonly number[]): Promise<Map<number, number>> => {
      const rows = await connection.query<{ id: number; count: number }>(
        sql`/* catalog.runningCounts */
          ${IN_USE}
          select parent.id, running.count
          from unnest(${imageIds}::int[]) as parent (id)
          cross join lateral (select count(*) from ${STANDING} where ${IS_RUNNING}) running`,
      );
      return new Map(rows.map((row) => [row.id, row.count]));
    },

    /** Running ones by their runtimes, or all that are not removed by their states: the largest first. */
    derivedContainerBreakdowns: async (
      imageIds: readonly number[],
      { by, first }: ContainerBreakdown,
    ): Promise<Map<number, BreakdownRow[]>> => {
      const rows = await connection.query<BreakdownRow & { id: number }>(
        sql`/* catalog.derivedContainerBreakdowns */
          ${IN_USE}
          select parent.id, entry.*
          from unnest(${imageIds}::int[]) as parent (id)
          cross join lateral (${largest(first, COUNTED[by])}) entry`,
      );
      return listsBy(
        rows,
        (row) => row.id,
        ({ key, value }) => ({ key, value }),
      );
    },
  };
}

const PARENT = raw('parent.id');

const IN_USE = raw(
  'with in_use as materialized (select i.manifest_id as id, i.layer_count from image i where i.container_count > 0)',
);

/**
 * Over IN_USE: containers k of the image that is the parent, and of those that stand on it. Of all that have its rarest
 * layer only those that are in use are looked at, which are few.
 */
const STANDING = sql`(
    select ${PARENT} as id
    union all
    select c.image_id
    from (
      select c.image_id
      from image_layer c join in_use on in_use.id = c.image_id
      where ${hasRarestLayer(PARENT)} and in_use.layer_count > ${heightOf(PARENT)} offset 0
    ) c
    where ${beginsWith(PARENT)}
  ) used join container k on k.image_id = used.id and k.removed_at is null`;

const IS_RUNNING = raw(`k.state = 'RUNNING'`);

const COUNTED: Record<ContainerBreakdown['by'], Sql> = {
  RUNTIME: sql`select n.name as key, counted.value from (select k.runtime_id, count(*) as value from ${STANDING} where ${IS_RUNNING} group by 1) counted join runtime n on n.id = counted.runtime_id`,
  CONTAINER_STATE: sql`select k.state as key, count(*) as value from ${STANDING} group by 1`,
};
