import type { Connection, Database } from '../database.ts';
import type { Credential } from '../../registries/registry.ts';
import { CatalogError } from '../../domain/errors.ts';
import type { GivenHostLimits } from '../../domain/host-limits.ts';
import type { RegistryHost } from '../../domain/reference.ts';
import type { RegistryKindName } from '../../domain/registry-kind.ts';
import { holdContent } from './content-lock.ts';
import type { Seal, Sealed, SealedCredential } from './credential.ts';
import { lockContainers } from './container-lock.ts';
import { lockCounts, releaseRegistry } from './held-image.ts';
import { forgetOutdated } from './outdated-container.ts';

export type ManagedBy = 'CONFIG' | 'API';
export type HealthStatus = 'HEALTHY' | 'DEGRADED' | 'UNREACHABLE' | 'UNAUTHORIZED';

export interface StoredRegistry {
  readonly id: number;
  readonly host: RegistryHost;
  readonly kind: RegistryKindName;
  readonly title: string | null;
  readonly url: string;
  readonly managedBy: ManagedBy;
  readonly credential: SealedCredential | null;
  /** What its notifications are known by; null where none are taken. */
  readonly webhookSecret: Sealed<string> | null;
  /** Of each of its hosts. */
  readonly limits: GivenHostLimits;
}

/** Without limits, they are left to us. */
export type NewRegistry = Omit<StoredRegistry, 'id' | 'limits'> & Partial<Pick<StoredRegistry, 'limits'>>;

/** What a registry is signed in to with, and what its notifications are known by; each null where there is none. */
export interface RegistrySecrets {
  readonly credential: Credential | null;
  readonly webhookSecret: string | null;
}

/** The secrets of a registry, as they are stored. */
export function sealSecrets(
  seal: Seal,
  host: RegistryHost,
  { credential, webhookSecret }: RegistrySecrets,
): Pick<StoredRegistry, keyof RegistrySecrets> {
  return {
    credential: credential && seal.close(credential, host),
    webhookSecret: webhookSecret === null ? null : seal.close(webhookSecret, host),
  };
}

/** Null where the catalog does not follow that registry. */
export async function findRegistry(
  connection: Connection,
  where: { id: number } | { host: RegistryHost },
): Promise<StoredRegistry | null> {
  const rows = await connection.run<StoredRegistry>(
    `/* catalog.findRegistry */
     select id, host, kind, title, url, managed_by as "managedBy", credential, webhook_secret as "webhookSecret",
       json_build_object('concurrency', max_concurrency, 'requestsPerSecond', max_requests_per_second) as limits
     from registry where id = $1::int or host = $2`,
    'id' in where ? [where.id, null] : [null, where.host],
  );
  return rows[0] ?? null;
}

/** Adds a registry, or makes the one of that host what is given. Answers with its id. */
export async function saveRegistry(connection: Connection, registry: NewRegistry): Promise<number> {
  const { host, kind, title, url, managedBy, credential, webhookSecret, limits } = registry;
  const rows = await connection.run<{ id: number }>(
    `/* catalog.saveRegistry */
     insert into registry (host, kind, title, url, managed_by, credential, webhook_secret, max_concurrency,
       max_requests_per_second)
     values ($1, $2, $3, $4, $5, $6, $7, $8::int, $9::int)
     on conflict (host) do update set kind = excluded.kind, title = excluded.title, url = excluded.url,
       managed_by = excluded.managed_by, credential = excluded.credential, webhook_secret = excluded.webhook_secret,
       max_concurrency = excluded.max_concurrency, max_requests_per_second = excluded.max_requests_per_second
     returning id`,
    [
      ...[host, kind, title, url, managedBy, credential, webhookSecret],
      ...[limits?.concurrency ?? null, limits?.requestsPerSecond ?? null],
    ],
  );
  return (rows[0] as { id: number }).id;
}

/**
 * Seals anew what is not sealed with the seal's first key and bound to its registry. Tells how many secrets that were, and
 * the hosts of which no key opens one; these stay as they are.
 */
export async function renewSecrets(
  connection: Connection,
  seal: Seal,
): Promise<{ readonly renewed: number; readonly unopened: readonly RegistryHost[] }> {
  const unopened = new Set<RegistryHost>();
  let renewed = 0;
  for (const column of ['credential', 'webhook_secret'] as const) {
    const rows = await connection.run<{ host: RegistryHost; secret: Sealed<unknown> }>(
      `/* catalog.listSecrets */ select host, ${column} as secret from registry where ${column} is not null order by host`,
      [],
    );
    for (const { host, secret } of rows) {
      try {
        const anew = seal.renew(secret, host);
        if (anew === null) continue;
        renewed++;
        // Unless another process was faster, or the secret is another one by now.
        await connection.run(
          `/* catalog.renewSecret */ update registry set ${column} = $3 where host = $1 and ${column} = $2`,
          [host, secret, anew],
        );
      } catch (error) {
        if (!(error instanceof CatalogError) || error.code !== 'INVALID_CONFIGURATION') throw error;
        unopened.add(host);
      }
    }
  }
  return { renewed, unopened: [...unopened] };
}

/** Takes the registry's repositories, tags and their history with it; images stay, as content of no registry. */
export async function removeRegistry(database: Database, id: number): Promise<void> {
  await database.transaction(async (connection) => {
    await Promise.all([
      holdContent(connection),
      lockCounts(connection),
      lockContainers(connection),
      releaseRegistry(connection, id),
      forgetOutdated(connection, id),
      connection.run('/* catalog.removeRegistry */ delete from registry where id = $1::int', [id]),
      connection.run(
        "/* catalog.removeTotal */ delete from held_total where scope = 'REGISTRY' and key = $1::int::text",
        [id],
      ),
    ]);
  });
}

/** What a look at the registry showed; `message` says what is wrong, null when nothing is. */
export interface ObservedHealth {
  readonly status: HealthStatus;
  readonly message: string | null;
  /** It is how a run ended, not what it has met with so far: then it counts. */
  readonly isFinal: boolean;
}

export async function recordHealth(connection: Connection, id: number, seen: ObservedHealth, at: Date): Promise<void> {
  await connection.run(
    `/* catalog.recordHealth */
     insert into registry_health as h (registry_id, status, checked_at, message, consecutive_failures)
     select r.id, $2, $3::timestamptz, $4, case when $2 = 'HEALTHY' or not $5::boolean then 0 else 1 end
     from registry r where r.id = $1::int
     on conflict (registry_id) do update set
       status = excluded.status,
       checked_at = excluded.checked_at,
       message = excluded.message,
       consecutive_failures = case
         when excluded.status = 'HEALTHY' then 0
         when $5::boolean then h.consecutive_failures + 1
         else h.consecutive_failures end`,
    [id, seen.status, at, seen.message, seen.isFinal],
  );
}

/** Puts registries that the configuration kept, and keeps no more, in the hands of mutations. */
export async function releaseRegistries(connection: Connection, kept: readonly number[]): Promise<void> {
  await connection.run(
    `/* catalog.releaseRegistries */
     update registry set managed_by = 'API' where managed_by = 'CONFIG' and id <> all($1::int[])`,
    [kept],
  );
}
