import * as catalog from '../../catalog/write/index.ts';
import { isUnavailable } from '../../domain/errors.ts';
import { parseRepositorySelection } from '../../domain/selection.ts';
import { enqueue, type JobPayload } from '../../queue/index.ts';
import { listRepositories } from '../../sync/index.ts';
import { batchesOf, MOST_TAGS } from '../batch.ts';
import type { JobContext } from '../context.ts';
import { finishRun } from '../finish-run.ts';
import type { SharedRegistry } from '../open-registries.ts';
import { faultOf, nextGo, troubleOf, type Go } from '../retry.ts';

/**
 * Finds out which repositories a run has to look at, and queues them in batches. A run without any is finished at once; one that a
 * notification asked for may have to wait.
 */
export async function startSyncRun(context: JobContext, { runId, ...go }: JobPayload<'start-sync-run'>): Promise<void> {
  const signal = context.signalOf(runId);
  const later = await catalog.notifiedRunDue(context.database, runId);
  if (later !== null) {
    return context.postpone({ name: 'start-sync-run', payload: { runId, ...go }, runAt: later });
  }
  const run = await catalog.startSyncRun(context.database, runId, context.now());
  if (run === null) return;
  try {
    await context.registries.use(run.registryId, async (shared) => {
      if (shared !== null) await queueRepositories(context, run, shared, signal);
    });
  } catch (error) {
    signal.throwIfAborted();
    if (isUnavailable(error)) throw error;
    await giveUpOrRetry(context, run, go, error);
  }
}

async function queueRepositories(
  context: JobContext,
  run: catalog.SyncRun,
  shared: SharedRegistry,
  signal: AbortSignal,
): Promise<void> {
  const { database, log, now } = context;
  const { registry } = shared;
  const { repository } = run;
  const names = repository === null ? await listRepositories(database, registry, run, signal) : [repository];
  const batches = batchesOf(names, await catalog.countTags(database, run.registryId, names, MOST_TAGS));
  await database.transaction(async (connection) => {
    if (!(await catalog.holdSyncRun(connection, run.id))) return;
    const traffic = shared.takeTraffic();
    await catalog.addToTally(connection, run.id, { tagsSeen: 0, tagsChanged: 0, manifestsFetched: 0, ...traffic });
    await catalog.addRunRepositories(connection, run.id, names);
    await catalog.replaceSyncErrors(connection, run.id, null, [], now());
    // One that somebody named does not wait behind a whole registry.
    const isNamed = repository !== null || parseRepositorySelection(run.repositories).prefixes.length === 0;
    const priority = isNamed ? -5 : 0;
    const payloads = batches.map((batch) => ({ runId: run.id, names: batch, attempt: 1 }));
    await enqueue(
      connection,
      payloads.map((payload) => ({ name: 'sync-repositories', payload, priority })),
    );
    if (names.length === 0) await finishRun(context, connection, run);
  });
  log.debug(`${run.host}: run ${run.id} looks at ${names.length} repositories`);
}

async function giveUpOrRetry(context: JobContext, run: catalog.SyncRun, go: Go, error: unknown): Promise<void> {
  const { database, log, now } = context;
  const again = nextGo(context, [error], go);
  const { host } = run;
  const fault = faultOf(host, error, go, again !== null);
  log.warn(`${host}: the repositories could not be listed: ${fault.message}`);
  await database.transaction(async (connection) => {
    if (!(await catalog.holdSyncRun(connection, run.id))) return;
    await catalog.replaceSyncErrors(connection, run.id, null, [fault], now());
    if (again === null) return finishRun(context, connection, run);
    await catalog.recordHealth(connection, run.registryId, troubleOf(fault), now());
    const { runAt, ...next } = again;
    return enqueue(connection, [{ name: 'start-sync-run', payload: { runId: run.id, ...next }, runAt }]);
  });
}
