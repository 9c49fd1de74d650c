import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { buildSchema, GraphQLError, type GraphQLInterfaceType } from 'graphql';
import { serverAudits } from 'graphql-http';
import { pino } from 'pino';
import { CatalogError } from '../../src/domain/errors.ts';
import { CLIENT_ERROR_CODES, errorFormatter } from '../../src/graphql/errors.ts';
import { catalogOf, type CatalogBuilder, type ImageContent } from '../support/catalog.ts';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.ts';
import { ADMIN_TOKEN, openTestWeb, type TestWeb } from '../support/web.ts';

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

describe('GraphQL over HTTP', () => {
  const noPreflight =
    'A GET that names no header is what a foreign page can send unasked: the price of CSRF prevention.';
  const status400 =
    'A bad document has status 400 for application/json too: dashboards show an error only from 400 up.';
  const exceptions: Record<string, { status: string; reason: string }> = {
    '5A70': { status: 'notice', reason: noPreflight },
    D6D5: { status: 'notice', reason: noPreflight },
    '6A70': { status: 'notice', reason: noPreflight },
    '572B': { status: 'warn', reason: status400 },
    FDE2: { status: 'warn', reason: status400 },
    '7B9B': { status: 'warn', reason: status400 },
  };
  const audits = serverAudits({ url: () => `${web.address}/graphql` });

  test('has 61 audits', () => expect(audits).toHaveLength(61));

  for (const audit of audits) {
    const exception = exceptions[audit.id];
    const outcome = exception ? `${exception.status}: ${exception.reason}` : 'ok';
    test(`${audit.id} ${audit.name} (${outcome})`, async () => {
      const result = await audit.fn();
      expect(result).toMatchObject({ id: audit.id, status: exception?.status ?? 'ok' });
    });
  }

  test('takes an empty operation name for none', async () => {
    const body = JSON.stringify({ query: 'query One { __typename }', operationName: '' });
    const headers = { 'content-type': 'application/json' };
    const posted = await fetch(`${web.address}/graphql`, { method: 'POST', headers, body });
    expect([posted.status, await posted.json()]).toMatchObject([200, { data: { __typename: 'Query' } }]);
    const got = await fetch(`${web.address}/graphql?query={__typename}&operationName=`, { headers });
    expect([got.status, await got.json()]).toMatchObject([200, { data: { __typename: 'Query' } }]);
  });

  test('answers are not for caches to keep', async () => {
    const headers = { 'apollo-require-preflight': '1' };
    const response = await fetch(`${web.address}/graphql?query={__typename}`, { headers });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('vary')).toBe('accept, authorization');
  });

  test('shows the schema to whoever asks for it', async () => {
    const answer = await web.ask('{ __schema { mutationType { name } } }');
    expect(answer).toEqual({ status: 200, data: { __schema: { mutationType: { name: 'Mutation' } } } });
    const sdl = await fetch(`${web.address}/schema.graphql`);
    expect(await sdl.text()).toContain('type Query {');
  });

  test('refuses what a foreign page could send without asking first', async () => {
    const simple = await fetch(`${web.address}/graphql?query={__typename}`);
    expect(simple.status).toBe(400);
    expect(JSON.stringify(await simple.json())).toContain('CSRF');
    const form = await fetch(`${web.address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: '{"query":"{__typename}"}',
    });
    expect(form.status).toBeGreaterThanOrEqual(400);
  });

  test('refuses a mutation over GET', async () => {
    const query = encodeURIComponent('mutation { removeRegistry(input: { host: "docker.io" }) { removedId } }');
    const headers = { 'apollo-require-preflight': '1', authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await fetch(`${web.address}/graphql?query=${query}`, { headers });
    expect(response.status).toBe(405);
  });
});

describe('limits', () => {
  test('a document deeper than 25 levels is refused, through fragments too', async () => {
    const nested = (levels: number, inner: string) => `${'ofType { '.repeat(levels)}${inner}${' }'.repeat(levels)}`;
    const query = (levels: number) =>
      `{ __schema { types { ...F } } } fragment F on __Type { ${nested(levels, 'name')} }`;
    expect((await web.ask(query(22))).status).toBe(200);
    const { status, errors } = await web.ask(query(23));
    expect([status, errors?.[0]?.message]).toEqual([400, 'The operation is 26 levels deep: at most 25 are allowed.']);
  });

  test('fragments that spread each other are refused without being followed for ever', async () => {
    const query = '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }';
    expect((await web.ask(query)).errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test('250 aliases are allowed and one more is refused', async () => {
    const query = (count: number) => `{ ${Array.from({ length: count }, (_, at) => `a${at}: __typename`).join(' ')} }`;
    expect((await web.ask(query(250))).status).toBe(200);
    const { status, errors } = await web.ask(query(251));
    expect(status).toBe(400);
    expect(errors?.map((error) => error.message)).toEqual([
      'The document has more than 250 aliases: send several requests.',
    ]);
  });

  test('a document of too many tokens is refused before it is validated', async () => {
    const { status, errors } = await web.ask(`{ ${'__typename '.repeat(50_000)} }`);
    expect([status, errors?.[0]?.extensions['code']]).toEqual([400, 'GRAPHQL_PARSE_FAILED']);
  });

  test('a field that is repeated until its comparisons cost too much is refused', async () => {
    const { status, errors } = await web.ask(`{ ${'__typename '.repeat(5_000)} }`);
    expect([status, errors?.[0]?.extensions['code']]).toEqual([400, 'GRAPHQL_VALIDATION_FAILED']);
  });

  test('fragments that multiply are refused', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} ...F${at + 1} }`,
    );
    const query = `{ ...F0 } ${levels.join(' ')} fragment F12 on Query { __typename }`;
    const { status, errors } = await web.ask(query);
    expect([status, errors?.[0]?.extensions['code']]).toEqual([400, 'GRAPHQL_VALIDATION_FAILED']);
    expect(errors?.[0]?.message).toBe('Anonymous operation recursively requests too many selections.');
  });

  test('lists within lists are refused where their pages could fill the memory, before anything is read', async () => {
    const nested = (levels: number): string =>
      levels === 0 ? 'id' : `repositories(first: $many) { nodes { registry { ${nested(levels - 1)} } } }`;
    const hostile = `query ($many: Int = 100) { registry(host: "docker.io") { ${nested(7)} } }`;
    database.statements.length = 0;
    const { status, data, errors } = await web.ask(hostile);
    expect([status, data, database.statements]).toEqual([400, undefined, []]);
    expect(errors).toMatchObject([
      {
        message:
          'The operation may cost 101,010,101,010,200, and 1,000,000 is allowed. Most of it is in registry.repositories(first: 100).nodes.registry.repositories(first: 100).nodes.registry.repositories(first: 100).nodes.registry.repositories(first: 100).nodes.registry.repositories(first: 100).nodes.registry.repositories(first: 100).nodes.registry.repositories(first: 100): ask for smaller pages there with first or last, or for less in one operation.',
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
    expect((await web.ask(hostile, { many: 2 })).status).toBe(200);
    expect((await web.ask(hostile, { many: 20 })).status).toBe(400);
  });

  test('pages count through fragments, from the end, by default, and for each of the nodes that are asked for', async () => {
    const registry = Buffer.from('Registry:1').toString('base64url');
    const count = (entries: string) => `may cost ${entries},`;
    const message = async (query: string, variables = {}) => (await web.ask(query, variables)).errors?.[0]?.message;
    const pages = `fragment Tags on Repository { tags(last: 100) { edges { node { ...History } } } }
      fragment History on Tag { history { nodes { ... { to { ... on Image { tags { nodes { id } } } } } } } }`;
    expect(await message(`{ repositories(first: 60) { nodes { ...Tags ...Tags } } } ${pages}`)).toContain(
      count('5,052,160'),
    );
    expect(
      await message(
        `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Registry { repositories(first: 100) { nodes { ...Tags } } } } } ${pages}`,
        { ids: [registry, registry] },
      ),
    ).toContain(count('8,420,302'));
  });

  test('what an operation may cost is told with its answer, and with its refusal', async () => {
    const cost = async (query: string, variables = {}) => {
      const body = JSON.stringify({ query, variables });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${web.address}/graphql`, { method: 'POST', headers, body });
      const { extensions } = (await response.json()) as { extensions?: { cost: { requested: number; limit: number } } };
      return extensions?.cost;
    };
    const limit = 1_000_000;
    expect(await cost('{ __typename viewer { name } }')).toEqual({ requested: 0, limit });
    expect(await cost('{ __schema { types { name fields { name } } } }')).toEqual({ requested: 2_200, limit });
    expect(await cost('{ repositories { nodes { name } } }')).toEqual({ requested: 120, limit });
    expect(await cost('{ repositories(first: 7) { nodes { tags { totalCount } } } }')).toEqual({
      requested: 247,
      limit,
    });
    // A list without pages counts as it usually is, and a root field beside its entries.
    expect(await cost('{ image(reference: "a") { layers { size } labels { name } } }')).toEqual({
      requested: 120,
      limit,
    });
    const left = 'query ($no: Boolean!) { registries { totalCount } tags(first: 9) @skip(if: $no) { totalCount } }';
    expect(await cost(left, { no: true })).toEqual({ requested: 120, limit });
    expect(await cost(left, { no: false })).toEqual({ requested: 229, limit });
    expect(
      (await cost('{ ...A } fragment A on Query { tags(first: 0) @include(if: false) { totalCount } }'))?.requested,
    ).toBe(0);
    const dear =
      '{ repositories(first: 100) { nodes { tags(first: 100) { nodes { history(first: 100) { totalCount } } } } } }';
    expect(await cost(dear)).toEqual({ requested: 1_010_200, limit });
    const pages = Array.from({ length: 60 }, (_, at) => `b${at}: blocked(first: 1) { totalCount }`).join(' ');
    expect(await cost(`{ simulateDeletion(filter: {}) { ${pages} } }`)).toEqual({ requested: 1_221_220, limit });
    expect(await cost('{ nothing }')).toBeUndefined();
  });

  test('a hundred repositories with a hundred tags each, their images and layers, may be asked for', async () => {
    const query = `{ repositories(first: 100) { totalCount nodes { name tags(first: 100) { nodes {
      name images { digest platform { label } layers { digest size layer { diffId } } } } } } } }`;
    expect(await web.ask(query)).toEqual({ status: 200, data: { repositories: { totalCount: 0, nodes: [] } } });
  });

  test('a body of 5 MB is refused in words', async () => {
    const { status, errors } = await web.ask(`{ __typename } # ${'x'.repeat(5 * 1024 * 1024)}`);
    expect(status).toBe(413);
    expect(errors?.[0]?.message).toBe('The request body is larger than 1 MB: send less in one request.');
  });

  test('a body that is no JSON is refused in the form of GraphQL errors', async () => {
    for (const body of ['{"query":', '']) {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${web.address}/graphql`, { method: 'POST', headers, body });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
    }
  });
});

describe('errors', () => {
  test('a fault of ours reaches the client as an id, and the log as what it was', async () => {
    await database.run('alter table registry rename to registry_gone', []);
    const { status, data, errors } = await web.ask('{ registries { nodes { host } } }');
    await database.run('alter table registry_gone rename to registry', []);
    expect([status, data]).toEqual([500, null]);
    const id = errors?.[0]?.extensions['id'];
    expect(errors).toEqual([
      {
        message: `Internal error ${String(id)}: the log has the cause under this id.`,
        path: ['registries'],
        locations: [{ line: 1, column: 3 }],
        extensions: { code: 'INTERNAL_SERVER_ERROR', id },
      },
    ]);
    const line = web.lines.find((logged) => logged['id'] === id);
    expect(JSON.stringify(line)).toContain('registry\\" does not exist');
  });

  test('an unknown field keeps the message of GraphQL', async () => {
    const { status, errors } = await web.ask('{ registriez { nodes { host } } }');
    expect(status).toBe(400);
    expect(errors?.[0]?.message).toBe(
      'Cannot query field "registriez" on type "Query". Did you mean "registries", "registry", or "repositories"?',
    );
    expect(errors?.[0]?.extensions).toEqual({ code: 'GRAPHQL_VALIDATION_FAILED' });
  });

  test('a bad cursor says what is right', async () => {
    const { status, errors } = await web.ask('{ repositories(after: "nonsense") { nodes { name } } }');
    expect([status, errors?.[0]?.extensions['code']]).toEqual([400, 'BAD_USER_INPUT']);
    expect(errors?.[0]?.message).toContain('nonsense');
  });
});

describe('codes of errors', () => {
  const api = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
  /** The first column of a table. */
  const listed = (text: string) => [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name).sort();
  const format = errorFormatter(pino({ level: 'silent' }));
  const formatted = (error: Error) => {
    const wrapped = new GraphQLError(error.message, { originalError: error, path: ['a'] });
    return format({ message: error.message, extensions: { code: 'INTERNAL_SERVER_ERROR' } }, wrapped).extensions?.[
      'code'
    ];
  };

  test('those that are documented are those that there are', () => {
    const [codes = '', types = ''] = (/## Errors\n(.*?)\n## /s.exec(api)?.[1] ?? '').split('`userErrors`');
    expect(listed(codes)).toEqual([...CLIENT_ERROR_CODES].sort());
    const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
    const implementing = schema.getPossibleTypes(schema.getType('UserError') as GraphQLInterfaceType);
    expect(listed(types)).toEqual(implementing.map(({ name }) => name).sort());
  });

  test('each is produced', async () => {
    const post = async (body: string, path = '/graphql') => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${web.address}${path}`, { method: 'POST', headers, body });
      const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
      return errors[0]?.extensions.code;
    };
    const codeOf = (query: string) => post(JSON.stringify({ query }));
    const produced = [
      await post('{'),
      await codeOf('{'),
      await codeOf('{ nothing }'),
      await post(JSON.stringify({ query: 'query A { __typename }', operationName: 'B' })),
      await codeOf('{ node(id: "?") { id } }'),
      await post(JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } } })),
      await codeOf('mutation { removeRegistry(input: { host: "a.example" }) { removedId } }'),
      await post('{}', '/nowhere'),
      formatted(new CatalogError('FORBIDDEN', 'no')),
      formatted(new CatalogError('CATALOG_UNAVAILABLE', 'gone')),
      formatted(new Error('a fault')),
      // The text of documents.test.ts: it takes a server of its own.
      'UNTRUSTED_DOCUMENT',
    ];
    expect(produced.sort()).toEqual([...CLIENT_ERROR_CODES].sort());
  });

  test('no other reaches a client, whatever is thrown', () => {
    const thrown = new GraphQLError('secret', { extensions: { code: 'SOMETHING_ELSE' } });
    const { message, extensions } = format(
      { message: 'secret', extensions: { code: 'SOMETHING_ELSE' }, path: ['a'] },
      new GraphQLError('secret', { originalError: thrown, path: ['a'] }),
    );
    expect([extensions?.['code'], message]).toEqual(['INTERNAL_SERVER_ERROR', expect.not.stringContaining('secret')]);
  });
});

