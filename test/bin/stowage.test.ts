import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createSeal, saveRegistry } from '../../src/catalog/write/index.ts';
import type { RegistryHost } from '../../src/domain/reference.ts';
import { createTestDatabase } from '../support/database.ts';

const ROOT = join(import.meta.dirname, '../..');
const COMMAND = join(ROOT, 'src/bin/stowage.ts');
const folders: string[] = [];
const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'stowage-bin-'));
  // Root's embedded server runs as another user.
  chmodSync(path, 0o755);
  folders.push(path);
  return path;
}

type Environment = Record<string, string>;

function environmentOf(settings: Environment): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, PORT: '0', ...settings };
}

/** Runs a command to its end. */
function run(words: readonly string[], settings: Environment = {}, directory = folder()) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...words], {
    cwd: directory,
    env: environmentOf(settings),
    encoding: 'utf8',
    // It blocks this process, so that jest could not end it.
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

interface Running {
  /** All that it said on the standard output until it was ready. */
  readonly announcement: string;
  readonly address: string;
  /** All that it logged so far. */
  log(): string;
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; log: string }>;
}

/** Runs a command that goes on, and waits until it says that it is ready. */
async function start(words: readonly string[], settings: Environment, ready: RegExp): Promise<Running> {
  const child = spawn(process.execPath, [COMMAND, ...words], { cwd: ROOT, env: environmentOf(settings) });
  running.add(child);
  const ended = once(child, 'exit').finally(() => running.delete(child)) as Promise<[number | null]>;
  let said = '';
  let log = '';
  await new Promise<void>((resolve, reject) => {
    const hear = (line: string) => {
      if (ready.test(line)) resolve();
    };
    createInterface(child.stdout).on('line', (line) => {
      said += `${line}\n`;
      hear(line);
    });
    createInterface(child.stderr).on('line', (line) => {
      log += `${line}\n`;
      hear(line);
    });
    void ended.then(() => reject(new Error(`it ended early: ${said}${log}`)));
  });
  return {
    announcement: said,
    address: /http:\/\/localhost:\d+/.exec(said)?.[0] ?? '',
    log: () => log,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const [code] = await ended;
      return { code, log };
    },
  };
}

const READY = /^ {2}Configuration/;

async function ask(address: string, query: string): Promise<unknown> {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { data: unknown }).data;
}

