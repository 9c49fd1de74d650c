import type { Connection } from '../database.ts';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import type { ManifestKind } from '../../domain/manifest.ts';
import { recordBaseClaims } from './base-claim.ts';
import { recordImages } from './image.ts';
import { recordIndexEntries } from './index-entry.ts';
import type { ImageContent, ManifestContent } from './manifest-content.ts';
import { BY_KEY } from './by-key.ts';
import type { RepositoryPlace } from './repository.ts';

export interface KnownManifest {
  readonly kind: ManifestKind;
  /** Of an index, to see what it refers to; null for the others, whose content is in the catalog whole. */
  readonly rawIndex: Uint8Array | null;
  readonly mediaType: string;
}

/** Which of these digests the catalog has. */
export async function knownManifests(
  connection: Connection,
  digests: readonly Digest[],
): Promise<Map<Digest, KnownManifest>> {
  if (digests.length === 0) return new Map();
  const rows = await connection.run<{ digest: Digest; kind: ManifestKind; mediaType: string; raw: Buffer | null }>(
    `/* catalog.knownManifests */
     select digest_text(digest) as digest, kind, media_type as "mediaType",
            case kind when 'INDEX' then raw end as raw
     from manifest where digest = any($1::bytea[])`,
    [digests.map(digestBytes)],
  );
  return new Map(rows.map(({ digest, kind, mediaType, raw }) => [digest, { kind, mediaType, rawIndex: raw }]));
}

/**
 * Records content that may be new, all of it or nothing when run in a transaction. What is there already stays as it
 * is. Rows are inserted in the order of their digests, table by table, so that two writers wait for each other but
 * never in a circle. Resolves when it is known what is new: `written` then tells when all of it is there, and statements
 * that are run meanwhile come after it. The ids of the new images are still to be counted, by countImages.
 */
export async function recordManifests(
  connection: Connection,
  contents: readonly ManifestContent[],
  at: Date,
): Promise<{ written: Promise<unknown>; images: readonly number[] }> {
  const sorted = contents.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
  const ids = sorted.length === 0 ? new Map<Digest, number>() : await insertManifests(connection, sorted, at);
  const fresh = sorted.filter((content) => ids.has(content.digest));
  if (fresh.length === 0) return { written: Promise.resolve(), images: [] };
  const images = fresh.filter(isImage);
  const claims = fresh.flatMap((content) => content.claims);
  const written = Promise.all([
    recordImages(connection, images, ids, at),
    recordIndexEntries(connection, fresh, ids),
    recordBaseClaims(connection, claims),
  ]);
  return { written, images: images.map((image) => ids.get(image.digest) as number) };
}

/** Says that these manifests, and all that they reach, can be pulled from the repository. */
export async function recordPresence(
  connection: Connection,
  place: RepositoryPlace,
  digests: readonly Digest[],
  at: Date,
): Promise<void> {
  await connection.run(
    `/* catalog.recordPresence */
     with recursive tree(id) as (
       select id from manifest where digest = any($3::bytea[])
       union
       select e.child_id from tree join index_entry e on e.index_id = tree.id where e.child_id is not null
     )
     insert into repository_manifest (repository_id, manifest_id, first_seen_at)
     select r.id, tree.id, $4::timestamptz
     from tree, repository r where r.registry_id = $1::int and r.name = $2
     on conflict (repository_id, manifest_id) do update set gone_at = null
       where repository_manifest.gone_at is not null`,
    [place.registryId, place.name, digests.map(digestBytes), at],
  );
}

/**
 * Of these manifests and all that they reach, those that the repository holds and none of its tags reaches any more:
 * the registry may have kept or collected them.
 */
export async function untaggedManifests(
  connection: Connection,
  place: RepositoryPlace,
  digests: readonly Digest[],
): Promise<Digest[]> {
  const rows = await connection.run<{ digest: Digest }>(
    `/* catalog.untaggedManifests */
     with recursive below(id) as (
       select id from manifest where digest = any($3::bytea[])
       union
       select e.child_id from below join index_entry e on e.index_id = below.id where e.child_id is not null
     )
     select digest_text(m.digest) as digest
     from repository r, below
     join manifest m on m.id = below.id
     where r.registry_id = $1::int and r.name = $2
       and exists (
         select from repository_manifest rm
         where rm.repository_id = r.id and rm.manifest_id = below.id and rm.gone_at is null ${BY_KEY}
       )
       and not exists (
         with recursive above(id) as (
           select below.id union select e.index_id from above join index_entry e on e.child_id = above.id
         )
         select from above
         where exists (select from tag t where t.manifest_id = above.id and t.repository_id = r.id ${BY_KEY})
       )`,
    [place.registryId, place.name, digests.map(digestBytes)],
  );
  return rows.map((row) => row.digest);
}

