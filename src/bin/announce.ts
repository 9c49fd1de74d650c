import type { Config } from '../config/index.ts';
import type { AdminToken } from './admin-token.ts';
import type { Storage } from './storage.ts';
import { ownVersion } from './version.ts';

export interface Announcement {
  readonly address: string;
  readonly adminToken: AdminToken;
  readonly config: Config;
  readonly storage: Storage;
}

/** Tells on the standard output where things are, and the admin token when it is new: it is not shown again. */
export function announce({ address, adminToken, config, storage }: Announcement): void {
  const here = address.replace(/\/\/(127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):/, '//localhost:');
  process.stdout.write(
    [
      `Stowage ${ownVersion()} is running.`,
      `  Playground     ${here}/graphql`,
      `  Admin token    ${describeToken(adminToken)}`,
      `  Database       ${storage.description}`,
      `  Configuration  ${describeConfiguration(config)}`,
      '',
    ].join('\n'),
  );
}

function describeToken(token: AdminToken): string {
  if (token.file === null) return 'the one of STOWAGE_ADMIN_TOKEN';
  return token.isNew ? `${token.text} (not shown again; kept in ${token.file})` : `in ${token.file}`;
}

function describeConfiguration({ declarations, samples }: Config): string {
  if (declarations) return declarations.file;
  return samples ? 'none, so the samples are cataloged' : 'none';
}
