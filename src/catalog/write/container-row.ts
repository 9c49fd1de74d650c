import type { Connection } from '../database.ts';
import { namedBy } from '../../domain/container-image.ts';
import type { ImageVia, ObservedContainer, RuntimeKindName } from '../../domain/container.ts';
import { digestBytes } from '../../domain/digest.ts';
import { tagNamed, type Reference, type TagName } from '../../domain/reference.ts';
import { BY_KEY } from './by-key.ts';
import { findImages } from './container-image.ts';
import { recordContainerTexts } from './container-text.ts';
import { compareTags, taggedKey, type TaggedImage } from './outdated-container.ts';

/** Writes down what containers are, with the images that they were created from, and tells what has happened to them. */
export async function upsertContainers(
  connection: Connection,
  runtime: { readonly id: number; readonly kind: RuntimeKindName },
  seen: readonly ObservedContainer[],
  at: Date,
): Promise<void> {
  const known = await knownContainers(connection, runtime.id, seen);
  const rows = await withTags(connection, await withImages(connection, runtime.kind, seen, known), known);
  const renamed = await connection.run<{ id: number; containerId: string }>(UPSERT, [
    runtime.id,
    JSON.stringify(rows),
    at,
  ]);
  const ids = new Map(renamed.map(({ id, containerId }) => [containerId, id]));
  const texts = rows.flatMap((row) => {
    const id = ids.get(row.containerId);
    return id === undefined ? [] : [{ ...row, id }];
  });
  if (texts.length > 0) await recordContainerTexts(connection, texts);
}

