import { digestOf } from '../../src/domain/digest.ts';
import { prepareQueue } from '../../src/queue/index.ts';
import { catalogOf } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openTestWeb, type TestWeb } from '../support/web.ts';

let database: TestDatabase;
let web: TestWeb;

beforeAll(async () => {
  database = await createTestDatabase();
  await prepareQueue(database);
  web = await openTestWeb(database);
});

afterAll(async () => {
  await web.close();
  await database.close();
});

async function change<T>(source: string, variables: Record<string, unknown> = {}): Promise<T> {
  const { data, errors } = await web.ask(source, variables, { asAdmin: true });
  expect(errors).toBeUndefined();
  return Object.values(data ?? {})[0] as T;
}

const ERRORS = 'userErrors { __typename message path }';

test("the worker's own identity is taken for the hosts of its cloud alone, and beside nothing else", async () => {
  const add = (host: string, kind: string, credential: string) =>
    change<{ registry: { kind: string } | null; userErrors: { message: string; path: string[] }[] }>(
      `mutation { addRegistry(input: { host: "${host}", kind: ${kind}, credential: ${credential} }) {
         registry { kind } ${ERRORS} } }`,
    );
  expect(await add('123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'ECR', '{ ambient: true }')).toEqual({
    registry: { kind: 'ECR' },
    userErrors: [],
  });
  expect((await add('ecr.example.com', 'ECR', '{ ambient: true }')).userErrors).toMatchObject([
    { path: ['input', 'credential'], message: expect.stringContaining('https://ecr.example.com as ECR') },
  ]);
  expect((await add('quay.example.com', 'OCI', '{ ambient: true }')).userErrors).toMatchObject([
    { path: ['input', 'credential'], message: expect.stringContaining('https://quay.example.com as OCI') },
  ]);
  expect((await add('public.ecr.aws', 'ECR_PUBLIC', '{ ambient: true, token: "x" }')).userErrors).toMatchObject([
    { path: ['input', 'credential'], message: expect.stringContaining('or ambient: true.') },
  ]);
});

test('what a registry may be asked is set, kept, changed and left to Stowage again', async () => {
  const limitsOf = (registry: { limits: object } | null) => registry?.limits;
  const send = async (mutation: string, limits: string) => {
    const { registry, userErrors } = await change<{ registry: { limits: object } | null; userErrors: object[] }>(
      `mutation { ${mutation}(input: { host: "slow.example.com"${limits} }) {
         registry { limits { concurrency requestsPerSecond } } ${ERRORS} } }`,
    );
    return userErrors.length > 0 ? userErrors : limitsOf(registry);
  };
  expect(await send('addRegistry', ', limits: { concurrency: 0 }')).toMatchObject([
    { path: ['input', 'limits'], message: '0 is no number of requests at a time: write a whole one from 1 to 256.' },
  ]);
  expect(await send('addRegistry', ', limits: { concurrency: 2 }')).toEqual({
    concurrency: 2,
    requestsPerSecond: null,
  });
  expect(await send('updateRegistry', ', title: "Slow"')).toEqual({ concurrency: 2, requestsPerSecond: null });
  expect(await send('updateRegistry', ', limits: { requestsPerSecond: 5 }')).toEqual({
    concurrency: null,
    requestsPerSecond: 5,
  });
  expect(await send('updateRegistry', ', limits: null')).toEqual({ concurrency: null, requestsPerSecond: null });
});

