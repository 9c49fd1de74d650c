import sql, { raw } from 'sql-template-tag';
import type { NewestBy } from '../../domain/selection.ts';
import type { Connection } from '../database.ts';
import { TRUE } from './filter.ts';
import { nestedList, rootList, type ListQuery } from './page.ts';
import { platformOfText, type PlatformRecord } from './platform.ts';

export interface SyncSourceRecord {
  readonly __typename: 'SyncSource';
  readonly id: number;
  readonly managedBy: 'CONFIG' | 'API';
  readonly registryId: number;
  readonly repositories: string;
  readonly tags: string | null;
  readonly maxTags: number | null;
  readonly newestBy: NewestBy;
  readonly platforms: readonly PlatformRecord[];
  readonly schedule: string | null;
  readonly inspectContents: boolean;
  readonly paused: boolean;
  readonly nextRunAt: Date | null;
}

export interface SyncRunRecord {
  readonly __typename: 'SyncRun';
  readonly id: number;
  readonly registryId: number;
  readonly sourceId: number | null;
  readonly status: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'PARTIAL' | 'FAILED' | 'CANCELLED';
  readonly trigger: 'SCHEDULE' | 'MANUAL' | 'WEBHOOK' | 'STARTUP';
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly repositoriesTotal: number | null;
  readonly repositoriesDone: number;
  readonly tagsSeen: number;
  readonly tagsChanged: number;
  readonly manifestsFetched: number;
  readonly bytesFetched: number;
  readonly requests: number;
}

export interface SyncErrorRecord {
  readonly reference: string;
  readonly message: string;
  readonly at: Date;
  readonly attempts: number;
  readonly willRetry: boolean;
}

export function syncReads(connection: Connection) {
  return {
    /** Oldest first. */
    syncSources: rootList(connection, () => sources),
    /** Newest first. */
    syncRunsByRegistry: nestedList(connection, () => runs),
    /** Oldest first. */
    syncErrorsByRun: nestedList(connection, () => errors),

    syncSourcesById: async (ids: readonly number[]): Promise<Map<number, SyncSourceRecord>> => {
      const rows = await connection.query<SourceRow>(
        sql`/* catalog.syncSourcesById */ select ${sources.columns} from ${sources.from} where s.id = any((select ${ids}::int[])::int[])`,
      );
      return new Map(rows.map((row) => [row.id, sourceOf(row)]));
    },

    syncRunsById: async (ids: readonly number[]): Promise<Map<number, SyncRunRecord>> => {
      const rows = await connection.query<RunRow>(
        sql`/* catalog.syncRunsById */ select ${runs.columns} from ${runs.from} where u.id = any((select ${ids}::int8[])::int8[])`,
      );
      return new Map(rows.map((row) => [row.id, runOf(row)]));
    },

    lastRunsByRegistry: async (ids: readonly number[]): Promise<Map<number, SyncRunRecord>> => {
      const rows = await connection.run<RunRow>(LAST_RUNS_BY_REGISTRY, [ids]);
      return new Map(rows.map((row) => [row.registry_id, runOf(row)]));
    },

    lastRunsBySource: async (ids: readonly number[]): Promise<Map<number, SyncRunRecord>> => {
      const rows = await connection.run<RunRow & { source_id: number }>(LAST_RUNS_BY_SOURCE, [ids]);
      return new Map(rows.map((row) => [row.source_id, runOf(row)]));
    },
  };
}

const RUN_COLUMNS = `u.id, u.registry_id, u.source_id, u.status, u.trigger, u.started_at, u.finished_at,
    u.repositories_total, u.repositories_done, u.tags_seen, u.tags_changed, u.manifests_fetched, u.bytes_fetched,
    u.requests`;

const LAST_RUNS_BY_REGISTRY = `/* catalog.lastRunsByRegistry */
  select u.* from unnest((select $1::int[])::int[]) as parent (id)
  cross join lateral (
    select ${RUN_COLUMNS} from sync_run u where u.registry_id = parent.id order by u.id desc limit 1
  ) u`;

