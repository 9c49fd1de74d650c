import sql, { raw } from 'sql-template-tag';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import type { NameAndValue } from '../../domain/image-config.ts';
import { parseManifest, type Descriptor } from '../../domain/manifest.ts';
import type { Connection } from '../database.ts';
import { allOf, storable } from './filter.ts';
import { namesAndValues } from './json.ts';
import { KeptRecords } from './kept-records.ts';
import { MANIFEST_COLUMNS, manifestOf, type ManifestRow } from './manifest-row.ts';
import type { ArtifactRecord, ManifestRecord } from './manifest-row.ts';
import { nestedList, type ListQuery } from './page.ts';
import { platformOf, type PlatformRecord, type PlatformRow } from './platform.ts';
import { imagesReached, REACHED_LINES, type ReachedImage, type ReachedRow } from './reached-image.ts';
import { listsBy } from './rows.ts';

/** A line of an image index. */
export interface IndexEntryRecord {
  readonly position: number;
  readonly digest: string;
  readonly mediaType: string;
  readonly platform: PlatformRecord | null;
  readonly annotations: readonly NameAndValue[];
  /** Null while the catalog does not have it. */
  readonly manifestId: number | null;
}

/** Bytes that an artifact names. */
export interface BlobRecord {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly annotations: readonly NameAndValue[];
}

/** What changes about a manifest: where it is. */
export interface Sighting {
  readonly isAvailable: boolean;
  /** Null where no repository was seen to the end since. */
  readonly lastSeenAt: Date | null;
}

export interface ReferrerArguments {
  readonly artifactType?: string | null;
}

/**
 * Manifests are content: a row never changes until it is deleted, and while PostgreSQL runs an id is never given twice, so
 * they are kept across requests. An unpacked size that is not known yet is the one exception, and is not taken from here.
 */
const KEPT_MANIFESTS = 50_000;

export function manifestReads(connection: Connection) {
  const kept = new KeptRecords<ManifestRecord>(KEPT_MANIFESTS);

  /** The record of a row that is about to be read. */
  function keeper(): (row: ManifestRow) => ManifestRecord {
    const keep = kept.keeper();
    return (row) => {
      const known = kept.get(row.id);
      if (known !== undefined) return known;
      const record = manifestOf(row);
      keep(row.id, record);
      return record;
    };
  }

  return {
    forgetManifest: (id: number | null) => kept.forget(id),

    manifestsById: async (ids: readonly number[]): Promise<Map<number, ManifestRecord>> => {
      const found = new Map<number, ManifestRecord>();
      const missing = ids.filter((id) => {
        const record = kept.get(id);
        if (record !== undefined) found.set(id, record);
        return record === undefined;
      });
      if (missing.length === 0) return found;
      const keep = keeper();
      for (const row of await connection.run<ManifestRow>(MANIFESTS_BY_ID, [missing])) found.set(row.id, keep(row));
      return found;
    },

    manifestsByDigest: async (digests: readonly Digest[]): Promise<Map<Digest, ManifestRecord>> => {
      const keep = keeper();
      const rows = await connection.run<ManifestRow>(MANIFESTS_BY_DIGEST, [digests.map(digestBytes)]);
      return new Map(rows.map((row) => [row.digest, keep(row)]));
    },

    /** The images that manifests reach, in the order of their indexes, for every platform; an image reaches itself. */
    imagesByManifest: async (ids: readonly number[]): Promise<Map<number, ReachedImage[]>> => {
      const found = new Map<number, ReachedImage[]>();
      const missing = ids.filter((id) => {
        const record = kept.get(id);
        if (record?.__typename === 'Image') found.set(id, [{ image: record, platform: record.platform }]);
        return record?.__typename !== 'Image' && record?.__typename !== 'Artifact';
      });
      if (missing.length === 0) return found;
      const keep = keeper();
      const rows = await connection.run<ReachedRow>(REACHED_LINES, [missing]);
      for (const [id, images] of imagesReached(rows, keep)) found.set(id, images);
      return found;
    },

    entriesByIndex: async (ids: readonly number[]): Promise<Map<number, IndexEntryRecord[]>> => {
      const rows = await connection.run<EntryRow>(ENTRIES_BY_INDEX, [ids]);
      return listsBy(rows, (row) => row.index_id, entryOf);
    },

    /** What an artifact holds, as its document says. */
    blobsByArtifact: async (ids: readonly number[]): Promise<Map<number, BlobRecord[]>> => {
      const rows = await connection.run<{ id: number; media_type: string; raw: Buffer }>(RAW_BY_MANIFEST, [ids]);
      return new Map(
        rows.map((row) => {
          const manifest = parseManifest(row.raw, row.media_type);
          return [row.id, manifest.kind === 'ARTIFACT' ? manifest.blobs.map(blobOf) : []];
        }),
      );
    },

    rawByManifest: async (ids: readonly number[]): Promise<Map<number, string>> => {
      const rows = await connection.run<{ id: number; raw: Buffer }>(RAW_BY_MANIFEST, [ids]);
      return new Map(rows.map((row) => [row.id, row.raw.toString()]));
    },

    annotationsByManifest: async (ids: readonly number[]): Promise<Map<number, NameAndValue[]>> => {
      const rows = await connection.run<{ id: number; annotations: Record<string, string> }>(ANNOTATIONS_BY_MANIFEST, [
        ids,
      ]);
      return new Map(rows.map((row) => [row.id, namesAndValues(row.annotations)]));
    },

    sightingsByManifest: async (ids: readonly number[]): Promise<Map<number, Sighting>> => {
      const rows = await connection.run<{ manifest_id: number; is_available: boolean; last_seen_at: Date | null }>(
        SIGHTINGS_BY_MANIFEST,
        [ids],
      );
      return new Map(
        rows.map((row) => [row.manifest_id, { isAvailable: row.is_available, lastSeenAt: row.last_seen_at }]),
      );
    },

    /** Artifacts that name the manifest as their subject, and BuildKit's attestations beside it in an index. */
    referrersByManifest: nestedList(connection, referrers),
  };
}

