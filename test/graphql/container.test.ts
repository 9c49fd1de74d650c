import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { CONTAINER_STATES, type ContainerState, type ImageEvidence } from '../../src/domain/container.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { catalogOf, recount, type CatalogBuilder, type Content, type ImageContent } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addRuntime, observed, report } from '../support/observed-container.ts';
import { openTestWeb, type TestWeb } from '../support/web.ts';

let database: TestDatabase;
let build: CatalogBuilder;
let web: TestWeb;
let engine: number;
let cluster: number;
let nginx: number;
let amd64: ImageContent;
let arm64: ImageContent;
let index: Content;

const by = (via: ImageEvidence['via'], digest: Digest): ImageEvidence => ({ via, digest });
const MORNING = '2026-03-01T08:00:00.000Z';
const NOON = '2026-03-01T12:00:00.000Z';
const EVENING = '2026-03-01T20:00:00.000Z';
const WEB = 'abcdef012345'.padEnd(64, '0');
const OLD = 'abcdef012345'.padEnd(64, '1');

/** A host with a container that was there in the morning, one that came at noon, and one that went in the evening. */
beforeAll(async () => {
  database = await createTestDatabase();
  build = catalogOf(database);
  web = await openTestWeb(database);
  engine = await addRuntime(database, 'host-1');
  cluster = await addRuntime(database, 'cluster', 'KUBERNETES');
  nginx = await build.repository('docker.io/library/nginx');
  amd64 = await build.image(nginx, { layers: ['debian', 'nginx'] });
  arm64 = await build.image(nginx, { layers: ['debian-arm', 'nginx-arm'], platform: 'linux/arm64/v8' });
  index = await build.index(nginx, [
    { child: amd64, platform: 'linux/amd64' },
    { child: arm64, platform: 'linux/arm64/v8' },
  ]);
  await build.tag(nginx, '1.27', index);
  await build.tag(nginx, '1.28', index);
  const seen = observed({
    containerId: WEB,
    name: 'web',
    evidence: [by('MANIFEST', amd64.digest), by('PULLED_DIGEST', index.digest)],
    status: 'Up 3 days',
    createdAt: new Date('2026-02-01T00:00:00Z'),
    startedAt: new Date('2026-02-01T00:00:01Z'),
    labels: { b: '2', a: '1' },
    ports: [{ containerPort: 80, protocol: 'tcp', hostIp: null, hostPort: 8080 }],
    mounts: [{ type: 'volume', source: 'data', destination: '/data', readOnly: true }],
    command: ['nginx', '-g'],
    workload: { kind: 'ComposeService', name: 'front', namespace: 'shop' },
    restartCount: 2,
  });
  const old = observed({ containerId: OLD, name: 'old', evidence: [by('MANIFEST', amd64.digest)] });
  await report(database, engine, MORNING, [seen, old]);
  await report(database, engine, NOON, [seen, old, observed({ containerId: 'local', imageReference: 'built:here' })]);
  const ended = { state: 'EXITED', exitCode: 3, finishedAt: new Date('2026-03-01T15:00:00Z') } as const;
  await report(database, engine, EVENING, [
    { ...seen, ...ended, status: 'Exited (3)' },
    observed({ containerId: 'local', imageReference: 'built:here' }),
  ]);
});

afterAll(async () => {
  await web.close();
  await database.close();
});

interface Named {
  readonly name: string;
}

async function ask<T = Record<string, unknown>>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
  const { data, errors } = await web.ask(query, variables);
  expect(errors).toBeUndefined();
  return data as T;
}

async function refusal(query: string, variables: Record<string, unknown> = {}) {
  const { errors = [] } = await web.ask(query, variables);
  return errors.map(({ message, extensions }) => [extensions['code'], message]);
}

