import sql, { raw } from 'sql-template-tag';
import type { RuntimeKindName } from '../../domain/container.ts';
import type { Connection } from '../database.ts';
import { storable, TRUE } from './filter.ts';
import { rootList, type ListQuery } from './page.ts';
import type { HealthRecord } from './registry.ts';

export interface RuntimeRecord {
  readonly __typename: 'Runtime';
  readonly id: number;
  readonly managedBy: 'CONFIG' | 'API';
  readonly name: string;
  readonly kind: RuntimeKindName;
  /** An agent reports what it sees: the worker does not reach it. */
  readonly isReported: boolean;
  readonly version: string | null;
  readonly os: string | null;
  readonly architecture: string | null;
  readonly health: HealthRecord;
  /** When all of its containers were last seen at once. */
  readonly lastSyncedAt: Date | null;
}

export function runtimeReads(connection: Connection) {
  return {
    /** By name. */
    runtimes: rootList(connection, () => runtimes),

    runtimesById: async (ids: readonly number[]): Promise<Map<number, RuntimeRecord>> => {
      const rows = await connection.query<RuntimeRow>(
        sql`/* catalog.runtimesById */ select ${runtimes.columns} from ${runtimes.from} where rt.id = any((select ${ids}::int[])::int[])`,
      );
      return new Map(rows.map((row) => [row.id, recordOf(row)]));
    },

    runtimesByName: async (names: readonly string[]): Promise<Map<string, RuntimeRecord>> => {
      const rows = await connection.query<RuntimeRow>(
        sql`/* catalog.runtimesByName */ select ${runtimes.columns} from ${runtimes.from} where rt.name = any(${names.map(storable)}::text[])`,
      );
      return new Map(rows.map((row) => [row.name, recordOf(row)]));
    },
  };
}

/** Minutes within which an agent has told everything again, if it is well. */
const PATIENCE = 15;

interface RuntimeRow {
  id: number;
  managed_by: RuntimeRecord['managedBy'];
  name: string;
  kind: RuntimeKindName;
  is_reported: boolean;
  version: string | null;
  os: string | null;
  architecture: string | null;
  pictured_at: Date | null;
  is_silent: boolean;
  status: HealthRecord['status'] | null;
  checked_at: Date | null;
  message: string | null;
  consecutive_failures: number | null;
}

const runtimes: ListQuery<RuntimeRow, RuntimeRecord> = {
  name: 'catalog.runtimes',
  columns: raw(
    `rt.id, rt.managed_by, rt.name, rt.kind, rt.endpoint is null as is_reported, rt.version, rt.os, rt.architecture,
    rt.pictured_at, coalesce(rt.pictured_at < now() - interval '${PATIENCE} minutes', false) as is_silent,
    h.status, h.checked_at, h.message, h.consecutive_failures`,
  ),
  from: raw('runtime rt left join runtime_health h on h.runtime_id = rt.id'),
  where: TRUE,
  order: { name: 'runtimes', direction: 'ASC', key: { expression: raw('rt.name'), type: 'text' }, id: raw('rt.id') },
  toRecord: recordOf,
};

function recordOf(row: RuntimeRow): RuntimeRecord {
  return {
    __typename: 'Runtime',
    id: row.id,
    managedBy: row.managed_by,
    name: row.name,
    kind: row.kind,
    isReported: row.is_reported,
    version: row.version,
    os: row.os,
    architecture: row.architecture,
    health: row.is_reported ? reportedHealth(row) : observedHealth(row),
    lastSyncedAt: row.pictured_at,
  };
}

function observedHealth(row: RuntimeRow): HealthRecord {
  return {
    status: row.status ?? 'UNKNOWN',
    checkedAt: row.checked_at,
    message: row.message,
    consecutiveFailures: row.consecutive_failures ?? 0,
    pausedUntil: null,
  };
}

/** Nobody looks at it, so that it is known by its silence. */
function reportedHealth(row: RuntimeRow): HealthRecord {
  const { pictured_at: picturedAt } = row;
  if (picturedAt === null) return { ...observedHealth(row), status: 'UNKNOWN' };
  if (!row.is_silent) return { ...observedHealth(row), status: row.status ?? 'HEALTHY', checkedAt: picturedAt };
  return {
    ...observedHealth(row),
    status: 'UNREACHABLE',
    checkedAt: picturedAt,
    message: `No whole report has come since ${picturedAt.toISOString()}: one is expected every ${PATIENCE} minutes. See whether its agent runs, reaches this server, and has the right time.`,
  };
}
