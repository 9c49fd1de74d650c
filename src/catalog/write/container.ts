import type { Connection } from '../database.ts';
import { namedBy } from '../../domain/container-image.ts';
import type { ContainerReport, ObservedContainer } from '../../domain/container.ts';
import { digestBytes } from '../../domain/digest.ts';
import { tagNamed } from '../../domain/reference.ts';
import { LOCK_SPACES } from '../lock.ts';
import { findImages, refreshOutdated } from './container-image.ts';
import { recordContainerTexts, type ContainerText } from './container-text.ts';
import { shareContent } from './content-lock.ts';

/** What was seen of which runtime. */
export interface RuntimeReport extends ContainerReport {
  readonly runtimeId: number;
}

/**
 * Writes down what was seen, in a transaction of its own. Unchanged containers cost no write. Answers with how many
 * were removed; null where there is no such runtime.
 */
export async function recordContainers(connection: Connection, report: RuntimeReport): Promise<number | null> {
  const { runtimeId, at, seen } = report;
  const [, , runtime] = await Promise.all([
    shareContent(connection),
    lockContainers(connection),
    pictureRuntime(connection, report),
  ]);
  if (runtime === null) return null;
  // A picture that is older than the last one says nothing of what is there now.
  if (runtime.isStale) return 0;
  const moved = await upsertContainers(connection, runtimeId, await placed(connection, seen), at);
  const removed = await removeContainers(connection, report);
  if (report.commits.length > 0) await recordCommits(connection, report);
  if (moved.length > 0) await refreshOutdated(connection, { ids: moved });
  return removed;
}

/** One writer of containers at a time: what it counts and the order of its events depend on no other. */
export async function lockContainers(connection: Connection): Promise<void> {
  await connection.run('/* catalog.lockContainers */ select pg_advisory_xact_lock($1::int, 0)', [
    LOCK_SPACES.containers,
  ]);
}

/** Whether there are containers whose images the catalog did not have when they were last looked at. */
export async function hasUnlinkedContainers(connection: Connection): Promise<boolean> {
  const [row] = await connection.run<{ exists: boolean }>(
    `/* catalog.hasUnlinkedContainers */ select exists (select from container where ${UNLINKED})`,
    [],
  );
  return row?.exists ?? false;
}

/** Says of the containers of a repository, where there are any, whether their tags name other images by now. */
export async function refreshContainers(
  connection: Connection,
  { registryId, name }: { readonly registryId: number; readonly name: string },
): Promise<void> {
  const [row] = await connection.run<{ host: string }>(
    `/* catalog.hasContainers */
     select g.host from registry g where g.id = $1::int and exists (
       select from container c where c.host = g.host and c.repository = $2 and c.removed_at is null
     )`,
    [registryId, name],
  );
  if (row === undefined) return;
  await lockContainers(connection);
  await refreshOutdated(connection, { host: row.host, repository: name });
}

/**
 * Ties containers of unknown images to those that the catalog has by now, a thousand at a time; answers with how many it
 * has looked at. `after` is the last id of the time before.
 */
export async function linkContainers(connection: Connection, after: number): Promise<number | null> {
  await Promise.all([shareContent(connection), lockContainers(connection)]);
  const rows = await connection.run<UnlinkedContainer>(
    `/* catalog.unlinkedContainers */
     select id, image_reference as "imageReference", image_platform as platform,
       array(
         select json_build_object('digest', digest_text(e.digest), 'via', e.via)
         from unnest(image_digests, image_vias) with ordinality e(digest, via, place) order by e.place
       ) as evidence
     from container where ${UNLINKED} and id > $1::int
     order by id limit ${LINKED_AT_ONCE}`,
    [after],
  );
  const found = await findImages(
    connection,
    rows.map(({ imageReference, evidence, platform }) => {
      const identity = { evidence, platform };
      return { identity, named: namedBy(imageReference, identity) };
    }),
  );
  const linked = rows.flatMap(({ id }, at) => {
    const image = found[at];
    return image ? [{ id, imageId: image.image.imageId, via: image.via }] : [];
  });
  if (linked.length > 0) {
    await connection.run(
      `/* catalog.linkContainers */
       update container c set image_id = n."imageId", image_via = n.via
       from json_to_recordset($1::json) as n(id int, "imageId" int, via text) where c.id = n.id`,
      [JSON.stringify(linked)],
    );
    await refreshOutdated(connection, { ids: linked.map(({ id }) => id) });
  }
  return rows.length < LINKED_AT_ONCE ? null : (rows.at(-1)?.id ?? null);
}

