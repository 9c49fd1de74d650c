import type { Connection } from '../database.ts';
import { LOCK_SPACES } from '../lock.ts';
import { BY_KEY } from './by-key.ts';
import type { RepositoryPlace } from './repository.ts';

/*
 * What registries hold is counted as it comes and goes: each image, layer and blob once for a registry, however many of
 * its repositories have it, once for the whole catalog, and once for each operating system, architecture and media type
 * that it has. The rows of held_image and held_blob are what the totals
 * were made from, so that what is new is told from what was counted by a few keys, and counting twice changes nothing.
 */

/**
 * Lets nobody else count until this transaction ends: what comes in two at once would be counted by both. Whoever
 * removes names or content in a transaction that counts takes this before anything else.
 */
export async function lockCounts(connection: Connection): Promise<void> {
  await connection.run('/* catalog.lockCounts */ select pg_advisory_xact_lock($1::int, 0)', [LOCK_SPACES.counts]);
}

/** Counts what a repository has come to hold, and what its registry no longer does because of it. */
export async function countHeldImages(connection: Connection, place: RepositoryPlace): Promise<void> {
  const values = [place.registryId, place.name];
  await Promise.all([connection.run(RELEASE_GONE, values), connection.run(TAKE_IN, values)]);
}

/**
 * Takes images out of the totals of every registry that has them no more. To be called when repository_manifest says
 * so, by a row that is gone or its `gone_at`, and while the images still have their layers.
 */
export async function releaseImages(connection: Connection, imageIds: readonly number[]): Promise<void> {
  if (imageIds.length > 0) await connection.run(RELEASE_IMAGES, [imageIds]);
}

/** Takes all that a registry holds out of the totals, before or after its repositories are removed. */
export async function releaseRegistry(connection: Connection, registryId: number): Promise<void> {
  await connection.run(RELEASE_REGISTRY, [registryId]);
}

/** The scopes of held_total in which a blob counts that a registry holds for an image of a platform. */
const BLOB_SCOPES = `cross join lateral (
      values ('REGISTRY', c.registry_id::text), ('CATALOG', ''), ('OS', c.os), ('ARCHITECTURE', c.architecture),
        ('MEDIA_TYPE', c.media_type)
    ) s (scope, key)`;

/**
 * Changes the totals by what the CTEs image_change (image_id, registry_id) and blob_change (all columns of held_blob) say.
 * A statement sees the tables as they were before it: what came is not in them yet, and what went, which still is, is
 * left out by `kept`. What a scope has besides is taken from what changed, so that each thing counts once in it.
 */
function changeTotals(sign: '+' | '-', name: string, changes: string): string {
  const keptImage =
    sign === '+' ? '' : 'and (k.image_id, k.registry_id) not in (select image_id, registry_id from image_change)';
  const keptBlob =
    sign === '+'
      ? ''
      : `where (k.blob_id, k.registry_id, k.os, k.architecture) not in
          (select blob_id, registry_id, os, architecture from blob_change)`;
  return `/* catalog.${name} */
  with ${changes}, image_scope as (
    select 'REGISTRY' as scope, registry_id::text as key, image_id from image_change
    union
    select s.scope, s.key, i.manifest_id
    from image_change c join image i on i.manifest_id = c.image_id join manifest m on m.id = i.manifest_id
    cross join lateral (
      values ('CATALOG', ''), ('OS', i.os), ('ARCHITECTURE', i.architecture), ('MEDIA_TYPE', m.media_type)
    ) s (scope, key)
    where not exists (select from held_image k where k.image_id = c.image_id ${keptImage})
  ), blob as materialized (
    select c.registry_id, c.os, c.architecture, b.layer_id, b.digest, b.size, b.media_type
    from blob_change c join layer_blob b on b.id = c.blob_id
  ), of_layer as (
    select k.registry_id, k.os, k.architecture, b.media_type, b.layer_id
    from (select distinct layer_id from blob) c join layer_blob b on b.layer_id = c.layer_id
    cross join lateral (select h.* from held_blob h where h.blob_id = b.id ${BY_KEY}) k ${keptBlob}
  ), of_digest as (
    select k.registry_id, k.os, k.architecture, b.media_type, b.digest, b.size
    from (select distinct digest, size from blob) c join layer_blob b on b.digest = c.digest and b.size = c.size
    cross join lateral (select h.* from held_blob h where h.blob_id = b.id ${BY_KEY}) k ${keptBlob}
  ), layer_scope as (
    select s.scope, s.key, c.layer_id from blob c ${BLOB_SCOPES}
    except
    select s.scope, s.key, c.layer_id from of_layer c ${BLOB_SCOPES}
  ), blob_scope as (
    select s.scope, s.key, c.digest, c.size from blob c ${BLOB_SCOPES}
    except
    select s.scope, s.key, c.digest, c.size from of_digest c ${BLOB_SCOPES}
  )
  insert into held_total as t (scope, key, images, layers, nominal_size, stored_size)
  select scope, key, ${sign} sum(images), ${sign} sum(layers), ${sign} sum(nominal_size), ${sign} sum(stored_size)
  from (
    select c.scope, c.key, count(*) as images, 0 as layers, sum(i.size) as nominal_size, 0 as stored_size
    from image_scope c join image i on i.manifest_id = c.image_id group by 1, 2
    union all
    select scope, key, 0, count(*), 0, 0 from layer_scope group by 1, 2
    union all
    select scope, key, 0, 0, 0, sum(size) from blob_scope group by 1, 2
  ) change group by scope, key
  on conflict (scope, key) do update set images = t.images + excluded.images, layers = t.layers + excluded.layers,
    nominal_size = t.nominal_size + excluded.nominal_size, stored_size = t.stored_size + excluded.stored_size`;
}

