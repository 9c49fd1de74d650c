import type { Connection } from '../database.ts';
import type { RepositoryPlace } from './repository.ts';

/*
 * What registries hold is counted as it comes and goes: each image, layer and blob once for a registry, however many of
 * its repositories have it, and once for the whole catalog. The rows of held_image and held_blob are what the totals
 * were made from, so that what is new is told from what was counted by a few keys, and counting twice changes nothing.
 */

/**
 * Lets nobody else count until this transaction ends: what comes in two at once would be counted by both. Whoever
 * removes names or content in a transaction that counts takes this before anything else.
 */
export async function lockCounts(connection: Connection): Promise<void> {
  await connection.run('/* catalog.lockCounts */ select pg_advisory_xact_lock($1::int, 0)', [COUNTS]);
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

/** First key of the advisory lock. */
const COUNTS = 7869003;

/**
 * Changes the totals by what the CTEs image_change (image_id, registry_id) and blob_change (blob_id, registry_id) say.
 * A statement sees the tables as they were before it: what came is not in them yet, and what went, which still is, is
 * left out by `kept`. Under registry 0 stands the whole catalog.
 */
function changeTotals(sign: '+' | '-', name: string, changes: string): string {
  const keptImage =
    sign === '+' ? '' : 'and (k.image_id, k.registry_id) not in (select image_id, registry_id from image_change)';
  const keptBlob =
    sign === '+' ? '' : 'and (k.blob_id, k.registry_id) not in (select blob_id, registry_id from blob_change)';
  return `/* catalog.${name} */
  with ${changes}, image_scope as (
    select registry_id, image_id from image_change
    union
    select 0, c.image_id from image_change c
    where not exists (select from held_image k where k.image_id = c.image_id ${keptImage})
  ), blob as (
    select c.registry_id, b.layer_id, b.digest, b.size from blob_change c join layer_blob b on b.id = c.blob_id
  ), layer_scope as (
    select c.registry_id, c.layer_id
    from (select distinct registry_id, layer_id from blob) c
    where not exists (
      select from layer_blob s join held_blob k on k.blob_id = s.id
      where s.layer_id = c.layer_id and k.registry_id = c.registry_id ${keptBlob}
    )
    union all
    select 0, c.layer_id
    from (select distinct layer_id from blob) c
    where not exists (
      select from layer_blob s join held_blob k on k.blob_id = s.id where s.layer_id = c.layer_id ${keptBlob}
    )
  ), blob_scope as (
    select c.registry_id, c.size
    from (select distinct registry_id, digest, size from blob) c
    where not exists (
      select from layer_blob s join held_blob k on k.blob_id = s.id
      where s.digest = c.digest and s.size = c.size and k.registry_id = c.registry_id ${keptBlob}
    )
    union all
    select 0, c.size
    from (select distinct digest, size from blob) c
    where not exists (
      select from layer_blob s join held_blob k on k.blob_id = s.id
      where s.digest = c.digest and s.size = c.size ${keptBlob}
    )
  ), platform as (
    insert into held_platform as p (os, architecture, media_type, images)
    select i.os, i.architecture, m.media_type, ${sign} count(*)
    from image_scope c join image i on i.manifest_id = c.image_id join manifest m on m.id = i.manifest_id
    where c.registry_id = 0 group by i.os, i.architecture, m.media_type
    on conflict (os, architecture, media_type) do update set images = p.images + excluded.images
  )
  insert into held_total as t (registry_id, images, layers, nominal_size, stored_size)
  select registry_id, ${sign} sum(images), ${sign} sum(layers), ${sign} sum(nominal_size), ${sign} sum(stored_size)
  from (
    select c.registry_id, count(*) as images, 0 as layers, sum(i.size) as nominal_size, 0 as stored_size
    from image_scope c join image i on i.manifest_id = c.image_id group by c.registry_id
    union all
    select registry_id, 0, count(*), 0, 0 from layer_scope group by registry_id
    union all
    select registry_id, 0, 0, 0, sum(size) from blob_scope group by registry_id
  ) change group by registry_id
  on conflict (registry_id) do update set images = t.images + excluded.images, layers = t.layers + excluded.layers,
    nominal_size = t.nominal_size + excluded.nominal_size, stored_size = t.stored_size + excluded.stored_size`;
}

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
    insert into held_blob (blob_id, registry_id)
    select distinct il.blob_id, c.registry_id from image_change c join image_layer il on il.image_id = c.image_id
    where not exists (select from held_blob h where h.blob_id = il.blob_id and h.registry_id = c.registry_id)
    returning blob_id, registry_id
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
        select from repository_manifest rm join repository r on r.id = rm.repository_id
        where rm.manifest_id = h.image_id and rm.gone_at is null and r.registry_id = h.registry_id
      )
      returning h.image_id, h.registry_id
    ), blob_change as (
      delete from held_blob h using (
        select distinct c.registry_id, il.layer_id, il.blob_id
        from image_change c join image_layer il on il.image_id = c.image_id
      ) gone
      where h.blob_id = gone.blob_id and h.registry_id = gone.registry_id and not exists (
        select from image_layer il join held_image k on k.image_id = il.image_id
        where il.layer_id = gone.layer_id and il.blob_id = gone.blob_id and k.registry_id = gone.registry_id
          and (k.image_id, k.registry_id) not in (select image_id, registry_id from image_change)
      )
      returning h.blob_id, h.registry_id
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
    delete from held_blob where registry_id = $1::int returning blob_id, registry_id
  )`,
);