test('a container tells what its runtime told, and leads to its image, its tag and its runtime', async () => {
  const fields = `
    containerId name runtime { name kind } imageReference image { digest } imageVia imageDigests tag { reference }
    state status exitCode createdAt startedAt finishedAt restartCount workload { kind name namespace } role node
    isOutdated drift { movesBehind } firstSeenAt lastSeenAt removedAt newerTags { name }
    command ports { containerPort protocol hostIp hostPort } mounts { type source destination readOnly }
    labels { name value } label(name: "b") none: label(name: "c")`;
  const { container } = await ask<{ container: object }>(
    `query ($id: String!) { container(runtime: "host-1", containerId: $id) { id ${fields} } }`,
    { id: WEB },
  );
  expect(container).toEqual({
    id: expect.any(String) as string,
    containerId: WEB,
    name: 'web',
    runtime: { name: 'host-1', kind: 'DOCKER' },
    imageReference: 'docker.io/library/nginx:1.27',
    image: { digest: amd64.digest },
    imageVia: 'MANIFEST',
    imageDigests: [amd64.digest, index.digest],
    tag: { reference: 'docker.io/library/nginx:1.27' },
    state: 'EXITED',
    status: 'Exited (3)',
    exitCode: 3,
    createdAt: '2026-02-01T00:00:00.000Z',
    startedAt: '2026-02-01T00:00:01.000Z',
    finishedAt: '2026-03-01T15:00:00.000Z',
    restartCount: 2,
    workload: { kind: 'ComposeService', name: 'front', namespace: 'shop' },
    role: null,
    node: null,
    isOutdated: false,
    drift: null,
    firstSeenAt: MORNING,
    lastSeenAt: EVENING,
    removedAt: null,
    newerTags: [{ name: '1.28' }],
    command: ['nginx', '-g'],
    ports: [{ containerPort: 80, protocol: 'tcp', hostIp: null, hostPort: 8080 }],
    mounts: [{ type: 'volume', source: 'data', destination: '/data', readOnly: true }],
    labels: [
      { name: 'a', value: '1' },
      { name: 'b', value: '2' },
    ],
    label: '2',
    none: null,
  });
  const { id, ...rest } = container as { id: string };
  expect(await ask(`query ($id: ID!) { node(id: $id) { ... on Container { ${fields} } } }`, { id })).toEqual({
    node: rest,
  });
});

test.each([
  ['whole', 'host-1', WEB, 'web'],
  ['whole, though it was removed', 'host-1', OLD, 'old'],
  ['by its beginning, of one container', 'host-1', WEB.slice(0, 13), 'web'],
  ['not by a beginning that two have', 'host-1', WEB.slice(0, 12), null],
  ['not by fewer than 12 digits', 'host-1', WEB.slice(0, 11), null],
  ['not by the beginning of another kind of id', 'host-1', 'loca', null],
  ['not in another runtime', 'cluster', WEB, null],
  ['not in a runtime that is not there', 'nowhere\u0000', WEB, null],
])('a container is found by its id %s', async (_, runtime, containerId, name) => {
  const { container } = await ask<{ container: Named | null }>(
    'query ($runtime: String!, $containerId: String!) { container(runtime: $runtime, containerId: $containerId) { name } }',
    { runtime, containerId },
  );
  expect(container?.name ?? null).toBe(name);
});

test('what leads to containers counts those that are there, and lists removed ones when asked', async () => {
  const lists =
    'containerCount containers { nodes { name } } all: containers(filter: { includeRemoved: true }) { totalCount nodes { name } }';
  const data = await ask<Record<string, object>>(`{
    runtime(name: "host-1") { ${lists} }
    image(digest: "${amd64.digest}") { ${lists} isInUse layers { layer { ${lists} } } }
    unused: image(digest: "${arm64.digest}") { ${lists} isInUse }
    tag(reference: "nginx:1.27") { ${lists} }
    repository(reference: "nginx") { ${lists} }
    other: tag(reference: "nginx:1.28") { ${lists} }
  }`);
  const named = (count: number, names: string[], all: string[]) => ({
    containerCount: count,
    containers: { nodes: names.map((name) => ({ name })) },
    all: { totalCount: all.length, nodes: all.map((name) => ({ name })) },
  });
  const used = named(1, ['web'], ['old', 'web']);
  expect(data).toEqual({
    runtime: named(2, ['local', 'web'], ['local', 'old', 'web']),
    image: { ...used, isInUse: true, layers: [{ layer: used }, { layer: used }] },
    unused: { ...named(0, [], []), isInUse: false },
    tag: used,
    repository: used,
    other: named(0, [], []),
  });
});

