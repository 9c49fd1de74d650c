import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { composeServices, compositionHasErrors } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { catalogOf, type ImageContent } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { ADMIN_TOKEN, openTestWeb, type TestWeb } from '../support/web.ts';

/** By a name that the compiler does not follow: its types change those of graphql for the whole program. */
const GATEWAY: string = '@graphql-hive/gateway-runtime';

interface GatewayRuntime extends AsyncDisposable {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

let database: TestDatabase;
let web: TestWeb;
let image: ImageContent;

beforeAll(async () => {
  database = await createTestDatabase();
  const build = catalogOf(database);
  for (let at = 0; at < 50; at++) {
    const repository = await build.repository(`ghcr.io/team/app-${at}`);
    if (at > 0) continue;
    image = await build.image(repository);
    await build.tag(repository, 'latest', image);
  }
  web = await openTestWeb(database, 0, { isSubgraph: true });
});

afterAll(async () => {
  await web.close();
  await database.close();
});

const idOf = (text: string) => Buffer.from(text).toString('base64url');
const ENTITIES = (fields: string) =>
  `query ($all: [_Any!]!) { _entities(representations: $all) { __typename ${fields} } }`;

test('the graph is asked as without a gateway', async () => {
  const { data } = await web.ask('{ tag(reference: "ghcr.io/team/app-0") { name images { digest } } }');
  expect(data).toEqual({ tag: { name: 'latest', images: [{ digest: image.digest }] } });
  const bad = await web.ask('query ($d: Digest!) { layer(digest: $d) { id } }', { d: 'sha256:abc' });
  expect([bad.status, bad.errors?.[0]?.extensions['code']]).toEqual([400, 'BAD_USER_INPUT']);
});

test('a mutation needs its scope', async () => {
  const mutation = 'mutation { removeRegistry(input: { host: "nowhere.example" }) { userErrors { __typename } } }';
  expect((await web.ask(mutation)).status).toBe(401);
  expect((await web.ask(mutation, {}, { asAdmin: true })).data).toEqual({
    removeRegistry: { userErrors: [{ __typename: 'NotFound' }] },
  });
});

test('fifty entities of one type are one statement', async () => {
  const all = Array.from({ length: 50 }, (_, at) => ({ __typename: 'Repository', id: idOf(`Repository:${at + 1}`) }));
  database.statements.length = 0;
  const { data } = await web.ask(ENTITIES('... on Repository { name }'), { all });
  expect(data?.['_entities']).toHaveLength(50);
  expect(data?.['_entities']).toContainEqual({ __typename: 'Repository', name: 'team/app-49' });
  expect(database.statements).toHaveLength(1);
});

test('an entity of every type with an id is found by it', async () => {
  const ids = [
    `Image:${image.digest}`,
    `Layer:${image.diffIds[0]}`,
    'Registry:1',
    'Repository:1',
    'Tag:1',
    'TagEvent:1',
  ];
  const all = ids.map((id) => ({ __typename: id.slice(0, id.indexOf(':')), id: idOf(id) }));
  const { data } = await web.ask(ENTITIES('... on Node { id }'), { all });
  expect(data).toEqual({ _entities: all });
});

test('one that does not exist is null, and one that cannot be is an error of its own', async () => {
  const all = [
    { __typename: 'Tag', id: idOf('Tag:999') },
    { __typename: 'Tag', id: idOf('Registry:1') },
    { __typename: 'Nothing', id: idOf('Registry:1') },
    { __typename: 'PageInfo' },
    { __typename: 'Tag', id: 'nonsense' },
    'Tag',
    { __typename: 'Registry', id: idOf('Registry:1') },
  ];
  const { data, errors } = await web.ask(ENTITIES(''), { all });
  expect(data).toEqual({ _entities: [null, null, null, null, null, null, { __typename: 'Registry' }] });
  expect(errors?.map(({ path, extensions }) => [path?.[1], extensions['code']])).toEqual(
    [1, 2, 3, 4, 5].map((place) => [place, 'BAD_USER_INPUT']),
  );
  expect(errors?.[3]?.message).toContain('representations[4].id "nonsense" is not an id of this catalog');
});

test('entities cost as many as they are', async () => {
  const all = Array.from({ length: 500 }, () => ({ __typename: 'Registry', id: idOf('Registry:1') }));
  const dear = ENTITIES('... on Registry { repositories(first: 100) { nodes { tags { totalCount } } } }');
  const { status, errors } = await web.ask(dear, { all });
  expect([status, errors?.[0]?.extensions['code']]).toEqual([400, 'BAD_USER_INPUT']);
  expect(errors?.[0]?.message).toContain('_entities(representations: 500 of them).repositories(first: 100)');
});

describe('behind a gateway, with another subgraph', () => {
  const owners = parse(`
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
    type Query { owned: [Owner!]! }
    type Owner { name: String! repository: Repository! }
    type Repository @key(fields: "id") { id: ID! owner: String! }
  `);
  let other: ApolloServer;
  let gateway: GatewayRuntime;

  beforeAll(async () => {
    const resolvers = {
      Query: {
        owned: () => [1, 2, 3].map((at) => ({ name: `team-${at}`, repository: { id: idOf(`Repository:${at}`) } })),
      },
      Repository: { owner: ({ id }: { id: string }) => `owner of ${Buffer.from(id, 'base64url').toString()}` },
    };
    other = new ApolloServer({
      schema: buildSubgraphSchema([{ typeDefs: owners, resolvers }]),
      plugins: [ApolloServerPluginInlineTraceDisabled()],
    });
    const { url } = await startStandaloneServer(other, { listen: { port: 0, host: '127.0.0.1' } });
    const { data } = await web.ask('{ _service { sdl } }');
    const { sdl } = data?.['_service'] as { sdl: string };
    const composed = composeServices([
      { name: 'catalog', typeDefs: parse(sdl), url: `${web.address}/graphql` },
      { name: 'owners', typeDefs: owners, url },
    ]);
    if (compositionHasErrors(composed)) throw new Error(composed.errors.map(({ message }) => message).join('\n'));
    const { createGatewayRuntime } = (await import(GATEWAY)) as {
      createGatewayRuntime(config: object): GatewayRuntime;
    };
    gateway = createGatewayRuntime({
      supergraph: composed.supergraphSdl,
      logging: false,
      propagateHeaders: { fromClientToSubgraphs: ({ request }: { request: Request }) => pick(request.headers) },
    });
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await other.stop();
  });

  const pick = (headers: Headers): Record<string, string> => {
    const authorization = headers.get('authorization');
    return authorization === null ? {} : { authorization };
  };

  async function ask(query: string, headers: Record<string, string> = {}): Promise<unknown> {
    const response = await gateway.fetch('http://gateway.test/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    });
    return response.json();
  }

  test('one question crosses both, from either side', async () => {
    database.statements.length = 0;
    expect(await ask('{ owned { name repository { name owner tagCount } } }')).toEqual({
      data: {
        owned: [1, 2, 3].map((at) => ({
          name: `team-${at}`,
          repository: {
            name: `team/app-${at - 1}`,
            owner: `owner of Repository:${at}`,
            tagCount: at === 1 ? 1 : 0,
          },
        })),
      },
    });
    expect(database.statements).toHaveLength(1);
    expect(await ask('{ tag(reference: "ghcr.io/team/app-0") { image { digest } repository { owner } } }')).toEqual({
      data: { tag: { image: { digest: image.digest }, repository: { owner: 'owner of Repository:1' } } },
    });
  });

  test('who asks is asked behind it', async () => {
    const viewer = await ask('{ viewer { name } }', { authorization: `Bearer ${ADMIN_TOKEN}` });
    expect(viewer).toEqual({ data: { viewer: { name: 'admin' } } });
  });
});
