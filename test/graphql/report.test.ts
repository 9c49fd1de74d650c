import { notifiedIds } from '../support/notified.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openTestWeb, type TestWeb } from '../support/web.ts';

let database: TestDatabase;
let web: TestWeb;

beforeAll(async () => {
  database = await createTestDatabase();
  web = await openTestWeb(database, 0, { agentToken: 'agent_test', keepsLabel: (name) => name !== 'secret' });
});

afterEach(() => database.run('delete from runtime', []));

afterAll(async () => {
  await web.close();
  await database.close();
});

interface Outcome {
  readonly runtime: { readonly name: string; readonly isReported: boolean } | null;
  readonly seen: number;
  readonly removed: number;
  readonly userErrors: { readonly message: string; readonly path: string[] }[];
}

const REPORT = `mutation ($input: ReportContainersInput!) {
  reportContainers(input: $input) { runtime { name isReported } seen removed userErrors { message path } }
}`;

async function report(input: Record<string, unknown>): Promise<Outcome> {
  const whole = { runtime: 'host-1', kind: 'DOCKER', observedAt: '2026-03-01T08:00:00Z', containers: [], ...input };
  const { data, errors } = await web.ask(REPORT, { input: whole }, { asAdmin: true });
  expect(errors).toBeUndefined();
  return (data as { reportContainers: Outcome }).reportContainers;
}

const container = (containerId: string, rest: Record<string, unknown> = {}) => ({
  containerId,
  name: containerId,
  imageReference: 'nginx:1.27',
  state: 'RUNNING',
  ...rest,
});

async function names(): Promise<string[]> {
  const { data } = await web.ask('{ containers(first: 100) { nodes { name } } }');
  return (data as { containers: { nodes: { name: string }[] } }).containers.nodes.map(({ name }) => name);
}

test('the first report makes the runtime known, and each whole one says what is no more', async () => {
  const runtime = { name: 'host-1', isReported: true };
  expect(await report({ containers: [container('a'), container('b')] })).toEqual({
    runtime,
    seen: 2,
    removed: 0,
    userErrors: [],
  });
  expect(await report({ observedAt: '2026-03-01T09:00:00Z', containers: [container('b'), container('c')] })).toEqual({
    runtime,
    seen: 2,
    removed: 1,
    userErrors: [],
  });
  expect(await names()).toEqual(['b', 'c']);
});

test('a report in parts leaves what it does not name, until one says which there are', async () => {
  await report({ containers: [container('a'), container('b')] });
  const later = { observedAt: '2026-03-01T09:00:00Z' };
  expect(await report({ ...later, isPartial: true, containers: [container('c')], removed: ['a'] })).toMatchObject({
    removed: 1,
  });
  expect(await names()).toEqual(['b', 'c']);
  expect(await report({ ...later, containers: [container('d')], present: ['c', 'd'] })).toMatchObject({ removed: 1 });
  expect(await names()).toEqual(['c', 'd']);
});

test('all that an agent can tell of a container is in the graph', async () => {
  const told = {
    status: 'unhealthy',
    exitCode: 137,
    createdAt: '2026-02-01T00:00:00.000Z',
    startedAt: '2026-02-02T00:00:00.000Z',
    finishedAt: '2026-02-03T00:00:00.000Z',
    command: ['nginx', '-g', 'daemon off;'],
    ports: [{ containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 }],
    mounts: [{ type: 'bind', source: '/srv', destination: '/usr/share', readOnly: true }],
    labels: [{ name: 'team', value: 'shop' }],
    workload: { kind: 'ComposeService', name: 'web', namespace: 'shop' },
    role: 'SIDECAR',
    node: 'node-1',
    restartCount: 3,
  };
  await report({ containers: [container('a', { ...told, state: 'EXITED' })], version: '29.1.3', os: 'linux' });
  const { data } = await web.ask(`{
    container(runtime: "host-1", containerId: "a") {
      status exitCode createdAt startedAt finishedAt command
      ports { containerPort protocol hostIp hostPort } mounts { type source destination readOnly }
      labels { name value } workload { kind name namespace } role node restartCount
      runtime { version os architecture health { status } }
    }
  }`);
  expect(data).toEqual({
    container: {
      ...told,
      runtime: { version: '29.1.3', os: 'linux', architecture: null, health: expect.anything() as unknown },
    },
  });
});

test('labels on the deny list of the server are dropped', async () => {
  const labels = ['secret', 'team'].map((name) => ({ name, value: 'x' }));
  await report({ containers: [container('a', { labels })] });
  expect((await database.run('select labels from container', []))[0]).toEqual({ labels: { team: 'x' } });
});