test('filters lead from images to containers and back, five deep, and say where they are too deep', async () => {
  const { containers, images, repositories, tags, ordered } = await ask<Record<string, { nodes: object[] }>>(`{
    containers(filter: { image: { containers: { image: { tag: "1.2?" } } }, state: [EXITED] }) { nodes { name } }
    images(filter: { containers: { runtime: "host-*", not: { isOutdated: true } } }) { nodes { digest } }
    repositories(filter: { images: { containers: { label: { name: "a", value: "1" } } }, inUse: true }) { nodes { name } }
    tags(filter: { image: { containers: { name: "w?b" } } }, orderBy: { field: NAME, direction: ASC }) { nodes { name } }
    ordered: images(orderBy: { field: CONTAINER_COUNT }) { nodes { digest containerCount } }
  }`);
  expect(containers?.nodes).toEqual([{ name: 'web' }]);
  expect(images?.nodes).toEqual([{ digest: amd64.digest }]);
  expect(repositories?.nodes).toEqual([{ name: 'library/nginx' }]);
  expect(tags?.nodes).toEqual([{ name: '1.27' }, { name: '1.28' }]);
  expect(ordered?.nodes).toEqual([
    { digest: amd64.digest, containerCount: 1 },
    { digest: arm64.digest, containerCount: 0 },
  ]);
  expect(
    await refusal(
      `{ containers(filter: { image: { containers: { image: { containers: { not: { name: "a" } } } } } }) { nodes { name } } }`,
    ),
  ).toEqual([
    ['BAD_USER_INPUT', 'filter.image.containers.image.containers.not is nested 6 deep: filters nest 5 deep at most.'],
  ]);
  const many = Array.from({ length: 60 }, () => '{ image: { os: "linux" } }').join(', ');
  expect(await refusal(`{ containers(filter: { or: [${many}] }) { nodes { name } } }`)).toEqual([
    ['BAD_USER_INPUT', expect.stringContaining('a filter is made of 100 filters at most') as string],
  ]);
});

