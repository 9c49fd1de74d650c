import {
  deletePlanned,
  forgetContainers,
  holdContent,
  linkContainers,
  planDeletion,
  recountRepository,
  removeRegistry,
  removeRuntime,
} from '../../src/catalog/write/index.ts';
import type { ImageEvidence } from '../../src/domain/container.ts';
import { digestOf, type Digest } from '../../src/domain/digest.ts';
import type { RepositoryName } from '../../src/domain/reference.ts';
import { catalogOf, recount, type CatalogBuilder, type Content, type ImageContent } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createGenerator } from '../support/generated.ts';
import { addRuntime, observed, report } from '../support/observed-container.ts';

let database: TestDatabase;
let build: CatalogBuilder;
let runtime: number;
let nginx: number;
let amd64: ImageContent;
let arm64: ImageContent;
let index: Content;

beforeEach(async () => {
  database = await createTestDatabase();
  build = catalogOf(database);
  runtime = await addRuntime(database, 'host-1');
  nginx = await build.repository('docker.io/library/nginx');
  amd64 = await build.image(nginx, { layers: ['debian', 'nginx'] });
  arm64 = await build.image(nginx, { layers: ['debian-arm', 'nginx-arm'], platform: 'linux/arm64/v8' });
  index = await build.index(nginx, [
    { child: amd64, platform: 'linux/amd64' },
    { child: arm64, platform: 'linux/arm64/v8' },
  ]);
  await build.tag(nginx, '1.27', index);
});

afterEach(() => database.close());

const AMD64 = { os: 'linux', architecture: 'amd64', variant: null, osVersion: null };
const ARM64 = { ...AMD64, architecture: 'arm64', variant: 'v8' };
const by = (via: ImageEvidence['via'], digest: Digest): ImageEvidence => ({ via, digest });
const digest = (text: string) => digestOf(Buffer.from(text));
const MORNING = '2026-03-01T08:00:00.000Z';
const NOON = '2026-03-01T12:00:00.000Z';

function stored() {
  return database.run<Record<string, unknown>>(
    `select container_id as id, image_id as image, image_via as via, state, is_outdated as outdated, removed_at is not null as removed
     from container order by container_id`,
    [],
  );
}

function events() {
  return database.run(
    `select c.container_id as id, e.kind, e.state, e.previous_state as before from container_event e join container c on c.id = e.container_id order by e.id`,
    [],
  );
}

async function counted() {
  const rows = await database.run<{ manifest_id: number; count: number }>(
    'select manifest_id, container_count as count from image where container_count <> 0',
    [],
  );
  return new Map(rows.map((row) => [row.manifest_id, row.count]));
}

describe('the image of a container is found', () => {
  test.each<[string, () => Parameters<typeof observed>[0], () => number | null]>([
    [
      'by the manifest that the runtime unpacked',
      () => ({ containerId: 'a', evidence: [by('MANIFEST', arm64.digest)] }),
      () => arm64.id,
    ],
    [
      "by the index that was pulled, for the image's platform rather than the host's",
      () => ({ containerId: 'a', evidence: [by('PULLED_DIGEST', index.digest)], platform: ARM64 }),
      () => arm64.id,
    ],
    [
      'not among the members of an index where nobody knows the platform',
      () => ({ containerId: 'a', evidence: [by('PULLED_DIGEST', index.digest)] }),
      () => null,
    ],
    [
      'by its configuration',
      () => ({ containerId: 'a', evidence: [by('PULLED_DIGEST', digest('?')), by('CONFIG', amd64.configDigest)] }),
      () => amd64.id,
    ],
    [
      'by the chain id of its whole stack',
      () => ({ containerId: 'a', evidence: [by('LAYERS', amd64.chainIds.at(-1) as Digest)] }),
      () => amd64.id,
    ],
    ['nowhere where nothing is known', () => ({ containerId: 'a' }), () => null],
  ])('%s', async (_, container, expected) => {
    await report(database, runtime, MORNING, [observed(container())]);
    expect((await stored())[0]).toMatchObject({ image: expected() });
  });

  test('in the repository that was asked for, where two manifests have one configuration', async () => {
    const fork = await build.repository('ghcr.io/fork/nginx');
    const copy = await build.image(fork, { layers: ['debian', 'nginx'] });
    await database.run(
      'update image set config_digest = (select config_digest from image where manifest_id = $1) where manifest_id = $2',
      [amd64.id, copy.id],
    );
    const evidence = [by('CONFIG', amd64.configDigest)];
    await report(database, runtime, MORNING, [
      observed({ containerId: 'fork', imageReference: 'ghcr.io/fork/nginx:1', evidence }),
      observed({ containerId: 'hub', evidence }),
    ]);
    expect(await stored()).toMatchObject([
      { id: 'fork', image: copy.id },
      { id: 'hub', image: amd64.id },
    ]);
  });
});

