import sql, { raw, type Sql } from 'sql-template-tag';
import { CatalogError } from '../../domain/errors.ts';
import type { Connection } from '../database.ts';
import { conditionOf, TRUE } from './filter.ts';
import { imageConditions, type ImageFilter } from './image-filter.ts';
import {
  imageOf,
  MANIFEST_COLUMNS,
  manifestOf,
  type ImageIndexRecord,
  type ImageRecord,
  type ManifestRow,
} from './manifest-row.ts';
import { MAX_PAGE, rootList, type ListQuery, type Order } from './page.ts';
import { standsOn } from './stands-on.ts';

/** What deleting images together would come to. */
export interface SimulationRecord {
  readonly deletableCount: number;
  readonly blockedCount: number;
  readonly freedSize: number;
}

/** An image, with what stands in the way of its deletion or would be touched by it. */
export interface BlockedImageRecord {
  readonly image: ImageRecord;
  /** Manifest ids of indexes that list it and stay, the first hundred; none of what can be deleted. */
  readonly indexIds: readonly number[];
  readonly indexCount: number;
  /** Containers that were created from it; none of what can be deleted. */
  readonly containerCount: number;
  /** Tags that name it directly. */
  readonly tagCount: number;
  /** Images built on it. */
  readonly derivedCount: number;
}

export interface SimulationArguments {
  readonly filter: ImageFilter;
}

/** Images that a simulation looks at. */
const MAX_SELECTED = 100_000;

export function deletionReads(connection: Connection) {
  return {
    /** Throws INVALID_ARGUMENT where the filter selects too many. */
    simulateDeletion: async ({ filter }: SimulationArguments): Promise<SimulationRecord> => {
      const [row] = await connection.query<SimulationRecord & { selectedCount: number }>(
        sql`/* catalog.simulateDeletion */ ${planOf(filter)}, ${FREED} select (select count(*) from chosen) as "selectedCount", (select count(*) from deletable) as "deletableCount", (select count(*) from blocked) as "blockedCount", (select size from freed) as "freedSize"`,
      );
      const { selectedCount, ...simulation } = row as SimulationRecord & { selectedCount: number };
      if (selectedCount <= MAX_SELECTED) return simulation;
      throw new CatalogError(
        'INVALID_ARGUMENT',
        `filter selects more than ${MAX_SELECTED.toLocaleString('en')} images: narrow it, such as by repository or createdAt.`,
      );
    },

    deletableImages: rootList(connection, ({ filter }: SimulationArguments) => ({
      name: 'catalog.deletableImages',
      columns: raw(MANIFEST_COLUMNS),
      from: listed(filter, raw('select deletable.id from deletable')),
      where: TRUE,
      order: orderOf('deletableImages'),
      toRecord: imageOf,
    })),

    /** Those that list a deletable image, themselves or through another index. */
    deletableIndexes: rootList(connection, ({ filter }: SimulationArguments) => ({
      name: 'catalog.deletableIndexes',
      columns: raw(MANIFEST_COLUMNS),
      from: sql`(${planOf(filter)}, ${INDEXES_ABOVE} select above.id from above) listed join manifest m on m.id = listed.id left join image i on i.manifest_id = m.id`,
      where: TRUE,
      order: { ...orderOf('deletableIndexes'), id: raw('m.id') },
      toRecord: (row: ManifestRow) => manifestOf(row) as ImageIndexRecord,
    })),

    blockedImages: rootList(connection, ({ filter }: SimulationArguments) =>
      listOf(
        'blockedImages',
        listed(filter, raw('select blocked.id, blocked.index_ids, blocked.index_count from blocked')),
        TRUE,
      ),
    ),

    warnedImages: rootList(connection, ({ filter }: SimulationArguments) =>
      listOf(
        'warnedImages',
        listed(filter, raw('select deletable.id, array[]::int[] as index_ids, 0 as index_count from deletable')),
        sql`(exists (select ${TAGS_OF}) or exists (select ${DERIVED_OF}))`,
      ),
    ),
  };
}

/**
 * The images that a filter selects, and of these the blocked, which are in use or have indexes that hold them, and the
 * deletable. What keeps an index is kept_indexes' to say, which the deletion itself asks, too.
 */