test('a registry, a source and a run live and die by mutations', async () => {
  expect(
    await change(
      `mutation { addRegistry(input: { host: "GHCR.io", title: "GitHub", credential: { token: "secret" } }) {
         registry { host kind url title managedBy health { status } } ${ERRORS} } }`,
    ),
  ).toEqual({
    registry: {
      host: 'ghcr.io',
      kind: 'OCI',
      url: 'https://ghcr.io/',
      title: 'GitHub',
      managedBy: 'API',
      health: { status: 'UNKNOWN' },
    },
    userErrors: [],
  });
  expect(
    await change(
      `mutation { updateRegistry(input: { host: "ghcr.io", title: null }) { registry { title } ${ERRORS} } }`,
    ),
  ).toEqual({ registry: { title: null }, userErrors: [] });

  const { source } = await change<{ source: { id: string } }>(
    `mutation { addSyncSource(input: { registry: "ghcr.io", repositories: "org/*", platforms: [{ architecture: "arm64" }] }) {
       source { id repositories schedule platforms { label } registry { host } } ${ERRORS} } }`,
  );
  expect(source).toMatchObject({ repositories: 'org/*', schedule: null, platforms: [{ label: 'linux/arm64' }] });
  expect(
    await change(
      `mutation ($id: ID!) { updateSyncSource(input: { id: $id, schedule: "0 0 1 1 *", inspectContents: true, paused: true }) {
         source { id repositories schedule inspectContents paused } ${ERRORS} } }`,
      { id: source.id },
    ),
  ).toEqual({
    source: { id: source.id, repositories: 'org/*', schedule: '0 0 1 1 *', inspectContents: true, paused: true },
    userErrors: [],
  });

  const { run } = await change<{ run: { id: string } }>(
    `mutation ($id: ID!) { requestSync(input: { source: $id }) { run { id status trigger source { id } } ${ERRORS} } }`,
    { id: source.id },
  );
  expect(run).toMatchObject({ status: 'QUEUED', trigger: 'MANUAL', source: { id: source.id } });
  expect(
    await change('mutation ($id: ID!) { cancelSync(input: { id: $id }) { run { id status } userErrors { path } } }', {
      id: run.id,
    }),
  ).toEqual({ run: { id: run.id, status: 'CANCELLED' }, userErrors: [] });

  expect(
    await change(`mutation ($id: ID!) { removeSyncSource(input: { id: $id }) { removedId ${ERRORS} } }`, {
      id: source.id,
    }),
  ).toEqual({ removedId: source.id, userErrors: [] });
  const { removedId } = await change<{ removedId: string }>(
    `mutation { removeRegistry(input: { host: "ghcr.io" }) { removedId ${ERRORS} } }`,
  );
  const { data } = await web.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } registry(host: "ghcr.io") { id } }', {
    ids: [removedId, source.id, run.id],
  });
  expect(data).toEqual({ nodes: [null, null, null], registry: null });
});

test('an image that somebody asks to look into waits for the worker', async () => {
  const build = catalogOf(database);
  const { digest } = await build.image(await build.repository('registry.example.org/org/inspected'), {
    layers: ['inspected'],
  });
  const request = (image: string) =>
    change(
      `mutation ($image: Digest!) {
         requestInspection(input: { image: $image }) { image { digest contentsStatus } ${ERRORS} } }`,
      { image },
    );
  expect(await request(digest)).toEqual({ image: { digest, contentsStatus: 'QUEUED' }, userErrors: [] });
  const other = digestOf(Buffer.from('nothing'));
  expect(await request(other)).toEqual({
    image: null,
    userErrors: [{ __typename: 'NotFound', message: `The catalog has no image ${other}.`, path: ['input', 'image'] }],
  });
});

test('an id of another type, or of nothing, is an error that names its place', async () => {
  const tag = Buffer.from('Tag:1').toString('base64url');
  const inputs: [string, string, string][] = [
    ['updateSyncSource', 'id', 'SyncSource'],
    ['removeSyncSource', 'id', 'SyncSource'],
    ['requestSync', 'source', 'SyncSource'],
    ['cancelSync', 'id', 'SyncRun'],
  ];
  for (const [mutation, member, type] of inputs) {
    const send = (id: string) =>
      change<{ userErrors: unknown }>(`mutation ($id: ID!) { ${mutation}(input: { ${member}: $id }) { ${ERRORS} } }`, {
        id,
      });
    expect((await send(tag)).userErrors).toEqual([
      {
        __typename: 'InvalidInput',
        message: `${member} "${tag}" is not the id of a ${type} but of a Tag: use the id of an earlier answer, unchanged.`,
        path: ['input', member],
      },
    ]);
    expect((await send('nonsense')).userErrors).toMatchObject([
      { __typename: 'InvalidInput', path: ['input', member] },
    ]);
    const missing = Buffer.from(`${type}:4711`).toString('base64url');
    expect((await send(missing)).userErrors).toMatchObject([{ __typename: 'NotFound', path: ['input', member] }]);
  }
});

test('what is wrong with an input comes back as data, and nothing is changed', async () => {
  expect(
    await change(
      `mutation { addSyncSource(input: { registry: "quay.io", repositories: "a b", schedule: "daily" }) { source { id } ${ERRORS} } }`,
    ),
  ).toMatchObject({
    source: null,
    userErrors: [
      { __typename: 'NotFound', path: ['input', 'registry'] },
      { __typename: 'InvalidInput', path: ['input', 'repositories'] },
      { __typename: 'InvalidInput', path: ['input', 'schedule'] },
    ],
  });
  expect((await web.ask('{ syncSources { totalCount } }')).data).toEqual({ syncSources: { totalCount: 0 } });
});