/** Columns that a container brings along, by their types. */
const COLUMNS = {
  name: 'text',
  image_reference: 'text',
  host: 'text',
  repository: 'text',
  tag: 'text',
  image_digests: 'bytea[]',
  image_vias: 'text[]',
  image_platform: 'jsonb',
  image_id: 'int',
  image_via: 'text',
  is_outdated: 'boolean',
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

const UPSERT = `/* catalog.upsertContainers */
  with given as materialized (
    select * from json_to_recordset($2::json)
      as g("containerId" text, ${GIVEN.join(', ')})
  ), before as materialized (
    select c.container_id, c.state, c.removed_at, (${FOUND_BY.map((name) => `c.${name}`).join(', ')})
      is distinct from (${FOUND_BY.map((name) => `given.${inJson(name)}`).join(', ')}) as is_renamed
    from given join container c on c.runtime_id = $1::int and c.container_id = given."containerId"
  ), written as (
    insert into container as c (runtime_id, container_id, first_seen_at, last_seen_at, ${NAMES.join(', ')})
    select $1::int, g."containerId", $3::timestamptz, $3::timestamptz,
      ${NAMES.map((name) => `g.${inJson(name)}`).join(', ')}
    from given g order by g."containerId"
    on conflict (runtime_id, container_id) do update set
      last_seen_at = excluded.last_seen_at, removed_at = null,
      ${NAMES.map((name) => `${name} = excluded.${name}`).join(', ')}
    where greatest(c.last_seen_at, c.removed_at) <= excluded.last_seen_at and (
      (${NAMES.map((name) => `c.${name}`).join(', ')})
        is distinct from (${NAMES.map((name) => `excluded.${name}`).join(', ')})
      or c.removed_at is not null
    )
    returning c.id, c.container_id, c.state
  ), told as (
    insert into container_event (container_id, kind, at, state, previous_state)
    select w.id, case when b.container_id is null or b.removed_at is not null then 'SEEN' else 'STATE_CHANGED' end,
      $3::timestamptz, w.state, case when b.removed_at is null then b.state end
    from written w left join before b on b.container_id = w.container_id
    where b.container_id is null or b.removed_at is not null or b.state <> w.state
    order by w.id
  )
  select w.id, w.container_id as "containerId"
  from written w left join before b on b.container_id = w.container_id
  where b.container_id is null or b.removed_at is not null or b.is_renamed`;

/** What the catalog knows of a container that is there. */
interface KnownContainer {
  readonly containerId: string;
  readonly imageReference: string;
  /** Digests of what is known of its image, as PostgreSQL writes them. */
  readonly imageDigests: readonly string[];
  readonly imageId: number | null;
  readonly imageVia: ImageVia | null;
  readonly isOutdated: boolean | null;
  /** A repository has or had its image. */
  readonly isHeld: boolean;
}

async function knownContainers(
  connection: Connection,
  runtimeId: number,
  seen: readonly ObservedContainer[],
): Promise<Map<string, KnownContainer>> {
  const rows = await connection.run<KnownContainer & Record<string, unknown>>(
    `/* catalog.knownContainers */
     select container_id as "containerId", image_reference as "imageReference", image_digests::text[] as "imageDigests",
       image_id as "imageId", image_via as "imageVia", is_outdated as "isOutdated",
       exists (select from repository_manifest rm where rm.manifest_id = c.image_id ${BY_KEY}) as "isHeld"
     from container c where runtime_id = $1::int and container_id = any($2::text[]) and removed_at is null`,
    [runtimeId, seen.map(({ containerId }) => containerId)],
  );
  return new Map(rows.map((row) => [row.containerId, row]));
}

type Row = ReturnType<typeof rowOf> & {
  readonly imageId: number | null;
  readonly imageVia: ImageVia | null;
};

/** Those whose image was found before by what is known of it still are not looked for again. */
async function withImages(
  connection: Connection,
  kind: RuntimeKindName,
  seen: readonly ObservedContainer[],
  known: ReadonlyMap<string, KnownContainer>,
): Promise<Row[]> {
  const named = seen.map(({ imageReference, image }) => namedBy(imageReference, image));
  const rows = seen.map((container, at) => rowOf(container, named[at] ?? null));
  const isSettled = (row: (typeof rows)[number]) => known.get(row.containerId)?.isHeld && isSame(row, known);
  const sought = seen.flatMap(({ image }, at) => {
    const row = rows[at];
    return row === undefined || isSettled(row) ? [] : [{ row, identity: image, named: named[at] ?? null }];
  });
  const found = await findImages(connection, sought);
  const images = new Map(sought.map(({ row }, at) => [row, found[at] ?? null]));
  return rows.map((row) => {
    const before = known.get(row.containerId);
    const image = images.get(row);
    if (image) return { ...row, imageId: image.image.imageId, imageVia: image.via };
    // An engine's container never changes its image, though the engine may know it by other ids than before. A pod's may.
    const isKept = image === undefined || (kind !== 'KUBERNETES' && before?.imageReference === row.imageReference);
    return { ...row, imageId: (isKept && before?.imageId) || null, imageVia: (isKept && before?.imageVia) || null };
  });
}

/** Those of the image and the tag that they had are as outdated as they were. */
async function withTags(connection: Connection, rows: readonly Row[], known: ReadonlyMap<string, KnownContainer>) {
  const isSettled = (row: Row) => isSame(row, known) && known.get(row.containerId)?.imageId === row.imageId;
  const compared = await compareTags(
    connection,
    rows.filter((row) => !isSettled(row)).flatMap((row) => taggedOf(row) ?? []),
  );
  return rows.map((row) => {
    const tagged = taggedOf(row);
    const told = tagged === null ? null : (compared.get(taggedKey(tagged)) ?? null);
    return { ...row, isOutdated: isSettled(row) ? (known.get(row.containerId)?.isOutdated ?? null) : told };
  });
}

/** Whether it was asked for by the same words, and the same is known of its image. */
function isSame(
  { containerId, imageReference, imageDigests }: ReturnType<typeof rowOf>,
  known: ReadonlyMap<string, KnownContainer>,
): boolean {
  const before = known.get(containerId);
  return before?.imageReference === imageReference && before.imageDigests.join() === imageDigests.join();
}

function taggedOf({ imageId, host, repository, tag }: Row): TaggedImage | null {
  if (imageId === null || host === null || repository === null || tag === null) return null;
  return { imageId, host, repository, tag };
}

function rowOf({ image, workload, ...container }: ObservedContainer, named: Reference | null) {
  return {
    ...container,
    host: named?.host ?? null,
    repository: named?.repository ?? null,
    tag: named && tagAsked(named),
    imageDigests: image.evidence.map(({ digest }) => `\\x${digestBytes(digest).toString('hex')}`),
    imageVias: image.evidence.map(({ via }) => via),
    imagePlatform: image.platform,
    workloadKind: workload?.kind ?? null,
    workloadName: workload?.name ?? null,
    workloadNamespace: workload?.namespace ?? null,
  };
}

/** A digest alone asks for no tag. */
function tagAsked(reference: Reference): TagName | null {
  return reference.tag === null && reference.digest !== null ? null : tagNamed(reference);
}
