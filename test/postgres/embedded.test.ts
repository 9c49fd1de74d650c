import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  readFileSync,
  realpathSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { startEmbedded, type EmbeddedServer } from '../../src/postgres/index.ts';
import { joinServer } from '../../src/postgres/membership.ts';

const folders: string[] = [];

/** Where another user may enter too: root's servers run as one. */
async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-data-'));
  await chmod(folder, 0o755);
  folders.push(folder);
  return folder;
}

afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function start(dataDirectory: string, log: (line: string) => void = () => undefined): Promise<EmbeddedServer> {
  return startEmbedded({ dataDirectory, durable: false, log });
}

async function query<R extends pg.QueryResultRow>(server: EmbeddedServer, sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const result = await client.query<R>(sql).finally(() => client.end());
  return result.rows;
}

async function serverPid(folder: string): Promise<number> {
  return Number((await readFile(join(folder, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0]);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('a server is made for an empty folder, keeps its data, and leaves nothing behind', async () => {
  const folder = join(await dataFolder(), 'made/here');
  const first = await start(folder);
  const sockets = new URL(first.url).searchParams.get('host') ?? '';
  expect((await stat(sockets)).mode & 0o777).toBe(0o700);
  expect(
    await query(
      first,
      `select datlocprovider as provider, datlocale as locale, pg_encoding_to_char(encoding) as encoding,
      current_setting('listen_addresses') as addresses from pg_database where datname = current_database()`,
    ),
  ).toEqual([{ provider: 'b', locale: 'C.UTF-8', encoding: 'UTF8', addresses: '' }]);
  await query(first, 'create table kept as select 42 as answer');
  const pid = await serverPid(folder);
  await first.stop();
  expect(isAlive(pid)).toBe(false);
  expect(existsSync(sockets)).toBe(false);

  const second = await start(folder);
  expect(await query(second, 'select answer from kept')).toEqual([{ answer: 42 }]);
  await second.stop();
});

test('two that start at once on an empty folder share one server, and the last to leave stops it', async () => {
  const folder = await dataFolder();
  const [one, other] = await Promise.all([start(folder), start(folder)]);
  expect(other.url).toBe(one.url);
  const pid = await serverPid(folder);
  await one.stop();
  expect(await query(other, 'select 1 as one')).toEqual([{ one: 1 }]);
  await other.stop();
  expect(isAlive(pid)).toBe(false);
});

test('a server that a killed process left behind is joined, and stopped in the end', async () => {
  const folder = await dataFolder();
  const script = `
    import { startEmbedded } from ${JSON.stringify(join(import.meta.dirname, '../../src/postgres/index.ts'))};
    const server = await startEmbedded({ dataDirectory: process.argv[1], log: () => undefined });
    console.log(server.url);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  child.kill('SIGKILL');
  await once(child, 'exit');

  const pid = await serverPid(folder);
  expect(isAlive(pid)).toBe(true);
  const server = await start(folder);
  expect(server.url).toBe(line.toString().trim());
  expect(await serverPid(folder)).toBe(pid);
  await server.stop();
  expect(isAlive(pid)).toBe(false);
});

test('a server that is killed is started again, at the same address', async () => {
  const folder = await dataFolder();
  const lines: string[] = [];
  const server = await startEmbedded({ dataDirectory: folder, log: (line) => lines.push(line) });
  await query(server, 'create table kept as select 42 as answer');
  const pid = await serverPid(folder);
  process.kill(pid, 'SIGKILL');
  let rows: unknown = null;
  while (rows === null) rows = await query(server, 'select answer from kept').catch(() => null);
  expect(rows).toEqual([{ answer: 42 }]);
  expect(await serverPid(folder)).not.toBe(pid);
  expect(lines).toEqual(['PostgreSQL has gone away: starting it again.']);
  await server.stop();
  expect(existsSync(new URL(server.url).searchParams.get('host') ?? '')).toBe(false);
});

test('the note of a server that died is no obstacle, even when another process has its number now', async () => {
  const folder = await dataFolder();
  const first = await start(folder);
  await first.stop();
  for (const pid of [process.pid, 4_194_303]) {
    writeFileSync(
      join(folder, 'postgres/postmaster.pid'),
      `${pid}\n${realpathSync(join(folder, 'postgres'))}\n1\n5432\n/tmp/gone\n\n0 0\nready\n`,
    );
    const server = await start(folder);
    expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
  }
});

test('a note that a server has only just made is left to it, and removed once nobody can be about to write it', async () => {
  const folder = await dataFolder();
  const note = join(folder, 'postmaster.pid');
  writeFileSync(note, '');
  expect(await joinServer(folder)).toBe('busy');
  expect(existsSync(note)).toBe(true);
  utimesSync(note, 0, 0);
  expect(await joinServer(folder)).toBe('absent');
  expect(existsSync(note)).toBe(false);
});

test('an overlong log is cut when the server starts', async () => {
  const folder = await dataFolder();
  const log = join(folder, 'postgres.log');
  writeFileSync(log, '');
  truncateSync(log, 11 * 1024 * 1024);
  const server = await start(folder);
  await server.stop();
  expect((await stat(log)).size).toBeLessThan(10_000);
  expect(await readFile(log, 'utf8')).toContain('ready to accept connections');
});

test('what keeps a server from starting is told in one line with its place', async () => {
  const folder = await dataFolder();
  writeFileSync(join(folder, 'a-file'), '');
  await expect(start(join(folder, 'a-file'))).rejects.toMatchObject({
    code: 'INVALID_CONFIGURATION',
    message: expect.stringMatching(
      /^The data directory .*a-file cannot be written \(.+\): set STOWAGE_DATA to one that can\.$/,
    ) as string,
  });

  const server = await start(folder);
  await server.stop();
  writeFileSync(join(folder, 'postgres/PG_VERSION'), '9.6\n');
  await expect(start(folder)).rejects.toMatchObject({
    code: 'CATALOG_UNAVAILABLE',
    message: expect.stringMatching(
      /^PostgreSQL did not start on .*postgres \(.*FATAL.*\); more is in .*postgres\.log\.$/,
    ) as string,
  });
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot('as root, a cluster that its user could not reach lies elsewhere, and a line says where', async () => {
  const folder = await dataFolder();
  await chmod(folder, 0o700);
  const lines: string[] = [];
  const data = join(folder, 'data');
  await mkdir(data);
  const server = await start(data, (line) => lines.push(line));
  const place = realpathSync(join(data, 'postgres'));
  folders.push(place);
  expect(lstatSync(join(data, 'postgres')).isSymbolicLink()).toBe(true);
  expect(dirname(place)).toBe('/var/lib/stowage');
  expect(lines.at(-1)).toContain(`its data is in ${place}`);
  await query(server, 'create table kept as select 42 as answer');
  await server.stop();

  const again = await start(data);
  expect(await query(again, 'select answer from kept')).toEqual([{ answer: 42 }]);
  await again.stop();
});