/** Asks again until the answer is there; the work is done by another process, which has no other way to say so. */
async function eventually<T>(question: () => Promise<T>, isThere: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await question();
    if (isThere(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('start serves the samples from a folder that it makes, and shows the admin token once', async () => {
  const data = join(folder(), 'data');
  const first = await start(['start'], { STOWAGE_DATA: data }, READY);
  const token = /stowage_[A-Za-z0-9_-]{43}/.exec(first.announcement)?.[0];
  expect(readFileSync(join(data, 'admin-token'), 'utf8').trim()).toBe(token);
  expect(statSync(join(data, 'admin-token')).mode & 0o777).toBe(0o600);
  expect(statSync(join(data, 'credential-key')).mode & 0o777).toBe(0o600);
  expect((await fetch(`${first.address}/healthz`)).status).toBe(200);
  expect((await fetch(`${first.address}/readyz`)).status).toBe(200);

  await eventually(
    () => ask(first.address, '{ repositories(first: 100) { nodes { name tagCount } } }'),
    (data) => ['demo/base', 'demo/web', 'demo/worker'].every((name) => JSON.stringify(data).includes(`"${name}"`)),
  );
  expect(await ask(first.address, '{ syncSources { nodes { repositories } } }')).toEqual({
    syncSources: {
      nodes: ['*', 'library/alpine', 'library/busybox', 'library/hello-world'].map((repositories) => ({
        repositories,
      })),
    },
  });
  const { code, log } = await first.stop();
  expect(code).toBe(0);
  expect(log).not.toMatch(/ at .*\.ts:\d+/);
  expect(existsSync(join(data, 'postgres/postmaster.pid'))).toBe(false);

  const second = await start(['start'], { STOWAGE_DATA: data, STOWAGE_SAMPLES: '0' }, READY);
  expect(second.announcement).not.toContain(token);
  expect(second.announcement).toContain(`in ${join(data, 'admin-token')}`);
  expect(await ask(second.address, '{ syncSources { nodes { repositories } } }')).toEqual({
    syncSources: { nodes: [] },
  });
  expect((await second.stop('SIGINT')).code).toBe(0);
});

test('API and worker run as processes of their own on one database, and the file is applied', async () => {
  const database = await createTestDatabase();
  const directory = folder();
  const layout = new URL('samples/', `file://${ROOT}/`).href;
  const file = join(directory, 'catalog.yaml');
  writeFileSync(
    file,
    `registries: [{ host: layout.localhost, url: "${layout}" }]\nsources: [{ registry: layout.localhost, repositories: demo/web }]\n`,
  );
  const settings = {
    DATABASE_URL: database.url,
    STOWAGE_DATA: join(directory, 'data'),
    STOWAGE_CONFIG: file,
    STOWAGE_ADMIN_TOKEN: 'a-token',
  };
  try {
    const api = await start(['api'], settings, READY);
    expect(api.announcement).toContain('the one of STOWAGE_ADMIN_TOKEN');
    const worker = await start(['worker'], settings, /A worker is running/);
    const found = await eventually(
      () => ask(api.address, '{ repositories { nodes { name registry { host managedBy } } } }'),
      (data) => JSON.stringify(data).includes('demo/web'),
    );
    expect(found).toEqual({
      repositories: { nodes: [{ name: 'demo/web', registry: { host: 'layout.localhost', managedBy: 'CONFIG' } }] },
    });
    const probes = /Server listening at (http:[\w/.:]+)/.exec(worker.log())?.[1] ?? '';
    for (const address of [api.address, probes]) {
      expect((await fetch(`${address}/readyz`)).status).toBe(200);
      expect(await (await fetch(`${address}/metrics`)).text()).toMatch(/^stowage_database_up 1$/m);
    }
    expect((await worker.stop()).code).toBe(0);
    expect((await api.stop()).code).toBe(0);
    expect(existsSync(join(directory, 'data/postgres'))).toBe(false);
  } finally {
    await database.close();
  }
});

test('sync fetches one tag and tells what came of it, and show prints it', async () => {
  const database = await createTestDatabase();
  const directory = folder();
  const file = join(directory, 'stowage.yaml');
  writeFileSync(
    file,
    `registries: [{ host: layout.localhost, url: "${new URL('samples/', `file://${ROOT}/`).href}" }]\n`,
  );
  const settings = { DATABASE_URL: database.url, STOWAGE_DATA: directory, STOWAGE_CONFIG: file };
  try {
    const missing = run(['show', 'layout.localhost/demo/web:2'], settings);
    expect(missing).toMatchObject({ status: 1, stdout: '' });
    expect(missing.stderr).toBe(
      'stowage: The catalog has no "layout.localhost/demo/web:2": fetch it with stowage sync layout.localhost/demo/web:2.\n',
    );

    const synced = run(['sync', 'layout.localhost/demo/web:2'], settings);
    expect(synced.stdout).toMatch(/^Done in [\d.]+ s\.\n {2}tags {7}1 seen, 1 changed\n {2}manifests {2}\d+ fetched\n/);
    expect(synced.status).toBe(0);

    const shown = run(['show', 'layout.localhost/demo/web:2'], settings);
    expect(shown.stdout).toMatch(/^layout\.localhost\/demo\/web:2\n/);
    expect(shown.stdout).toMatch(/^ {2}platforms {6}linux\/amd64, linux\/arm64\/v8$/m);
    expect(shown.stdout).toMatch(/^linux\/amd64, [\d.]+ kB in \d+ layers$/m);
    expect(shown.stdout).toMatch(/^ {2}entrypoint {5}\["web-server"\]$/m);
    expect(shown.stdout).toMatch(/^ +[\d.]+ k?B {2}sha256:[0-9a-f]{12} {2}COPY /m);
    expect(shown.status).toBe(0);
  } finally {
    await database.close();
  }
});

test('a new key seals anew what the old one sealed, and one that is lost is told of', async () => {
  const database = await createTestDatabase();
  const data = folder();
  const oldKey = Buffer.alloc(32, 1).toString('base64');
  const newKey = '02'.repeat(32);
  const host = 'registry.example.com' as RegistryHost;
  const settings = { DATABASE_URL: database.url, STOWAGE_DATA: data };
  try {
    await saveRegistry(database, {
      host,
      kind: 'OCI',
      title: null,
      url: `https://${host}`,
      managedBy: 'API',
      credential: createSeal(Buffer.from(oldKey, 'base64')).close({ kind: 'bearer', token: 'hunter2' }, host),
      webhookSecret: null,
    });
    const lost = run(['migrate'], { ...settings, STOWAGE_CREDENTIAL_KEY: newKey });
    expect(lost.stderr).toContain(`A stored secret of ${host} opens with no key that is given`);
    const rotated = run(['migrate'], { ...settings, STOWAGE_CREDENTIAL_KEY: `${newKey},${oldKey}` });
    expect(rotated.stderr).toContain('Sealed 1 secrets anew');
    writeFileSync(join(data, 'credential-key'), `${newKey}\nhunter2\n`);
    const broken = run(['migrate'], settings);
    expect(broken.stderr).toMatch(/^stowage: .*credential-key has a line that is not a key: write 32 bytes .+\n$/);
    expect(broken.stderr).not.toContain('hunter2');
  } finally {
    await database.close();
  }
});

test('what an operator can change is told in one line, with exit code 1', async () => {
  const directory = folder();
  writeFileSync(join(directory, 'a-file'), '');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const port = String((taken.address() as AddressInfo).port);
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const nobody = `postgresql://me:hunter2@127.0.0.1:${(closed.address() as AddressInfo).port}/catalog`;
  await new Promise((resolve) => closed.close(resolve));
  const database = await createTestDatabase();
  try {
    const cases: [words: string[], settings: Environment, said: RegExp][] = [
      [['start'], { PORT: '99999' }, /^stowage: environment PORT: "99999" is not a port: .+\n$/],
      [['start'], { PORT: port, DATABASE_URL: database.url }, new RegExp(`^stowage: .*${port}.*PORT.*\\n$`)],
      [
        ['start'],
        { STOWAGE_DATA: join(directory, 'a-file') },
        /^stowage: The data directory .*a-file cannot be written .+\n$/,
      ],
      [
        ['start'],
        { DATABASE_URL: nobody },
        /^stowage: The database \(catalog at 127\.0\.0\.1:\d+\) cannot be used: .*ECONNREFUSED.*\n$/,
      ],
      [
        ['migrate'],
        { STOWAGE_CONFIG: 'none.yaml' },
        /^stowage: environment STOWAGE_CONFIG: .*none\.yaml cannot be read .+\n$/,
      ],
      [
        ['sync', 'UPPER/Case'],
        { DATABASE_URL: database.url },
        /^stowage: "UPPER\/Case" is not an image reference: .+\n$/,
      ],
      [['show', 'a b'], { DATABASE_URL: database.url }, /^stowage: "a b" is not an image reference: .+\n$/],
    ];
    for (const [words, settings, said] of cases) {
      const { status, stderr, stdout } = run(words, { STOWAGE_DATA: join(directory, 'data'), ...settings });
      const lines = stderr.split('\n').filter((line) => !line.startsWith('{'));
      expect(lines.join('\n')).toMatch(said);
      expect(stderr).not.toContain('hunter2');
      expect({ words, status, stdout }).toEqual({ words, status: 1, stdout: '' });
    }
  } finally {
    taken.close();
    await database.close();
  }
});

test('every command explains itself', () => {
  for (const words of [[], ...['start', 'api', 'worker', 'migrate', 'sync', 'show'].map((name) => [name])]) {
    const { status, stdout } = run([...words, '--help']);
    expect(stdout).toMatch(new RegExp(`^Usage: ${['stowage', ...words].join(' ')}`));
    expect(status).toBe(0);
  }
  expect(run(['strat']).stderr).toContain("unknown command 'strat'");
});

test('the launcher hands words, exit code and signals on', async () => {
  const launcher = join(ROOT, 'src/bin/launch.js');
  const help = spawnSync(process.execPath, [launcher, 'show', '--help'], { encoding: 'utf8' });
  expect(help).toMatchObject({ status: 0, stdout: expect.stringContaining('Usage: stowage show') as string });
  const wrong = spawnSync(process.execPath, [launcher, 'start'], {
    encoding: 'utf8',
    env: environmentOf({ PORT: 'x' }),
  });
  expect(wrong.status).toBe(1);

  const child = spawn(process.execPath, [launcher, 'start'], {
    env: environmentOf({ STOWAGE_DATA: folder(), STOWAGE_SAMPLES: '0' }),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  running.add(child);
  for await (const line of createInterface(child.stdout)) if (READY.test(line)) break;
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  running.delete(child);
});
