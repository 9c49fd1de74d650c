import { spawnSync } from 'node:child_process';
import { CatalogError } from '../domain/errors.ts';

/** The operating system's user that PostgreSQL runs as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root, so root lends it another user; null means our own, whoever that is. */
export function accountForServer(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const account = accountNamed('postgres') ?? accountNamed('nobody');
  if (account) return account;
  throw new CatalogError(
    'CATALOG_UNAVAILABLE',
    'PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody": start Stowage as another user, or set DATABASE_URL.',
  );
}

/** Whether the account can work in a directory, asked of the operating system itself: modes alone don't tell. */
export function canEnter(account: Account | null, directory: string): boolean {
  if (account === null) return true;
  return spawnSync('/bin/sh', ['-c', 'cd "$0"', directory], { ...identity(account), cwd: '/' }).status === 0;
}

/** What spawn needs to run a program as the account. */
export function identity(account: Account | null): { uid?: number; gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}

function accountNamed(name: string): Account | null {
  const uid = numberFrom('id', '-u', name);
  const gid = numberFrom('id', '-g', name);
  return uid === null || gid === null ? null : { name, uid, gid };
}

function numberFrom(command: string, ...words: string[]): number | null {
  const { status, stdout } = spawnSync(command, words, { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : null;
}