describe('a runtime', () => {
  const HEALTH =
    'query ($name: String!) { runtime(name: $name) { isReported lastSyncedAt version os architecture managedBy health { status checkedAt message consecutiveFailures pausedUntil } } }';
  const healthOf = async (name: string) =>
    (
      await ask<{ runtime: { isReported: boolean; lastSyncedAt: string | null; health: Record<string, unknown> } }>(
        HEALTH,
        { name },
      )
    ).runtime;

  test('that is reported is known by its silence', async () => {
    const id = await addRuntime(database, 'reported');
    expect(await healthOf('reported')).toEqual({
      isReported: true,
      lastSyncedAt: null,
      managedBy: 'API',
      version: null,
      os: null,
      architecture: null,
      health: { status: 'UNKNOWN', checkedAt: null, message: null, consecutiveFailures: 0, pausedUntil: null },
    });
    const at = new Date(Date.now() - 14 * 60_000).toISOString();
    await report(database, id, at, []);
    expect(await healthOf('reported')).toMatchObject({
      lastSyncedAt: at,
      health: { status: 'HEALTHY', checkedAt: at, message: null },
    });
    const long = new Date(Date.now() - 15 * 60_000 - 1).toISOString();
    await database.run('update runtime set pictured_at = $1 where id = $2', [long, id]);
    expect(await healthOf('reported')).toMatchObject({
      health: { status: 'UNREACHABLE', message: expect.stringContaining(`since ${long}`) as string },
    });
    await database.run('delete from runtime where id = $1', [id]);
  });

  test('that the worker follows is as the worker found it, however long ago', async () => {
    await database.run(
      `update runtime set endpoint = 'unix:///var/run/docker.sock', version = '29.1.3', os = 'linux', architecture = 'amd64',
         pictured_at = $1 where name = 'cluster'`,
      [MORNING],
    );
    expect(await healthOf('cluster')).toMatchObject({
      isReported: false,
      health: { status: 'UNKNOWN', checkedAt: null },
    });
    await database.run(
      `insert into runtime_health (runtime_id, status, checked_at, message, consecutive_failures)
       values ($1, 'UNREACHABLE', $2, 'connect ENOENT', 4)`,
      [cluster, NOON],
    );
    expect(await healthOf('cluster')).toEqual({
      isReported: false,
      lastSyncedAt: MORNING,
      managedBy: 'API',
      version: '29.1.3',
      os: 'linux',
      architecture: 'amd64',
      health: {
        status: 'UNREACHABLE',
        checkedAt: NOON,
        message: 'connect ENOENT',
        consecutiveFailures: 4,
        pausedUntil: null,
      },
    });
  });

  test('says nothing of how it is reached', async () => {
    const { data } = await web.ask(
      '{ runtimes { nodes { id name health { message } } } __type(name: "Runtime") { fields { name } } }',
    );
    expect(JSON.stringify(data)).not.toMatch(/docker\.sock|endpoint/);
  });
});

describe('drift', () => {
  let app: number;
  let versions: ImageContent[];
  let host: number;
  const at = (hour: number) => new Date(Date.UTC(2026, 4, 1, hour)).toISOString();
  const started = { createdAt: new Date(at(1)) };

  beforeAll(async () => {
    app = await build.repository('ghcr.io/team/app');
    versions = [];
    for (let each = 0; each < 4; each++) versions.push(await build.image(app, { layers: ['base', `app ${each}`] }));
    host = await addRuntime(database, 'drifting');
  });

  async function driftOf(tag: string, container: Partial<Parameters<typeof observed>[0]>) {
    const seen = observed({
      containerId: tag,
      imageReference: `ghcr.io/team/app:${tag}`,
      ...started,
      ...container,
    });
    await report(database, host, at(2), [seen], { present: null });
    await recount(database, app);
    const { container: found } = await ask<{ container: { isOutdated: boolean | null; drift: unknown } }>(
      'query ($id: String!) { container(runtime: "drifting", containerId: $id) { isOutdated drift { tag { name } current { digest } movesBehind since } } }',
      { id: tag },
    );
    return found;
  }

  const version = (place: number) => versions[place] as ImageContent;

  test('counts what happened to the tag since it last named the image of the container', async () => {
    for (const [place, hour] of [
      [0, 1],
      [1, 3],
      [0, 5],
      [2, 7],
      [3, 9],
    ] as const) {
      await build.tag(app, 'moving', version(place), at(hour));
    }
    expect(await driftOf('moving', { evidence: [by('MANIFEST', version(0).digest)] })).toEqual({
      isOutdated: true,
      drift: { tag: { name: 'moving' }, current: { digest: version(3).digest }, movesBehind: 2, since: at(7) },
    });
  });

  test('passes by indexes that reached the same image, and names the one for its platform', async () => {
    const [arm, newArm] = [
      await build.image(app, { layers: ['arm'], platform: 'linux/arm64/v8' }),
      await build.image(app, { layers: ['new arm'], platform: 'linux/arm64/v8' }),
    ];
    const indexOf = (amd: ImageContent, other: ImageContent) =>
      build.index(app, [
        { child: amd, platform: 'linux/amd64' },
        { child: other, platform: 'linux/arm64/v8' },
      ]);
    await build.tag(app, 'many', await indexOf(version(0), arm), at(1));
    await build.tag(app, 'many', await indexOf(version(1), arm), at(3));
    const evidence = [by('MANIFEST', arm.digest)];
    expect(await driftOf('many', { evidence })).toEqual({ isOutdated: false, drift: null });
    await build.tag(app, 'many', await indexOf(version(1), newArm), at(5));
    await build.tag(app, 'many', await indexOf(version(2), newArm), at(6));
    expect(await driftOf('many', { evidence })).toEqual({
      isOutdated: true,
      drift: { tag: { name: 'many' }, current: { digest: newArm.digest }, movesBehind: 2, since: at(5) },
    });
  });

  test('begins with the container where the tag was never seen to name its image', async () => {
    await build.tag(app, 'late', version(1), at(0));
    const evidence = [by('MANIFEST', version(0).digest)];
    expect(await driftOf('late', { evidence })).toMatchObject({ drift: { movesBehind: 0, since: at(1) } });
    await build.tag(app, 'late', version(2), at(4));
    expect(await driftOf('late', { evidence })).toMatchObject({ drift: { movesBehind: 1, since: at(4) } });
  });

  test('is nothing where the image, or what the tag names, is not known', async () => {
    await build.tag(app, 'gone', version(0), at(1));
    await build.tag(app, 'gone', null, at(3));
    const nothing = { isOutdated: null, drift: null };
    expect(await driftOf('gone', { evidence: [by('MANIFEST', version(0).digest)] })).toEqual(nothing);
    await build.tag(app, 'local', version(0), at(1));
    expect(await driftOf('local', {})).toEqual(nothing);
    expect(await driftOf('never', { evidence: [by('MANIFEST', version(0).digest)] })).toEqual(nothing);
  });
});

