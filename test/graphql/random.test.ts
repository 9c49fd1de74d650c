import { readFileSync } from 'node:fs';
import type { GraphQLObjectType } from 'graphql';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import type { ObservedContainer } from '../../src/domain/container.ts';
import { prepareQueue } from '../../src/queue/index.ts';
import { catalogOf } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createGenerator } from '../support/generated.ts';
import { apkDatabase, contentsOf, osRelease } from '../support/image-contents.ts';
import { addRuntime, observed, report } from '../support/observed-container.ts';
import { randomOperation, type Pool } from '../support/random-operations.ts';
import { openTestWeb, type Answer, type TestWeb } from '../support/web.ts';

const schema = createSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'), typeResolvers);
const EXPECTED = ['BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED', 'NOT_FOUND'];

let database: TestDatabase;
let web: TestWeb;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  await prepareQueue(database);
  web = await openTestWeb(database);
  const digests = await fillCatalog();
  const request = 'mutation ($tag: ImageReference!) { requestSync(input: { tag: $tag }) { run { id } } }';
  await web.ask(request, { tag: 'ghcr.io/team/app-1' }, { asAdmin: true });
  pool = await poolFrom(digests);
});

afterAll(async () => {
  await web.close();
  await database.close();
});

test('what fits the schema is answered or refused in words, in a statement for each field at most', async () => {
  let answered = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const { text, variables, statements } = operation(schema.getQueryType(), seed);
    database.statements.length = 0;
    const answer = await web.ask(text, variables);
    await untilIdle();
    const sent = [...database.statements];
    expect({ seed, text, variables, unexpected: unexpectedIn(answer) }).toMatchObject({ unexpected: [] });
    if (sent.length > statements) {
      expect({ seed, text, variables, sent }).toBe(`at most ${statements} statements`);
    }
    if (answer.status === 200) answered += 1;
  }
  expect(answered).toBeGreaterThan(150);
}, 120_000);

test('what is asked again and again is answered alike, by code that was made for it', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { text, variables } = operation(schema.getQueryType(), seed);
    const first = await web.ask(text, variables);
    let last = first;
    for (let times = 0; times < 25; times++) last = await web.ask(text, variables);
    expect({ seed, text, variables, answer: comparable(last) }).toEqual({
      seed,
      text,
      variables,
      answer: comparable(first),
    });
  }
}, 120_000);

test('what changes something is carried out or refused in words', async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const { text, variables } = operation(schema.getMutationType(), seed);
    const answer = await web.ask(text, variables, { asAdmin: true });
    expect({ seed, text, variables, unexpected: unexpectedIn(answer) }).toMatchObject({ unexpected: [] });
  }
});

/** The same for the same seed. */
function operation(root: GraphQLObjectType | null | undefined, seed: number) {
  if (root == null) throw new Error('the schema lacks a root');
  return randomOperation(schema, root, pool, createGenerator(seed));
}

