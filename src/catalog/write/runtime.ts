import type { RuntimeKindName } from '../../domain/container.ts';
import type { RuntimeDescription, RuntimeSettings } from '../../runtimes/runtime.ts';
import type { Connection } from '../database.ts';
import { lockContainers } from './container-lock.ts';
import { shareContent } from './content-lock.ts';
import type { ManagedBy, ObservedHealth } from './registry.ts';

export interface StoredRuntime extends NewRuntime {
  readonly id: number;
}

export interface NewRuntime {
  readonly name: string;
  readonly kind: RuntimeKindName;
  readonly managedBy: ManagedBy;
  /** Null means that the worker does not reach it: an agent reports what it sees. */
  readonly settings: RuntimeSettings | null;
}

const COLUMNS = `id, name, kind, managed_by as "managedBy",
  case when endpoint is not null then settings || jsonb_build_object('endpoint', endpoint) end as settings`;

/** Null where the catalog does not follow that runtime. */
export async function findRuntime(
  connection: Connection,
  where: { id: number } | { name: string },
): Promise<StoredRuntime | null> {
  const rows = await connection.run<StoredRuntime>(
    `/* catalog.findRuntime */ select ${COLUMNS} from runtime where id = $1::int or name = $2`,
    'id' in where ? [where.id, null] : [null, where.name],
  );
  return rows[0] ?? null;
}

/** Those that the worker reaches. */
export async function listReachedRuntimes(connection: Connection): Promise<StoredRuntime[]> {
  return connection.run<StoredRuntime>(
    `/* catalog.listReachedRuntimes */ select ${COLUMNS} from runtime where endpoint is not null order by id`,
    [],
  );
}

/** Adds a runtime, or makes the one of that name what is given. Answers with its id. */
export async function saveRuntime(connection: Connection, runtime: NewRuntime): Promise<number> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.saveRuntime */
     ${INSERT}
     on conflict (name) do update set kind = excluded.kind, endpoint = excluded.endpoint, settings = excluded.settings,
       managed_by = excluded.managed_by
     returning id`,
    valuesOf(runtime),
  );
  return (rows[0] as { id: number }).id;
}

/** Adds a runtime. Answers with its id; null where there is one of that name, which stays what it is. */
export async function addRuntime(connection: Connection, runtime: NewRuntime): Promise<number | null> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.addRuntime */ ${INSERT} on conflict (name) do nothing returning id`,
    valuesOf(runtime),
  );
  return rows[0]?.id ?? null;
}

const INSERT = 'insert into runtime (name, kind, endpoint, settings, managed_by) values ($1, $2, $3, $4::jsonb, $5)';

function valuesOf({ name, kind, managedBy, settings: given }: NewRuntime): unknown[] {
  const { endpoint = null, ...settings } = given ?? {};
  return [name, kind, endpoint, JSON.stringify(settings), managedBy];
}

/** Puts runtimes that the configuration kept, and keeps no more, in the hands of mutations. */
export async function releaseRuntimes(connection: Connection, kept: readonly number[]): Promise<void> {
  await connection.run(
    `/* catalog.releaseRuntimes */
     update runtime set managed_by = 'API' where managed_by = 'CONFIG' and id <> all($1::int[])`,
    [kept],
  );
}

/** With its containers and their history, in a transaction of its own. */
export async function removeRuntime(connection: Connection, id: number): Promise<void> {
  await Promise.all([
    shareContent(connection),
    lockContainers(connection),
    connection.run('/* catalog.removeRuntime */ delete from runtime where id = $1::int', [id]),
  ]);
}

/** No row is touched where it says what it said before. */
export async function describeRuntime(
  connection: Connection,
  id: number,
  { version, os, architecture }: RuntimeDescription,
): Promise<void> {
  await connection.run(
    `/* catalog.describeRuntime */
     update runtime set version = $2, os = $3, architecture = $4
     where id = $1::int and (version, os, architecture) is distinct from ($2, $3, $4)`,
    [id, version, os, architecture],
  );
}

export async function recordRuntimeHealth(
  connection: Connection,
  id: number,
  { status, message }: Omit<ObservedHealth, 'isFinal'>,
  at: Date,
): Promise<void> {
  await connection.run(
    `/* catalog.recordRuntimeHealth */
     insert into runtime_health as h (runtime_id, status, checked_at, message, consecutive_failures)
     select id, $2, $3::timestamptz, $4, case when $2 = 'HEALTHY' then 0 else 1 end from runtime where id = $1::int
     on conflict (runtime_id) do update set status = excluded.status, checked_at = excluded.checked_at,
       message = excluded.message,
       consecutive_failures = case when excluded.status = 'HEALTHY' then 0 else h.consecutive_failures + 1 end`,
    [id, status, at, message],
  );
}