test("a container's events are told newest first, or in the order in which they came", async () => {
  const query = `query ($id: String!, $after: String) { container(runtime: "host-1", containerId: $id) {
    events(first: 1) { totalCount nodes { kind at state previousState container { name } } pageInfo { hasNextPage } }
    all: events(direction: ASC, after: $after) { nodes { kind at state previousState cursor } }
  } }`;
  interface Events {
    container: { events: object; all: { nodes: { kind: string; cursor: string }[] } };
  }
  const { container } = await ask<Events>(query, { id: WEB });
  expect(container.events).toEqual({
    totalCount: 2,
    nodes: [
      { kind: 'STATE_CHANGED', at: EVENING, state: 'EXITED', previousState: 'RUNNING', container: { name: 'web' } },
    ],
    pageInfo: { hasNextPage: true },
  });
  expect(container.all.nodes.map(({ kind }) => kind)).toEqual(['SEEN', 'STATE_CHANGED']);
  const behind = await ask<Events>(query, { id: WEB, after: container.all.nodes[0]?.cursor });
  expect(behind.container.all.nodes).toEqual(container.all.nodes.slice(1));
  const removed = await ask<Events>(query, { id: OLD });
  expect(removed.container.events).toMatchObject({
    nodes: [{ kind: 'REMOVED', state: 'RUNNING', previousState: 'RUNNING' }],
  });
});