/** Of these manifests, those that can be pulled from the repository as far as the catalog knows. */
export async function heldManifests(
  connection: Connection,
  place: RepositoryPlace,
  digests: readonly Digest[],
): Promise<Set<Digest>> {
  if (digests.length === 0) return new Set();
  const rows = await connection.run<{ digest: Digest }>(
    `/* catalog.heldManifests */
     select digest_text(m.digest) as digest
     from repository r, manifest m
     join repository_manifest rm on rm.manifest_id = m.id
     where r.registry_id = $1::int and r.name = $2 and m.digest = any($3::bytea[])
       and rm.repository_id = r.id and rm.gone_at is null`,
    [place.registryId, place.name, digests.map(digestBytes)],
  );
  return new Set(rows.map((row) => row.digest));
}

/** The same of manifests of whose digests only the beginning is known: of sha256 all, of sha512 the first half. */
export async function manifestsBeginning(
  connection: Connection,
  place: RepositoryPlace,
  beginnings: readonly string[],
): Promise<Digest[]> {
  if (beginnings.length === 0) return [];
  const distinct = [...new Set(beginnings)].map((text) => ({
    low: Buffer.from(text.slice(text.indexOf(':') + 1), 'hex'),
    isWhole: text.startsWith('sha256:'),
  }));
  const rows = await connection.run<{ digest: Digest }>(
    `/* catalog.manifestsBeginning */
     select digest_text(m.digest) as digest
     from repository r, unnest($3::bytea[], $4::bytea[]) as wanted(low, high)
     join manifest m on m.digest between wanted.low and wanted.high
     join repository_manifest rm on rm.manifest_id = m.id
     where r.registry_id = $1::int and r.name = $2 and rm.repository_id = r.id and rm.gone_at is null`,
    [
      place.registryId,
      place.name,
      distinct.map(({ low }) => low),
      distinct.map(({ low, isWhole }) => (isWhole ? low : Buffer.concat([low, Buffer.alloc(32, 0xff)]))),
    ],
  );
  return rows.map((row) => row.digest);
}

/** Manifests of the repository of which it could not be found out whether the registry still has them. */
export async function doubtfulManifests(connection: Connection, place: RepositoryPlace): Promise<Digest[]> {
  const rows = await connection.run<{ digest: Digest }>(
    `/* catalog.doubtfulManifests */
     select digest_text(m.digest) as digest
     from repository r join repository_manifest rm on rm.repository_id = r.id join manifest m on m.id = rm.manifest_id
     where r.registry_id = $1::int and r.name = $2 and rm.is_doubtful and rm.gone_at is null`,
    [place.registryId, place.name],
  );
  return rows.map((row) => row.digest);
}

/** Says of manifests that were asked for which of them are in doubt; of the others it is known. */
export async function recordDoubt(
  connection: Connection,
  place: RepositoryPlace,
  asked: readonly Digest[],
  doubtful: readonly Digest[],
): Promise<void> {
  await connection.run(
    `/* catalog.recordDoubt */
     update repository_manifest rm set is_doubtful = not rm.is_doubtful
     from manifest m, repository r
     where m.digest = any($3::bytea[]) and r.registry_id = $1::int and r.name = $2
       and rm.repository_id = r.id and rm.manifest_id = m.id and rm.is_doubtful <> (m.digest = any($4::bytea[]))`,
    [place.registryId, place.name, asked.map(digestBytes), doubtful.map(digestBytes)],
  );
}

/** Says that the registry no longer has these manifests in the repository. */
export async function recordAbsence(
  connection: Connection,
  place: RepositoryPlace,
  digests: readonly Digest[],
  at: Date,
): Promise<void> {
  await connection.run(
    `/* catalog.recordAbsence */
     update repository_manifest rm set gone_at = $4::timestamptz
     from manifest m, repository r
     where m.digest = any($3::bytea[]) and r.registry_id = $1::int and r.name = $2
       and rm.repository_id = r.id and rm.manifest_id = m.id and rm.gone_at is null`,
    [place.registryId, place.name, digests.map(digestBytes), at],
  );
}

function isImage(content: ManifestContent): content is ImageContent {
  return content.manifest.kind === 'IMAGE';
}

/** Answers with the ids of those that were new. */
async function insertManifests(
  connection: Connection,
  contents: readonly ManifestContent[],
  at: Date,
): Promise<Map<Digest, number>> {
  const rows = await connection.run<{ id: number; digest: Digest }>(
    `/* catalog.insertManifests */
     insert into manifest (digest, kind, media_type, size, raw, annotations, artifact_type, subject, first_seen_at)
     select n.digest, n.kind, n.media_type, octet_length(n.raw), n.raw, n.annotations::jsonb, n.artifact_type,
            n.subject, $8::timestamptz
     from unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::text[], $7::bytea[])
       as n(digest, kind, media_type, raw, annotations, artifact_type, subject)
     on conflict (digest) do nothing
     returning id, digest_text(digest) as digest`,
    [
      contents.map((content) => digestBytes(content.digest)),
      contents.map((content) => content.manifest.kind),
      contents.map((content) => content.manifest.mediaType),
      contents.map((content) => content.raw),
      contents.map((content) => JSON.stringify(content.manifest.annotations)),
      contents.map((content) => ('artifactType' in content.manifest ? content.manifest.artifactType : null)),
      contents.map((content) => content.subject && digestBytes(content.subject)),
      at,
    ],
  );
  return new Map(rows.map((row) => [row.digest, row.id]));
}