test('a container is outdated when its tag names another image for its platform', async () => {
  const evidence = [by('PULLED_DIGEST', index.digest)];
  const seen = [
    observed({ containerId: 'amd', evidence, platform: AMD64 }),
    observed({ containerId: 'arm', evidence, platform: ARM64 }),
    observed({ containerId: 'pinned', imageReference: `nginx@${index.digest}`, evidence, platform: AMD64 }),
    observed({ containerId: 'tag', imageReference: `nginx:1.27@${index.digest}`, evidence, platform: AMD64 }),
    observed({ containerId: 'untold', imageReference: 'nginx:1.26', evidence, platform: AMD64 }),
  ];
  await report(database, runtime, MORNING, seen);
  const isOutdated = async () =>
    Object.fromEntries((await stored()).map(({ id, outdated }) => [id as string, outdated]));
  expect(await isOutdated()).toEqual({ amd: false, arm: false, pinned: null, tag: false, untold: null });

  // Only half of the index is built anew.
  const rebuilt = await build.image(nginx, { layers: ['debian', 'nginx', 'fix'] });
  await build.tag(
    nginx,
    '1.27',
    await build.index(nginx, [
      { child: rebuilt, platform: 'linux/amd64' },
      { child: arm64, platform: 'linux/arm64/v8' },
    ]),
  );
  await recount(database, nginx);
  expect(await isOutdated()).toEqual({ amd: true, arm: false, pinned: null, tag: true, untold: null });

  await build.tag(nginx, '1.27', null);
  await recount(database, nginx);
  expect(await isOutdated()).toEqual({ amd: null, arm: null, pinned: null, tag: null, untold: null });
});

test('what becomes of its registry leaves a container its image, and nobody can tell whether it is outdated', async () => {
  const seen = [observed({ containerId: 'a', evidence: [by('PULLED_DIGEST', index.digest)], platform: AMD64 })];
  await report(database, runtime, MORNING, seen);
  expect(await stored()).toMatchObject([{ image: amd64.id, outdated: false }]);
  const [registry] = await database.run<{ id: number }>("select id from registry where host = 'docker.io'", []);
  await removeRegistry(database, registry?.id ?? 0);
  expect(await stored()).toMatchObject([{ image: amd64.id, outdated: null }]);
  await report(database, runtime, NOON, seen);
  expect(await stored()).toMatchObject([{ image: amd64.id, outdated: null }]);
  expect(await counted()).toEqual(new Map([[amd64.id, 1]]));
});

test('an image that the repository never had is no outdated one, whatever it is called', async () => {
  const other = await build.image(await build.repository('ghcr.io/org/app'), { layers: ['own'] });
  await report(database, runtime, MORNING, [
    observed({ containerId: 'a', evidence: [by('CONFIG', other.configDigest)] }),
  ]);
  expect(await stored()).toMatchObject([{ image: other.id, outdated: null }]);
});

test.each(['f00dfeed', 'sha256:f00dfeed', 'Not A Name', ''])(
  '"%s" names no repository and no tag',
  async (imageReference) => {
    const id = `sha256:f00dfeed${'0'.repeat(56)}` as Digest;
    await report(database, runtime, MORNING, [
      observed({ containerId: 'a', imageReference, evidence: [by('CONFIG', id)] }),
    ]);
    expect(await database.run('select host, repository, tag from container', [])).toEqual([
      { host: null, repository: null, tag: null },
    ]);
  },
);

test('what was seen, changed and removed is told once each, and counted', async () => {
  const evidence = [by('MANIFEST', amd64.digest)];
  const [a, b] = [observed({ containerId: 'a', evidence }), observed({ containerId: 'b', evidence })];
  expect(await report(database, runtime, MORNING, [a, b])).toBe(0);
  expect(await counted()).toEqual(new Map([[amd64.id, 2]]));
  database.statements.length = 0;
  expect(await report(database, runtime, NOON, [a, b])).toBe(0);
  expect(database.statements.some((text) => text.includes('recordOutdated'))).toBe(false);

  await report(database, runtime, '2026-03-01T13:00:00Z', [{ ...b, state: 'EXITED', exitCode: 1 }], { present: null });
  expect(await report(database, runtime, '2026-03-01T14:00:00Z', [a])).toBe(1);
  expect(await report(database, runtime, '2026-03-01T15:00:00Z', [], { present: null, removed: ['a', 'x'] })).toBe(1);
  expect(await counted()).toEqual(new Map());
  await report(database, runtime, '2026-03-01T16:00:00Z', [a]);
  expect(await counted()).toEqual(new Map([[amd64.id, 1]]));
  expect(await events()).toEqual([
    { id: 'a', kind: 'SEEN', state: 'RUNNING', before: null },
    { id: 'b', kind: 'SEEN', state: 'RUNNING', before: null },
    { id: 'b', kind: 'STATE_CHANGED', state: 'EXITED', before: 'RUNNING' },
    { id: 'b', kind: 'REMOVED', state: 'EXITED', before: 'EXITED' },
    { id: 'a', kind: 'REMOVED', state: 'RUNNING', before: 'RUNNING' },
    { id: 'a', kind: 'SEEN', state: 'RUNNING', before: null },
  ]);
});

