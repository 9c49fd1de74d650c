import type { Digest } from '../../domain/digest.ts';
import { platformOf, type PlatformRecord, type PlatformRow } from './platform.ts';

interface ManifestFields {
  /** Row id; `id` is what clients see. */
  readonly manifestId: number;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly manifestSize: number;
  /** Digest of the manifest that it is about. */
  readonly subjectDigest: Digest | null;
  readonly firstSeenAt: Date;
}

export interface ImageIndexRecord extends ManifestFields {
  readonly __typename: 'ImageIndex';
}

export interface ArtifactRecord extends ManifestFields {
  readonly __typename: 'Artifact';
  readonly artifactType: string;
}

export interface ImageRecord extends ManifestFields {
  readonly __typename: 'Image';
  readonly configDigest: Digest;
  readonly platform: PlatformRecord;
  readonly createdAt: Date | null;
  readonly author: string | null;
  readonly layerCount: number;
  readonly size: number;
  /** Null means that it was not known when the record was read. */
  readonly uncompressedSize: number | null;
}

export type ManifestRecord = ImageIndexRecord | ArtifactRecord | ImageRecord;

/** Of `manifest m left join image i`: what the types have, without the documents. */
export const MANIFEST_COLUMNS = `m.id, digest_text(m.digest) as digest, m.kind, m.media_type, m.size as manifest_size,
    m.artifact_type, digest_text(m.subject) as subject, m.first_seen_at, digest_text(i.config_digest) as config_digest,
    i.os, i.architecture, i.variant, i.os_version, i.os_features, i.created_at, i.author, i.layer_count, i.size,
    i.uncompressed_size`;

/** Members from the image are null for other manifests. */
export interface ManifestRow extends PlatformRow {
  id: number;
  digest: Digest;
  kind: 'IMAGE' | 'INDEX' | 'ARTIFACT';
  media_type: string;
  manifest_size: number;
  artifact_type: string | null;
  subject: Digest | null;
  first_seen_at: Date;
  config_digest: Digest;
  created_at: Date | null;
  author: string | null;
  layer_count: number;
  size: number;
  uncompressed_size: number | null;
}

export function manifestOf(row: ManifestRow): ManifestRecord {
  switch (row.kind) {
    case 'IMAGE':
      return imageOf(row);
    case 'INDEX':
      return { __typename: 'ImageIndex', ...fieldsOf(row) };
    case 'ARTIFACT':
      return { __typename: 'Artifact', ...fieldsOf(row), artifactType: row.artifact_type ?? row.media_type };
  }
}

export function imageOf(row: ManifestRow): ImageRecord {
  return {
    __typename: 'Image',
    ...fieldsOf(row),
    configDigest: row.config_digest,
    platform: platformOf(row) as PlatformRecord,
    createdAt: row.created_at,
    author: row.author,
    layerCount: row.layer_count,
    size: row.size,
    uncompressedSize: row.uncompressed_size,
  };
}

function fieldsOf(row: ManifestRow): ManifestFields {
  return {
    manifestId: row.id,
    digest: row.digest,
    mediaType: row.media_type,
    manifestSize: row.manifest_size,
    subjectDigest: row.subject,
    firstSeenAt: row.first_seen_at,
  };
}
