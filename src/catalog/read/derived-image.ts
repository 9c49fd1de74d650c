import sql, { raw } from 'sql-template-tag';
import type { Connection } from '../database.ts';
import { imageList, scopedOrder, type ImageListArguments } from './image.ts';
import { MAX_PAGE, nestedList } from './page.ts';
import { listsBy } from './rows.ts';
import { BASE_ID, baseHeight } from './stack.ts';
import { standsOn } from './stands-on.ts';

export interface DerivedImageArguments extends ImageListArguments {
  readonly directOnly?: boolean | null;
}

/** Images that can be built again at the same time. */
export interface RebuildWaveRecord {
  readonly wave: number;
  readonly count: number;
  /** Row ids of the first `MAX_PAGE`. */
  readonly imageIds: readonly number[];
}

export function derivedImageReads(connection: Connection) {
  return {
    derivedImages: nestedList(connection, ({ filter, orderBy, directOnly }: DerivedImageArguments) =>
      imageList(
        'derivedImages',
        FROM,
        filter,
        scopedOrder(orderBy, 'c.image_id'),
        ON_PARENT,
        ...(directOnly ? [IS_DIRECT] : []),
      ),
    ),

    /** How many images stand on each, on whatever else they stand. */
    derivedCounts: async (ids: readonly number[]): Promise<Map<number, number>> => {
      const rows = await connection.query<{ id: number; count: number }>(
        sql`/* catalog.derivedCounts */
          select parent.id, derived.count
          from unnest(${ids}::int[]) as parent (id)
          cross join lateral (
            select count(*) from image_layer c where ${ON_PARENT}
          ) derived`,
      );
      return new Map(rows.map((row) => [row.id, row.count]));
    },

    /** How many repositories hold an image that stands on it. */
    derivedRepositoryCounts: async (ids: readonly number[]): Promise<Map<number, number>> => {
      const rows = await connection.query<{ id: number; count: number }>(
        sql`/* catalog.derivedRepositoryCounts */
          select parent.id, derived.count
          from unnest(${ids}::int[]) as parent (id)
          cross join lateral (
            select count(distinct h.repository_id)
            from image_layer c join repository_manifest h on h.manifest_id = c.image_id and h.gone_at is null
            where ${ON_PARENT}
          ) derived`,
      );
      return new Map(rows.map((row) => [row.id, row.count]));
    },

    /** The first waves of each, at most this many. */
    rebuildPlans: async (ids: readonly number[]): Promise<Map<number, RebuildWaveRecord[]>> => {
      const rows = await connection.query<{ id: number; wave: number; count: number; image_ids: number[] }>(
        sql`/* catalog.rebuildPlans */
          with derived as materialized (
            select parent.id as root, entry.image_id, entry.base_id, entry.lowest,
              row_number() over (partition by parent.id, entry.base_id) = 1 as is_first
            from unnest(${ids}::int[]) as parent (id)
            cross join lateral (
              select c.image_id, base.id as base_id, ${PARENT_TOP} as lowest
              from ${raw(FROM)}
              cross join lateral (select ${baseHeight(PARENT_TOP)} as layers offset 0) height
              left join lateral (${BASE_ID}) base on height.layers - 1 > ${PARENT_TOP}
              where ${ON_PARENT} offset 0
            ) entry
          ), placed as (
            select root, image_id,
              1 + coalesce(max(case when is_first then ${HEIGHT_OF_PLAN} end) over (partition by root, base_id), 0) as wave
            from derived
          )
          select root as id, wave, count(*) as count,
            (array_agg(image_id order by image_id desc))[:${raw(String(MAX_PAGE))}] as image_ids
          from placed where wave <= ${MAX_PAGE} group by root, wave order by root, wave`,
      );
      return listsBy(
        rows,
        (row) => row.id,
        (row) => ({ wave: row.wave, count: row.count, imageIds: row.image_ids }),
      );
    },
  };
}

const FROM = 'image_layer c join image i on i.manifest_id = c.image_id join manifest m on m.id = i.manifest_id';
const PARENT = raw('parent.id');
const ON_PARENT = standsOn(PARENT);

const PARENT_TOP = sql`(select b.layer_count - 1 from image b where b.manifest_id = ${PARENT})`;

/** Its base has the stack of the parent. */
const IS_DIRECT = sql`${baseHeight(PARENT_TOP)} - 1 = ${PARENT_TOP}`;

/** Over a derived image: how many derived images its lineage begins with. */
const HEIGHT_OF_PLAN = sql`(
  with recursive line (id) as (
    select derived.base_id where derived.base_id is not null
    union all
    select base.id
    from line join image i on i.manifest_id = line.id join manifest m on m.id = line.id
    cross join lateral (select ${baseHeight(raw('derived.lowest'))} as layers offset 0) height
    cross join lateral (${BASE_ID}) base
    where height.layers - 1 > derived.lowest
  )
  select count(*) from line
)`;