describe('what is kept between requests', () => {
  let build: CatalogBuilder;
  let repository: number;
  let image: ImageContent;
  let before: unknown;

  const asked = async () => {
    const query = `query ($digest: Digest!) { manifest(digest: $digest) { mediaType
      ... on Image { layers { mediaType } } } }`;
    return (await web.ask(query, { digest: image.digest })).data?.['manifest'];
  };
  const changed = { mediaType: 'text/plain', layers: [{ mediaType: 'text/plain' }] };

  beforeAll(async () => {
    build = catalogOf(database);
    repository = await build.repository('quay.io/team/kept');
  });

  beforeEach(async () => {
    image = await build.image(repository, { layers: [randomUUID()] });
    before = await asked();
    await database.run(`update manifest set media_type = 'text/plain' where id = $1`, [image.id]);
    await database.run(`update layer_blob set media_type = 'text/plain'`, []);
  });

  test('is kept while there are connections', async () => {
    expect(before).not.toEqual(changed);
    expect(await asked()).toEqual(before);
  });

  test('is forgotten when a connection breaks, since ids may then be given again', async () => {
    const one = await database.pool.connect();
    // Stays, so that the next question needs no new one.
    const another = await database.pool.connect();
    another.release();
    const [own] = (await one.query<{ pid: number }>('select pg_backend_pid() as pid')).rows;
    const broken = once(one, 'error');
    await onServer(`select pg_terminate_backend(${own?.pid ?? 'null'})`);
    await broken.finally(() => one.release(true));
    expect(await asked()).toEqual(changed);
  });

  test('is forgotten when a connection is the only one, since nothing told what came before it', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => database.pool.connect()));
    const ended = clients.map((client) => once(client, 'end'));
    for (const client of clients) client.release(true);
    await Promise.all(ended);
    expect(await asked()).toEqual(changed);
  });
});

