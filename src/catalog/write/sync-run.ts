import type { Connection } from '../database.ts';
import type { RegistryHost, RepositoryName } from '../../domain/reference.ts';
import type { NewestBy } from '../../domain/selection.ts';
import { addTally, tallyValues, type SyncTally } from './sync-tally.ts';

export type SyncTrigger = 'SCHEDULE' | 'MANUAL' | 'WEBHOOK' | 'STARTUP';
export type SyncStatus = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'PARTIAL' | 'FAILED' | 'CANCELLED';

/** What a run looks at; copied from its source when it is queued. */
export interface SyncScope {
  readonly registryId: number;
  /** Selection, as domain/selection.ts reads it. */
  readonly repositories: string;
  /** Selection; null means all. */
  readonly tags: string | null;
  readonly maxTags: number | null;
  readonly newestBy: NewestBy;
  readonly platforms: readonly string[];
}

/** All tags of whatever repositories, for all platforms. */
export const EVERY_TAG = { tags: null, maxTags: null, newestBy: 'VERSION', platforms: [] } as const;

export interface SyncRun extends SyncScope {
  readonly id: number;
  /** The only one that it looks at, because a notification named it; null means all that match. */
  readonly repository: RepositoryName | null;
  /** Of its registry. */
  readonly host: RegistryHost;
  readonly status: SyncStatus;
  /** Whether its source wants to know by now what its images hold. */
  readonly inspectContents: boolean;
}

export interface PendingRun extends SyncRun {
  readonly pending: readonly RepositoryName[];
}

export async function findSyncRun(connection: Connection, id: number): Promise<SyncRun | null> {
  const rows = await connection.run<SyncRun>(
    `/* catalog.findSyncRun */ select ${RUN_COLUMNS} from sync_run r where r.id = $1::bigint`,
    [id],
  );
  return rows[0] ?? null;
}

/** As findSyncRun, with those of these repositories that it still has to look at; null where it has ended. */
export async function findPendingRun(
  connection: Connection,
  id: number,
  names: readonly string[],
): Promise<PendingRun | null> {
  const rows = await connection.run<PendingRun>(
    `/* catalog.findPendingRun */
     select ${RUN_COLUMNS}, array(
       select w.name from sync_repository w where w.run_id = r.id and w.name = any($2::text[]) and not w.is_done
     ) as pending
     from sync_run r where r.id = $1::bigint and r.status = 'RUNNING'`,
    [id, names],
  );
  return rows[0] ?? null;
}

/** Answers with the id of a new run that waits for a worker. */
export async function queueSyncRun(connection: Connection, scope: SyncScope, trigger: SyncTrigger): Promise<number> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.queueSyncRun */
     insert into sync_run (registry_id, status, trigger, repositories, tags, max_tags, newest_by, platforms)
     values ($1::int, 'QUEUED', $2, $3, $4, $5::int, $6, $7::text[]) returning id`,
    [scope.registryId, trigger, scope.repositories, scope.tags, scope.maxTags, scope.newestBy, scope.platforms],
  );
  return (rows[0] as { id: number }).id;
}

/**
 * As queueSyncRun, with the scope of a source. Null where the source is gone, or has a run of all of it that still waits
 * or works: that one will do.
 */
export async function queueSourceRun(
  connection: Connection,
  sourceId: number,
  trigger: SyncTrigger,
): Promise<number | null> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.queueSourceRun */
     insert into sync_run (source_id, registry_id, status, trigger, repositories, tags, max_tags, newest_by, platforms)
     select s.id, s.registry_id, 'QUEUED', $2, s.repositories, s.tags, s.max_tags, s.newest_by, s.platforms
     from sync_source s where s.id = $1::int
     on conflict (source_id) where finished_at is null and repository is null do nothing
     returning id`,
    [sourceId, trigger],
  );
  return rows[0]?.id ?? null;
}

/** The run of all of a source that waits or works now; null when none does. */
export async function unfinishedRunOfSource(connection: Connection, sourceId: number): Promise<number | null> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.unfinishedRunOfSource */
     select id from sync_run where source_id = $1::int and finished_at is null and repository is null
     order by id desc limit 1`,
    [sourceId],
  );
  return rows[0]?.id ?? null;
}

/** The runs of a registry that wait or work now. */
export async function unfinishedRunsOfRegistry(connection: Connection, registryId: number): Promise<number[]> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.unfinishedRunsOfRegistry */
     select id from sync_run where registry_id = $1::int and finished_at is null`,
    [registryId],
  );
  return rows.map((row) => row.id);
}

