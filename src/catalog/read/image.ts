import sql, { raw, type Sql } from 'sql-template-tag';
import type { Digest } from '../../domain/digest.ts';
import type { NameAndValue, RunConfig } from '../../domain/image-config.ts';
import { isWildcard } from '../../domain/pattern.ts';
import type { Connection } from '../database.ts';
import { allOf, conditionOf } from './filter.ts';
import { IMAGE_CREATED_AT, imageConditions, type ImageFilter } from './image-filter.ts';
import { namesAndValues } from './json.ts';
import { KeptRecords } from './kept-records.ts';
import type { LayerRecord } from './layer.ts';
import { imageOf, MANIFEST_COLUMNS, type ImageRecord, type ManifestRow } from './manifest-row.ts';
import { nestedList, rootList, type KeptListQuery, type Order } from './page.ts';

/** A layer at its place in one image. */
export interface ImageLayerRecord {
  readonly imageId: number;
  readonly position: number;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly chainId: Digest;
  readonly cumulativeSize: number;
  readonly layer: LayerRecord;
}

export interface ImageOrder {
  readonly field: keyof typeof KEYS;
  readonly direction: 'ASC' | 'DESC';
}

export interface ImageListArguments {
  readonly filter?: ImageFilter | null;
  readonly orderBy?: ImageOrder | null;
}

/** The records of images, as they are kept across requests. */
export type ImagesById = KeptListQuery<ImageRecord>['recordsById'];

/** Stacks of so many layers in all are kept across requests: what they hold never changes. */
const KEPT_LAYERS = 100_000;

export function imageReads(connection: Connection, imagesById: ImagesById) {
  const kept = new KeptRecords<readonly ImageLayerRecord[]>(KEPT_LAYERS, (stack) => stack.length);

  return {
    forgetStack: (id: number | null) => kept.forget(id),

    images: rootList(connection, ({ filter, orderBy }: ImageListArguments) => {
      const list = imageList('images', 'image i', filter, orderOf(orderBy ?? NEWEST));
      const where = orderBy?.field === 'SIZE' ? ofOnePlatform(filter ?? {}) : null;
      return { ...list, ...(where && { where }), recordsById: imagesById };
    }),
    /** Every image that the repository has or had. */
    imagesByRepository: nestedList(connection, ({ filter, orderBy }: ImageListArguments) => ({
      ...imageList('imagesByRepository', IN_REPOSITORY, filter, scopedOrder(orderBy, 'c.manifest_id')),
      within: raw('c.repository_id'),
      recordsById: imagesById,
    })),
    imagesByLayer: nestedList(connection, ({ filter, orderBy }: ImageListArguments) => ({
      ...imageList('imagesByLayer', WITH_LAYER, filter, scopedOrder(orderBy, 'c.image_id'), OF_LAYER),
      // An image may stack one layer twice.
      repeats: true,
      recordsById: imagesById,
    })),

    /** Bottom first. */
    layersByImage: async (ids: readonly number[]): Promise<Map<number, readonly ImageLayerRecord[]>> => {
      const stacks = new Map<number, readonly ImageLayerRecord[]>();
      const missing = ids.filter((id) => {
        const stack = kept.get(id);
        if (stack !== undefined) stacks.set(id, stack);
        return stack === undefined;
      });
      if (missing.length === 0) return stacks;
      const keep = kept.keeper();
      for (const [id, stack] of stacksOf(await connection.run<LayerRow>(LAYERS_BY_IMAGE, [missing]))) {
        keep(id, stack);
        stacks.set(id, stack);
      }
      return stacks;
    },

    configsByImage: async (ids: readonly number[]): Promise<Map<number, RunConfig>> => {
      const rows = await connection.run<{ manifest_id: number; run_config: RunConfig }>(
        '/* catalog.configsByImage */ select manifest_id, run_config from image where manifest_id = any((select $1::int[])::int[])',
        [ids],
      );
      return new Map(rows.map((row) => [row.manifest_id, row.run_config]));
    },

    labelsByImage: async (ids: readonly number[]): Promise<Map<number, NameAndValue[]>> => {
      const rows = await connection.run<{ manifest_id: number; labels: Record<string, string> }>(
        '/* catalog.labelsByImage */ select manifest_id, labels from image where manifest_id = any((select $1::int[])::int[])',
        [ids],
      );
      return new Map(rows.map((row) => [row.manifest_id, namesAndValues(row.labels)]));
    },

    /** Those that are known now. */
    uncompressedSizesByImage: async (ids: readonly number[]): Promise<Map<number, number>> => {
      const rows = await connection.run<{ manifest_id: number; uncompressed_size: number }>(
        `/* catalog.uncompressedSizesByImage */
        select manifest_id, uncompressed_size from image
        where manifest_id = any((select $1::int[])::int[]) and uncompressed_size is not null`,
        [ids],
      );
      return new Map(rows.map((row) => [row.manifest_id, row.uncompressed_size]));
    },

    /** Bytes of blobs in layers that no other image has, each blob once. An image without any is not in the answer. */
    uniqueSizesByImage: async (ids: readonly number[]): Promise<Map<number, number>> => {
      const rows = await connection.run<{ image_id: number; size: number }>(
        `/* catalog.uniqueSizesByImage */
        select own.image_id, least(sum(own.size), ${Number.MAX_SAFE_INTEGER})::int8 as size
        from (
          select distinct on (il.image_id, b.digest) il.image_id, b.size
          from image_layer il join layer l on l.id = il.layer_id join layer_blob b on b.id = il.blob_id
          where il.image_id = any((select $1::int[])::int[]) and l.image_count = 1
        ) own group by own.image_id`,
        [ids],
      );
      return new Map(rows.map((row) => [row.image_id, row.size]));
    },

    /** Ids only grow, so the first image is the one with the lowest. */
    firstImagesByLayer: async (ids: readonly number[]): Promise<Map<number, ImageRecord>> => {
      const rows = await connection.run<ManifestRow & { layer_id: number }>(FIRST_IMAGES_BY_LAYER, [ids]);
      return new Map(rows.map((row) => [row.layer_id, imageOf(row)]));
    },
  };
}