test('a picture that comes late changes nothing', async () => {
  await report(database, runtime, NOON, [observed({ containerId: 'a', state: 'EXITED' })]);
  await report(database, runtime, MORNING, [observed({ containerId: 'a' }), observed({ containerId: 'b' })]);
  expect(await stored()).toMatchObject([{ id: 'a', state: 'EXITED', removed: false }]);
});

test('what was seen before the last picture, or before a removal, changes nothing when it comes late', async () => {
  await report(database, runtime, MORNING, [observed({ containerId: 'a' }), observed({ containerId: 'b' })]);
  await report(database, runtime, NOON, [], { present: null, removed: ['a'] });
  const late = [observed({ containerId: 'a' }), observed({ containerId: 'b', state: 'PAUSED' })];
  await report(database, runtime, '2026-03-01T11:00:00Z', late.slice(0, 1), { present: null });
  expect(await stored()).toMatchObject([{ removed: true }, { removed: false }]);

  await report(database, runtime, '2026-03-01T13:00:00Z', [observed({ containerId: 'b' })]);
  const rest = { present: null, removed: ['b'], commits: [{ containerId: 'b', imageId: amd64.configDigest }] };
  await report(database, runtime, '2026-03-01T12:30:00Z', [...late, observed({ containerId: 'c' })], rest);
  expect(await stored()).toMatchObject([
    { id: 'a', removed: true },
    { id: 'b', state: 'RUNNING', removed: false },
  ]);
  expect(await database.run('select from container_commit', [])).toHaveLength(1);
});

test('a container that came while the list was read is not missed from it', async () => {
  await report(database, runtime, NOON, [observed({ containerId: 'new' })], { present: null });
  await report(database, runtime, MORNING, []);
  expect(await stored()).toMatchObject([{ id: 'new', removed: false }]);
});

test('an unknown image is known when a registry has brought it', async () => {
  const evidence = [by('PULLED_DIGEST', digest('not yet')), by('CONFIG', digest('nor this'))];
  await report(database, runtime, MORNING, [observed({ containerId: 'a', evidence, platform: AMD64 })]);
  expect(await stored()).toMatchObject([{ image: null, outdated: null }]);
  expect(await database.transaction((connection) => linkContainers(connection, 0))).toBeNull();
  const late = await build.image(nginx, { layers: ['late'] });
  await database.run('update image set config_digest = $1 where manifest_id = $2', [
    Buffer.from(digest('nor this').slice(7), 'hex'),
    late.id,
  ]);
  await database.transaction((connection) => linkContainers(connection, 0));
  expect(await stored()).toMatchObject([{ image: late.id, via: 'CONFIG', outdated: true }]);
  expect(await counted()).toEqual(new Map([[late.id, 1]]));
});

test("an engine's container keeps its image when the engine knows it by other digests; a pod's may have another", async () => {
  const cluster = await addRuntime(database, 'cluster', 'KUBERNETES');
  for (const id of [runtime, cluster]) {
    await report(database, id, MORNING, [observed({ containerId: `${id}`, evidence: [by('MANIFEST', amd64.digest)] })]);
    await report(database, id, NOON, [
      observed({ containerId: `${id}`, evidence: [by('PULLED_DIGEST', digest('new'))] }),
    ]);
  }
  expect(await stored()).toMatchObject([
    { id: `${runtime}`, image: amd64.id },
    { id: `${cluster}`, image: null },
  ]);
});

test('containers that were removed long ago are forgotten with their events', async () => {
  await report(database, runtime, MORNING, [observed({ containerId: 'a' }), observed({ containerId: 'b' })]);
  await report(database, runtime, NOON, [observed({ containerId: 'b' })]);
  const forget = (before: string) =>
    database.transaction((connection) => forgetContainers(connection, new Date(before)));
  expect(await forget(NOON)).toBe(0);
  expect(await forget('2026-03-01T12:00:01Z')).toBe(1);
  expect(await events()).toMatchObject([{ id: 'b', kind: 'SEEN' }]);
});