/** An error that leaves no data is answered at once, while the rest of the operation is still being read. */
async function untilIdle(): Promise<void> {
  const { pool: connections } = database;
  for (let turns = 0; turns < 3; turns++) {
    if (connections.idleCount < connections.totalCount || connections.waitingCount > 0) turns = -1;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Errors come in any order, and where no data is left graphql-js tells the first alone. */
function comparable({ status, data, errors = [] }: Answer) {
  const told = errors.map((error) => JSON.stringify(error)).sort();
  return { status, data, errors: data == null ? told.length > 0 : told };
}

function unexpectedIn({ errors = [] }: Answer): unknown[] {
  return errors.filter(({ extensions }) => !EXPECTED.includes(String(extensions['code'])));
}

/** Repositories that share images and layers, tags that moved, indexes, artifacts. Answers with digests. */
async function fillCatalog(): Promise<string[]> {
  const build = catalogOf(database);
  const digests: string[] = [];
  const containers: ObservedContainer[] = [];
  const contents = contentsOf(database);
  for (let at = 0; at < 8; at++) {
    const host = at % 3 === 0 ? 'docker.io/library' : 'ghcr.io/team';
    const repository = await build.repository(`${host}/app-${at}`, { owner: 'us', star_count: at });
    const images = [];
    for (const platform of ['linux/amd64', 'linux/arm64/v8']) {
      const layers = [`base ${platform}`, `middle ${platform} ${at % 2}`, `top ${platform} ${at}`];
      const labels = { 'org.opencontainers.image.version': `1.${at}` };
      images.push(
        await build.image(repository, { platform, layers, labels, createdAt: `2026-01-0${at + 1}T00:00:00Z` }),
      );
    }
    const [amd64, arm64] = images as [(typeof images)[0], (typeof images)[0]];
    const system = [osRelease('alpine', '3.20.3'), apkDatabase(['musl', '1.2.5-r0'], ['openssl', '3.3.2-r0'])];
    const brought = [[{ name: 'bin/sh', body: 'x', mode: 0o755 }], [{ name: `srv/app-${at}`, body: 'y' }]];
    if (at % 2 === 0) await contents.inspect(amd64, [system, ...brought]);
    const index = await build.index(repository, [
      { child: amd64, platform: 'linux/amd64' },
      { child: arm64, platform: 'linux/arm64/v8' },
      { child: `sha256:${'9'.repeat(64)}`, platform: 'linux/s390x' },
    ]);
    await build.artifact(repository, 'application/vnd.example.signature', amd64.digest);
    for (const name of [`1.${at}`, `1.${at}.1`, 'edge']) await build.tag(repository, name, amd64);
    await build.tag(repository, 'latest', amd64, '2026-02-01T00:00:00Z');
    await build.tag(repository, 'latest', index, '2026-03-01T00:00:00Z');
    await build.tag(repository, 'edge', null, '2026-03-02T00:00:00Z');
    digests.push(amd64.digest, index.digest, amd64.diffIds[0] as string, arm64.blobDigests[1] as string);
    containers.push(
      observed({
        containerId: `c0ffee${at}`.padEnd(64, '0'),
        name: `app-${at}`,
        imageReference: `${host}/app-${at}:latest`,
        evidence: [{ via: 'MANIFEST', digest: (at % 2 === 0 ? amd64 : arm64).digest }],
        labels: { team: 'us' },
        workload: { kind: 'Deployment', name: `app-${at}`, namespace: 'shop' },
      }),
    );
  }
  for (const name of ['host-1', 'host-2']) {
    const runtime = await addRuntime(database, name);
    await report(database, runtime, '2026-02-01T00:00:00Z', containers);
    await report(
      database,
      runtime,
      '2026-03-01T00:00:00Z',
      containers.slice(1).map((each) => ({ ...each, state: 'EXITED' })),
    );
  }
  await database.run('update container set is_outdated = id % 3 <> 0', []);
  return digests;
}

const IDS = `{
  registries { nodes { id } }
  repositories(first: 3) { nodes { id } pageInfo { endCursor } }
  tags(first: 3) { nodes { id manifest { id } history { nodes { id } pageInfo { endCursor } } } pageInfo { startCursor } }
  layers(first: 3) { nodes { id } pageInfo { endCursor } }
  runtimes { nodes { id } }
  packages(first: 1) { nodes { id } pageInfo { endCursor } }
  containers(first: 3) { nodes { id events { nodes { cursor } pageInfo { endCursor } } } pageInfo { endCursor } }
  registry(host: "ghcr.io") { syncRuns { nodes { id source { id } } } }
}`;

async function poolFrom(digests: readonly string[]): Promise<Pool> {
  const found = JSON.stringify((await web.ask(IDS)).data);
  const textsOf = (name: string) => [...found.matchAll(new RegExp(`"${name}":"([^"]+)"`, 'g'))].map(([, text]) => text);
  const ids = textsOf('id');
  const cursors = [...textsOf('endCursor'), ...textsOf('startCursor')];
  expect(ids.length).toBeGreaterThan(10);
  expect(cursors.length).toBeGreaterThan(3);
  const instants = ['2026-01-01', '2026-02-01T12:00:00Z', 1769860800000, '0001-01-01T00:00:00Z', '9999-12-31', 'soon'];
  const odd = ['', ' ', '*', '%', "'", '\\', '\u0000', '💥', 'a?c*', 'constructor', 'x'.repeat(300)];
  return {
    ID: [...ids, ...ids, 'nonsense', ''],
    after: [...cursors, 'nonsense'],
    before: [...cursors, ''],
    first: [0, 1, 2, 5, 20, 100, 101, -1, null],
    last: [1, 3, 100, -5],
    Boolean: [true, false],
    Int: [0, 1, 7, 1000, -1, 2 ** 31 - 1],
    Float: [0, 0.5, -1],
    SafeInt: [0, 1, 1000, -1, Number.MAX_SAFE_INTEGER, 0.5],
    Digest: [...digests, ...digests, `sha256:${'0'.repeat(64)}`, `sha512:${'a'.repeat(128)}`, 'sha256:abc'],
    ImageReference: ['app-0', 'ghcr.io/team/app-1', 'ghcr.io/team/app-1:1.1', 'app-3:edge', 'nowhere.example/a', 'A B'],
    DateTime: instants,
    registry: ['docker.io', 'ghcr.io', 'nowhere.example', ...odd],
    host: ['docker.io', 'ghcr.io', 'quay.io', 'registry.example.com:5000', ...odd],
    os: ['linux', 'windows', ...odd],
    architecture: ['amd64', 'arm64', 'x86_64', ...odd],
    directory: ['/', '/bin', 'srv/', ...odd],
    purl: ['pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64', ...odd],
    runtime: ['host-1', 'host-?', 'nowhere', ...odd],
    containerId: ['c0ffee1', 'c0ffee100000', 'c0ffee2'.padEnd(64, '0'), ...odd],
    schedule: ['0 * * * *', 'never', '* * * * * *'],
    url: ['https://registry.example.com', 'file:///srv/layout', 'ftp://a', 'nonsense'],
    String: [
      'latest',
      'edge',
      '1.1',
      'team/app-*',
      'app-?',
      'us',
      'linux',
      '>=1.0',
      '^1',
      'amd64',
      'musl',
      'open*',
      '<3.4',
      ...odd,
    ],
  };
}