test.each([
  ['NUL', 'a\0b'],
  ['half a character', 'a\ud800b'],
  ['half a megabyte', 'b'.repeat(512 * 1024)],
])('texts with %s are kept as far as they can be, and found by what they were', async (_, text) => {
  const told = {
    name: text,
    imageReference: text,
    status: text,
    command: [text],
    ports: [{ containerPort: 1, protocol: text, hostIp: text }],
    mounts: [{ type: text, source: text, destination: text }],
    labels: [
      { name: text, value: 'x' },
      { name: 'text', value: text },
    ],
    workload: { kind: text, name: text, namespace: text },
    node: text,
    platform: { os: text, architecture: text, variant: text },
  };
  const description = { version: text, os: text, architecture: text };
  expect(await report({ containers: [container('a', told)], ...description })).toMatchObject({ seen: 1 });
  const kept = text.length > 1000 ? text.slice(0, 1000) : text.replace(/[^ab]/, '\ufffd');
  const filters = [
    { name: kept },
    { name: text },
    { imageReference: text },
    { label: { name: 'text', value: text } },
    { runtime: text },
  ];
  const { data, errors } = await web.ask(
    `query ($text: String!, ${filters.map((_, at) => `$f${at}: ContainerFilter`).join(', ')}) {
      container(runtime: "host-1", containerId: "a") { name runtime { version os architecture } }
      none: container(runtime: $text, containerId: $text) { name }
      search(query: $text) { totalCount }
      ${filters.map((_, at) => `f${at}: containers(filter: $f${at}) { totalCount }`).join('\n')}
    }`,
    { text: text.slice(0, 200), ...Object.fromEntries(filters.map((filter, at) => [`f${at}`, filter])) },
    { asAdmin: true },
  );
  expect(errors).toBeUndefined();
  expect(data).toMatchObject({
    container: { name: kept, runtime: { version: kept, os: kept, architecture: kept } },
    none: null,
    f0: { totalCount: 1 },
  });
});

test.each<[string, Record<string, unknown>, object[]]>([
  ['a name that is none', { runtime: '' }, [{ path: ['input', 'runtime'] }]],
  [
    'a look in the future',
    { observedAt: '2999-01-01T00:00:00Z' },
    [{ path: ['input', 'observedAt'], message: expect.stringContaining('set the clock') as unknown }],
  ],
  [
    'ids that are none, or there twice',
    { containers: [container('a'), container('a'), container('a b'), container('')] },
    [2, 3, 1].map((at) => ({ path: ['input', 'containers', String(at), 'containerId'] })),
  ],
  [
    'what can be the id of nothing',
    {
      containers: [container('\0')],
      present: ['a', '\0'],
      removed: ['\ud800'],
      commits: [{ containerId: 'x'.repeat(1_000_000), imageId: `sha256:${'0'.repeat(64)}` }],
    },
    [
      ['containers', '0', 'containerId'],
      ['present', '1'],
      ['removed', '0'],
      ['commits', '0', 'containerId'],
    ].map((path) => ({ path: ['input', ...path] })),
  ],
  [
    'a container that is not there',
    { containers: [container('a'), container('b')], present: ['a', 'c'] },
    [{ path: ['input', 'containers', '1', 'containerId'] }],
  ],
  ['a partial picture that is whole', { isPartial: true, present: [] }, [{ path: ['input', 'present'] }]],
  [
    'more containers than a report may have',
    { containers: Array.from({ length: 10_001 }, (_, at) => container(`c${at}`)) },
    [{ path: ['input', 'containers'], message: expect.stringContaining('send parts') as unknown }],
  ],
])('%s is refused, and nothing is written', async (_, input, userErrors) => {
  expect(await report(input)).toMatchObject({ runtime: null, seen: 0, userErrors });
  expect(await database.run('select from runtime', [])).toEqual([]);
});

test('a runtime that the worker follows takes no reports, nor one of another kind', async () => {
  await report({});
  expect(await report({ kind: 'PODMAN' })).toMatchObject({ runtime: null, userErrors: [{ path: ['input', 'kind'] }] });
  const added = await web.ask(
    `mutation { addRuntime(input: { name: "host-2", kind: DOCKER, endpoint: "unix:///nowhere.sock" }) { userErrors { message } } }`,
    {},
    { asAdmin: true },
  );
  expect(added.data).toEqual({ addRuntime: { userErrors: [] } });
  expect(await report({ runtime: 'host-2' })).toMatchObject({ userErrors: [{ path: ['input', 'runtime'] }] });
});

