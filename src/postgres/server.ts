import { spawn, type ChildProcess } from 'node:child_process';
import { chown, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CatalogError, messageOf } from '../domain/errors.ts';
import { accountForServer, canEnter, identity, type Account } from './account.ts';
import { openCluster, prepareDataDirectory, SERVER_ENVIRONMENT, type Cluster } from './cluster.ts';
import { findInstallation } from './installation.ts';
import { joinServer, PORT, type Membership } from './membership.ts';

export interface EmbeddedSettings {
  /** Made where it is missing. The cluster lies in its folder postgres, the server's log in postgres.log. */
  readonly dataDirectory: string;
  /** Told in one line what an operator should know, such as data that lies elsewhere. */
  readonly log: (line: string) => void;
  /** False for data that nobody misses, as in tests: writes don't wait for the disk, and Ctrl-C ends the server too. */
  readonly durable?: boolean;
}

export interface EmbeddedServer {
  /** Of the database stowage, for every client on this machine. */
  readonly url: string;
  /** Leaves the server, and stops it unless another process of ours still uses it. */
  stop(): Promise<void>;
}

/**
 * Starts the server of a data directory, or joins the one that runs there: another process may share it, and one that
 * was killed may have left it behind. Throws CATALOG_UNAVAILABLE, or INVALID_CONFIGURATION for the directory.
 */
export async function startEmbedded(settings: EmbeddedSettings): Promise<EmbeddedServer> {
  const { log, durable = true } = settings;
  const dataDirectory = resolve(settings.dataDirectory);
  await prepareDataDirectory(dataDirectory);
  const account = accountForServer();
  const installation = await findInstallation(account, log);
  const cluster = await openCluster({ dataDirectory, durable, account, installation, log });
  const plan: Plan = {
    program: installation.postgres,
    cluster,
    logFile: join(dataDirectory, 'postgres.log'),
    durable,
    log,
  };

  const socketDirectory = await makeSocketDirectory(cluster.account);
  const first = await joinOrLaunch(plan, socketDirectory).catch(async (error: unknown) => {
    await rm(socketDirectory, { recursive: true, force: true });
    throw error;
  });
  return { url: first.url, stop: keepRunning(plan, first) };
}

/**
 * Starts a server again that was lost, at the same address, until the function that is returned is called: that one
 * leaves the server.
 */
function keepRunning(plan: Plan, first: Membership): () => Promise<void> {
  let isStopping = false;
  let current: Promise<Membership | null> = Promise.resolve(first);
  watch(first);

  function watch({ lost, socketDirectory }: Membership): void {
    void lost.then(() => {
      if (!isStopping) current = regain(socketDirectory);
    });
  }

  async function regain(socketDirectory: string): Promise<Membership | null> {
    plan.log('PostgreSQL has gone away: starting it again.');
    while (!isStopping) {
      try {
        const membership = await joinOrLaunch(plan, socketDirectory);
        watch(membership);
        return membership;
      } catch (error) {
        plan.log(messageOf(error));
        await pause(1000);
      }
    }
    return null;
  }

  return async () => {
    isStopping = true;
    await (await current)?.stop();
  };
}

interface Plan {
  readonly program: string;
  readonly cluster: Cluster;
  readonly logFile: string;
  readonly durable: boolean;
  readonly log: (line: string) => void;
}

async function joinOrLaunch(plan: Plan, socketDirectory: string): Promise<Membership> {
  const { cluster, logFile, log } = plan;
  let child: ChildProcess | null = null;
  for (let waits = 0; ; waits++) {
    const found = await joinServer(cluster.directory);
    if (typeof found === 'object') {
      if (found.socketDirectory !== socketDirectory) await rm(socketDirectory, { recursive: true, force: true });
      return found;
    }
    if (found === 'absent') {
      if (child && hasEnded(child)) throw await failure(cluster, logFile);
      child ??= await launch(plan, socketDirectory);
    }
    if (waits === 200) log(`PostgreSQL is not ready yet; ${logFile} says what it does.`);
    await pause(25);
  }
}

const LOG_LIMIT = 10 * 1024 * 1024;

async function launch({ program, cluster, logFile, durable }: Plan, socketDirectory: string): Promise<ChildProcess> {
  const options = {
    listen_addresses: '',
    port: String(PORT),
    unix_socket_directories: `"${socketDirectory.replaceAll('"', '""')}"`,
    max_connections: '50',
    shared_buffers: '128MB',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const words = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = await open(logFile, 'a');
  try {
    if ((await log.stat()).size > LOG_LIMIT) await log.truncate();
    const child = spawn(program, ['-D', cluster.directory, ...words], {
      ...identity(cluster.account),
      cwd: '/',
      env: SERVER_ENVIRONMENT,
      stdio: ['ignore', log.fd, log.fd],
      // In a group of its own, so that Ctrl-C reaches us alone and we stop it when our work is done.
      detached: durable,
    });
    child.once('error', () => undefined);
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}

/**
 * A new directory that only the server's user and root can enter. In /tmp where the system's temporary directory is
 * out of the account's reach, or its name too long for a socket's address (107 bytes).
 */
async function makeSocketDirectory(account: Account | null): Promise<string> {
  const parent = tmpdir().length <= 70 && canEnter(account, tmpdir()) ? tmpdir() : '/tmp';
  const directory = await mkdtemp(join(parent, 'stowage-'));
  if (account) await chown(directory, account.uid, account.gid);
  return directory;
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function failure(cluster: Cluster, logFile: string): Promise<CatalogError> {
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n');
  const last = lines.findLast((line) => /FATAL|PANIC|error/.test(line)) ?? lines.at(-1) ?? 'no word of why';
  return new CatalogError(
    'CATALOG_UNAVAILABLE',
    `PostgreSQL did not start on ${cluster.directory} (${last.trim()}); more is in ${logFile}.`,
  );
}