const KEYS = {
  CREATED_AT: { expression: IMAGE_CREATED_AT, type: 'instant' },
  SIZE: { expression: raw('i.size'), type: 'number' },
  LAYER_COUNT: { expression: raw('i.layer_count'), type: 'number' },
  FIRST_SEEN_AT: { expression: raw('i.first_seen_at'), type: 'instant' },
  CONTAINER_COUNT: { expression: raw('i.container_count'), type: 'number' },
  WASTED_SIZE: { expression: raw('coalesce(w.wasted_size, 0)'), type: 'number' },
} as const satisfies Record<string, Order['key']>;

const NEWEST: ImageOrder = { field: 'CREATED_AT', direction: 'DESC' };

const IN_REPOSITORY = 'repository_manifest c join image i on i.manifest_id = c.manifest_id';

const WITH_LAYER = 'image_layer c left join image i on i.manifest_id = c.image_id';
const OF_LAYER = raw('c.layer_id = parent.id');

/** `from` has image i. Its manifest m and its contents w are joined so that PostgreSQL leaves out what nothing asks for. */
export function imageList(
  name: string,
  from: string,
  filter: ImageFilter | null | undefined,
  order: Order,
  ...scope: Sql[]
): Omit<KeptListQuery<ImageRecord>, 'recordsById'> {
  return {
    name: `catalog.${name}`,
    from: raw(
      `${from} left join manifest m on m.id = i.manifest_id left join image_contents w on w.image_id = i.manifest_id`,
    ),
    where: allOf([...scope, conditionOf(filter, imageConditions)]),
    order,
  };
}

/**
 * Null unless os and architecture are all that is asked for. An index has both before the size, so there is nothing to
 * choose by their values, and hidden from the planner they let it keep its plan.
 */
function ofOnePlatform({ os, architecture, ...others }: ImageFilter): Sql | null {
  if (os == null || architecture == null || isWildcard(os) || isWildcard(architecture)) return null;
  if (Object.values(others).some((each) => each != null)) return null;
  return sql`i.os = (select ${os}::text) and i.architecture = (select ${architecture}::text)`;
}

function orderOf({ field, direction }: ImageOrder): Order {
  return { name: `images ${field}`, direction, key: KEYS[field], id: raw('i.manifest_id') };
}

/**
 * Unless asked otherwise, what was cataloged last comes first: the order of the index that finds a parent's images, so
 * that a layer of ten thousand images costs no more than one of ten.
 */
export function scopedOrder(orderBy: ImageOrder | null | undefined, id: string): Order {
  return orderBy ? orderOf(orderBy) : { name: 'images', direction: 'DESC', key: null, id: raw(id) };
}

const LAYERS_BY_IMAGE = `/* catalog.layersByImage */
  select il.image_id, il.position, il.layer_id, digest_text(il.chain_id) as chain_id, digest_text(b.digest) as digest,
    b.media_type, b.size, digest_text(l.diff_id) as diff_id, l.is_empty, l.first_seen_at
  from image_layer il join layer_blob b on b.id = il.blob_id join layer l on l.id = il.layer_id
  where il.image_id = any((select $1::int[])::int[]) order by il.image_id, il.position`;

interface LayerRow {
  image_id: number;
  position: number;
  layer_id: number;
  chain_id: Digest;
  digest: Digest;
  media_type: string;
  size: number;
  diff_id: Digest;
  is_empty: boolean;
  first_seen_at: Date;
}

function stacksOf(rows: readonly LayerRow[]): Map<number, ImageLayerRecord[]> {
  const stacks = new Map<number, ImageLayerRecord[]>();
  for (const row of rows) {
    let stack = stacks.get(row.image_id);
    if (stack === undefined) stacks.set(row.image_id, (stack = []));
    stack.push({
      imageId: row.image_id,
      position: row.position,
      digest: row.digest,
      mediaType: row.media_type,
      size: row.size,
      chainId: row.chain_id,
      // Sizes are what documents claim, and a sum of claims may be beyond what JSON carries exactly.
      cumulativeSize: Math.min((stack.at(-1)?.cumulativeSize ?? 0) + row.size, Number.MAX_SAFE_INTEGER),
      layer: {
        __typename: 'Layer',
        layerId: row.layer_id,
        diffId: row.diff_id,
        isEmpty: row.is_empty,
        firstSeenAt: row.first_seen_at,
        measures: null,
      },
    });
  }
  return stacks;
}

const FIRST_IMAGES_BY_LAYER = `/* catalog.firstImagesByLayer */
  select first.layer_id, ${MANIFEST_COLUMNS}
  from (
    select wanted.id as layer_id, (select min(il.image_id) from image_layer il where il.layer_id = wanted.id) as image_id
    from unnest((select $1::int[])::int[]) as wanted (id)
  ) first
  join image i on i.manifest_id = first.image_id join manifest m on m.id = i.manifest_id`;
