import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { prepareQueue } from '../../src/queue/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openTestWeb, type TestWeb } from '../support/web.ts';

const HOST = 'registry.example.com:5000';
const SECRET = 'a-secret-of-enough-signs';

let database: TestDatabase;
let web: TestWeb;

beforeAll(async () => {
  database = await createTestDatabase();
  await prepareQueue(database);
  web = await openTestWeb(database);
  await change(`addRegistry(input: { host: "${HOST}", webhookSecret: "${SECRET}" }) { userErrors { message } }`);
  await change(`addRegistry(input: { host: "closed.example.com" }) { userErrors { message } }`);
  await change(
    `addSyncSource(input: { registry: "${HOST}", repositories: "team-a/*", maxTags: 5, platforms: [{ architecture: "arm64" }] }) { userErrors { message } }`,
  );
  await change(
    `addSyncSource(input: { registry: "${HOST}", repositories: "*/shop", tags: "1.*" }) { userErrors { message } }`,
  );
});

afterEach(async () => {
  await database.run('delete from sync_run', []);
  await database.run('delete from graphile_worker._private_jobs', []);
});

afterAll(async () => {
  await web.close();
  await database.close();
});

async function change<T>(mutation: string): Promise<T> {
  const { data, errors } = await web.ask(`mutation { ${mutation} }`, {}, { asAdmin: true });
  expect(errors).toBeUndefined();
  const [result] = Object.values(data ?? {}) as { userErrors: unknown[] }[];
  expect(result?.userErrors).toEqual([]);
  return result as T;
}

const push = (repository: string, tag: string | null = 'latest') => ({
  events: [{ action: 'push', target: { repository, mediaType: 'application/vnd.oci.image.index.v1+json', tag } }],
});

interface Sent {
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly to?: TestWeb;
}

/** As the distribution registry does, with its bearer token unless headers are given. */
function send(body: object | string | Buffer, { path = `/hooks/${HOST}`, headers, to = web }: Sent = {}) {
  return fetch(to.address + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(headers ?? { authorization: `Bearer ${SECRET}` }) },
    body: typeof body === 'string' ? body : Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body),
  });
}

/** What waits to be looked at, by source. */
function queued(): Promise<object[]> {
  return database.run(
    `select r.repository, r.repositories, r.tags, r.max_tags, r.platforms, r.status, r.trigger
     from sync_run r order by r.source_id, r.repository`,
    [],
  );
}

