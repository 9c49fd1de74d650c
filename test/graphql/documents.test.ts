import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type SubscribePayload } from 'graphql-ws';
import WebSocket from 'ws';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openTestWeb, type Answer, type TestWeb } from '../support/web.ts';

const VIEWER = 'query Viewer { viewer { name } }';
const REPOSITORIES = 'query Repositories($first: Int) { repositories(first: $first) { nodes { name } } }';
const ANSWERED = { viewer: { name: 'anonymous' } };

let database: TestDatabase;
let directory: string;

beforeAll(async () => {
  database = await createTestDatabase();
  directory = await mkdtemp(join(tmpdir(), 'stowage-documents-'));
});

afterAll(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const persisted = (hash: unknown) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: hash } } });

async function post(web: TestWeb, body: object): Promise<Answer> {
  const response = await fetch(`${web.address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) };
}

async function get(web: TestWeb, query: Record<string, string | object>): Promise<Answer> {
  const values = Object.entries(query).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  const response = await fetch(`${web.address}/graphql?${new URLSearchParams(values).toString()}`, {
    headers: { 'apollo-require-preflight': '1' },
  });
  return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) };
}

const codes = ({ status, errors }: Answer) => [status, errors?.map(({ extensions }) => extensions['code'])];

describe('automatic persisted queries', () => {
  let web: TestWeb;

  beforeAll(async () => {
    web = await openTestWeb(database);
  });
  afterAll(() => web.close());

  test('a hash is not found until its text was sent with it, and is enough from then on, over GET too', async () => {
    const hash = persisted(hashOf(VIEWER));
    expect(codes(await post(web, hash))).toEqual([200, ['PERSISTED_QUERY_NOT_FOUND']]);
    expect(await post(web, { query: VIEWER, ...hash })).toMatchObject({ status: 200, data: ANSWERED });
    expect(await post(web, hash)).toMatchObject({ status: 200, data: ANSWERED });
    expect(await get(web, hash)).toMatchObject({ status: 200, data: ANSWERED });
  });

  test('over GET a hash needs a header that a foreign page could not send unasked', async () => {
    const query = new URLSearchParams({ extensions: JSON.stringify(persisted(hashOf(VIEWER)).extensions) });
    const response = await fetch(`${web.address}/graphql?${query.toString()}`);
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain('CSRF');
  });

  test('a hash that is not that of the text is a bad request, and registers nothing', async () => {
    const wrong = persisted(hashOf(REPOSITORIES));
    expect(codes(await post(web, { query: VIEWER, ...wrong }))).toEqual([400, ['BAD_REQUEST']]);
    expect(codes(await post(web, wrong))).toEqual([200, ['PERSISTED_QUERY_NOT_FOUND']]);
    const odd = { query: VIEWER, extensions: { persistedQuery: { version: 2, sha256Hash: hashOf(VIEWER) } } };
    expect(codes(await post(web, odd))).toEqual([400, ['BAD_REQUEST']]);
  });

  test('what is too dear or not valid is not kept', async () => {
    const dear =
      '{ repositories(first: 100) { nodes { tags(first: 100) { nodes { history(first: 100) { totalCount } } } } } }';
    for (const query of [dear, '{ nothing }']) {
      expect((await post(web, { query, ...persisted(hashOf(query)) })).status).toBe(400);
      expect(codes(await post(web, persisted(hashOf(query))))).toEqual([200, ['PERSISTED_QUERY_NOT_FOUND']]);
    }
  });
});

describe('trusted documents', () => {
  let web: TestWeb;

  const manifests: [string, unknown][] = [
    ['ids and texts', { [hashOf(VIEWER)]: VIEWER, 'sha256:repositories': REPOSITORIES }],
    [
      "Apollo's manifest",
      {
        format: 'apollo-persisted-query-manifest',
        version: 1,
        operations: [
          { id: hashOf(VIEWER), name: 'Viewer', type: 'query', body: VIEWER },
          { id: 'repositories', name: 'Repositories', type: 'query', body: REPOSITORIES },
        ],
      },
    ],
  ];

  describe.each(manifests)('listed as %s', (_, manifest) => {
    beforeAll(async () => {
      const trustedDocuments = join(directory, 'trusted.json');
      await writeFile(trustedDocuments, JSON.stringify(manifest));
      web = await openTestWeb(database, 0, { trustedDocuments });
    });
    afterAll(() => web.close());

    test('one is answered by its id, with variables, over GET too', async () => {
      expect(await post(web, persisted(hashOf(VIEWER)))).toMatchObject({ status: 200, data: ANSWERED });
      expect(await get(web, persisted(`sha256:${hashOf(VIEWER)}`))).toMatchObject({ status: 200, data: ANSWERED });
      expect(await post(web, { ...persisted('repositories'), variables: { first: 1 } })).toMatchObject({
        status: 200,
        data: { repositories: { nodes: [] } },
      });
    });

    test('one is answered by its text, beside whatever id', async () => {
      expect(await post(web, { query: VIEWER })).toMatchObject({ status: 200, data: ANSWERED });
      expect(await post(web, { query: VIEWER, ...persisted('repositories') })).toMatchObject({ data: ANSWERED });
    });

    test.each([
      ['a text that is not listed', { query: '{ viewer { name } }' }],
      ['a text that is no document', { query: '{{{' }],
      ['an empty text', { query: '' }],
      ['a text that is not listed beside an id that is', { query: '{ __typename }', ...persisted(hashOf(VIEWER)) }],
      ['introspection', { query: '{ __schema { types { name } } }' }],
      ['an unknown id', persisted(hashOf('{ __typename }'))],
      ['no id', { extensions: {} }],
      ['an id that is no text', persisted(1)],
      ['a name of every object', persisted('constructor')],
    ])('%s is refused, and nothing is read for it', async (_what, body) => {
      database.statements.length = 0;
      for (const answer of [await post(web, body), await get(web, body)]) {
        expect(codes(answer)).toEqual([403, ['UNTRUSTED_DOCUMENT']]);
        expect(answer.errors?.[0]?.message).toMatch(/^Only documents of a list are answered here\. .*sha256Hash/);
        expect(answer.data).toBeUndefined();
      }
      expect(database.statements).toEqual([]);
    });

    test('over a WebSocket and server-sent events the same are answered and refused', async () => {
      const client = createClient({ url: web.address.replace('http', 'ws') + '/graphql', webSocketImpl: WebSocket });
      const overSocket = async (payload: object) => {
        try {
          for await (const result of client.iterate(payload as SubscribePayload)) return result;
        } catch (errors) {
          return { errors };
        }
      };
      const overEvents = async (payload: object) => {
        const response = await fetch(`${web.address}/graphql/stream`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
          body: JSON.stringify(payload),
        });
        return JSON.parse(/^data: (.*)$/m.exec(await response.text())?.[1] ?? '') as unknown;
      };
      for (const ask of [overSocket, overEvents]) {
        expect(await ask({ query: VIEWER })).toMatchObject({ data: ANSWERED });
        expect(await ask({ query: '', ...persisted(hashOf(VIEWER)) })).toMatchObject({ data: ANSWERED });
        const untrusted = { errors: [{ extensions: { code: 'UNTRUSTED_DOCUMENT' } }] };
        expect(await ask({ query: 'subscription { tagEvents { id } }' })).toMatchObject(untrusted);
        expect(await ask({ query: '', ...persisted('unknown') })).toMatchObject(untrusted);
      }
      await client.dispose();
    });

    test('what is refused is not registered', async () => {
      const query = '{ __typename }';
      await post(web, { query, ...persisted(hashOf(query)) });
      expect(codes(await post(web, persisted(hashOf(query))))).toEqual([403, ['UNTRUSTED_DOCUMENT']]);
    });

    test('a browser reads why there is no playground, and finds the reference', async () => {
      const page = await fetch(`${web.address}/graphql`, { headers: { accept: 'text/html' } });
      const text = await page.text();
      expect([page.status, text]).toEqual([200, expect.stringContaining('answers only the documents')]);
      expect((await fetch(`${web.address}${/href="([^"]+)"/.exec(text)?.[1] ?? ''}`)).status).toBe(200);
    });
  });

  test.each([
    ['a file that is not there', null, /STOWAGE_TRUSTED_DOCUMENTS: .*can't be read \(ENOENT\).*name a JSON file/],
    ['a file that is no JSON', 'query { a }', /STOWAGE_TRUSTED_DOCUMENTS: .*is no JSON/],
    ['a list', '[]', /holds no documents/],
    ['an empty list', '{}', /holds no documents/],
    ['an id without a text', '{"a": 1}', /has no text for "a"/],
    ['an operation without a text', '{"operations": [{"id": "a"}]}', /has no text for "a"/],
  ])('%s is refused at the start', async (_, text, message) => {
    const trustedDocuments = join(directory, 'faulty.json');
    await (text === null ? rm(trustedDocuments, { force: true }) : writeFile(trustedDocuments, text));
    const opening = openTestWeb(database, 0, { trustedDocuments });
    await expect(opening).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringMatching(message),
    });
  });

  test('documents that the schema cannot answer are told all at once, each with its id and place', async () => {
    const trustedDocuments = join(directory, 'faulty.json');
    const documents = {
      one: '{ viewer { nam } }',
      two: VIEWER,
      three: 'query {\n  what(a: 1)\n  viewer\n}',
      four: '{',
    };
    await writeFile(trustedDocuments, JSON.stringify(documents));
    const faults = await openTestWeb(database, 0, { trustedDocuments }).then(
      () => '',
      (error: unknown) => (error as Error).message,
    );
    expect(faults.split('\n').map((line) => line.replace(`${trustedDocuments}: `, '').slice(0, 48))).toEqual([
      'one: line 1, column 12: Cannot query field "nam"',
      'three: line 2, column 3: Cannot query field "wha',
      'three: line 3, column 3: Field "viewer" of type ',
      'four: line 1, column 2: Syntax Error: Expected N',
    ]);
  });
});