/** Forgets containers that were removed before an instant, with their events, a thousand at most. Answers with how many. */
export async function forgetContainers(connection: Connection, before: Date): Promise<number> {
  const [, , rows] = await Promise.all([
    shareContent(connection),
    lockContainers(connection),
    connection.run(
      `/* catalog.forgetContainers */
       delete from container
       where id in (select id from container where removed_at < $1::timestamptz order by removed_at limit 1000)
       returning id`,
      [before],
    ),
  ]);
  return rows.length;
}

const LINKED_AT_ONCE = 1000;
const UNLINKED = 'image_id is null and removed_at is null and cardinality(image_digests) > 0';

type UnlinkedContainer = ObservedContainer['image'] & { readonly id: number; readonly imageReference: string };

/** Null where there is no such runtime. */
async function pictureRuntime(
  connection: Connection,
  { runtimeId, at, present }: RuntimeReport,
): Promise<{ readonly isStale: boolean } | null> {
  const [row] = await connection.run<{ isStale: boolean }>(
    `/* catalog.pictureRuntime */
     with known as materialized (select id, pictured_at from runtime where id = $1::int for update), pictured as (
       update runtime r set pictured_at = $2::timestamptz
       from known where r.id = known.id and $3::boolean
         and (known.pictured_at is null or known.pictured_at <= $2::timestamptz)
     )
     select $3::boolean and coalesce(pictured_at > $2::timestamptz, false) as "isStale" from known`,
    [runtimeId, at, present !== null],
  );
  return row ?? null;
}

type PlacedContainer = Omit<ObservedContainer, 'image' | 'workload'> &
  Pick<ContainerText, 'workloadName' | 'workloadNamespace'> &
  Readonly<Record<string, unknown>>;

/** With what their references name, and the images that they were created from. */
async function placed(connection: Connection, seen: readonly ObservedContainer[]): Promise<PlacedContainer[]> {
  const named = seen.map(({ imageReference, image }) => namedBy(imageReference, image));
  const found = await findImages(
    connection,
    seen.map(({ image }, at) => ({ identity: image, named: named[at] ?? null })),
  );
  return seen.map(({ image, workload, ...container }, at) => {
    const reference = named[at] ?? null;
    return {
      ...container,
      host: reference?.host ?? null,
      repository: reference?.repository ?? null,
      // A digest alone asks for no tag.
      tag: reference === null || (reference.tag === null && reference.digest !== null) ? null : tagNamed(reference),
      imageDigests: image.evidence.map(({ digest }) => `\\x${digestBytes(digest).toString('hex')}`),
      imageVias: image.evidence.map(({ via }) => via),
      imagePlatform: image.platform,
      imageId: found[at]?.image.imageId ?? null,
      imageVia: found[at]?.via ?? null,
      workloadKind: workload?.kind ?? null,
      workloadName: workload?.name ?? null,
      workloadNamespace: workload?.namespace ?? null,
    };
  });
}

/** Columns that a container brings along, by their types; those of the image follow rules of their own. */
const COLUMNS = {
  name: 'text',
  image_reference: 'text',
  host: 'text',
  repository: 'text',
  tag: 'text',
  image_digests: 'bytea[]',
  image_vias: 'text[]',
  image_platform: 'jsonb',
  state: 'text',
  status: 'text',
  exit_code: 'int',
  created_at: 'timestamptz(3)',
  started_at: 'timestamptz(3)',
  finished_at: 'timestamptz(3)',
  command: 'text[]',
  ports: 'jsonb',
  mounts: 'jsonb',
  labels: 'jsonb',
  workload_kind: 'text',
  workload_name: 'text',
  workload_namespace: 'text',
  role: 'text',
  node: 'text',
  restart_count: 'int',
} as const;

const NAMES = Object.keys(COLUMNS);
const inJson = (name: string) => `"${name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())}"`;
const GIVEN = Object.entries(COLUMNS).map(([name, type]) => `${inJson(name)} ${type}`);

/** What containers are found by. */
const FOUND_BY = ['name', 'image_reference', 'labels', 'workload_name', 'workload_namespace'] as const;

/**
 * An engine's container never changes its image: what it was found to be stays when nothing is found by what the engine
 * says now, as after the engine was moved to another store. A pod's may. One that comes back has no hold on its image,
 * which may just be being deleted.
 */
const KEPT = (column: string) =>
  `case when excluded.image_id is null and c.removed_at is null and c.image_reference = excluded.image_reference
     and not exists (select from runtime k where k.id = c.runtime_id and k.kind = 'KUBERNETES')
   then c.${column} else excluded.${column} end`;

