import sql, { raw, type Sql } from 'sql-template-tag';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import type { Connection } from '../database.ts';
import { allOf, numberIn, type NumberRange } from './filter.ts';
import { rootList, type KeyType, type ListQuery } from './page.ts';
import { listsBy } from './rows.ts';

export interface LayerRecord {
  readonly __typename: 'Layer';
  /** Row id; `id` is what clients see. */
  readonly layerId: number;
  readonly diffId: Digest;
  readonly isEmpty: boolean;
  readonly firstSeenAt: Date;
  /** Null where the record comes from an image's stack, which is kept across requests. */
  readonly measures: LayerMeasures | null;
}

/** What changes about a layer as images come and go. */
export interface LayerMeasures {
  readonly size: number;
  readonly uncompressedSize: number | null;
  readonly isForeign: boolean;
  readonly imageCount: number;
}

export interface LayerBlobRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly urls: readonly string[];
}

export interface LayerFilter {
  readonly size?: NumberRange | null;
  readonly imageCount?: NumberRange | null;
  readonly isForeign?: boolean | null;
}

export interface LayerOrder {
  readonly field: keyof typeof KEYS;
  readonly direction: 'ASC' | 'DESC';
}

export interface LayerListArguments {
  readonly filter?: LayerFilter | null;
  readonly orderBy?: LayerOrder | null;
}

export function layerReads(connection: Connection) {
  return {
    layers: rootList(connection, listOf),

    layersById: async (ids: readonly number[]): Promise<Map<number, LayerRecord>> => {
      const rows = await connection.run<LayerRow>(LAYERS_BY_ID, [ids]);
      return new Map(rows.map((row) => [row.id, recordOf(row)]));
    },

    layersByDiffId: async (diffIds: readonly Digest[]): Promise<Map<Digest, LayerRecord>> => {
      const rows = await connection.run<LayerRow>(LAYERS_BY_DIFF_ID, [diffIds.map(digestBytes)]);
      return new Map(rows.map((row) => [row.diff_id, recordOf(row)]));
    },

    /** By diff id, or by the digest of any packing. */
    layersByDigest: async (digests: readonly Digest[]): Promise<Map<Digest, LayerRecord>> => {
      const rows = await connection.run<LayerRow & { wanted: Digest }>(LAYERS_BY_DIGEST, [digests.map(digestBytes)]);
      return new Map(rows.map((row) => [row.wanted, recordOf(row)]));
    },

    measuresByLayer: async (ids: readonly number[]): Promise<Map<number, LayerMeasures>> => {
      const rows = await connection.run<LayerRow>(MEASURES_BY_LAYER, [ids]);
      return new Map(rows.map((row) => [row.id, measuresOf(row)]));
    },

    /** Smallest first. */
    blobsByLayer: async (ids: readonly number[]): Promise<Map<number, LayerBlobRecord[]>> => {
      const rows = await connection.run<BlobRow>(BLOBS_BY_LAYER, [ids]);
      return listsBy(
        rows,
        (row) => row.layer_id,
        (row) => ({ digest: row.digest, mediaType: row.media_type, size: row.size, urls: row.urls ?? [] }),
      );
    },
  };
}

const KEYS = {
  SIZE: ['l.size', 'number'],
  IMAGE_COUNT: ['l.image_count', 'number'],
  FIRST_SEEN_AT: ['l.first_seen_at', 'instant'],
} as const satisfies Record<string, readonly [string, KeyType]>;

const COLUMNS = `l.id, digest_text(l.diff_id) as diff_id, l.is_empty, l.first_seen_at, l.size, l.uncompressed_size,
    l.is_foreign, l.image_count`;

const LAYERS_BY_ID = `/* catalog.layersById */
  select ${COLUMNS} from layer l where l.id = any($1::int[])`;

const LAYERS_BY_DIFF_ID = `/* catalog.layersByDiffId */
  select ${COLUMNS} from layer l where l.diff_id = any((select $1::bytea[])::bytea[])`;

/** A diff id comes last, and so decides, should a packing of another layer have the same digest. */
const LAYERS_BY_DIGEST = `/* catalog.layersByDigest */
  select found.wanted, ${COLUMNS}
  from (
    select 0 as rank, b.digest, digest_text(b.digest) as wanted, b.layer_id from layer_blob b where b.digest = any((select $1::bytea[])::bytea[])
    union all
    select 1, d.diff_id, digest_text(d.diff_id), d.id from layer d where d.diff_id = any((select $1::bytea[])::bytea[])
  ) found join layer l on l.id = found.layer_id order by found.rank`;

const MEASURES_BY_LAYER = `/* catalog.measuresByLayer */
  select l.id, l.size, l.uncompressed_size, l.is_foreign, l.image_count from layer l where l.id = any((select $1::int[])::int[])`;

const BLOBS_BY_LAYER = `/* catalog.blobsByLayer */
  select b.layer_id, digest_text(b.digest) as digest, b.media_type, b.size, b.urls
  from layer_blob b where b.layer_id = any((select $1::int[])::int[]) order by b.layer_id, b.size, b.id`;

interface LayerRow {
  id: number;
  diff_id: Digest;
  is_empty: boolean;
  first_seen_at: Date;
  size: number;
  uncompressed_size: number | null;
  is_foreign: boolean;
  image_count: number;
}

interface BlobRow {
  layer_id: number;
  digest: Digest;
  media_type: string;
  size: number;
  urls: string[] | null;
}

function listOf({ filter, orderBy }: LayerListArguments): ListQuery<LayerRow, LayerRecord> {
  const { field, direction } = orderBy ?? { field: 'SIZE', direction: 'DESC' };
  const [expression, type] = KEYS[field];
  return {
    name: 'catalog.layers',
    columns: raw(COLUMNS),
    from: raw('layer l'),
    where: allOf(conditions(filter ?? {})),
    order: { name: `layers ${field}`, direction, key: { expression: raw(expression), type }, id: raw('l.id') },
    toRecord: recordOf,
  };
}

function conditions({ size, imageCount, isForeign }: LayerFilter): Sql[] {
  return [
    ...(size == null ? [] : [numberIn(raw('l.size'), size)]),
    ...(imageCount == null ? [] : [numberIn(raw('l.image_count'), imageCount)]),
    ...(isForeign == null ? [] : [sql`l.is_foreign = ${isForeign}`]),
  ];
}

function recordOf(row: LayerRow): LayerRecord {
  return {
    __typename: 'Layer',
    layerId: row.id,
    diffId: row.diff_id,
    isEmpty: row.is_empty,
    firstSeenAt: row.first_seen_at,
    measures: measuresOf(row),
  };
}

function measuresOf(row: LayerRow): LayerMeasures {
  return {
    size: row.size,
    uncompressedSize: row.uncompressed_size,
    isForeign: row.is_foreign,
    imageCount: row.image_count,
  };
}
