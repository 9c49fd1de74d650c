import type { Connection } from '../database.ts';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import type { TagName } from '../../domain/reference.ts';
import { versionColumns } from '../../domain/version.ts';
import type { RepositoryPlace } from './repository.ts';

/**
 * Makes tags name these manifests, which must have been recorded, and writes an event for each that did not before.
 * Answers with how many that were.
 */
export async function moveTags(
  connection: Connection,
  place: RepositoryPlace,
  tags: ReadonlyMap<TagName, Digest>,
  at: Date,
): Promise<number> {
  const versions = [...tags.keys()].map(versionColumns);
  const rows = await connection.run<{ id: number }>(
    `/* catalog.moveTags */
     with change as (
       select r.id as repository_id, n.name, n.version_group, n.version_key, n.place, m.id as to_id,
              t.manifest_id as from_id
       from unnest($3::text[], $4::bytea[], $6::text[], $7::text[])
         with ordinality as n(name, digest, version_group, version_key, place)
       join repository r on r.registry_id = $1::int and r.name = $2
       join manifest m on m.digest = n.digest
       left join tag t on t.repository_id = r.id and t.name = n.name
       where t.manifest_id is distinct from m.id
     ), moved as (
       insert into tag (repository_id, name, version_group, version_key, manifest_id, first_seen_at, moved_at)
       select repository_id, name, version_group, version_key, to_id, $5::timestamptz, $5::timestamptz
       from change order by place
       on conflict (repository_id, name) do update
         set manifest_id = excluded.manifest_id, moved_at = excluded.moved_at, deleted_at = null
       returning id, name
     )
     insert into tag_event (kind, at, repository_id, tag_id, from_id, to_id)
     select case when change.from_id is null then 'CREATED' else 'MOVED' end, $5::timestamptz, change.repository_id,
            moved.id, change.from_id, change.to_id
     from change join moved using (name) order by change.place
     returning id`,
    [
      place.registryId,
      place.name,
      [...tags.keys()],
      [...tags.values()].map(digestBytes),
      at,
      versions.map((version) => version.group),
      versions.map((version) => version.key),
    ],
  );
  return rows.length;
}

/** Marks tags as deleted, with an event for each that was not. Their history stays. Answers with how many that were. */
export async function forgetTags(
  connection: Connection,
  place: RepositoryPlace,
  names: readonly TagName[],
  at: Date,
): Promise<number> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.forgetTags */
     with gone as (
       select t.id, t.repository_id, t.name, t.manifest_id
       from tag t join repository r on r.id = t.repository_id
       where r.registry_id = $1::int and r.name = $2 and t.name = any($3::text[]) and t.deleted_at is null
     ), forgotten as (
       update tag set manifest_id = null, deleted_at = $4::timestamptz from gone where tag.id = gone.id
     )
     insert into tag_event (kind, at, repository_id, tag_id, from_id, to_id)
     select 'DELETED', $4::timestamptz, repository_id, id, manifest_id, null from gone order by name
     returning id`,
    [place.registryId, place.name, names, at],
  );
  return rows.length;
}