describe('a notification', () => {
  test('has the repository looked at as the sources would that follow it', async () => {
    const response = await send(push('team-a/shop', '1.4'));
    expect([response.status, await response.text()]).toEqual([202, '']);
    const waiting = { repository: 'team-a/shop', status: 'QUEUED', trigger: 'WEBHOOK' };
    expect(await queued()).toEqual([
      { ...waiting, repositories: 'team-a/*', tags: null, max_tags: 5, platforms: ['linux/arm64'] },
      { ...waiting, repositories: '*/shop', tags: '1.*', max_tags: null, platforms: [] },
    ]);
    const { data } = await web.ask(
      `{ registry(host: "${HOST}") { syncRuns { nodes { trigger source { repositories } } } } }`,
    );
    expect(data).toEqual({
      registry: {
        syncRuns: {
          nodes: expect.arrayContaining([
            { trigger: 'WEBHOOK', source: { repositories: 'team-a/*' } },
            { trigger: 'WEBHOOK', source: { repositories: '*/shop' } },
          ]) as unknown,
        },
      },
    });
  });

  test('of a tag that a source leaves out is nothing to that source; one of no tag is to all', async () => {
    expect((await send(push('team-b/shop', 'nightly'))).status).toBe(204);
    expect((await send(push('team-b/shop', null))).status).toBe(202);
    expect(await queued()).toMatchObject([{ repository: 'team-b/shop', repositories: '*/shop' }]);
  });

  test('of a repository that no source follows is answered without a word, and forgotten', async () => {
    const response = await send(push('team-c/other'));
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(await queued()).toEqual([]);
  });

  test('is counted by what came of it', async () => {
    const counted = async (result: string) => {
      const page = await (await fetch(`${web.address}/metrics`)).text();
      const line = page
        .split('\n')
        .find((text) => text.startsWith(`stowage_notifications_total{registry="${HOST}",result="${result}"}`));
      return Number(line?.split(' ').at(-1) ?? 0);
    };
    const sent: [string, () => Promise<Response>][] = [
      ['taken', () => send(push('team-a/shop'))],
      ['ignored', () => send(push('nobody/follows'))],
      ['broken', () => send('{')],
      ['unproven', () => send(push('team-a/shop'), { headers: {} })],
    ];
    for (const [result, request] of sent) {
      const before = await counted(result);
      await request();
      // It is counted when the answer has left, which may be after it came.
      while ((await counted(result)) === before) await new Promise((resolve) => setImmediate(resolve));
      expect(await counted(result)).toBe(before + 1);
    }
  });

  test('is nothing to a source that is paused', async () => {
    await database.run('update sync_source set paused = true', []);
    expect((await send(push('team-a/shop', '1.4'))).status).toBe(204);
    await database.run('update sync_source set paused = false', []);
    expect(await queued()).toEqual([]);
  });

  test('of nothing that changed is answered 204', async () => {
    expect((await send({ events: [{ action: 'pull', target: {} }] })).status).toBe(204);
    expect((await send({ zen: 'x' }, { headers: signed({ zen: 'x' }, 'ping') })).status).toBe(204);
  });

  test.each<[string, object | string | Buffer, string]>([
    ['that is not JSON', '{"events":', 'the notification is not JSON.'],
    ['that is empty', '', 'the notification is not JSON.'],
    ['of a form that nobody knows', { hello: 1 }, 'the notification has no form that is known here: those of Gitea'],
    ['of a name that can not be', push('Team A'), '"team a" is not an image reference'],
    [
      'with very many events',
      { events: Array(2000).fill({ action: 'pull' }) },
      '"events" has 2000 entries, more than 1000.',
    ],
    ['that is nested very deep', '['.repeat(500_000), 'the notification is JSON nested more than 64 deep.'],
  ])('%s is refused with the reason', async (_, body, message) => {
    const response = await send(body);
    const { errors } = (await response.json()) as { errors: { message: string; extensions: object }[] };
    expect([response.status, errors[0]?.extensions]).toEqual([400, { code: 'BAD_REQUEST' }]);
    expect(errors[0]?.message).toContain(message);
    expect(await queued()).toEqual([]);
  });

  test('that is larger than 1 MB, compressed, or no JSON by its type, is refused', async () => {
    expect((await send('x'.repeat(2 ** 20 + 1))).status).toBe(413);
    const authorization = `Bearer ${SECRET}`;
    expect((await send('x', { headers: { authorization, 'content-encoding': 'gzip' } })).status).toBe(415);
    expect((await send('x', { headers: { authorization, 'content-type': 'application/xml' } })).status).toBe(415);
  });

  test('is taken as any type of JSON, with or without a charset', async () => {
    for (const type of [
      'application/json; charset=utf-8',
      'application/vnd.docker.distribution.events.v2+json',
      'application/cloudevents+json; charset=UTF-8',
      'application/octet-stream',
    ]) {
      const headers = { authorization: `Bearer ${SECRET}`, 'content-type': type };
      expect((await send(push('team-a/web'), { headers })).status).toBe(202);
    }
    expect(await queued()).toHaveLength(1);
  });
});

function signed(payload: object, event: string, secret = SECRET): Record<string, string> {
  const hex = createHmac('sha256', secret).update(JSON.stringify(payload)).digest('hex');
  return { 'x-github-event': event, 'x-hub-signature-256': `sha256=${hex}` };
}

