import { spawn } from 'node:child_process';
import { chmod, chown, lstat, mkdir, mkdtemp, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CatalogError, messageOf } from '../domain/errors.ts';
import { canEnter, identity, type Account } from './account.ts';
import { prepareSharedState, SHARED_STATE, type Installation } from './installation.ts';

/** The directory of one PostgreSQL server. */
export interface Cluster {
  /** Without symbolic links, as the server itself calls it. */
  readonly directory: string;
  /** Who owns it, and runs the server; null means our own user. */
  readonly account: Account | null;
}

export interface ClusterSettings {
  readonly dataDirectory: string;
  readonly account: Account | null;
  readonly installation: Installation;
  readonly durable: boolean;
  readonly log: (line: string) => void;
}

/** The cluster of a data directory, made where there is none yet. Throws CATALOG_UNAVAILABLE. */
export async function openCluster(settings: ClusterSettings): Promise<Cluster> {
  const place = join(settings.dataDirectory, 'postgres');
  if (!(await isThere(place))) await createCluster(settings, place);
  return existingCluster(settings.account, place);
}

async function existingCluster(account: Account | null, place: string): Promise<Cluster> {
  const directory = await realpath(place).catch((error: unknown) => {
    throw new CatalogError(
      'CATALOG_UNAVAILABLE',
      `${place} points to a place that is gone: restore it, or remove ${place} to begin with an empty catalog.`,
      { cause: error },
    );
  });
  const owner = await stat(directory);
  // A cluster that another user began is that user's to run.
  const runner = account === null || owner.uid === account.uid ? account : { ...owner, name: `uid ${owner.uid}` };
  if (!canEnter(runner, directory)) {
    throw new CatalogError(
      'CATALOG_UNAVAILABLE',
      `PostgreSQL's user "${runner?.name ?? ''}" can no longer reach its data in ${directory}: let it enter every directory on the way, or move the data.`,
    );
  }
  return { directory, account: runner };
}

/** Made under another name and renamed at the end: a start cut short leaves nothing that looks like a cluster. */
async function createCluster(settings: ClusterSettings, place: string): Promise<void> {
  const { account, dataDirectory } = settings;
  const isReachable = canEnter(account, dataDirectory);
  if (!isReachable) await prepareSharedState();
  const directory = await mkdtemp(join(isReachable ? dataDirectory : SHARED_STATE, 'postgres-'));
  try {
    if (account) await chown(directory, account.uid, account.gid);
    await chmod(directory, 0o700);
    await initialise(settings, directory);
    await (isReachable ? rename(directory, place) : symlink(directory, place));
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    // Another process of ours was faster.
    if (await isThere(place)) return;
    throw error;
  }
  if (!isReachable) {
    settings.log(
      `PostgreSQL's user "${account?.name ?? ''}" cannot reach ${dataDirectory}: its data is in ${directory}, to which ${place} points.`,
    );
  }
}

async function initialise({ installation, account, durable }: ClusterSettings, directory: string): Promise<void> {
  const words = [
    `--pgdata=${directory}`,
    '--username=postgres',
    // The socket's directory lets nobody in but the server's user, ours and root.
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ];
  const child = spawn(installation.initdb, words, {
    ...identity(account),
    cwd: '/',
    env: SERVER_ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  }).catch((error: unknown) => {
    complaint = messageOf(error);
    return null;
  });
  if (status !== 0) {
    throw new CatalogError(
      'CATALOG_UNAVAILABLE',
      `PostgreSQL could not make its data in ${directory}: ${complaint.trim().replaceAll(/\s*\n\s*/g, ' ')}`,
    );
  }
}

/** Nothing of ours: variables like PGDATA and PGPORT mean something to the server. */
export const SERVER_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

async function isThere(place: string): Promise<boolean> {
  return lstat(place).then(
    () => true,
    () => false,
  );
}

/** Makes the data directory; throws INVALID_CONFIGURATION where it can't be written. */
export async function prepareDataDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await rm(await mkdtemp(join(directory, 'writable-')), { recursive: true });
  } catch (error) {
    throw new CatalogError(
      'INVALID_CONFIGURATION',
      `The data directory ${directory} cannot be written (${messageOf(error)}): set STOWAGE_DATA to one that can.`,
      { cause: error },
    );
  }
}
