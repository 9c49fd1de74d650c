import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { fastify } from 'fastify';
import { openDatabase } from '../../src/catalog/database.ts';
import { openPlayground } from '../../src/web/playground.ts';
import { createDatabaseDoor } from '../support/database-door.ts';
import { createTestDatabase, onServer, urlOf, type TestDatabase } from '../support/database.ts';
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

describe('the probes', () => {
  test('/healthz answers with the version', async () => {
    const response = await fetch(`${web.address}/healthz`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'alive', version: '0.0.0-test' }]);
  });

  test('/readyz answers 200 when the catalog can be queried', async () => {
    const response = await fetch(`${web.address}/readyz`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'ready' }]);
  });

  test('/readyz tells of a database that has not been migrated', async () => {
    await onServer('create database without_catalog template template0');
    const bare = openDatabase({ url: urlOf('without_catalog'), poolSize: 1, onError: () => undefined });
    const other = await openTestWeb(bare);
    const response = await fetch(`${other.address}/readyz`);
    const reason = 'The database holds no catalog yet: run "stowage migrate".';
    expect([response.status, await response.json()]).toEqual([503, { status: 'unavailable', reason }]);
    await other.close();
    await bare.close();
    await onServer('drop database without_catalog');
  });
});

describe('a database that goes away', () => {
  test('is noticed within two seconds where it takes connections and says nothing', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const url = `postgresql://postgres@127.0.0.1:${port}/stowage`;
    const unanswered = openDatabase({ url, poolSize: 1, onError: () => undefined });
    const other = await openTestWeb(unanswered);
    const started = performance.now();
    const response = await fetch(`${other.address}/readyz`);
    const reason = 'The database did not answer within 2 s.';
    expect([response.status, await response.json()]).toEqual([503, { status: 'unavailable', reason }]);
    expect(performance.now() - started).toBeLessThan(3_000);
    const page = await fetch(`${other.address}/metrics`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringMatching(/^stowage_database_up 0$/m)]);
    await other.close();
    silent.close();
    for (const socket of sockets) socket.destroy();
    await unanswered.close();
  });

  test('fails requests with SERVICE_UNAVAILABLE, and serves them again once it is back', async () => {
    const door = await createDatabaseDoor(database.url);
    const behindDoor = openDatabase({ url: door.url, poolSize: 4, onError: () => undefined });
    const other = await openTestWeb(behindDoor);
    const ready = async () => (await fetch(`${other.address}/readyz`)).status;
    const query = '{ repositories { nodes { name } } registries { nodes { host } } }';
    const message = 'The database does not answer; try again.';
    const data = { repositories: { nodes: [] }, registries: { nodes: [] } };

    expect(await other.ask(query)).toEqual({ status: 200, data });
    expect(await ready()).toBe(200);

    for (let round = 0; round < 2; round++) {
      await door.shut();
      const { status, errors } = await other.ask(query);
      expect([status, errors?.[0]?.extensions]).toEqual([503, { code: 'SERVICE_UNAVAILABLE' }]);
      expect(errors?.[0]?.message).toBe(message);
      // Written by way of Prisma, not of plain SQL.
      const mutation = 'mutation { removeSyncSource(input: { id: "U3luY1NvdXJjZTox" }) { removedId } }';
      expect(await other.ask(mutation, {}, { asAdmin: true })).toMatchObject({
        status: 503,
        errors: [{ message, extensions: { code: 'SERVICE_UNAVAILABLE' } }],
      });
      expect(await ready()).toBe(503);
      expect((await fetch(`${other.address}/healthz`)).status).toBe(200);

      await door.open();
      expect(await other.ask(query)).toEqual({ status: 200, data });
      expect(await ready()).toBe(200);
    }
    await other.close();
    await behindDoor.close();
    await door.remove();
  });
});

describe('the server', () => {
  test('sends a browser that asks for nothing to the graph', async () => {
    const response = await fetch(web.address, { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([302, '/graphql']);
  });

  test('tells what is not there, and where the graph is', async () => {
    const response = await fetch(`${web.address}/wp-login.php`);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('There is no GET /wp-login.php: the graph is at /graphql.');
  });

  test.each(['/', '/graphql', '/healthz', '/readyz', '/schema.graphql', '/nothing'])(
    'sends its security headers with %s',
    async (path) => {
      const { headers } = await fetch(web.address + path, { redirect: 'manual' });
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
    },
  );

  test('logs each request at debug, without its query', async () => {
    await web.ask('{ viewer { name } } # a secret word');
    const line = web.lines.findLast((logged) => logged['msg'] === 'request' && logged['method'] === 'POST');
    expect(line).toMatchObject({ level: 20, route: '/graphql', status: 200 });
    expect(JSON.stringify(web.lines)).not.toContain('a secret word');
  });

  test('says which port is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    await expect(openTestWeb(database, port)).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: `Can't listen on port ${port} of 127.0.0.1: another process has it. Stop that one, or set PORT to a free port.`,
    });
    holder.close();
  });

  test('answers what it has begun before it closes, and nothing after', async () => {
    const other = await openTestWeb(database);
    const { answer, closed } = await database.transaction(async (connection) => {
      await connection.run('lock table registry in access exclusive mode', []);
      const answer = other.ask('{ registries { nodes { host } } }');
      await waitUntilBlocked();
      return { answer, closed: other.close() };
    });
    expect(await answer).toEqual({ status: 200, data: { registries: { nodes: [] } } });
    await closed;
    await expect(other.ask('{ __typename }')).rejects.toThrow('fetch failed');
  });
});

describe('a playground that was not built', () => {
  test('says how to build it', async () => {
    const app = fastify();
    const empty = pathToFileURL(`${await mkdtemp(`${tmpdir()}/stowage-ui-`)}/`);
    const playground = await openPlayground(app, empty);
    app.get('/graphql', (request, reply) =>
      playground.isWanted(request) ? playground.send(reply) : reply.send('graph'),
    );
    const page = await app.inject({ url: '/graphql', headers: { accept: 'text/html,*/*;q=0.8' } });
    expect(page.body).toContain('npm run build:ui');
    expect((await app.inject({ url: '/graphql', headers: { accept: '*/*' } })).body).toBe('graph');
    await app.close();
  });
});

/** Returns once a statement of the test's database waits for a lock. */
async function waitUntilBlocked(): Promise<void> {
  const blocked = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  while ((await database.run(blocked, [])).length === 0);
}