/** Whether a run of all of the source has ever succeeded, if only in part. */
export async function hasFinishedRun(connection: Connection, sourceId: number): Promise<boolean> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.hasFinishedRun */
     select id from sync_run
     where source_id = $1::int and status in ('SUCCEEDED', 'PARTIAL') and repository is null limit 1`,
    [sourceId],
  );
  return rows.length > 0;
}

/**
 * Marks a queued run as working. Null where it was cancelled, has finished, or knows its repositories: then each of them
 * is queued already, by a worker that died behind that.
 */
export async function startSyncRun(connection: Connection, id: number, at: Date): Promise<SyncRun | null> {
  const rows = await connection.run<SyncRun>(
    `/* catalog.startSyncRun */
     update sync_run r set status = 'RUNNING', started_at = coalesce(r.started_at, $2::timestamptz)
     where r.id = $1::bigint and r.finished_at is null and r.repositories_total is null returning ${RUN_COLUMNS}`,
    [id, at],
  );
  return rows[0] ?? null;
}

/** Holds a run so that nobody ends it before the transaction does. False where it has ended. */
export async function holdSyncRun(connection: Connection, id: number): Promise<boolean> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.holdSyncRun */ select id from sync_run where id = $1::bigint and finished_at is null for update`,
    [id],
  );
  return rows.length > 0;
}

/** Of these runs, those that have ended, or are gone. */
export async function endedRuns(connection: Connection, ids: readonly number[]): Promise<number[]> {
  if (ids.length === 0) return [];
  const rows = await connection.run<{ id: number }>(
    `/* catalog.endedRuns */
     select n.id from unnest($1::bigint[]) as n(id)
     where not exists (select from sync_run r where r.id = n.id and r.finished_at is null)`,
    [ids],
  );
  return rows.map((row) => row.id);
}

/** Runs whose repositories are all done, and which nobody ended: their worker died between the two. */
export function abandonedRuns(connection: Connection): Promise<SyncRun[]> {
  return connection.run(
    `/* catalog.abandonedRuns */
     select ${RUN_COLUMNS} from sync_run r
     where r.finished_at is null and r.status = 'RUNNING' and r.repositories_done >= r.repositories_total`,
    [],
  );
}

/** Adds what an attempt took that has to be made again, or that listing the repositories took. */
export async function addToTally(connection: Connection, id: number, tally: SyncTally): Promise<void> {
  await connection.run(`/* catalog.addToTally */ update sync_run r set ${addTally(2)} where r.id = $1::bigint`, [
    id,
    ...tallyValues(tally),
  ]);
}

/** How a run ended, and the first of its errors that explains it. */
export interface RunOutcome {
  readonly status: 'SUCCEEDED' | 'PARTIAL' | 'FAILED';
  readonly code: string | null;
  readonly message: string | null;
}

/**
 * Ends a run; its status follows from its errors: FAILED when all its repositories, or the registry itself, had one
 * that stopped them. Null where it has ended before.
 */
export async function finishSyncRun(connection: Connection, id: number, at: Date): Promise<RunOutcome | null> {
  const rows = await connection.run<RunOutcome>(
    `/* catalog.finishSyncRun */
     with failed as (
       select count(distinct coalesce(e.repository, '')) filter (
                where e.reference = e.repository or e.repository is null
              ) as whole, count(*) as all
       from sync_error e where e.run_id = $1::bigint
     ), worst as (
       select e.code, e.message from sync_error e where e.run_id = $1::bigint
       order by (e.reference = e.repository or e.repository is null) desc, e.id limit 1
     )
     update sync_run r set finished_at = $2::timestamptz, status = case
       when failed.all = 0 then 'SUCCEEDED'
       when failed.whole >= greatest(r.repositories_total, 1) then 'FAILED'
       else 'PARTIAL' end
     from failed left join worst on true
     where r.id = $1::bigint and r.finished_at is null
     returning r.status, worst.code, worst.message`,
    [id, at],
  );
  await forgetWork(connection, id);
  await connection.run(
    `/* catalog.forgetOldRuns */
     delete from sync_run where id in (
       select old.id from sync_run old join sync_run r on r.id = $1::bigint
       where old.registry_id = r.registry_id and old.source_id is not distinct from r.source_id
         and (old.repository is null) = (r.repository is null) and old.finished_at is not null
       order by old.id desc offset ${KEPT_RUNS}
     )`,
    [id],
  );
  return rows[0] ?? null;
}

/** Ends a run at once as cancelled. False where it had ended before. */
export async function cancelSyncRun(connection: Connection, id: number, at: Date): Promise<boolean> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.cancelSyncRun */
     update sync_run set status = 'CANCELLED', finished_at = $2::timestamptz
     where id = $1::bigint and finished_at is null returning id`,
    [id, at],
  );
  await forgetWork(connection, id);
  return rows.length > 0;
}

/** What was still to do is done, or not done any more; nothing is tried again. */
async function forgetWork(connection: Connection, id: number): Promise<void> {
  await connection.run(`/* catalog.forgetRunRepositories */ delete from sync_repository where run_id = $1::bigint`, [
    id,
  ]);
  await connection.run(
    `/* catalog.settleErrors */ update sync_error set will_retry = false where run_id = $1::bigint and will_retry`,
    [id],
  );
}

/** Of one source, and as many that notifications asked for; or of one registry's runs without a source. */
const KEPT_RUNS = 200;

const RUN_COLUMNS = `r.id, r.registry_id as "registryId",
  (select g.host from registry g where g.id = r.registry_id) as host, r.status, r.repositories, r.tags, r.max_tags as "maxTags",
  r.newest_by as "newestBy", r.platforms, r.repository,
  exists (select from sync_source s where s.id = r.source_id and s.inspect_contents) as "inspectContents"`;
