import type { Connection, Database } from '../database.ts';
import type { NewestBy } from '../../domain/selection.ts';
import type { ManagedBy } from './registry.ts';

/** What the worker keeps in the catalog. Patterns, platforms and schedule as people write them. */
export interface SyncSource {
  readonly id: number;
  readonly registryId: number;
  readonly repositories: string;
  /** Null means all. */
  readonly tags: string | null;
  /** The newest so many; null means all. */
  readonly maxTags: number | null;
  /** What makes one newer. */
  readonly newestBy: NewestBy;
  /** Empty means all. */
  readonly platforms: readonly string[];
  /** Null means only when asked. */
  readonly schedule: string | null;
  /** Whether what its images hold is looked at. */
  readonly inspectContents: boolean;
  readonly paused: boolean;
  readonly managedBy: ManagedBy;
  readonly nextRunAt: Date | null;
}

export type NewSyncSource = Omit<SyncSource, 'id'>;

/** Null where there is none of that id. */
export async function findSyncSource(database: Database, id: number): Promise<SyncSource | null> {
  return (await database.prisma.syncSource.findUnique({ where: { id } })) as SyncSource | null;
}

export async function listDeclaredSources(connection: Connection): Promise<SyncSource[]> {
  return connection.run<SyncSource>(
    `/* catalog.listDeclaredSources */
     select id, registry_id as "registryId", repositories, tags, max_tags as "maxTags", newest_by as "newestBy", platforms,
            schedule, inspect_contents as "inspectContents", paused, managed_by as "managedBy", next_run_at as "nextRunAt"
     from sync_source where managed_by = 'CONFIG' order by id`,
    [],
  );
}

export async function addSyncSource(connection: Connection, source: NewSyncSource): Promise<number> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.addSyncSource */
     insert into sync_source (registry_id, repositories, tags, max_tags, newest_by, platforms, schedule,
                              inspect_contents, paused, managed_by, next_run_at)
     values ($1::int, $2, $3, $4::int, $5, $6::text[], $7, $8::boolean, $9::boolean, $10, $11::timestamptz)
     returning id`,
    valuesOf(source),
  );
  return (rows[0] as { id: number }).id;
}

export async function replaceSyncSource(connection: Connection, id: number, source: NewSyncSource): Promise<void> {
  await connection.run(
    `/* catalog.replaceSyncSource */
     update sync_source set registry_id = $1::int, repositories = $2, tags = $3, max_tags = $4::int, newest_by = $5,
       platforms = $6::text[], schedule = $7, inspect_contents = $8::boolean, paused = $9::boolean, managed_by = $10,
       next_run_at = $11::timestamptz
     where id = $12::int`,
    [...valuesOf(source), id],
  );
}

/** Its runs stay, and say that their source is gone. */
export async function removeSyncSource(connection: Connection, id: number): Promise<void> {
  await connection.run(`/* catalog.removeSyncSource */ delete from sync_source where id = $1::int`, [id]);
}

/** Sources whose time has come, locked until the transaction ends, so that no other worker starts them as well. */
export async function dueSyncSources(connection: Connection, now: Date): Promise<{ id: number; schedule: string }[]> {
  return connection.run(
    `/* catalog.dueSyncSources */
     select id, schedule from sync_source
     where next_run_at <= $1::timestamptz and schedule is not null and not paused
     order by next_run_at for update skip locked limit 100`,
    [now],
  );
}

export async function scheduleSyncSource(connection: Connection, id: number, nextRunAt: Date | null): Promise<void> {
  await connection.run(
    `/* catalog.scheduleSyncSource */ update sync_source set next_run_at = $2::timestamptz where id = $1::int`,
    [id, nextRunAt],
  );
}

function valuesOf(source: NewSyncSource): unknown[] {
  return [
    source.registryId,
    source.repositories,
    source.tags,
    source.maxTags,
    source.newestBy,
    source.platforms,
    source.schedule,
    source.inspectContents,
    source.paused,
    source.managedBy,
    source.nextRunAt,
  ];
}
