import type { Connection } from '../database.ts';
import type { Digest } from '../../domain/digest.ts';
import type { Reference, RegistryHost, RepositoryName, TagName } from '../../domain/reference.ts';
import type { RepositoryDescription } from '../../registries/registry.ts';
import { countHeldImages, lockCounts } from './held-image.ts';
import { refreshContainers } from './outdated-container.ts';
import { countNames } from './repository-total.ts';

/** Where a repository is, whether the catalog has it or not. */
export interface RepositoryPlace {
  readonly registryId: number;
  readonly name: RepositoryName;
}

/** What a sync has to know before it asks the registry. */
export interface KnownRepository extends Availability {
  /** What its tags name now; a deleted one is there with null. */
  readonly tags: Map<TagName, Digest | null>;
  /** An earlier sync was cut short before it counted. */
  readonly needsRecount: boolean;
  /** The platforms that were followed when it was last looked at to the end; empty means all, null never. */
  readonly platforms: readonly string[] | null;
  /** When the registry's lists of referrers were last asked for of all its tags; null never. */
  readonly referrersAt: Date | null;
  /** It has manifests of which it could not be found out whether the registry still has them. */
  readonly hasDoubts: boolean;
}

/** Both null while the registry lets it be read. */
export interface Availability {
  readonly unavailableSince: Date | null;
  /** Since when the registry has said, whenever it was asked, that there is no such repository. */
  readonly missingSince: Date | null;
}

/** What is written down of a look at a repository that came to the end. */
export interface SyncedRepository {
  /** That are followed; empty means all. */
  readonly platforms: readonly string[];
  readonly referrersAt: Date;
}

/** Of these repositories of a registry, those that the catalog has. */
export async function knownRepositories(
  connection: Connection,
  registryId: number,
  names: readonly RepositoryName[],
): Promise<Map<RepositoryName, KnownRepository>> {
  const rows = await connection.run<Omit<KnownRepository, 'tags'> & KnownTag>(
    `/* catalog.knownRepositories */
     select r.name as repository, r.needs_recount as "needsRecount", r.unavailable_since as "unavailableSince",
            r.missing_since as "missingSince", s.platforms, s.referrers_at as "referrersAt", t.name as tag,
            d."hasDoubts", digest_text(m.digest) as digest
     from repository r
     cross join lateral (
       select exists (
         select from repository_manifest rm where rm.repository_id = r.id and rm.is_doubtful and rm.gone_at is null
       ) as "hasDoubts"
     ) d
     left join repository_sync s on s.repository_id = r.id
     left join tag t on t.repository_id = r.id left join manifest m on m.id = t.manifest_id
     where r.registry_id = $1::int and r.name = any($2::text[])`,
    [registryId, names],
  );
  const known = new Map<RepositoryName, KnownRepository>();
  for (const { repository, tag, digest, ...rest } of rows) {
    const found: KnownRepository = known.get(repository) ?? { ...rest, tags: new Map() };
    known.set(repository, found);
    if (tag !== null) found.tags.set(tag, digest);
  }
  return known;
}

interface KnownTag {
  readonly repository: RepositoryName;
  readonly tag: TagName | null;
  readonly digest: Digest | null;
}