describe('a sender', () => {
  const packaged = {
    registry_package: { name: 'web', package_type: 'CONTAINER', owner: { login: 'Team-A' }, package_version: {} },
  };

  test.each<[string, Sent]>([
    ['in the address', { path: `/hooks/${HOST}/${SECRET}`, headers: {} }],
    ['as a bearer token', {}],
    ['as a password', { headers: { authorization: `Basic ${Buffer.from(`any:${SECRET}`).toString('base64')}` } }],
    ['as the Authorization header', { headers: { authorization: SECRET } }],
    ["in JFrog's header", { headers: { 'x-jfrog-event-auth': SECRET } }],
    ['in a header for keys', { headers: { 'x-api-key': SECRET } }],
  ])('is known by the secret %s', async (_, sent) => {
    expect((await send(push('team-a/web'), sent)).status).toBe(202);
  });

  test('is known by its signature', async () => {
    expect((await send(packaged, { headers: signed(packaged, 'registry_package') })).status).toBe(202);
    expect(await queued()).toMatchObject([{ repository: 'team-a/web' }]);
  });

  test.each<[string, Sent]>([
    ['no secret', { headers: {} }],
    ['another in the address', { path: `/hooks/${HOST}/another-secret`, headers: {} }],
    ['another token', { headers: { authorization: 'Bearer another-secret' } }],
    ['another password', { headers: { authorization: `Basic ${Buffer.from('any:other').toString('base64')}` } }],
    ['the signature of another secret', { headers: signed(packaged, 'registry_package', 'another-secret') }],
    ['an empty signature', { headers: { 'x-github-event': 'registry_package', 'x-hub-signature-256': 'sha256=' } }],
  ])('with %s is refused, and nothing is done', async (_, sent) => {
    const response = await send(packaged, sent);
    const message = 'The notification does not show the secret of this webhook.';
    expect([response.status, await response.json()]).toEqual([
      401,
      { errors: [{ message, extensions: { code: 'UNAUTHENTICATED' } }] },
    ]);
    expect(await queued()).toEqual([]);
  });

  test.each(['closed.example.com', 'unknown.example.com', 'no%20host', '', '%5B::1%5D:5000'])(
    'finds nothing at /hooks/%s, which takes no notifications',
    async (host) => {
      const nothing = await fetch(`${web.address}/nothing`, { method: 'POST' });
      const response = await send(push('team-a/web'), { path: `/hooks/${host}` });
      expect(response.status).toBe(404);
      const told = async (answer: Response) => (await answer.text()).replace(/There is no POST \S+/, '');
      expect(await told(response)).toEqual(await told(nothing));
    },
  );

  test('can not make it look at another registry than that of the address', async () => {
    const event = { ...push('team-a/web').events[0], request: { host: 'closed.example.com' } };
    expect((await send({ events: [event] })).status).toBe(202);
    const { data } = await web.ask('{ registry(host: "closed.example.com") { lastSync { id } } }');
    expect(data).toEqual({ registry: { lastSync: null } });
  });

  test('of names by which Docker Hub goes is known by all of them', async () => {
    await change(`addRegistry(input: { host: "docker.io", webhookSecret: "${SECRET}" }) { userErrors { message } }`);
    const payload = { push_data: { tag: 'latest' }, repository: { repo_name: 'team-a/web' } };
    for (const host of ['docker.io', 'registry-1.docker.io', 'index.docker.io']) {
      expect((await send(payload, { path: `/hooks/${host}/${SECRET}` })).status).toBe(204);
    }
  });

  test('may have a secret of any signs, as they are written in an address', async () => {
    const odd = 'a/b?c#d%25&e f'.replace(' ', '+') + '='.repeat(4);
    await change(`addRegistry(input: { host: "odd.example.com", webhookSecret: "${odd}" }) { userErrors { message } }`);
    const path = `/hooks/odd.example.com/${encodeURIComponent(odd)}`;
    expect((await send(push('x'), { path, headers: {} })).status).toBe(204);
  });
});