const MANIFESTS_BY_ID = `/* catalog.manifestsById */
  select ${MANIFEST_COLUMNS} from manifest m left join image i on i.manifest_id = m.id where m.id = any((select $1::int[])::int[])`;

const MANIFESTS_BY_DIGEST = `/* catalog.manifestsByDigest */
  select ${MANIFEST_COLUMNS} from manifest m left join image i on i.manifest_id = m.id where m.digest = any((select $1::bytea[])::bytea[])`;

const ENTRIES_BY_INDEX = `/* catalog.entriesByIndex */
  select x.index_id, x.position, x.digest, x.child_id, x.media_type, x.os, x.architecture, x.variant, x.os_version,
    x.os_features, x.annotations
  from index_entry x where x.index_id = any((select $1::int[])::int[]) order by x.index_id, x.position`;

interface EntryRow extends PlatformRow {
  index_id: number;
  position: number;
  digest: string;
  child_id: number | null;
  media_type: string;
  annotations: Record<string, string>;
}

const RAW_BY_MANIFEST = `/* catalog.rawByManifest */
  select m.id, m.media_type, m.raw from manifest m where m.id = any((select $1::int[])::int[])`;

const ANNOTATIONS_BY_MANIFEST = `/* catalog.annotationsByManifest */
  select m.id, m.annotations from manifest m where m.id = any((select $1::int[])::int[])`;

const SIGHTINGS_BY_MANIFEST = `/* catalog.sightingsByManifest */
  select c.manifest_id, bool_or(c.gone_at is null) as is_available,
    coalesce(max(s.synced_at) filter (where c.gone_at is null), max(c.gone_at)) as last_seen_at
  from repository_manifest c left join repository_sync s on s.repository_id = c.repository_id
  where c.manifest_id = any((select $1::int[])::int[]) group by c.manifest_id`;

/** https://docs.docker.com/build/metadata/attestations/attestation-storage/ */
const ABOUT_PARENT = raw(`m.id = any(array(
  select r.id from manifest s join manifest r on r.subject = s.digest where s.id = parent.id
  union
  select x.child_id from index_entry own join index_entry x on x.index_id = own.index_id
  where own.child_id = parent.id
    and x.annotations ->> 'vnd.docker.reference.type' = 'attestation-manifest'
    and x.annotations ->> 'vnd.docker.reference.digest' = own.digest))`);

function referrers({ artifactType }: ReferrerArguments): ListQuery<ManifestRow, ArtifactRecord> {
  return {
    name: 'catalog.referrersByManifest',
    columns: raw(MANIFEST_COLUMNS),
    from: raw('manifest m left join image i on i.manifest_id = m.id'),
    where: allOf([
      ABOUT_PARENT,
      raw(`m.kind = 'ARTIFACT'`),
      ...(artifactType == null ? [] : [sql`m.artifact_type = ${storable(artifactType)}`]),
    ]),
    order: { name: 'referrers', direction: 'ASC', key: null, id: raw('m.id') },
    toRecord: (row) => manifestOf(row) as ArtifactRecord,
  };
}

function entryOf(row: EntryRow): IndexEntryRecord {
  return {
    position: row.position,
    digest: row.digest,
    mediaType: row.media_type,
    platform: platformOf(row),
    annotations: namesAndValues(row.annotations),
    manifestId: row.child_id,
  };
}

function blobOf({ digest, mediaType, size, annotations }: Descriptor): BlobRecord {
  return { digest, mediaType, size, annotations: namesAndValues(annotations) };
}