test('of a runtime whose ids change in every picture, no more than 20,000 removed containers are remembered', async () => {
  await database.run(
    `insert into container (runtime_id, container_id, name, image_reference, image_digests, image_vias, command, state,
       first_seen_at, last_seen_at, removed_at)
     select $1::int, 'old-' || n, 'old', 'nginx', '{}', '{}', '{}', 'EXITED', at, at, at
     from (select n, '2026-01-01'::timestamptz + n * interval '1 second' as at from generate_series(1, 20000) n) past`,
    [runtime],
  );
  await report(database, runtime, MORNING, [observed({ containerId: 'a' }), observed({ containerId: 'b' })]);
  await report(database, runtime, NOON, []);
  const [row] = await database.run<{ removed: number; oldest: string }>(
    `select count(*) as removed, min(container_id) filter (where container_id like 'old-%' and removed_at = first.at) as oldest
     from container, (select min(removed_at) as at from container) first`,
    [],
  );
  expect(row).toEqual({ removed: 20_000, oldest: 'old-3' });
});

test('a runtime that is not there takes no report', async () => {
  expect(await report(database, 4711, MORNING, [observed({ containerId: 'a' })])).toBeNull();
  expect(await stored()).toEqual([]);
});

/** What is counted and told, beside the containers themselves. */
async function contradictions() {
  const counts = `select 'count' as what, i.manifest_id::text as of from image i where i.container_count <>
    (select count(*) from container c where c.image_id = i.manifest_id and c.removed_at is null)`;
  const texts = `select 'text', c.container_id from container c left join container_text t on t.container_id = c.id
    where (t.container_id is null) <> (c.removed_at is not null)`;
  const last = `select 'last event', c.container_id from container c
    cross join lateral (select * from container_event e where e.container_id = c.id order by e.id desc limit 1) e
    where e.state <> c.state or (e.kind = 'REMOVED') <> (c.removed_at is not null)`;
  const order = `select 'order', e.container_id::text from (
      select *, lag(kind) over past as before, lag(at) over past as before_at, lag(state) over past as before_state
      from container_event window past as (partition by container_id order by id)
    ) e where e.at < e.before_at or (e.kind = 'SEEN') <> (coalesce(e.before, 'REMOVED') = 'REMOVED')
      or (e.kind = 'STATE_CHANGED' and e.previous_state is distinct from e.before_state)`;
  return database.run(`${counts} union all ${texts} union all ${last} union all ${order}`, []);
}

test.each([1, 2, 3, 4])(
  'whatever is reported, linked, deleted, removed and forgotten at once is counted and told as it is (seed %d)',
  async (seed) => {
    const { below, oneOf } = createGenerator(seed);
    const other = await build.repository('ghcr.io/org/app');
    // Whether or not it is still there.
    const place = { registryId: 1, name: 'library/nginx' as RepositoryName };
    const images = [amd64, arm64, await build.image(other, { layers: ['own'] })];
    const runtimes = [runtime, await addRuntime(database, 'host-2'), await addRuntime(database, 'pods', 'KUBERNETES')];
    const some = (most: number) => Array.from({ length: below(most + 1) }, () => oneOf(['a', 'b', 'c', 'd']));
    let clock = Date.parse(MORNING);
    const tell = () => {
      // Some are late.
      const at = new Date((clock += 1000) - oneOf([0, 0, 0, 2500, 9000])).toISOString();
      const seen = [...new Set(some(4))].map((containerId) =>
        observed({
          containerId,
          state: oneOf(['RUNNING', 'EXITED']),
          evidence: [by('MANIFEST', oneOf([...images.map((image) => image.digest), digest('unknown')]))],
        }),
      );
      const part = { present: null, removed: some(2).filter((id) => seen.every((one) => one.containerId !== id)) };
      return report(database, oneOf(runtimes), at, seen, oneOf([{}, part]));
    };
    const remove = () =>
      database.transaction(async (connection) => {
        await holdContent(connection);
        const request = { digest: oneOf(images).digest, repositoryId: null, takesIndexes: true };
        const plan = await planDeletion(connection, request);
        if (plan?.heldBy.length || plan?.inUse.length) return;
        if (plan) await deletePlanned(connection, plan, null, new Date(clock));
      });
    const work = [
      ...[tell, tell, tell, tell, tell, tell],
      () => database.transaction((connection) => linkContainers(connection, 0)),
      () => database.transaction((connection) => forgetContainers(connection, new Date(clock - 20_000))),
      () => (below(4) === 0 ? remove() : database.transaction((connection) => recountRepository(connection, place))),
      async () => {
        if (below(8) === 0) await database.transaction((connection) => removeRuntime(connection, oneOf(runtimes)));
        if (below(16) === 0) await removeRegistry(database, place.registryId);
      },
    ];
    for (let round = 0; round < 25; round++) {
      await Promise.all([1, 2, 3].map(async () => void (await oneOf(work)())));
      expect(await contradictions()).toEqual([]);
    }
  },
);