const LAYERS_OF_CHANGE = `cross join lateral (
      select l.layer_id, l.blob_id from image_layer l where l.image_id = c.image_id ${BY_KEY}
    ) il`;

const TAKE_IN = changeTotals(
  '+',
  'takeInImages',
  `image_change as (
    insert into held_image (image_id, registry_id)
    select i.manifest_id, r.registry_id
    from repository r join repository_manifest rm on rm.repository_id = r.id join image i on i.manifest_id = rm.manifest_id
    where r.registry_id = $1::int and r.name = $2 and rm.gone_at is null
      and not exists (select from held_image h where h.image_id = i.manifest_id and h.registry_id = r.registry_id)
    returning image_id, registry_id
  ), blob_change as (
    insert into held_blob (blob_id, registry_id, os, architecture)
    select distinct il.blob_id, c.registry_id, i.os, i.architecture
    from image_change c join image i on i.manifest_id = c.image_id ${LAYERS_OF_CHANGE}
    where not exists (
      select from held_blob h
      where h.blob_id = il.blob_id and h.registry_id = c.registry_id and h.os = i.os and h.architecture = i.architecture
    )
    returning blob_id, registry_id, os, architecture
  )`,
);

/** What no repository of the registry has any more, of the images that a query gives. */
function release(name: string, images: string): string {
  return changeTotals(
    '-',
    name,
    `image_change as (
      delete from held_image h using (${images}) gone (image_id)
      where h.image_id = gone.image_id and not exists (
        select from repository_manifest rm
        where rm.manifest_id = h.image_id and rm.gone_at is null and exists (
          select from repository r where r.id = rm.repository_id and r.registry_id = h.registry_id ${BY_KEY}
        )
      )
      returning h.image_id, h.registry_id
    ), blob_change as (
      delete from held_blob h using (
        select distinct c.registry_id, i.os, i.architecture, il.layer_id, il.blob_id
        from image_change c join image i on i.manifest_id = c.image_id ${LAYERS_OF_CHANGE}
      ) gone
      where h.blob_id = gone.blob_id and h.registry_id = gone.registry_id and h.os = gone.os
        and h.architecture = gone.architecture and not exists (
          select from image_layer il
          where il.layer_id = gone.layer_id and il.blob_id = gone.blob_id and exists (
            select from held_image k join image i on i.manifest_id = k.image_id
            where k.image_id = il.image_id and k.registry_id = gone.registry_id
              and i.os = gone.os and i.architecture = gone.architecture
              and (k.image_id, k.registry_id) not in (select image_id, registry_id from image_change) ${BY_KEY}
          )
        )
      returning h.blob_id, h.registry_id, h.os, h.architecture
    )`,
  );
}

const RELEASE_IMAGES = release('releaseImages', 'select unnest($1::int[])');

const RELEASE_GONE = release(
  'releaseGoneImages',
  `select rm.manifest_id from repository r join repository_manifest rm on rm.repository_id = r.id
   where r.registry_id = $1::int and r.name = $2 and rm.gone_at is not null`,
);

const RELEASE_REGISTRY = changeTotals(
  '-',
  'releaseRegistry',
  `image_change as (
    delete from held_image where registry_id = $1::int returning image_id, registry_id
  ), blob_change as (
    delete from held_blob where registry_id = $1::int returning blob_id, registry_id, os, architecture
  )`,
);
