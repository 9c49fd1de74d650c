import type { Connection, Database } from '../catalog/database.ts';
import { notify } from '../catalog/events.ts';
import * as catalog from '../catalog/write/index.ts';
import { formatReference, tagNamed, type Reference } from '../domain/reference.ts';
import { enqueueRun } from '../queue/index.ts';
import { invalid, notFound, type UserError } from './user-error.ts';

/** Exactly one of them. */
export interface RequestSyncInput {
  readonly source?: number | null;
  readonly repository?: Reference | null;
  readonly tag?: Reference | null;
}

export interface SyncRunOutcome {
  readonly runId: number | null;
  readonly userErrors: UserError[];
}

export interface SyncRunCommands {
  /** Returns at once, with a run that a worker takes up. A source that has an unfinished run answers with that one. */
  requestSync(input: RequestSyncInput): Promise<SyncRunOutcome>;
  cancelSync(input: { id: number }): Promise<SyncRunOutcome>;
}

export function createSyncRunCommands(database: Database, now: () => Date): SyncRunCommands {
  async function requestSource(sourceId: number): Promise<SyncRunOutcome> {
    if ((await catalog.findSyncSource(database, sourceId)) === null) {
      return { runId: null, userErrors: [notFound('source', 'There is no such sync source.')] };
    }
    const runId = await database.transaction((connection) => queueSourceRun(connection, sourceId, 'MANUAL'));
    return { runId: runId ?? (await catalog.unfinishedRunOfSource(database, sourceId)), userErrors: [] };
  }

  async function requestRepository(path: string, reference: Reference, tag: string | null): Promise<SyncRunOutcome> {
    const registry = await catalog.findRegistry(database, { host: reference.host });
    if (registry === null) {
      const message = `The catalog follows no registry "${reference.host}", which "${formatReference(reference)}" names; add it with addRegistry first.`;
      return { runId: null, userErrors: [notFound(path, message)] };
    }
    const runId = await database.transaction(async (connection) => {
      const { repository: repositories } = reference;
      const scope = { registryId: registry.id, ...catalog.EVERY_TAG, repositories, tags: tag };
      const id = await catalog.queueSyncRun(connection, scope, 'MANUAL');
      await enqueueRun(connection, id);
      return id;
    });
    return { runId, userErrors: [] };
  }

  return {
    async requestSync({ source, repository, tag }) {
      if (typeof source === 'number') return requestSource(source);
      if (repository) return requestRepository('repository', repository, null);
      if (tag?.digest) {
        const message = `"${formatReference(tag)}" names a digest, which never changes; name a tag.`;
        return { runId: null, userErrors: [invalid('tag', message)] };
      }
      if (tag) return requestRepository('tag', tag, tagNamed(tag));
      return { runId: null, userErrors: [invalid('source', 'Name a source, a repository or a tag.')] };
    },

    async cancelSync({ id }) {
      if ((await catalog.findSyncRun(database, id)) === null) {
        return { runId: null, userErrors: [notFound('id', 'There is no such run.')] };
      }
      const wasRunning = await catalog.cancelSyncRun(database, id, now());
      if (wasRunning) await notify(database, 'stowage_sync_cancelled', id);
      return { runId: id, userErrors: [] };
    },
  };
}

/** Queues a run of a source with the job that starts it; null where one is unfinished, or the source is gone. */
export async function queueSourceRun(
  connection: Connection,
  sourceId: number,
  trigger: catalog.SyncTrigger,
): Promise<number | null> {
  const runId = await catalog.queueSourceRun(connection, sourceId, trigger);
  if (runId !== null) await enqueueRun(connection, runId);
  return runId;
}