function planOf(filter: ImageFilter): Sql {
  return sql`with recursive chosen as materialized (select i.manifest_id as id, i.container_count from image i join manifest m on m.id = i.manifest_id where ${conditionOf(filter, imageConditions)} limit ${MAX_SELECTED + 1}), kept as materialized (select k.id from kept_indexes(array(select chosen.id from chosen), null) as k(id)), held as materialized (select chosen.id, (array_agg(distinct x.index_id order by x.index_id))[1:${MAX_PAGE}] as index_ids, count(distinct x.index_id)::int as index_count from chosen join index_entry x on x.child_id = chosen.id join kept on kept.id = x.index_id group by chosen.id), blocked as materialized (select chosen.id, coalesce(held.index_ids, '{}') as index_ids, coalesce(held.index_count, 0) as index_count from chosen left join held on held.id = chosen.id where chosen.container_count > 0 or held.id is not null), deletable as materialized (select chosen.id from chosen except select blocked.id from blocked)`;
}

/** An index that were kept would block what it lists. */
const INDEXES_ABOVE = raw(
  'above (id) as (select x.index_id from deletable join index_entry x on x.child_id = deletable.id union select x.index_id from above join index_entry x on x.child_id = above.id)',
);

/**
 * A packing goes when every image goes that stacks it, and a blob when all goes that it is a packing of. The count of a
 * layer tells of nearly all without a look at the images that stay; only of a layer that stays, and is packed in several
 * ways, they say which of these.
 */
const FREED = raw(`used as materialized (
    select il.layer_id, count(distinct il.image_id) as images
    from deletable join image_layer il on il.image_id = deletable.id group by il.layer_id
  ), mixed as materialized (
    select used.layer_id
    from used join layer l on l.id = used.layer_id join layer_blob b on b.layer_id = l.id
    where used.images < l.image_count group by used.layer_id having count(*) > 1
  ), staying as (
    select distinct il.blob_id
    from mixed join image_layer il on il.layer_id = mixed.layer_id
    where not exists (select from deletable where deletable.id = il.image_id)
  ), going as materialized (
    select b.id, b.digest, b.size
    from used join layer l on l.id = used.layer_id and l.image_count = used.images
    join layer_blob b on b.layer_id = l.id
    union all
    select b.id, b.digest, b.size
    from mixed join layer_blob b on b.layer_id = mixed.layer_id
    where not exists (select from staying where staying.blob_id = b.id)
  ), freed as (
    select least(coalesce(sum(each.size), 0), ${Number.MAX_SAFE_INTEGER})::int8 as size
    from (select distinct going.digest, going.size from going) each
    where not exists (
      select from layer_blob o left join going on going.id = o.id
      where o.digest = each.digest and o.size = each.size and going.id is null
    )
  )`);

const TAGS_OF = raw('from tag t where t.manifest_id = i.manifest_id');
const DERIVED_OF = sql`from image_layer c where ${standsOn(raw('i.manifest_id'))}`;

/** What a plan lists, as images. */
function listed(filter: ImageFilter, entries: Sql): Sql {
  return sql`(${planOf(filter)} ${entries}) listed join image i on i.manifest_id = listed.id join manifest m on m.id = i.manifest_id`;
}

function orderOf(name: string): Order {
  return { name, direction: 'ASC', key: null, id: raw('i.manifest_id') };
}

interface BlockedRow extends ManifestRow {
  index_ids: number[];
  index_count: number;
  container_count: number;
  tag_count: number;
  derived_count: number;
}

function listOf(name: string, from: Sql, where: Sql): ListQuery<BlockedRow, BlockedImageRecord> {
  return {
    name: `catalog.${name}`,
    columns: sql`${raw(MANIFEST_COLUMNS)}, listed.index_ids, listed.index_count, i.container_count, (select count(*) ${TAGS_OF}) as tag_count, (select count(*) ${DERIVED_OF}) as derived_count`,
    from,
    where,
    order: orderOf(name),
    toRecord: (row) => ({
      image: imageOf(row),
      indexIds: row.index_ids,
      indexCount: row.index_count,
      containerCount: row.container_count,
      tagCount: row.tag_count,
      derivedCount: row.derived_count,
    }),
  };
}
