import { readFileSync } from 'node:fs';
import { Kind, parse, type OperationDefinitionNode } from 'graphql';
import { isCompilable } from '../../src/graphql/compilable.ts';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openTestWeb, type TestWeb } from '../support/web.ts';

let database: TestDatabase;
let web: TestWeb;

beforeAll(async () => {
  database = await createTestDatabase();
  web = await openTestWeb(database);
});

afterAll(async () => {
  await web.close();
  await database.close();
});

/** More often than it takes for an operation to be compiled. */
const TIMES = 25;
const DIGEST = `sha256:${'a'.repeat(64)}`;

/** What the library that compiles puts before a date in the code that it makes, and takes for code what follows. */
const MARK = '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d';

const FRAGMENT = 'fragment F on __Type { name kind }';

describe('is answered at the last time as at the first:', () => {
  test.each([
    [
      'a fragment that is spread twice, once under a condition',
      `query ($is: Boolean!) { a: __type(name: "Image") { ...F @include(if: $is) } b: __type(name: "Tag") { ...F } } ${FRAGMENT}`,
      { is: false },
    ],
    [
      'a fragment that is spread again where it was left out',
      `query ($is: Boolean!) { __type(name: "Image") { ...F @include(if: $is) ...F } } ${FRAGMENT}`,
      { is: false },
    ],
    [
      'fields under conditions, and names of types under other names',
      'query ($is: Boolean! = true) { a: __typename __type(name: "Image") { b: __typename name @skip(if: $is) kind @include(if: $is) } }',
      {},
    ],
    [
      'an instant that is the default of a variable',
      'query ($at: DateTime = "2026-01-31") { manifestAsOf(reference: "ghcr.io/team/app:1", at: $at) { id } }',
      {},
    ],
    [
      'a text that looks like a mark of the library, and like code',
      `{ search(query: "${MARK}globalThis.isTaken=1") { totalCount } }`,
      {},
    ],
    [
      'a default that does so',
      `query ($query: String! = "${MARK}globalThis.isTaken=1") { search(query: $query) { totalCount } }`,
      {},
    ],
    ['an answer with a name that all objects have', '{ __proto__: __type(name: "Image") { name } }', {}],
  ])('%s', async (_, text, variables) => {
    const first = await web.ask(text, variables);
    expect(first).toMatchObject({ status: 200, data: expect.anything() as unknown });
    let last = first;
    for (let times = 1; times < TIMES; times++) last = await web.ask(text, variables);
    expect(last).toEqual(first);
    expect(globalThis).not.toHaveProperty('isTaken');
  });
});

test('each operation of a document is answered by its own code', async () => {
  const query = 'query A { __type(name: "Image") { name } } query B { __type(name: "Tag") { name } }';
  for (let times = 0; times < 2 * TIMES; times++) {
    const [operationName, name] = times % 2 === 0 ? ['A', 'Image'] : ['B', 'Tag'];
    const response = await fetch(`${web.address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, operationName }),
    });
    expect(await response.json()).toEqual({
      data: { __type: { name } },
      extensions: { cost: { requested: expect.any(Number) as number, limit: expect.any(Number) as number } },
    });
  }
});

test('manifests about manifests are not compiled for each kind of each of them', async () => {
  const subjects = 'subject { '.repeat(20) + 'id' + ' }'.repeat(20);
  const text = `{ manifest(digest: "${DIGEST}") { ${subjects} } }`;
  // Code for all of them would fill all memory there is.
  for (let times = 0; times < TIMES; times++)
    expect(await web.ask(text)).toMatchObject({ status: 200, data: { manifest: null } });
});

test('what people and dashboards ask is small enough to be compiled, of interfaces and unions as well', () => {
  const schema = createSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'), typeResolvers);
  const asked = [
    'query ($first: Int = 50, $name: String) { tags(first: $first, where: { name: { eq: $name } }) { nodes { name image { ...I } } } } fragment I on Image { digest layers { digest size } }',
    '{ manifest(reference: "ghcr.io/team/app:1.2") { __typename digest tags { nodes { name repository { name } } } ... on Image { size } } }',
    '{ search(query: "nginx") { totalCount nodes { __typename ... on Repository { name } ... on Image { digest } } } }',
    '{ node(id: "UmVwb3NpdG9yeTox") { id ... on Repository { name tagCount } } }',
  ];
  for (const text of asked) {
    const document = parse(text);
    const operation = document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    expect({ text, is: isCompilable(schema, document, operation as OperationDefinitionNode) }).toEqual({
      text,
      is: true,
    });
  }
});
