import type { Connection } from '../database.ts';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import type { Reference, RepositoryName, TagName } from '../../domain/reference.ts';
import { versionColumns } from '../../domain/version.ts';
import type { RepositoryPlace } from './repository.ts';

/** A tag, and what it names. */
export interface StoredTag {
  readonly id: number;
  readonly repositoryId: number;
  readonly place: RepositoryPlace;
  readonly name: TagName;
  readonly manifestId: number;
  readonly digest: Digest;
}

/** Null where the catalog has no such tag, or it was deleted. */
export async function findTag(
  connection: Connection,
  { host, repository }: Pick<Reference, 'host' | 'repository'>,
  name: TagName,
): Promise<StoredTag | null> {
  const rows = await connection.run<Omit<StoredTag, 'place' | 'name'> & { registryId: number }>(
    `/* catalog.findTag */
     select t.id, r.id as "repositoryId", r.registry_id as "registryId", m.id as "manifestId",
            digest_text(m.digest) as digest
     from registry g join repository r on r.registry_id = g.id
     join tag t on t.repository_id = r.id join manifest m on m.id = t.manifest_id
     where g.host = $1 and r.name = $2 and t.name = $3`,
    [host, repository, name],
  );
  const [found] = rows;
  return found === undefined ? null : { ...found, name, place: { registryId: found.registryId, name: repository } };
}

/**
 * How many tags each of these repositories has, deleted ones too; of one that has more than `most`, one more than that.
 * Those that the catalog does not have are left out.
 */
export async function countTags(
  connection: Connection,
  registryId: number,
  names: readonly RepositoryName[],
  most: number,
): Promise<Map<RepositoryName, number>> {
  const rows = await connection.run<{ name: RepositoryName; count: number }>(
    `/* catalog.countTags */
     select r.name, t.count from unnest($2::text[]) as n(name)
     join repository r on r.registry_id = $1::int and r.name = n.name
     cross join lateral (
       select count(*) from (select from tag where repository_id = r.id limit $3::int + 1) counted
     ) t`,
    [registryId, names, most],
  );
  return new Map(rows.map(({ name, count }) => [name, count]));
}

/** What else names or lists the manifest of a tag in its repository, ten at most, in words. */
export async function namesBeside(connection: Connection, tag: StoredTag): Promise<string[]> {
  const rows = await connection.run<{ name: string }>(
    `/* catalog.namesBeside */
     (select t.name from tag t where t.manifest_id = $1::int and t.repository_id = $2::int and t.id <> $3::int
      order by t.name limit 10)
     union all
     (select distinct 'listed by ' || digest_text(m.digest)
      from index_entry x join manifest m on m.id = x.index_id
      join repository_manifest c on c.manifest_id = m.id and c.repository_id = $2::int and c.gone_at is null
      where x.child_id = $1::int
      limit 10)
     limit 10`,
    [tag.manifestId, tag.repositoryId, tag.id],
  );
  return rows.map((row) => row.name);
}

/**
 * Makes tags name these manifests, which must have been recorded, and writes an event for each that did not before.
 * Answers with how many that were. Events are kept in the order of commits: from here to the end of the transaction
 * everybody else who writes some waits, so this comes last in it.
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

/**
 * Marks tags as deleted, with an event for each that was not. Their history stays. Answers with how many that were.
 * Comes last in a transaction, as above.
 */
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

/** As `forgetTags`, for the tags of a repository, or of all, that name these manifests. */
export async function forgetTagsOf(
  connection: Connection,
  manifestIds: readonly number[],
  repositoryId: number | null,
  at: Date,
): Promise<void> {
  await connection.run(
    `/* catalog.forgetTagsOf */
     with gone as (
       select t.id, t.repository_id, t.manifest_id
       from tag t where t.manifest_id = any($1::int[]) and ($2::int is null or t.repository_id = $2::int)
     ), forgotten as (
       update tag set manifest_id = null, deleted_at = $3::timestamptz from gone where tag.id = gone.id
     )
     insert into tag_event (kind, at, repository_id, tag_id, from_id, to_id)
     select 'DELETED', $3::timestamptz, repository_id, id, manifest_id, null from gone order by id`,
    [manifestIds, repositoryId, at],
  );
}
