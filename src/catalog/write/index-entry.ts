import type { Connection } from '../database.ts';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import type { IndexEntry } from '../../domain/manifest.ts';
import type { ManifestContent } from './manifest-content.ts';

/**
 * Records what new indexes list, and ties entries that waited for one of the new manifests to it. An entry whose
 * manifest the catalog does not have stands without it.
 */
export async function recordIndexEntries(
  connection: Connection,
  contents: readonly ManifestContent[],
  ids: ReadonlyMap<Digest, number>,
): Promise<void> {
  const listed = contents.flatMap(({ digest, manifest }) =>
    manifest.kind === 'INDEX'
      ? manifest.entries.map((entry, position) => ({ indexId: ids.get(digest) as number, position, entry }))
      : [],
  );
  const inserted = listed.length > 0 ? insertEntries(connection, listed) : null;
  const digests = contents.map((content) => content.digest);
  const tied = connection.run(
    `/* catalog.tieIndexEntries */
     update index_entry e set child_id = m.id
     from unnest($1::text[], $2::bytea[]) as n(written, digest) join manifest m on m.digest = n.digest
     where e.child_id is null and e.digest = n.written`,
    [digests, digests.map(digestBytes)],
  );
  await Promise.all([inserted, tied]);
}

interface ListedEntry {
  readonly indexId: number;
  readonly position: number;
  readonly entry: IndexEntry;
}

async function insertEntries(connection: Connection, listed: readonly ListedEntry[]): Promise<void> {
  await connection.run(
    `/* catalog.insertIndexEntries */
     insert into index_entry (index_id, position, digest, child_id, media_type, os, architecture, variant, os_version,
                              os_features, annotations)
     select n.index_id, n.position, n.digest, m.id, n.media_type, n.os, n.architecture, n.variant, n.os_version,
            array(select jsonb_array_elements_text(n.os_features::jsonb)), n.annotations::jsonb
     from unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                 $9::text[], $10::text[])
       as n(index_id, position, digest, media_type, os, architecture, variant, os_version, os_features, annotations)
     left join manifest m on m.digest = case
       when n.digest ~ '^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$' then decode(substr(n.digest, 8), 'hex') end`,
    [
      listed.map(({ indexId }) => indexId),
      listed.map(({ position }) => position),
      listed.map(({ entry }) => entry.digest),
      listed.map(({ entry }) => entry.mediaType),
      listed.map(({ entry }) => entry.platform?.os ?? null),
      listed.map(({ entry }) => entry.platform?.architecture ?? null),
      listed.map(({ entry }) => entry.platform?.variant ?? null),
      listed.map(({ entry }) => entry.platform?.osVersion ?? null),
      listed.map(({ entry }) => JSON.stringify(entry.platform?.osFeatures ?? [])),
      listed.map(({ entry }) => JSON.stringify(entry.annotations)),
    ],
  );
}
