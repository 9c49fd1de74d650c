import type { Connection } from '../../catalog/database.ts';
import * as catalog from '../../catalog/write/index.ts';
import { isUnavailable, RegistryError } from '../../domain/errors.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import { enqueue, type JobPayload } from '../../queue/index.ts';
import { syncRepository as sync, type RepositoryReport } from '../../sync/index.ts';
import { countRepository } from '../../telemetry/index.ts';
import type { JobContext } from '../context.ts';
import { finishRun } from '../finish-run.ts';
import type { SharedRegistry } from '../open-registries.ts';
import { faultOf, nextGo, troubleOf, type NextGo } from '../retry.ts';

type Payload = JobPayload<'sync-repository'>;

/** Another job has the repository: look again after so many milliseconds. */
const BUSY_MS = 1_000;

/** Looks at one repository of a run, and ends the run when it was the last. */
export async function syncRepository(context: JobContext, payload: Payload): Promise<void> {
  const { database, presence, now } = context;
  const signal = context.signalOf(payload.runId);
  const run = await catalog.findRunOfRepository(database, payload.runId, payload.name as RepositoryName);
  if (run === null) return;
  if (!(await presence.claim(run.registryId, payload.name))) {
    const runAt = new Date(now().getTime() + BUSY_MS);
    return context.postpone({ name: 'sync-repository', payload, runAt });
  }
  try {
    await look(context, payload, run, signal);
  } finally {
    presence.release(run.registryId, payload.name);
  }
}

/** A fault of ours is one of this repository, too: the run goes on with the others, and says so. */
async function look(context: JobContext, payload: Payload, run: catalog.SyncRun, signal: AbortSignal): Promise<void> {
  const { database, registries, log, now } = context;
  const place = { registryId: run.registryId, name: payload.name as RepositoryName };
  try {
    await registries.use(run.registryId, async (shared) => {
      if (shared === null) return;
      const report = await sync({ database, registry: shared.registry, scope: run, name: place.name, signal, now });
      await conclude(context, payload, run, report, shared);
    });
  } catch (error) {
    if (isUnavailable(error)) throw error;
    await database.transaction((connection) => catalog.recountRepository(connection, place));
    signal.throwIfAborted();
    const reference = `${run.host}/${place.name}`;
    log.error(error, `${reference} could not be synced`);
    const faults = [{ reference, error: error as Error }];
    await conclude(context, payload, run, { ...NOTHING, faults }, null);
  }
}

const NOTHING = { tagsSeen: 0, tagsChanged: 0, manifestsFetched: 0, needsRecount: false, synced: null };

/** Counts, and says that the repository is done: the last of its writes, and harmless to say twice. */
async function conclude(
  context: JobContext,
  payload: Payload,
  run: catalog.SyncRun,
  report: RepositoryReport,
  shared: SharedRegistry | null,
): Promise<void> {
  const { database, log, now } = context;
  const { runId, attempt } = payload;
  const place = { registryId: run.registryId, name: payload.name as RepositoryName };
  const errors = report.faults.map(({ error }) => error);
  const again = nextGo(context, errors, payload);
  const faults = report.faults.map(({ reference, error }) =>
    faultOf(reference, error, payload, again !== null && error instanceof RegistryError && error.isTransient),
  );
  for (const { reference, message, willRetry } of faults) {
    log.warn(`${reference}: ${message}${willRetry ? '; it is tried again' : ''}`);
  }
  const { tagsSeen, tagsChanged, manifestsFetched, needsRecount, synced } = report;
  const traffic = shared?.takeTraffic() ?? { requests: 0, bytesFetched: 0 };
  const tally = { tagsSeen, tagsChanged, manifestsFetched, ...traffic };
  const repository = `${run.host}/${place.name}`;
  countRepository(run.host, tally);

  const trouble = again === null ? undefined : faults.find((fault) => fault.reference === repository);
  const isUnchanged = again === null && !needsRecount && faults.length === 0 && attempt === 1;
  const isLast = await database.transaction(async (connection) => {
    const [, isDone] = await Promise.all([
      // First, since it waits for the lock of the counters: whoever holds that may wait for the run's row.
      needsRecount && catalog.recountRepository(connection, place),
      again === null
        ? catalog.completeRunRepository(connection, runId, place.name, tally)
        : repeat(connection, payload, again, tally),
      synced && catalog.recordSynced(connection, place, synced, now()),
      (faults.length > 0 || attempt > 1) && catalog.replaceSyncErrors(connection, runId, repository, faults, now()),
      trouble && catalog.recordHealth(connection, run.registryId, troubleOf(trouble), now()),
      // All repositories of the run wait for its row; nothing is still to be sent.
      isUnchanged && connection.commit(),
    ]);
    return isDone;
  });
  if (isLast) await database.transaction((connection) => finishRun(context, connection, run));
}

/** False: the repository is not done. */
async function repeat(
  connection: Connection,
  payload: Payload,
  { runAt, ...go }: NextGo,
  tally: catalog.SyncTally,
): Promise<false> {
  await catalog.addToTally(connection, payload.runId, { ...tally, tagsSeen: 0 });
  await enqueue(connection, [{ name: 'sync-repository', payload: { ...payload, ...go }, runAt }]);
  return false;
}