describe('metadata of a repository', () => {
  const METADATA = 'owner team lifecycle documentationUrl sourceUrl annotations { name value }';
  const set = (input: object) =>
    change<{ repository: { metadata: object } | null; userErrors: { message: string; path: string[] }[] }>(
      `mutation ($input: SetMetadataInput!) { setMetadata(input: $input) { repository { metadata { ${METADATA} } } ${ERRORS} } }`,
      { input },
    );

  beforeAll(async () => {
    const build = catalogOf(database);
    const repository = await build.repository('quay.io/team/described');
    await build.image(repository, { labels: { 'org.opencontainers.image.source': 'https://old.example.com' } });
    await build.image(repository, {
      labels: {
        'org.opencontainers.image.vendor': 'ACME',
        'org.opencontainers.image.source': 'https://label.example.com',
        'org.opencontainers.image.documentation': 'javascript:alert(1)',
      },
      annotations: { 'org.opencontainers.image.source': 'https://annotation.example.com' },
    });
    await build.artifact(repository, 'application/vnd.example');
  });

  const SAID = {
    owner: 'ACME',
    team: null,
    lifecycle: null,
    documentationUrl: null,
    sourceUrl: 'https://annotation.example.com',
    annotations: [],
  };

  test('is what its newest image says until people set it, and again when they remove it', async () => {
    const reference = 'quay.io/team/described';
    expect(await set({ repository: reference })).toEqual({ repository: { metadata: SAID }, userErrors: [] });
    const annotations = [
      { name: '__proto__', value: '' },
      { name: 'tier', value: 'gold' },
    ];
    const given = { owner: 'natanael', lifecycle: 'production', sourceUrl: 'http://git.example.com/a', annotations };
    const expected = { ...SAID, ...given };
    expect((await set({ repository: `${reference}:ignored`, ...given })).repository?.metadata).toEqual(expected);
    expect((await set({ repository: reference, team: 'a' })).repository?.metadata).toEqual({ ...expected, team: 'a' });
    expect(
      (await web.ask('{ repositories(filter: { metadata: { name: "tier", value: "g*" } }) { nodes { name } } }')).data,
    ).toEqual({ repositories: { nodes: [{ name: 'team/described' }] } });
    const nothing = { owner: null, team: null, lifecycle: null, sourceUrl: null, annotations: null };
    expect((await set({ repository: reference, ...nothing })).repository?.metadata).toEqual(SAID);
  });

  test('is refused where it can not be, and then nothing of it is set', async () => {
    const repository = 'quay.io/team/described';
    const { userErrors, repository: changed } = await set({
      repository,
      owner: ' ',
      team: 'x'.repeat(256),
      lifecycle: 'a\u0000',
      documentationUrl: 'javascript:alert(1)',
      sourceUrl: `https://${'x'.repeat(2050)}`,
      annotations: [
        { name: 'a', value: 'x'.repeat(4097) },
        { name: 'a', value: '' },
        { name: '', value: '' },
      ],
    });
    expect(changed).toBeNull();
    expect(userErrors.map(({ path }) => path.join('.'))).toEqual([
      'input.owner',
      'input.team',
      'input.lifecycle',
      'input.documentationUrl',
      'input.sourceUrl',
      'input.annotations.0.value',
      'input.annotations.1.name',
      'input.annotations.2.name',
    ]);
    const many = Array.from({ length: 101 }, (_, at) => ({ name: `a${at}`, value: '' }));
    expect((await set({ repository, team: 'b', annotations: many })).userErrors).toMatchObject([
      { path: ['input', 'annotations'], message: 'annotations has 101 entries: a repository has 100 at most.' },
    ]);
    expect((await set({ repository: 'quay.io/team/unknown', owner: 'x' })).userErrors).toMatchObject([
      { __typename: 'NotFound', path: ['input', 'repository'] },
    ]);
    expect((await set({ repository })).repository?.metadata).toEqual(SAID);
  });

  test('of many repositories is one statement', async () => {
    database.statements.length = 0;
    await web.ask('{ repositories { nodes { metadata { owner team documentationUrl sourceUrl } } } }');
    expect(database.statements).toHaveLength(2);
    database.statements.length = 0;
    await web.ask('{ repositories { nodes { metadata { team lifecycle annotations { name } } } } }');
    expect(database.statements).toHaveLength(1);
  });
});
