import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type GraphQLEnumType } from 'graphql';
import type { RegistryHost } from '../../src/domain/reference.ts';
import { REGISTRY_KINDS } from '../../src/domain/registry-kind.ts';
import { RegistryApi, type ApiListing, type SignIn } from '../../src/registries/api.ts';
import { DEFAULT_HOST_LIMITS, openPacedGate } from '../../src/http/index.ts';
import { openClient } from '../../src/registries/client.ts';
import { registryKinds } from '../../src/registries/index.ts';
import { never } from '../support/registry-contract.ts';
import { MemoryPace } from '../support/memory-pace.ts';
import { startScriptedServer, type Entry } from '../support/scripted-server.ts';

const folders = readdirSync(join(import.meta.dirname, '../../src/registries'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const named = (folder: string) => folder.toUpperCase().replaceAll('-', '_');

// One file for each kind, with what the contract needs to know of it and with tests of its own; all are loaded here, for
// loading takes most of the time. `npm test -- test/registries/kinds.test.ts -t DOCKER_HUB` runs those of one kind.
const plays = globSync('*.ts', { cwd: join(import.meta.dirname, 'kinds') }).sort();
for (const play of plays) await import(join(import.meta.dirname, 'kinds', play));

test('every folder of a kind is registered', () => {
  expect(registryKinds.map(({ kind }) => kind).sort()).toEqual(folders.map(named).sort());
});

test('every folder of a kind is named in the domain and in the graph, and documented', () => {
  const root = join(import.meta.dirname, '../..');
  const graph = buildSchema(readFileSync(join(root, 'schema.graphql'), 'utf8')).getType(
    'RegistryKind',
  ) as GraphQLEnumType;
  expect(graph.getValues().map(({ name }) => name)).toEqual([...REGISTRY_KINDS]);
  expect(folders.map(named).filter((name) => !REGISTRY_KINDS.some((kind) => kind === name))).toEqual([]);
  const page = readFileSync(join(root, 'docs/registries.md'), 'utf8');
  const [kinds = '', costs = ''] = page.split(/^## /m).slice(1);
  const rowsOf = (chapter: string) => [...chapter.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, kind]) => kind);
  const sections = [...page.matchAll(/^### .+ \(`([a-z-]+)`\)$/gm)].map(([, kind]) => kind);
  expect([rowsOf(kinds), rowsOf(costs), sections].map((list) => list.sort())).toEqual(
    Array.from({ length: 3 }, () => folders.toSorted()),
  );
});

test('every kind passes the contract, or is what the others are composed on, or has files of its own', () => {
  const played = plays.map((play) => named(play.replace('.ts', '')));
  expect([...played, 'OCI', 'OCI_LAYOUT'].sort()).toEqual(folders.map(named).sort());
});

test('the distribution API is the last resort', () => {
  expect(registryKinds.at(-1)?.kind).toBe('OCI');
});

describe('an API beside the distribution API', () => {
  const FIRST = 'GET /api/things?page=1';
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const thing of open.splice(0)) await thing.close();
  });

  async function openApi(entries: readonly Entry[], signIn: SignIn | null = null) {
    const server = await startScriptedServer(...entries);
    const gate = openPacedGate(new MemoryPace(), DEFAULT_HOST_LIMITS);
    const settings = { host: 'x' as RegistryHost, url: server.url, credential: null, gate };
    const http = openClient(settings, { retryPauses: [1] });
    open.push(http, gate, server);
    const api = new RegistryApi(http, { url: new URL('/api/', server.url), signIn });
    const list = (listing: Partial<ApiListing> = {}) =>
      Array.fromAsync(api.list({ path: '/things?page=1', member: 'things', ...listing }, never));
    return { api, server, list };
  }

  test('is read below its path; its pages follow the header Link, and what is no object is dropped', async () => {
    const { list, server } = await openApi([
      { request: FIRST, body: { things: [{ a: 1 }, null, 'b'] }, headers: { link: '</api/things?page=2>; rel=next' } },
      { request: 'GET /api/things?page=2', body: { things: null } },
    ]);
    expect(await list()).toEqual([[{ a: 1 }], []]);
    server.verify();
  });

  test('gives lists that are no member of anything', async () => {
    const { list } = await openApi([
      { request: FIRST, body: [{ a: 1 }], headers: { link: '</api/things?page=2>; rel="next"' } },
      { request: 'GET /api/things?page=2', body: [] },
      { request: FIRST, body: { message: 'not for you' } },
      { request: FIRST, body: { a: 1 } },
    ]);
    expect(await list({ member: null })).toEqual([[{ a: 1 }], []]);
    await expect(list({ member: null })).rejects.toMatchObject({ message: expect.stringContaining('not for you') });
    await expect(list({ member: null })).rejects.toMatchObject({ code: 'MALFORMED' });
  });

  test('refuses pages that lead in a circle, that lead on forever, and that hold no list', async () => {
    const linked = (page: number, to: number): Entry => ({
      request: `GET /api/things?page=${page}`,
      body: { things: [] },
      headers: { link: `</api/things?page=${to}>; rel="next"` },
    });
    const { list, server } = await openApi([linked(1, 2), linked(2, 1)]);
    await expect(list()).rejects.toMatchObject({ code: 'MALFORMED' });
    server.script(...Array.from({ length: 2000 }, (_, at) => linked(at + 1, at + 2)));
    await expect(list()).rejects.toMatchObject({ code: 'TOO_LARGE' });
    server.script({ request: FIRST, body: { other: [] } });
    await expect(list()).rejects.toMatchObject({ code: 'MALFORMED', message: expect.stringContaining('/api/things') });
    server.verify();
  });

  test('is refused in the words of the error that it gave, and is then left alone as it asks', async () => {
    const secondary = { message: 'You have exceeded a secondary rate limit' };
    const { api, server } = await openApi([
      { request: 'GET /api/a', status: 403, body: { message: 'Must have admin rights' } },
      { request: 'GET /api/a', status: 403, body: secondary, headers: { 'retry-after': '60' } },
    ]);
    const find = () => api.find('/a', never);
    await expect(find()).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('admin rights') });
    await expect(find()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await expect(find()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    server.verify();
  });

  test('an authorization that can not be replaced is not sent twice', async () => {
    const asked = { request: 'GET /api/a', having: { authorization: 'Basic x' }, status: 401 };
    const { api, server } = await openApi([asked], { authorization: () => 'Basic x' });
    await expect(api.find('/a', never)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    server.verify();
  });

  test('is asked again by a document that it was too busy to answer', async () => {
    const asked = { request: 'POST /api/a', sending: { name: 'x' } };
    const { api, server } = await openApi([
      { ...asked, status: 503 },
      { ...asked, body: { a: 1 } },
    ]);
    expect(await api.post('/a', { name: 'x' }, never)).toEqual({ a: 1 });
    server.verify();
  });

  test('deletes, and says whether there was anything', async () => {
    const { api, server } = await openApi([
      { request: 'DELETE /api/a', status: 204 },
      { request: 'DELETE /api/a', status: 404 },
      { request: 'DELETE /api/a', status: 403, body: { message: 'no' } },
    ]);
    expect([await api.delete('/a', never), await api.delete('/a', never)]).toEqual([true, false]);
    await expect(api.delete('/a', never)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    server.verify();
  });
});