/** Null where the catalog has no such repository. */
export async function findRepository(
  connection: Connection,
  { host, repository }: Pick<Reference, 'host' | 'repository'>,
): Promise<{ readonly id: number } | null> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.findRepository */
     select r.id from registry g join repository r on r.registry_id = g.id where g.host = $1 and r.name = $2`,
    [host, repository],
  );
  return rows[0] ?? null;
}

/** Makes the repository when it is not there. To be called before something of it is written. */
export async function touchRepository(connection: Connection, place: RepositoryPlace, at: Date): Promise<void> {
  await connection.run(
    `/* catalog.touchRepository */
     insert into repository (registry_id, name, needs_recount, first_seen_at, updated_at)
     values ($1::int, $2, true, $3::timestamptz, $3::timestamptz)
     on conflict (registry_id, name) do update set needs_recount = true, updated_at = excluded.updated_at`,
    [place.registryId, place.name, at],
  );
}

/**
 * Sets the counters of a repository by counting, and those of its registry and the catalog by what has changed, and says
 * of its containers whether they are outdated; sizes are no more than a JSON number can say exactly. To be run in a transaction, once what was to be written is written.
 */
export async function recountRepository(connection: Connection, place: RepositoryPlace): Promise<void> {
  await Promise.all([
    lockCounts(connection),
    countHeldImages(connection, place),
    countRepository(connection, place),
    countNames(connection, place),
    refreshContainers(connection, place),
  ]);
}

async function countRepository(connection: Connection, place: RepositoryPlace): Promise<void> {
  await connection.run(
    `/* catalog.countRepository */
     with held as materialized (
       select distinct il.layer_id, il.blob_id
       from repository r join repository_manifest rm on rm.repository_id = r.id
       join image_layer il on il.image_id = rm.manifest_id
       where r.registry_id = $1::int and r.name = $2 and rm.gone_at is null
     )
     update repository r set
       needs_recount = false,
       tag_count = (select count(*) from tag t where t.repository_id = r.id and t.deleted_at is null),
       event_count = (select count(*) from tag_event e where e.repository_id = r.id),
       image_count = image.count,
       nominal_size = image.size,
       layer_count = (select count(distinct held.layer_id) from held),
       stored_size = (
         select least(coalesce(sum(blob.size), 0), ${Number.MAX_SAFE_INTEGER}) from (
           select distinct b.digest, b.size from held join layer_blob b on b.id = held.blob_id
         ) blob
       )
     from repository counted cross join lateral (
       select count(*) as count, least(coalesce(sum(i.size), 0), ${Number.MAX_SAFE_INTEGER}) as size
       from repository_manifest rm join image i on i.manifest_id = rm.manifest_id
       where rm.repository_id = counted.id and rm.gone_at is null
     ) image
     where counted.registry_id = $1::int and counted.name = $2 and r.id = counted.id`,
    [place.registryId, place.name],
  );
}

/** Says that repositories were looked at to the end. Those that the catalog does not have stay unknown. */
export async function recordSynced(
  connection: Connection,
  registryId: number,
  synced: ReadonlyMap<RepositoryName, SyncedRepository>,
  at: Date,
): Promise<void> {
  await connection.run(
    `/* catalog.recordSynced */
     insert into repository_sync (repository_id, platforms, referrers_at, synced_at)
     select r.id, n.platforms, n."referrersAt", $3::timestamptz
     from json_to_recordset($2::json) as n(name text, platforms text[], "referrersAt" timestamptz)
     join repository r on r.registry_id = $1::int and r.name = n.name
     on conflict (repository_id) do update
       set platforms = excluded.platforms, referrers_at = excluded.referrers_at, synced_at = excluded.synced_at`,
    [registryId, JSON.stringify([...synced].map(([name, repository]) => ({ name, ...repository }))), at],
  );
}

/** Says since when the registry does not let the repository be read. */
export async function recordAvailability(
  connection: Connection,
  place: RepositoryPlace,
  { unavailableSince, missingSince }: Availability,
): Promise<void> {
  await connection.run(
    `/* catalog.recordAvailability */
     update repository set unavailable_since = $3::timestamptz, missing_since = $4::timestamptz
     where registry_id = $1::int and name = $2`,
    [place.registryId, place.name, unavailableSince, missingSince],
  );
}

/** What the registry says of the repository; no row is touched where it says what it said before. */
export async function recordDescription(
  connection: Connection,
  place: RepositoryPlace,
  { description, isPrivate, starCount, pullCount }: RepositoryDescription,
): Promise<void> {
  await connection.run(
    `/* catalog.recordDescription */
     update repository set description = $3, is_private = $4::boolean, star_count = $5::bigint, pull_count = $6::bigint
     where registry_id = $1::int and name = $2
       and (description, is_private, star_count, pull_count)
         is distinct from ($3, $4::boolean, $5::bigint, $6::bigint)`,
    [place.registryId, place.name, description, isPrivate, starCount, pullCount],
  );
}

/** Names of the repositories of a registry that have tags. */
export async function taggedRepositories(connection: Connection, registryId: number): Promise<RepositoryName[]> {
  const rows = await connection.run<{ name: RepositoryName }>(
    `/* catalog.taggedRepositories */ select name from repository where registry_id = $1::int and tag_count > 0`,
    [registryId],
  );
  return rows.map((row) => row.name);
}

/** What people say of a repository. What is undefined stays; null takes away. */
export interface MetadataChange {
  readonly owner?: string | null;
  readonly team?: string | null;
  readonly lifecycle?: string | null;
  readonly documentationUrl?: string | null;
  readonly sourceUrl?: string | null;
  /** All of them, by name. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Answers with the id of the repository; null where the catalog has no such one. */
export async function setMetadata(
  connection: Connection,
  { host, name }: { readonly host: RegistryHost; readonly name: RepositoryName },
  change: MetadataChange,
): Promise<number | null> {
  const [row] = await connection.run<{ id: number }>(
    `/* catalog.setMetadata */
     update repository r set
       owner = case when c.change ? 'owner' then c.change ->> 'owner' else r.owner end,
       team = case when c.change ? 'team' then c.change ->> 'team' else r.team end,
       lifecycle = case when c.change ? 'lifecycle' then c.change ->> 'lifecycle' else r.lifecycle end,
       documentation_url =
         case when c.change ? 'documentationUrl' then c.change ->> 'documentationUrl' else r.documentation_url end,
       source_url = case when c.change ? 'sourceUrl' then c.change ->> 'sourceUrl' else r.source_url end,
       annotations = coalesce(c.change -> 'annotations', r.annotations)
     from registry g, (select $3::jsonb as change) c
     where g.id = r.registry_id and g.host = $1 and r.name = $2
     returning r.id`,
    [host, name, JSON.stringify(change)],
  );
  return row?.id ?? null;
}