test('the token of agents reports, and changes nothing else', async () => {
  const post = async (query: string, variables: object, token?: string) => {
    const response = await fetch(`${web.address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
    });
    const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
    return { status: response.status, code: errors?.[0]?.extensions.code };
  };
  const input = { runtime: 'host-1', kind: 'DOCKER', observedAt: '2026-03-01T08:00:00Z', containers: [] };
  expect(await post(REPORT, { input })).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await post(REPORT, { input }, 'agent_test')).toEqual({ status: 200, code: undefined });
  const removal = 'mutation { removeRegistry(input: { host: "docker.io" }) { removedId } }';
  expect(await post(removal, {}, 'agent_test')).toMatchObject({ code: 'FORBIDDEN' });

  // A report may be larger than what strangers may send.
  const containers = Array.from({ length: 3000 }, (_, at) => container(`c${at}`, { status: 'x'.repeat(900) }));
  expect(await post(REPORT, { input: { ...input, containers } }, 'agent_test')).toEqual({
    status: 200,
    code: undefined,
  });
  expect(await post(REPORT, { input: { ...input, containers } })).toEqual({ status: 413, code: 'BAD_REQUEST' });
});

test('a stranger who sends a large body in pieces is stopped on the way', async () => {
  async function* pieces() {
    for (let sent = 0; sent < 64; sent++) yield Buffer.alloc(64 * 1024, 32);
  }
  const response = await fetch(`${web.address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: ReadableStream.from(pieces()),
    duplex: 'half',
  });
  expect(response.status).toBe(413);
});

describe('a runtime for the worker to follow', () => {
  const add = async (input: string) => {
    const { data } = await web.ask(
      `mutation { addRuntime(input: { ${input} }) { runtime { id name kind managedBy isReported health { status } } userErrors { message path } } }`,
      {},
      { asAdmin: true },
    );
    return (data as { addRuntime: { runtime: { id: string } | null; userErrors: object[] } }).addRuntime;
  };

  test('is added once, told to workers, and removed with its containers', async () => {
    const told = await notifiedIds(database, 'stowage_runtime_changed');
    const { runtime, userErrors } = await add('name: "host-1", kind: DOCKER, endpoint: "unix:///var/run/docker.sock"');
    expect(userErrors).toEqual([]);
    expect(runtime).toMatchObject({
      name: 'host-1',
      kind: 'DOCKER',
      managedBy: 'API',
      isReported: false,
      health: { status: 'UNKNOWN' },
    });
    expect(await add('name: "host-1", kind: DOCKER, endpoint: "unix:///x.sock"')).toMatchObject({
      userErrors: [{ path: ['input', 'name'] }],
    });
    await told.until(1);

    const remove = async (id: string) =>
      (
        await web.ask(
          'mutation ($id: ID!) { removeRuntime(input: { id: $id }) { removedId userErrors { path } } }',
          { id },
          { asAdmin: true },
        )
      ).data;
    expect(await remove(runtime?.id ?? '')).toEqual({ removeRuntime: { removedId: runtime?.id, userErrors: [] } });
    expect(await remove(runtime?.id ?? '')).toEqual({
      removeRuntime: { removedId: null, userErrors: [{ path: ['input', 'id'] }] },
    });
    await told.until(2);
    await told.close();
  });

  test('is what the first made of it who added it, when several do so at once', async () => {
    const input = (at: number) => `name: "host-1", kind: DOCKER, endpoint: "unix:///${at}.sock"`;
    const reports = Promise.all([1, 2, 3].map(() => report({ containers: [container('a')] })));
    const added = await Promise.all([1, 2, 3].map((at) => add(input(at))));
    const outcomes = await reports;
    const ways = [...added.map(({ runtime }) => runtime), outcomes.some(({ runtime }) => runtime !== null) || null];
    expect(ways.filter((way) => way !== null)).toHaveLength(1);
    const [stored] = await database.run('select endpoint is null as "isReported" from runtime', []);
    expect(stored).toEqual({ isReported: outcomes[0]?.runtime !== null });
  });

  test.each([
    ['a name that is none', 'name: "a b", kind: DOCKER, endpoint: "unix:///x.sock"', 'name'],
    ['a cluster at a socket', 'name: "a", kind: KUBERNETES, endpoint: ""', 'endpoint'],
  ])('is refused with %s', async (_, input, member) => {
    expect(await add(input)).toMatchObject({ runtime: null, userErrors: [{ path: ['input', member] }] });
  });

  test('that the configuration keeps is not removed', async () => {
    await database.run(
      `insert into runtime (name, kind, endpoint, managed_by) values ('host-1', 'DOCKER', 'unix:///x', 'CONFIG')`,
      [],
    );
    const { data } = await web.ask('{ runtime(name: "host-1") { id } }');
    const { id } = (data as { runtime: { id: string } }).runtime;
    const answer = await web.ask(
      'mutation ($id: ID!) { removeRuntime(input: { id: $id }) { userErrors { message } } }',
      { id },
      { asAdmin: true },
    );
    expect(answer.data).toEqual({
      removeRuntime: { userErrors: [{ message: '"host-1" is kept by the configuration file; change it there.' }] },
    });
  });
});