describe('viewers', () => {
  const mutation =
    'mutation { removeRegistry(input: { host: "nowhere.example" }) { removedId userErrors { message } } }';

  test('whoever sends no token may read', async () => {
    const { data } = await web.ask('{ viewer { name scopes } }');
    expect(data).toEqual({ viewer: { name: 'anonymous', scopes: ['catalog:read'] } });
  });

  test('whoever sends the admin token may change things', async () => {
    const { data } = await web.ask('{ viewer { name scopes } }', {}, { asAdmin: true });
    expect(data).toEqual({ viewer: { name: 'admin', scopes: ['catalog:read', 'catalog:admin', 'containers:report'] } });
    const { status, errors } = await web.ask(mutation, {}, { asAdmin: true });
    expect([status, errors]).toEqual([200, undefined]);
  });

  test('a mutation without a token is refused with the scope and the header that it needs', async () => {
    database.statements.length = 0;
    const { status, errors } = await web.ask(mutation);
    expect([status, errors?.[0]?.extensions['code']]).toEqual([401, 'UNAUTHENTICATED']);
    expect(errors?.[0]?.message).toMatch(
      /^removeRegistry needs the scope catalog:admin.*"Authorization: Bearer <token>"/,
    );
    expect(database.statements).toEqual([]);
  });

  test.each([
    ['Bearer wrong', 'not known'],
    [`Bearer ${ADMIN_TOKEN}x`, 'not known'],
    ['Bearer', 'not known'],
    [`Basic ${ADMIN_TOKEN}`, 'no Bearer token'],
    [ADMIN_TOKEN, 'no Bearer token'],
  ])('the header "%s" is refused, for reading too', async (authorization, reason) => {
    const response = await fetch(`${web.address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: '{"query":"{ __typename }"}',
    });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    const { errors } = (await response.json()) as { errors: { message: string; extensions: { code: string } }[] };
    expect(errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(errors[0]?.message).toContain(reason);
    expect(errors[0]?.message).toContain('Authorization: Bearer <token>');
    expect(errors[0]?.message).not.toContain(ADMIN_TOKEN);
  });
});

describe('scalars', () => {
  const since = 'query ($from: DateTime) { tagEvents(filter: { at: { from: $from } }) { nodes { at } } }';

  test.each([
    '2026-01-31T12:00:00Z',
    '2026-01-31t12:00:00.123456+02:00',
    '2026-01-31',
    '1769860800000',
    1769860800000,
    0,
  ])('a DateTime may be %p', async (from) => {
    expect(await web.ask(since, { from })).toEqual({ status: 200, data: { tagEvents: { nodes: [] } } });
  });

  test.each(['yesterday', '2026-02-30', '2026-01-31T12:00:00', '31.01.2026', '', 1e300, 1.5, true])(
    'a DateTime may not be %p',
    async (from) => {
      const { status, errors } = await web.ask(since, { from });
      expect([status, errors?.[0]?.extensions['code']]).toEqual([400, 'BAD_USER_INPUT']);
      expect(errors?.[0]?.message).toContain('"$from" got invalid value');
      expect(errors?.[0]?.message).toContain('write RFC 3339 such as "2026-01-31T12:00:00Z"');
    },
  );

  test.each([
    ['Digest', 'layer(digest: $v) { id }', 'sha256:abc', 'write sha256: and 64 lower-case hex digits'],
    ['Digest', 'layer(digest: $v) { id }', 7, 'is not a digest'],
    ['ImageReference', 'repository(reference: $v) { id }', 'Library/Alpine!', 'is not an image reference'],
    ['ImageReference', 'repository(reference: $v) { id }', ['a'], 'write text'],
    ['SafeInt', 'images(filter: { size: { min: $v } }) { nodes { id } }', 1.5, 'write a whole number'],
    ['SafeInt', 'images(filter: { size: { min: $v } }) { nodes { id } }', '12', 'without quotes'],
    ['SafeInt', 'images(filter: { size: { min: $v } }) { nodes { id } }', 2 ** 53, 'at most 9007199254740991'],
  ])('a %s in "%s" may not be %p', async (type, field, value, advice) => {
    const { status, errors } = await web.ask(`query ($v: ${type}!) { ${field} }`, { v: value });
    expect([status, errors?.[0]?.extensions['code']]).toEqual([400, 'BAD_USER_INPUT']);
    expect(errors?.[0]?.message).toContain(advice);
  });

  test('what is written into the query is checked alike', async () => {
    const { status, errors } = await web.ask('{ layer(digest: "sha256:xyz") { id } }');
    expect([status, errors?.[0]?.extensions['code']]).toEqual([400, 'GRAPHQL_VALIDATION_FAILED']);
    expect(errors?.[0]?.message).toContain('"sha256:xyz" is not a digest');
  });

  test('a reference may be pasted with what stood around it', async () => {
    const query = 'query ($v: ImageReference!) { repository(reference: $v) { id } }';
    for (const v of ['alpine', ' docker://ghcr.io/org/app:v2 ', 'https://docker.io/library/nginx']) {
      expect(await web.ask(query, { v })).toEqual({ status: 200, data: { repository: null } });
    }
  });
});
