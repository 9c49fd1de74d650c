import { prepareQueue } from '../../src/queue/index.ts';
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
      `mutation ($id: ID!) { updateSyncSource(input: { id: $id, schedule: "0 0 1 1 *", paused: true }) {
         source { id repositories schedule paused } ${ERRORS} } }`,
      { id: source.id },
    ),
  ).toEqual({
    source: { id: source.id, repositories: 'org/*', schedule: '0 0 1 1 *', paused: true },
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
