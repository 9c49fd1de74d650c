import type { Connection } from '../database.ts';
import { notifyEach } from '../events.ts';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import type { ManifestKind } from '../../domain/manifest.ts';
import { deleteUnusedLayers, uncountImages } from './layer.ts';
import { forgetBaseClaims } from './base-claim.ts';
import { lockCounts, releaseImages } from './held-image.ts';
import { recountRepository, type RepositoryPlace } from './repository.ts';
import { forgetTagsOf } from './tag.ts';

export interface DeletionRequest {
  readonly digest: Digest;
  /** Where it is deleted; null means everywhere. */
  readonly repositoryId: number | null;
  /** Untagged indexes that list nothing else that stays go with it; without this, every index stands in the way. */
  readonly takesIndexes: boolean;
}

/** What a deletion would do. */
export interface DeletionPlan {
  readonly manifestId: number;
  readonly kind: ManifestKind;
  /** Indexes that list it and stay, five at most: then it can't be deleted. */
  readonly heldBy: readonly Digest[];
  /** Manifests that go, itself included: from the repository, or everywhere. */
  readonly doomed: readonly number[];
  /** Of these, the images that containers were created from: while there are any, it can't be deleted. */
  readonly inUse: readonly number[];
  /** Of these, those that nothing else holds: their rows go. */
  readonly removed: readonly number[];
}

/** Null where the catalog does not have it, or the repository never had it. */
export async function planDeletion(connection: Connection, request: DeletionRequest): Promise<DeletionPlan | null> {
  const rows = await connection.run<DeletionPlan>(PLAN, [
    digestBytes(request.digest),
    request.repositoryId,
    request.takesIndexes,
  ]);
  return rows[0] ?? null;
}

/**
 * Deletes what a plan says, in a transaction that holds the content and has made the plan. Tags go first, with their
 * events. Answers with the bytes of layer blobs that no image of the catalog uses any more.
 */
export async function deletePlanned(
  connection: Connection,
  { doomed, removed }: DeletionPlan,
  repositoryId: number | null,
  at: Date,
): Promise<number> {
  const [, places, layers] = await Promise.all([
    lockCounts(connection),
    touchHolders(connection, doomed, repositoryId, at),
    uncountImages(connection, removed),
  ]);
  const forgotten = [
    forgetTagsOf(connection, doomed, repositoryId, at),
    keepDigests(connection, removed),
    deletePresence(connection, doomed, repositoryId),
    releaseImages(connection, doomed),
    forgetBaseClaims(connection, removed),
    // With all that is theirs: images, their layers' places, lines of indexes.
    connection.run('/* catalog.deleteManifests */ delete from manifest where id = any($1::int[])', [removed]),
  ];
  const [freed] = await Promise.all([
    deleteUnusedLayers(connection, layers),
    ...forgotten,
    ...places.map((place) => recountRepository(connection, place)),
    notifyEach(connection, 'stowage_manifest_deleted', removed),
  ]);
  return freed;
}

/** Repositories from which a manifest can be pulled; of this one, or of all. At most `limit`. */
export async function holdersOf(
  connection: Connection,
  manifestId: number,
  repositoryId: number | null,
  limit: number,
): Promise<RepositoryPlace[]> {
  return connection.run<RepositoryPlace>(
    `/* catalog.holdersOf */
     select r.registry_id as "registryId", r.name
     from repository_manifest c join repository r on r.id = c.repository_id
     where c.manifest_id = $1::int and c.gone_at is null and ($2::int is null or r.id = $2::int)
     order by r.id limit $3::int`,
    [manifestId, repositoryId, limit],
  );
}

/** Whether the deletion's repository has or had a manifest; true of all where there is none. */
const inPlace = (id: string) =>
  `($2::int is null
     or exists (select from repository_manifest c where c.repository_id = $2::int and c.manifest_id = ${id}))`;

/** What goes because a manifest goes, unless something else keeps it: what it lists, and the artifacts about it. */
const followers = (id: string) =>
  `(select x.child_id as id from index_entry x where x.index_id = ${id} and x.child_id is not null
     union all
     select r.id from manifest s join manifest r on r.subject = s.digest and r.kind = 'ARTIFACT' where s.id = ${id})`;

/**
 * An artifact that an index lists is kept by its indexes alone, another by its subject. Nothing else keeps an index but
 * a tag and an index above it; see kept_indexes for those above the target.
 */
