import { readFile, readlink, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { CatalogError, messageOf } from '../domain/errors.ts';

/** Our part in a server that runs. */
export interface Membership {
  /** Of the database stowage. */
  readonly url: string;
  readonly socketDirectory: string;
  /** Settled when the server ends, whoever ended it. */
  readonly lost: Promise<void>;
  /** Leaves the server, and stops it unless another process of ours still uses it. */
  stop(): Promise<void>;
}

/** Part of the socket's name only: the server listens on no network. */
export const PORT = 5432;

/**
 * Joins the server that runs on a cluster's directory. `absent` means that none does; `busy` that it is starting or
 * stopping, so try again.
 *
 * Every process of ours holds a shared lock while it uses the server. The lock goes with the connection, however the
 * process ends, so whoever leaves and then gets the lock for itself alone was the last, and stops the server.
 */
export async function joinServer(directory: string): Promise<Membership | 'absent' | 'busy'> {
  const pidFile = join(directory, 'postmaster.pid');
  const running = await readPidFile(pidFile);
  if (running === null) return 'absent';
  if (running.pid === 0 && (await isYoung(pidFile))) return 'busy';
  if (!(await isServerOf(directory, running.pid))) {
    // A process of another kind has the number now, and PostgreSQL would take it for a server.
    await rm(pidFile, { force: true });
    return 'absent';
  }
  if (!running.socketDirectory) return 'busy';

  const member = new pg.Client({ host: running.socketDirectory, port: PORT, user: 'postgres', database: 'postgres' });
  const lost = new Promise<void>((resolve) => void member.on('error', () => resolve()).on('end', () => resolve()));
  try {
    await member.connect();
    await member.query('select pg_advisory_lock_shared($1)', [LOCK]);
    await ensureDatabase(member);
  } catch (error) {
    await member.end().catch(() => undefined);
    if (isPassing(error)) return 'busy';
    throw new CatalogError(
      'CATALOG_UNAVAILABLE',
      `The PostgreSQL that runs on ${directory} refuses us: ${messageOf(error)}`,
      { cause: error },
    );
  }

  return {
    lost,
    socketDirectory: running.socketDirectory,
    url: `postgresql://postgres@localhost:${PORT}/${DATABASE}?host=${encodeURIComponent(running.socketDirectory)}`,
    async stop() {
      const isLast = await leave(member);
      if (!isLast) return;
      process.kill(running.pid, 'SIGINT');
      while (await isServerOf(directory, running.pid)) await pause(10);
      await rm(running.socketDirectory, { recursive: true, force: true });
    },
  };
}

const DATABASE = 'stowage';
/** An arbitrary number that is ours, in the database postgres, where no other lock of ours is. */
const LOCK = 7869243;

/** PostgreSQL's note of itself: process, directory, start, port, socket's directory, and more as the start goes on. */
async function readPidFile(path: string): Promise<{ pid: number; socketDirectory: string } | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new CatalogError('CATALOG_UNAVAILABLE', `PostgreSQL's data cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  });
  if (text === null) return null;
  const [pid = '', , , , socketDirectory = ''] = text.split('\n');
  return { pid: Number(pid), socketDirectory };
}

/** A server makes its note empty, and writes it a moment later; what stays empty was left by one that died between. */
async function isYoung(path: string): Promise<boolean> {
  const made = await stat(path).catch(() => null);
  return made !== null && Date.now() - made.mtimeMs < 5000;
}

async function isServerOf(directory: string, pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  if (process.platform !== 'linux') return true;
  // A server works in its data directory; one that has ended but is not yet forgotten works nowhere.
  return readlink(`/proc/${pid}/cwd`).then(
    (path) => path === directory,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
}

async function ensureDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
  if (rowCount !== 0) return;
  await client.query(`create database ${DATABASE}`).catch((error: { code?: string }) => {
    // Another process of ours was faster.
    if (error.code !== '42P04' && error.code !== '23505') throw error as Error;
  });
}

/** True when nobody else is there. A connection that broke means that the server has ended already. */
async function leave(member: pg.Client): Promise<boolean> {
  try {
    await member.query('select pg_advisory_unlock_shared($1)', [LOCK]);
    const { rows } = await member.query<{ alone: boolean }>('select pg_try_advisory_lock($1) as alone', [LOCK]);
    if (rows[0]?.alone) return true;
    await member.end();
    return false;
  } catch {
    return false;
  }
}

/** Starting, stopping, or between closing its socket and removing its note. */
function isPassing(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return /^(57P0.|ECONN.*|ENOENT|EPIPE)$/.test(code ?? '') || (message ?? '').includes('Connection terminated');
}
