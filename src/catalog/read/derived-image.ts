import sql, { raw } from 'sql-template-tag';
import type { Connection } from '../database.ts';
import { imageList, scopedOrder, type ImageListArguments, type ImagesById } from './image.ts';
import { breakdownsByParent, type Breakdown, type BreakdownRow } from './numbers/index.ts';
import { MAX_PAGE, nestedList } from './page.ts';
import { listsBy } from './rows.ts';
import { IS_STACK } from './stack.ts';
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

export function derivedImageReads(connection: Connection, imagesById: ImagesById) {
  return {
    derivedImages: nestedList(connection, ({ filter, orderBy, directOnly }: DerivedImageArguments) => ({
      ...imageList(
        'derivedImages',
        'image_layer c join image i on i.manifest_id = c.image_id',
        filter,
        scopedOrder(orderBy, 'c.image_id'),
        ON_PARENT,
        ...(directOnly ? [IS_DIRECT] : []),
      ),
      recordsById: imagesById,
    })),

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

    /** What stands on each and can be pulled now, by what it is or where. */
    derivedBreakdowns: (
      ids: readonly number[],
      wanted: Pick<Breakdown, 'by' | 'first'>,
    ): Promise<Map<number, BreakdownRow[]>> =>
      breakdownsByParent(connection, { ...wanted, metric: 'IMAGES', parents: ids, condition: IS_DERIVED }),

    /** By wave; of each the first `MAX_PAGE`. An image belongs in the wave behind that of its base. */
    rebuildPlans: async (ids: readonly number[]): Promise<Map<number, RebuildWaveRecord[]>> => {
      const rows = await connection.query<{ id: number; wave: number; count: number; image_ids: number[] }>(
        sql`/* catalog.rebuildPlans */
          with placed as (
            select parent.id as root, entry.*
            from unnest(${ids}::int[]) as parent (id)
            cross join lateral (
              select c.image_id, 1 + (select count(*) ${BETWEEN}) as wave
              from image_layer c join image i on i.manifest_id = c.image_id where ${ON_PARENT} offset 0
            ) entry
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

const PARENT = raw('parent.id');
const ON_PARENT = standsOn(PARENT);
const IS_DERIVED = sql`i.manifest_id = any(array(select c.image_id from image_layer c where ${ON_PARENT}))`;

/** The stacks of images that are above the parent and below image i. */
const BETWEEN = sql`from image_layer s
  where s.image_id = i.manifest_id and s.position < i.layer_count - 1
    and s.position >= (select b.layer_count from image b where b.manifest_id = ${PARENT})
    and exists (select from image b where ${IS_STACK})`;

/** Its base has the stack of the parent. */
const IS_DIRECT = sql`not exists (select ${BETWEEN})`;