const LAST_RUNS_BY_SOURCE = `/* catalog.lastRunsBySource */
  select u.* from unnest((select $1::int[])::int[]) as parent (id)
  cross join lateral (
    select ${RUN_COLUMNS} from sync_run u
    where u.source_id = parent.id and u.repository is null order by u.id desc limit 1
  ) u`;

interface SourceRow {
  id: number;
  managed_by: SyncSourceRecord['managedBy'];
  registry_id: number;
  repositories: string;
  tags: string | null;
  max_tags: number | null;
  newest_by: NewestBy;
  platforms: string[] | null;
  schedule: string | null;
  inspect_contents: boolean;
  paused: boolean;
  next_run_at: Date | null;
}

interface RunRow {
  id: number;
  registry_id: number;
  source_id: number | null;
  status: SyncRunRecord['status'];
  trigger: SyncRunRecord['trigger'];
  started_at: Date | null;
  finished_at: Date | null;
  repositories_total: number | null;
  repositories_done: number;
  tags_seen: number;
  tags_changed: number;
  manifests_fetched: number;
  bytes_fetched: number;
  requests: number;
}

interface ErrorRow {
  reference: string;
  message: string;
  at: Date;
  attempts: number;
  will_retry: boolean;
}

const sources: ListQuery<SourceRow, SyncSourceRecord> = {
  name: 'catalog.syncSources',
  columns: raw(
    's.id, s.managed_by, s.registry_id, s.repositories, s.tags, s.max_tags, s.newest_by, s.platforms, s.schedule, s.inspect_contents, s.paused, s.next_run_at',
  ),
  from: raw('sync_source s'),
  where: TRUE,
  order: { name: 'syncSources', direction: 'ASC', key: null, id: raw('s.id') },
  toRecord: sourceOf,
};

const runs: ListQuery<RunRow, SyncRunRecord> = {
  name: 'catalog.syncRunsByRegistry',
  columns: raw(RUN_COLUMNS),
  from: raw('sync_run u'),
  where: raw('u.registry_id = parent.id'),
  order: { name: 'syncRuns', direction: 'DESC', key: null, id: raw('u.id') },
  toRecord: runOf,
};

const errors: ListQuery<ErrorRow, SyncErrorRecord> = {
  name: 'catalog.syncErrorsByRun',
  columns: raw('e.reference, e.message, e.at, e.attempts, e.will_retry'),
  from: raw('sync_error e'),
  where: raw('e.run_id = parent.id'),
  order: { name: 'syncErrors', direction: 'ASC', key: null, id: raw('e.id') },
  toRecord: (row) => ({
    reference: row.reference,
    message: row.message,
    at: row.at,
    attempts: row.attempts,
    willRetry: row.will_retry,
  }),
};

function sourceOf(row: SourceRow): SyncSourceRecord {
  return {
    __typename: 'SyncSource',
    id: row.id,
    managedBy: row.managed_by,
    registryId: row.registry_id,
    repositories: row.repositories,
    tags: row.tags,
    maxTags: row.max_tags,
    newestBy: row.newest_by,
    platforms: (row.platforms ?? []).map(platformOfText),
    schedule: row.schedule,
    inspectContents: row.inspect_contents,
    paused: row.paused,
    nextRunAt: row.next_run_at,
  };
}

function runOf(row: RunRow): SyncRunRecord {
  return {
    __typename: 'SyncRun',
    id: row.id,
    registryId: row.registry_id,
    sourceId: row.source_id,
    status: row.status,
    trigger: row.trigger,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    repositoriesTotal: row.repositories_total,
    repositoriesDone: row.repositories_done,
    tagsSeen: row.tags_seen,
    tagsChanged: row.tags_changed,
    manifestsFetched: row.manifests_fetched,
    bytesFetched: row.bytes_fetched,
    requests: row.requests,
  };
}
