import sql, { raw } from 'sql-template-tag';
import type { RegistryKindName } from '../../domain/registry-kind.ts';
import type { GivenHostLimits } from '../../domain/host-limits.ts';
import type { Connection } from '../database.ts';
import { TRUE } from './filter.ts';
import { rootList, type ListQuery } from './page.ts';

export interface RegistryRecord {
  readonly __typename: 'Registry';
  readonly id: number;
  readonly host: string;
  readonly kind: RegistryKindName;
  readonly title: string | null;
  readonly url: string;
  readonly managedBy: 'CONFIG' | 'API';
  readonly health: HealthRecord;
  readonly rateLimit: RateLimitRecord | null;
  readonly limits: GivenHostLimits;
  readonly webhook: WebhookRecord;
}

export interface WebhookRecord {
  readonly path: string;
  readonly isConfigured: boolean;
}

export interface HealthRecord {
  readonly status: 'HEALTHY' | 'DEGRADED' | 'UNREACHABLE' | 'UNAUTHORIZED' | 'UNKNOWN';
  readonly checkedAt: Date | null;
  readonly message: string | null;
  readonly consecutiveFailures: number;
  readonly pausedUntil: Date | null;
}

export interface RateLimitRecord {
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetsAt: Date | null;
  readonly observedAt: Date;
}

export function registryReads(connection: Connection) {
  return {
    /** By host. */
    registries: rootList(connection, () => registries),

    registriesById: async (ids: readonly number[]): Promise<Map<number, RegistryRecord>> => {
      const rows = await connection.query<RegistryRow>(
        sql`/* catalog.registriesById */ select ${registries.columns} from ${registries.from} where g.id = any((select ${ids}::int[])::int[])`,
      );
      return new Map(rows.map((row) => [row.id, recordOf(row)]));
    },

    registriesByHost: async (hosts: readonly string[]): Promise<Map<string, RegistryRecord>> => {
      const rows = await connection.query<RegistryRow>(
        sql`/* catalog.registriesByHost */ select ${registries.columns} from ${registries.from} where g.host = any(${hosts}::text[])`,
      );
      return new Map(rows.map((row) => [row.host, recordOf(row)]));
    },

    repositoryCountsByRegistry: async (ids: readonly number[]): Promise<Map<number, number>> => {
      const rows = await connection.run<{ registry_id: number; count: number }>(
        `/* catalog.repositoryCountsByRegistry */
        select registry_id, count(*) from repository where registry_id = any((select $1::int[])::int[]) group by registry_id`,
        [ids],
      );
      return new Map(rows.map((row) => [row.registry_id, row.count]));
    },
  };
}

interface RegistryRow {
  id: number;
  host: string;
  kind: RegistryRecord['kind'];
  title: string | null;
  url: string;
  managed_by: RegistryRecord['managedBy'];
  status: HealthRecord['status'] | null;
  checked_at: Date | null;
  message: string | null;
  consecutive_failures: number | null;
  max_concurrency: number | null;
  max_requests_per_second: number | null;
  fault_code: string | null;
  fault_message: string | null;
  failures: number | null;
  paused_until: Date | null;
  rate_limit: number | null;
  rate_limit_remaining: number | null;
  rate_limit_resets_at: Date | null;
  rate_limit_observed_at: Date | null;
  has_webhook: boolean;
}

const registries: ListQuery<RegistryRow, RegistryRecord> = {
  name: 'catalog.registries',
  columns: raw(
    `g.id, g.host, g.kind, g.title, g.url, g.managed_by, h.status, h.checked_at, h.message, h.consecutive_failures,
    g.webhook_secret is not null as has_webhook, g.max_concurrency, g.max_requests_per_second,
    p.fault_code, p.fault_message, p.failures, p.paused_until,
    l.rate_limit, l.rate_limit_remaining, l.rate_limit_resets_at, l.rate_limit_observed_at`,
  ),
  // Of its hosts the one that is left alone for longest, and the limit of which the least is left.
  from: raw(`registry g
    left join registry_health h on h.registry_id = g.id
    left join lateral (
      select o.origin || ': ' || o.fault_message as fault_message, o.fault_code, o.failures,
        case when o.paused_until > now() then o.paused_until end as paused_until
      from host_pace o
      where o.registry_id = g.id and o.fault_code is not null
        and (o.fault_code <> 'RATE_LIMITED' or o.paused_until > now())
      order by o.paused_until desc limit 1
    ) p on true
    left join lateral (
      select o.rate_limit, case when o.rate_limit_resets_at > now() then o.rate_limit_remaining end as rate_limit_remaining,
        case when o.rate_limit_resets_at > now() then o.rate_limit_resets_at end as rate_limit_resets_at,
        o.rate_limit_observed_at
      from host_pace o
      where o.registry_id = g.id and o.rate_limit_observed_at is not null
      order by o.rate_limit_resets_at > now() desc, o.rate_limit_remaining limit 1
    ) l on true`),
  where: TRUE,
  order: { name: 'registries', direction: 'ASC', key: { expression: raw('g.host'), type: 'text' }, id: raw('g.id') },
  toRecord: recordOf,
};

/** What it says of a registry that one of its hosts is left alone. */
const STATUS: Readonly<Record<string, HealthRecord['status']>> = {
  RATE_LIMITED: 'DEGRADED',
  UNAUTHORIZED: 'UNAUTHORIZED',
};

function recordOf(row: RegistryRow): RegistryRecord {
  const { rate_limit_observed_at: observedAt } = row;
  return {
    __typename: 'Registry',
    id: row.id,
    host: row.host,
    kind: row.kind,
    title: row.title,
    url: row.url,
    managedBy: row.managed_by,
    health: {
      status: row.fault_code === null ? (row.status ?? 'UNKNOWN') : (STATUS[row.fault_code] ?? 'UNREACHABLE'),
      checkedAt: row.checked_at,
      message: row.fault_message ?? row.message,
      consecutiveFailures: Math.max(row.consecutive_failures ?? 0, row.failures ?? 0),
      pausedUntil: row.paused_until,
    },
    limits: { concurrency: row.max_concurrency, requestsPerSecond: row.max_requests_per_second },
    rateLimit: observedAt && {
      limit: row.rate_limit,
      remaining: row.rate_limit_remaining,
      resetsAt: row.rate_limit_resets_at,
      observedAt,
    },
    webhook: { path: `/hooks/${encodeURI(row.host)}`, isConfigured: row.has_webhook },
  };
}