const UPSERT = `/* catalog.upsertContainers */
  with given as materialized (
    select * from json_to_recordset($2::json)
      as g("containerId" text, "imageId" int, "imageVia" text, ${GIVEN.join(', ')})
  ), before as materialized (
    select c.container_id, c.state, c.removed_at, c.image_id, c.host, c.repository, c.tag, (${FOUND_BY.map((name) => `c.${name}`).join(', ')})
      is distinct from (${FOUND_BY.map((name) => `given.${inJson(name)}`).join(', ')}) as is_renamed
    from given join container c on c.runtime_id = $1::int and c.container_id = given."containerId"
  ), written as (
    insert into container as c (runtime_id, container_id, image_id, image_via, first_seen_at, last_seen_at,
      ${NAMES.join(', ')})
    select $1::int, g."containerId", g."imageId", g."imageVia", $3::timestamptz, $3::timestamptz,
      ${NAMES.map((name) => `g.${inJson(name)}`).join(', ')}
    from given g order by g."containerId"
    on conflict (runtime_id, container_id) do update set
      image_id = ${KEPT('image_id')}, image_via = ${KEPT('image_via')},
      last_seen_at = excluded.last_seen_at, removed_at = null,
      ${NAMES.map((name) => `${name} = excluded.${name}`).join(', ')}
    where c.last_seen_at <= excluded.last_seen_at and (
      (${NAMES.map((name) => `c.${name}`).join(', ')})
        is distinct from (${NAMES.map((name) => `excluded.${name}`).join(', ')})
      or c.removed_at is not null
      or (excluded.image_id is not null and c.image_id is distinct from excluded.image_id)
    )
    returning c.id, c.container_id, c.state, c.image_id, c.host, c.repository, c.tag
  ), told as (
    insert into container_event (container_id, kind, at, state, previous_state)
    select w.id, case when b.container_id is null or b.removed_at is not null then 'SEEN' else 'STATE_CHANGED' end,
      $3::timestamptz, w.state, case when b.removed_at is null then b.state end
    from written w left join before b on b.container_id = w.container_id
    where b.container_id is null or b.removed_at is not null or b.state <> w.state
    order by w.id
  )
  select w.id, w.container_id as "containerId", is_new or b.is_renamed as "isRenamed",
    is_new or (b.image_id, b.host, b.repository, b.tag) is distinct from (w.image_id, w.host, w.repository, w.tag)
      as "isMoved"
  from written w left join before b on b.container_id = w.container_id
  cross join lateral (select b.container_id is null or b.removed_at is not null as is_new) came`;

/** Answers with the ids of those that are new, or of another image or tag than before. */
async function upsertContainers(
  connection: Connection,
  runtimeId: number,
  containers: readonly PlacedContainer[],
  at: Date,
): Promise<number[]> {
  if (containers.length === 0) return [];
  const rows = await connection.run<WrittenContainer>(UPSERT, [runtimeId, JSON.stringify(containers), at]);
  const renamed = new Map(rows.filter(({ isRenamed }) => isRenamed).map(({ id, containerId }) => [containerId, id]));
  const texts = containers.flatMap((container) => {
    const id = renamed.get(container.containerId);
    return id === undefined ? [] : [{ ...container, id }];
  });
  if (texts.length > 0) await recordContainerTexts(connection, texts);
  return rows.filter(({ isMoved }) => isMoved).map(({ id }) => id);
}

interface WrittenContainer {
  readonly id: number;
  readonly containerId: string;
  readonly isRenamed: boolean;
  readonly isMoved: boolean;
}

async function removeContainers(
  connection: Connection,
  { runtimeId, at, present, removed }: RuntimeReport,
): Promise<number> {
  if (present === null && removed.length === 0) return 0;
  const rows = await connection.run<{ count: number }>(
    `/* catalog.removeContainers */
     with gone as (
       update container c set removed_at = $2::timestamptz
       where c.runtime_id = $1::int and c.removed_at is null and c.last_seen_at <= $2::timestamptz
         and (c.container_id = any($3::text[])) <> $4::boolean
       returning c.id, c.state
     ), forgotten as (
       delete from container_text t using gone where t.container_id = gone.id
     ), told as (
       insert into container_event (container_id, kind, at, state, previous_state)
       select id, 'REMOVED', $2::timestamptz, state, state from gone order by id
     )
     select count(*) as count from gone`,
    [runtimeId, at, present ?? removed, present !== null],
  );
  return rows[0]?.count ?? 0;
}

async function recordCommits(connection: Connection, { runtimeId, at, commits }: RuntimeReport): Promise<void> {
  await connection.run(
    `/* catalog.recordCommits */
     insert into container_commit (container_id, image_digest, at)
     select distinct c.id, n.image_digest, $4::timestamptz
     from unnest($2::text[], $3::bytea[]) as n(container_id, image_digest)
     join container c on c.runtime_id = $1::int and c.container_id = n.container_id
     on conflict do nothing`,
    [runtimeId, commits.map(({ containerId }) => containerId), commits.map(({ imageId }) => digestBytes(imageId)), at],
  );
}
