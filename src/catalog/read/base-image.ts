import sql, { raw, type Sql } from 'sql-template-tag';
import type { Connection } from '../database.ts';
import { indexesAbove } from './index-tree.ts';
import { imageOf, MANIFEST_COLUMNS, type ImageRecord, type ManifestRow } from './manifest-row.ts';
import { listsBy } from './rows.ts';
import { BASES, BEST_FIRST, CLAIMED_TAG, CLAIMS } from './stack.ts';

export type BaseImageEvidence = 'LAYER_PREFIX' | 'ANNOTATION' | 'PROVENANCE';

/** An image that another stands on. */
export interface BaseImageRecord {
  readonly image: ImageRecord;
  /** Row id of the other. */
  readonly derivedId: number;
  readonly evidence: readonly BaseImageEvidence[];
}

/** An image, and how much of a list is wanted for it. */
export interface FirstOfImage {
  readonly imageId: number;
  readonly first: number;
}

/** An image and one that it stands on. */
export interface BasePair {
  readonly derivedId: number;
  readonly baseId: number;
}

export function baseImageReads(connection: Connection) {
  return {
    /** Best first. The keys of the answer are as `firstKey` writes them. */
    baseCandidates: async (keys: readonly FirstOfImage[]): Promise<Map<string, BaseImageRecord[]>> => {
      const rows = await connection.query<ManifestRow & KeyRow & { evidence: BaseImageEvidence[] | null }>(
        sql`/* catalog.baseCandidates */
          select base.image_id, base.up_to, base.evidence, ${raw(MANIFEST_COLUMNS)}
          from (
            select wanted.image_id, wanted.up_to, best.*
            from ${wanted(keys)} join image i on i.manifest_id = wanted.image_id
            join manifest m on m.id = i.manifest_id
            cross join lateral (
              select b.manifest_id, claim.evidence, row_number() over (order by ${BEST_FIRST}) as place
              from ${BASES} order by place limit wanted.up_to
            ) best
          ) base
          join image i on i.manifest_id = base.manifest_id join manifest m on m.id = base.manifest_id
          order by base.place`,
      );
      return listsBy(rows, keyOf, (row) => ({
        image: imageOf(row),
        derivedId: row.image_id,
        evidence: ['LAYER_PREFIX', ...(row.evidence ?? [])],
      }));
    },

    /** The best of each stack, from the base to the root. The keys of the answer are as `firstKey` writes them. */
    lineages: async (keys: readonly FirstOfImage[]): Promise<Map<string, ImageRecord[]>> => {
      const rows = await connection.query<ManifestRow & KeyRow>(
        sql`/* catalog.lineages */
          select base.image_id, base.up_to, ${raw(MANIFEST_COLUMNS)}
          from (
            select wanted.image_id, wanted.up_to, best.*
            from ${wanted(keys)} join image i on i.manifest_id = wanted.image_id
            join manifest m on m.id = i.manifest_id
            cross join lateral (
              select distinct on (s.position) s.position, b.manifest_id
              from ${BASES} order by ${BEST_FIRST} limit wanted.up_to
            ) best
          ) base
          join image i on i.manifest_id = base.manifest_id join manifest m on m.id = base.manifest_id
          order by base.position desc`,
      );
      return listsBy(rows, keyOf, imageOf);
    },

    /** Of these pairs those in which the tag that the base came from names another image now. */
    outdatedBases: async (pairs: readonly BasePair[]): Promise<Map<string, true>> => {
      const derivedIds = pairs.map((pair) => pair.derivedId);
      const baseIds = pairs.map((pair) => pair.baseId);
      const rows = await connection.query<{ derived_id: number; base_id: number }>(
        sql`/* catalog.outdatedBases */
          select pair.derived_id, pair.base_id
          from unnest(${derivedIds}::int[], ${baseIds}::int[]) as pair (derived_id, base_id)
          join manifest m on m.id = pair.derived_id join image b on b.manifest_id = pair.base_id
          cross join lateral (select ${indexesAbove(raw('b.manifest_id'))} as ids offset 0) above
          cross join lateral (
            select coalesce(
              (
                select array_agg(claimed.id)
                from base_claim q cross join lateral (select t.id from ${CLAIMED_TAG}) claimed where ${CLAIMS}
              ),
              array(select v.tag_id from tag_event v where v.to_id = any(above.ids))
            ) as tags offset 0
          ) origin
          where exists (select from tag t where t.id = any(origin.tags) and t.manifest_id is not null)
            and not exists (select from tag t where t.id = any(origin.tags) and t.manifest_id = any(above.ids))`,
      );
      return new Map(rows.map((row) => [pairKey({ derivedId: row.derived_id, baseId: row.base_id }), true]));
    },
  };
}

export function firstKey({ imageId, first }: FirstOfImage): string {
  return `${imageId}:${first}`;
}

export function pairKey({ derivedId, baseId }: BasePair): string {
  return `${derivedId}:${baseId}`;
}

interface KeyRow {
  image_id: number;
  up_to: number;
}

function wanted(keys: readonly FirstOfImage[]): Sql {
  return sql`unnest(${keys.map((key) => key.imageId)}::int[], ${keys.map((key) => key.first)}::int[]) as wanted (image_id, up_to)`;
}

function keyOf(row: KeyRow): string {
  return firstKey({ imageId: row.image_id, first: row.up_to });
}