describe('as of an instant', () => {
  const LIST = `query ($asOf: DateTime, $filter: ContainerFilter, $orderBy: ContainerOrder, $first: Int, $after: String) {
    containers(asOf: $asOf, filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
      totalCount nodes { name state status exitCode startedAt finishedAt restartCount isOutdated drift { movesBehind } lastSeenAt removedAt image { digest } }
      pageInfo { endCursor hasNextPage }
    }
  }`;
  interface Past {
    containers: {
      totalCount: number;
      nodes: (Named & Record<string, unknown>)[];
      pageInfo: { endCursor: string; hasNextPage: boolean };
    };
  }

  test('containers are in the state of then, and nothing tells of later', async () => {
    const filter = { runtime: 'host-1' };
    const { containers } = await ask<Past>(LIST, { asOf: '2026-03-01T14:00:00Z', filter });
    const { nodes } = containers;
    expect(nodes.map(({ name, state, removedAt }) => [name, state, removedAt])).toEqual([
      ['local', 'RUNNING', null],
      ['old', 'RUNNING', null],
      ['web', 'RUNNING', null],
    ]);
    expect(nodes[2]).toEqual({
      name: 'web',
      state: 'RUNNING',
      ...{ status: null, exitCode: null, finishedAt: null, restartCount: null, isOutdated: null, drift: null },
      startedAt: '2026-02-01T00:00:01.000Z',
      lastSeenAt: '2026-03-01T14:00:00.000Z',
      removedAt: null,
      image: { digest: amd64.digest },
    });
    const early = await ask<Past>(LIST, { asOf: '2026-03-01T11:59:59.999Z', filter });
    expect(early.containers.nodes.map(({ name }) => name)).toEqual(['old', 'web']);
    const late = await ask<Past>(LIST, {
      asOf: EVENING,
      filter: { ...filter, includeRemoved: true, state: ['EXITED', 'RUNNING'] },
    });
    expect(
      late.containers.nodes.map(({ name, state, exitCode, removedAt }) => [name, state, exitCode, removedAt]),
    ).toEqual([
      ['local', 'RUNNING', null, null],
      ['old', 'RUNNING', null, EVENING],
      ['web', 'EXITED', 3, null],
    ]);
    const first = await ask<Past>(LIST, {
      asOf: '2026-03-01T07:59:59.999Z',
      filter: { includeRemoved: true, runtime: 'host-1' },
    });
    expect(first.containers).toMatchObject({ totalCount: 0, nodes: [] });
  });

  test('what was outdated then is not known', async () => {
    const filter = { or: [{ name: 'a' }, { not: { isOutdated: false } }] };
    expect(await refusal(LIST, { asOf: NOON, filter })).toEqual([
      [
        'BAD_USER_INPUT',
        expect.stringMatching(/^filter\.or\[1\]\.not\.isOutdated can't be answered together with asOf/),
      ],
    ]);
    // Of an image's containers it is asked as of now.
    await ask(LIST, { asOf: NOON, filter: { image: { containers: { isOutdated: false } } } });
  });

  test('a cursor is of its instant alone', async () => {
    const { containers } = await ask<Past>(LIST, { asOf: NOON, first: 1 });
    const after = containers.pageInfo.endCursor;
    expect((await ask<Past>(LIST, { asOf: NOON, first: 1, after })).containers.nodes).toHaveLength(1);
    for (const asOf of [null, EVENING]) {
      expect(await refusal(LIST, { asOf, first: 1, after })).toEqual([
        ['BAD_USER_INPUT', expect.stringContaining('is not a cursor of this list in this order') as string],
      ]);
    }
  });

  /** What one look at a runtime sees: a state for each container that is there. */
  const looks = fc.array(
    fc.record({
      runtime: fc.constantFrom('past-1', 'past-2'),
      isWhole: fc.boolean(),
      seen: fc.uniqueArray(fc.record({ place: fc.nat({ max: 6 }), state: fc.constantFrom(...CONTAINER_STATES) }), {
        selector: ({ place }) => place,
        maxLength: 6,
      }),
    }),
    { minLength: 5, maxLength: 25 },
  );
  const questions = fc.array(
    fc.record({
      minute: fc.integer({ min: -1, max: 26 }),
      field: fc.constantFrom('NAME', 'STATE'),
      direction: fc.constantFrom('ASC', 'DESC'),
      state: fc.option(fc.uniqueArray(fc.constantFrom(...CONTAINER_STATES), { minLength: 1 })),
    }),
    { minLength: 12, maxLength: 12 },
  );
  const minute = (count: number) => new Date(Date.UTC(2026, 5, 1, 0, count)).toISOString();

  test('any list is what was last seen of each container until then', async () => {
    await fc.assert(
      fc.asyncProperty(looks, questions, async (all, asked) => {
        await database.run(`delete from runtime where name like 'past-%'`, []);
        const ids: Record<string, number> = {};
        for (const name of ['past-1', 'past-2']) ids[name] = await addRuntime(database, name);
        /** By minute, what is there from then on. */
        const pasts: Map<string, ContainerState>[] = [new Map()];
        for (const [at, { runtime, isWhole, seen }] of all.entries()) {
          const there = new Map(pasts.at(-1));
          const names = seen.map(({ place }) => `${runtime} ${place}`);
          if (isWhole) for (const name of there.keys()) if (name.startsWith(runtime)) there.delete(name);
          seen.forEach(({ state }, place) => there.set(names[place] ?? '', state));
          pasts.push(there);
          const containers = seen.map(({ state }, place) =>
            observed({ containerId: `c${names[place]?.replace(' ', '-')}`, name: names[place] ?? '', state }),
          );
          await report(database, ids[runtime] ?? 0, minute(at), containers, isWhole ? {} : { present: null });
        }
        for (const { minute: at, field, direction, state } of asked) {
          const past = pasts[Math.min(at + 1, pasts.length - 1)] ?? new Map<string, ContainerState>();
          const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
          const expected = [...past]
            .filter(([, each]) => state === null || state.includes(each))
            .sort(([a, s], [b, t]) => (field === 'STATE' ? order(s, t) : order(a, b)) * (direction === 'ASC' ? 1 : -1))
            .map(([name, each]) => `${field === 'STATE' ? '' : name} ${each}`);
          const seen: string[] = [];
          let after: string | null = null;
          do {
            const variables: Record<string, unknown> = {
              asOf: at === -1 ? minute(-1) : new Date(Date.parse(minute(at)) + 30_000).toISOString(),
              filter: { runtime: 'past-*', ...(state && { state }) },
              orderBy: { field, direction },
              first: 3,
              after,
            };
            const { containers }: Past = await ask<Past>(LIST, variables);
            expect(containers.totalCount).toBe(expected.length);
            seen.push(
              ...containers.nodes.map((node) => `${field === 'STATE' ? '' : node.name} ${String(node['state'])}`),
            );
            after = containers.pageInfo.hasNextPage ? containers.pageInfo.endCursor : null;
          } while (after !== null);
          expect(seen).toEqual(expected);
        }
      }),
      { seed: 20261126, numRuns: 12 },
    );
    await database.run(`delete from runtime where name like 'past-%'`, []);
  }, 60_000);
});

test('a page costs as many statements whether it has one container or a hundred', async () => {
  const host = await addRuntime(database, 'crowded');
  const seen = Array.from({ length: 100 }, (_, at) =>
    observed({
      containerId: `crowd-${at}`,
      imageReference: `docker.io/library/nginx:1.${27 + (at % 2)}`,
      evidence: [by('MANIFEST', at % 3 === 0 ? arm64.digest : amd64.digest)],
    }),
  );
  await report(database, host, MORNING, seen);
  await database.run(`update container set is_outdated = true where runtime_id = $1`, [host]);
  const query = `query ($first: Int) { containers(first: $first, filter: { runtime: "crowded" }) { nodes {
    name labels { name } ports { containerPort } imageDigests isOutdated
    runtime { name health { status } containerCount } image { digest isInUse containerCount containers(first: 2) { nodes { name } } }
    tag { name containerCount repository { name containerCount containers(first: 1) { nodes { name } } } } newerTags { name }
    drift { movesBehind tag { name } current { digest } } events(first: 2) { totalCount nodes { kind } }
  } } }`;
  const statementsOf = async (first: number) => {
    database.statements.length = 0;
    const { containers } = await ask<{ containers: { nodes: unknown[] } }>(query, { first });
    expect(containers.nodes).toHaveLength(first);
    return database.statements.map((text) => /catalog\.\w+/.exec(text)?.[0] ?? text).sort();
  };
  await statementsOf(100);
  const one = await statementsOf(1);
  expect(await statementsOf(100)).toEqual(one);
  expect(one.length).toBeLessThan(30);
});

test('the questions of the README are answered', async () => {
  const own = await createTestDatabase();
  const rows = catalogOf(own);
  const ofBase = await rows.repository('registry.example.com/base/debian');
  const base = await rows.image(ofBase, { layers: ['debian'] });
  await rows.tag(ofBase, '12', base);
  const shop = await rows.repository('registry.example.com/team/shop');
  const [old, current] = [
    await rows.image(shop, { layers: ['debian', 'shop 1.4.0'] }),
    await rows.image(shop, { layers: ['debian', 'shop 1.4.1'] }),
  ];
  const unused = await rows.image(shop, { layers: ['else'], layerSize: 9_000 });
  await rows.tag(shop, '1.4', old, '2025-10-01T00:00:00Z');
  await rows.tag(shop, '1.5', unused, '2025-10-01T00:00:00Z');
  const container = (name: string, image: ImageContent) =>
    observed({
      containerId: name,
      imageReference: 'registry.example.com/team/shop:1.4',
      evidence: [by('MANIFEST', image.digest)],
    });
  const [one, two] = [await addRuntime(own, 'host-1'), await addRuntime(own, 'host-2')];
  await report(own, one, '2025-12-01T00:00:00Z', [container('a', old), container('b', old)]);
  await rows.tag(shop, '1.4', current, '2026-01-10T00:00:00Z');
  await recount(own, shop);
  await report(own, one, '2026-02-01T00:00:00Z', [
    { ...container('a', old), status: 'Up 2 months' },
    { ...container('b', old), state: 'EXITED' },
  ]);
  await report(own, two, '2026-02-01T00:00:00Z', [container('c', current)]);
  const served = await openTestWeb(own);
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const section = /^## What runs$(.*?)^## /ms.exec(readme)?.[1] ?? '';
  const questions = [...section.matchAll(/^```graphql$(.*?)^```$/gms)].map(([, question = '']) => question);
  const answers = [];
  for (const question of questions) answers.push(await served.ask(question));
  await served.close();
  await own.close();

  const on = (name: string) => ({ runtime: { name } });
  const imageReference = 'registry.example.com/team/shop:1.4';
  const drift = {
    tag: { reference: imageReference },
    movesBehind: 1,
    since: '2026-01-10T00:00:00.000Z',
    current: { digest: current.digest },
  };
  expect(answers.map(({ data }) => data)).toEqual([
    {
      image: {
        impact: {
          runningContainers: 2,
          breakdown: [
            { key: 'host-1', value: 1 },
            { key: 'host-2', value: 1 },
          ],
        },
      },
      containers: {
        nodes: [
          { ...on('host-1'), name: 'a', imageReference },
          { ...on('host-2'), name: 'c', imageReference },
        ],
      },
    },
    {
      containers: {
        nodes: ['a', 'b'].map((name) => ({ ...on('host-1'), name, drift, newerTags: [{ name: '1.5' }] })),
      },
    },
    {
      simulateDeletion: {
        blocked: {
          nodes: [
            {
              image: { digest: current.digest },
              reasons: [{ count: 1, containers: [{ ...on('host-2'), name: 'c', state: 'RUNNING' }] }, {}],
            },
          ],
        },
      },
    },
    {
      images: {
        totalCount: 2,
        nodes: [
          { digest: unused.digest, size: 9_000 },
          { digest: base.digest, size: 1_000 },
        ],
      },
    },
    {
      containers: {
        totalCount: 2,
        nodes: [
          { ...on('host-1'), name: 'a', imageReference },
          { ...on('host-1'), name: 'b', imageReference },
        ],
      },
    },
  ]);
});