const PLAN = `/* catalog.planDeletion */
  with recursive target as materialized (
    select m.id, m.kind from manifest m where m.digest = $1::bytea and ${inPlace('m.id')}
  ), below (id) as (
    select target.id from target
    union
    select x.child_id from below join index_entry x on x.index_id = below.id where x.child_id is not null
  ), listing (id) as materialized (
    select distinct x.index_id
    from target join index_entry x on x.child_id = target.id where ${inPlace('x.index_id')}
  ), kept_index (id) as materialized (
    select k.id
    from target cross join lateral kept_indexes(array(select below.id from below), $2::int) as k(id)
    where $3::boolean and target.kind <> 'ARTIFACT'
    union
    select listing.id from listing, target where not $3::boolean or target.kind = 'ARTIFACT'
  ), going (id) as (
    select target.id from target
    union
    select x.index_id
    from going join index_entry x on x.child_id = going.id
    where not exists (select from kept_index k where k.id = x.index_id) and ${inPlace('x.index_id')}
  ), candidate (id) as (
    select going.id from going
    union
    select follower.id
    from candidate cross join lateral ${followers('candidate.id')} follower
    where ${inPlace('follower.id')}
  ), spared (id) as (
    select candidate.id
    from candidate
    where not exists (select from going where going.id = candidate.id) and (
      exists (
        select from tag t where t.manifest_id = candidate.id and ($2::int is null or t.repository_id = $2::int)
      ) or exists (
        select from index_entry x
        where x.child_id = candidate.id and ${inPlace('x.index_id')}
          and not exists (select from candidate k where k.id = x.index_id)
      )
    )
    union
    select kept.id
    from spared cross join lateral (
      select x.child_id as id from index_entry x where x.index_id = spared.id and x.child_id is not null
      union all
      select r.id
      from manifest s join manifest r on r.subject = s.digest and r.kind = 'ARTIFACT'
      where s.id = spared.id
        and not exists (select from index_entry x where x.child_id = r.id and ${inPlace('x.index_id')})
    ) kept
    join candidate on candidate.id = kept.id
    where not exists (select from going where going.id = kept.id)
  ), doomed (id) as materialized (
    select candidate.id from candidate except select spared.id from spared
  ), surviving (id) as (
    select doomed.id
    from doomed
    where $2::int is not null and (
      exists (select from repository_manifest c where c.manifest_id = doomed.id and c.repository_id <> $2::int)
      or exists (select from tag t where t.manifest_id = doomed.id and t.repository_id <> $2::int)
      or exists (
        select from index_entry x
        where x.child_id = doomed.id and not exists (select from doomed d where d.id = x.index_id)
      )
    )
    union
    select x.child_id
    from surviving join index_entry x on x.index_id = surviving.id join doomed on doomed.id = x.child_id
  )
  select target.id as "manifestId", target.kind,
    array(
      select digest_text(m.digest)
      from listing join kept_index k on k.id = listing.id join manifest m on m.id = listing.id
      order by m.id limit 5
    ) as "heldBy",
    array(select doomed.id from doomed order by 1) as doomed,
    array(
      select i.manifest_id from doomed join image i on i.manifest_id = doomed.id where i.container_count > 0 order by 1
    ) as "inUse",
    array(select doomed.id from doomed except select surviving.id from surviving order by 1) as removed
  from target`;

/** Repositories first, so that a sync of one of them that forgets tags waits here and nowhere else. */
async function touchHolders(
  connection: Connection,
  doomed: readonly number[],
  repositoryId: number | null,
  at: Date,
): Promise<RepositoryPlace[]> {
  return connection.run<RepositoryPlace>(
    `/* catalog.touchHolders */
     update repository set updated_at = $3::timestamptz
     where id in (
       select c.repository_id from repository_manifest c where c.manifest_id = any($1::int[])
       union select t.repository_id from tag t where t.manifest_id = any($1::int[])
     ) and ($2::int is null or id = $2::int)
     returning registry_id as "registryId", name`,
    [doomed, repositoryId, at],
  );
}

/** Events outlive what they are about: they keep its digest. What moved from a manifest has moved to it before. */
async function keepDigests(connection: Connection, removed: readonly number[]): Promise<void> {
  await connection.run(
    `/* catalog.keepDigests */
     update tag_event e set
       from_digest = coalesce(f.digest, e.from_digest),
       from_id = case when f.id is null then e.from_id end,
       to_digest = coalesce(t.digest, e.to_digest),
       to_id = case when t.id is null then e.to_id end
     from tag_event x
     left join manifest f on f.id = x.from_id and f.id = any($1::int[])
     left join manifest t on t.id = x.to_id and t.id = any($1::int[])
     where x.tag_id in (select o.tag_id from tag_event o where o.to_id = any($1::int[]))
       and x.id = e.id and (f.id is not null or t.id is not null)`,
    [removed],
  );
}

async function deletePresence(
  connection: Connection,
  doomed: readonly number[],
  repositoryId: number | null,
): Promise<void> {
  await connection.run(
    `/* catalog.deletePresence */
     delete from repository_manifest
     where manifest_id = any($1::int[]) and ($2::int is null or repository_id = $2::int)`,
    [doomed, repositoryId],
  );
}