describe('a storm', () => {
  test('of hundreds at two API processes is one run, and one job', async () => {
    const other = await openTestWeb(database);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, at) => send(push('team-a/web'), { to: at % 2 ? web : other })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(await queued()).toHaveLength(1);
    expect(await database.run('select from graphile_worker._private_jobs', [])).toHaveLength(1);
    await other.close();
  });

  test('of forged ones does not make the process grow', async () => {
    const body = Buffer.alloc(2 ** 20, 'x');
    const forge = async (headers: Record<string, string>) => {
      for (let round = 0; round < 4; round++) {
        const answers = await Promise.all(Array.from({ length: 10 }, () => send(body, { headers })));
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
        await Promise.all(answers.map((answer) => answer.text()));
      }
    };
    const headers = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
    await forge(headers);
    const before = process.memoryUsage().rss;
    await forge(headers);
    await forge({ authorization: 'Bearer forged' });
    // 80 MB were sent.
    expect(process.memoryUsage().rss - before).toBeLessThan(60 * 2 ** 20);
    expect(await queued()).toEqual([]);
  }, 120_000);

  test('of bodies that do not come is bounded in bytes', async () => {
    const { hostname, port } = new URL(web.address);
    const sockets = await Promise.all(
      Array.from({ length: 64 }, async () => {
        const socket = connect(Number(port), hostname);
        await once(socket, 'connect');
        socket.write(
          `POST /hooks/${HOST} HTTP/1.1\r\nHost: x\r\nContent-Length: ${2 ** 20}\r\nContent-Type: application/json\r\nX-Hub-Signature-256: sha256=00\r\nExpect: 100-continue\r\n\r\n`,
        );
        await once(socket, 'data');
        return socket;
      }),
    );
    const headers = { 'x-hub-signature-256': 'sha256=00' };
    const refused = async () => (await send({}, { headers })).status;
    while ((await refused()) !== 503);
    expect((await send(push('team-a/web'))).status).toBe(202);
    for (const socket of sockets) socket.destroy();
    while ((await refused()) !== 401);
  });
});

describe('the secret', () => {
  test('is never told, and whether there is one is', async () => {
    const query = `registry(host: "${HOST}") { webhook { path isConfigured } }`;
    const { data } = await web.ask(
      `{ ${query} closed: registry(host: "closed.example.com") { webhook { isConfigured } } }`,
    );
    expect(data).toEqual({
      registry: { webhook: { path: `/hooks/${HOST}`, isConfigured: true } },
      closed: { webhook: { isConfigured: false } },
    });
    await send(push('team-a/web'), { path: `/hooks/${HOST}/${SECRET}`, headers: {} });
    await send('broken', { path: `/hooks/${HOST}/${SECRET}`, headers: {} });
    expect(JSON.stringify(web.lines)).not.toContain(SECRET);
    const rows = await database.run<{ secret: string }>(
      `select encode(webhook_secret, 'escape') as secret from registry where webhook_secret is not null`,
      [],
    );
    expect(rows.filter(({ secret }) => secret.includes(SECRET))).toEqual([]);
  });

  test('is changed, kept, and removed by mutations', async () => {
    const host = 'changing.example.com';
    const statusOf = async (secret: string) =>
      (await send({}, { path: `/hooks/${host}/${secret}`, headers: {} })).status;
    const update = (input: string) =>
      change(`updateRegistry(input: { host: "${host}", ${input} }) { userErrors { message } }`);
    await change(`addRegistry(input: { host: "${host}", webhookSecret: "${SECRET}" }) { userErrors { message } }`);
    expect(await statusOf(SECRET)).toBe(400);
    await update('title: "The same"');
    expect(await statusOf(SECRET)).toBe(400);
    await update('webhookSecret: "another-of-enough-signs"');
    expect([await statusOf(SECRET), await statusOf('another-of-enough-signs')]).toEqual([401, 400]);
    await update('webhookSecret: null');
    expect(await statusOf('another-of-enough-signs')).toBe(404);
  });

  test.each(['of-fifteen-sign', 'x'.repeat(256), 'with a blank in it', 'ohne-Umlaut-wärs-gut'])(
    'is refused as "%s", and not repeated',
    async (secret) => {
      const input = `{ host: "new.example.com", webhookSecret: "${secret}" }`;
      const { data } = await web.ask(
        `mutation { addRegistry(input: ${input}) { registry { host } userErrors { message path } } }`,
        {},
        { asAdmin: true },
      );
      const message = expect.stringMatching(/^a webhook's secret has 16 to 255 letters/) as unknown;
      const userErrors = [{ message, path: ['input', 'webhookSecret'] }];
      expect(data).toEqual({ addRegistry: { registry: null, userErrors } });
      expect(JSON.stringify(data)).not.toContain(secret);
    },
  );
});
