import type { Connection } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { RegistryError } from '../domain/errors.ts';
import type { RepositoryName } from '../domain/reference.ts';
import { enqueue } from '../queue/index.ts';
import { linkContainers, type RepositoryReport } from '../sync/index.ts';
import { countRepository } from '../telemetry/index.ts';
import type { JobContext } from './context.ts';
import { finishRun } from './finish-run.ts';
import { faultOf, nextGo, troubleOf, type Go, type NextGo } from './retry.ts';

/** A repository of a run that was looked at: what came of it, and what it took. */
export interface Looked {
  readonly name: RepositoryName;
  readonly report: Pick<RepositoryReport, 'needsRecount' | 'synced' | 'faults'>;
  readonly tally: catalog.SyncTally;
}

/** Nothing is to be written of it but that it was looked at. */
export function isUnchanged({ report }: Looked, { attempt }: Go): boolean {
  return !report.needsRecount && report.faults.length === 0 && attempt === 1;
}

/** As `conclude`, for any number of repositories of which nothing changed. */
export async function concludeUnchanged(
  context: JobContext,
  run: catalog.SyncRun,
  looked: readonly Looked[],
): Promise<void> {
  const { database, now } = context;
  for (const { tally } of looked) countRepository(run.host, tally);
  const names = looked.map(({ name }) => name);
  const tally = catalog.sumTallies(looked.map((each) => each.tally));
  const isLast = await database.transaction(async (connection) => {
    const [isDone] = await Promise.all([
      catalog.completeRunRepositories(connection, run.id, names, tally),
      catalog.recordSynced(connection, run.registryId, syncedOf(looked), now()),
      // All repositories of the run wait for its row; nothing is still to be sent.
      connection.commit(),
    ]);
    return isDone;
  });
  if (isLast) await endRun(context, run);
}

/** Counts, and says that the repository is done: the last of its writes, and harmless to say twice. */
export async function conclude(context: JobContext, run: catalog.SyncRun, looked: Looked, go: Go): Promise<void> {
  const { database, log, now } = context;
  const { name, report, tally } = looked;
  const errors = report.faults.map(({ error }) => error);
  const again = nextGo(context, errors, go);
  const faults = report.faults.map(({ reference, error }) =>
    faultOf(reference, error, go, again !== null && error instanceof RegistryError && error.isTransient),
  );
  for (const { reference, message, willRetry } of faults) {
    log.warn(`${reference}: ${message}${willRetry ? '; it is tried again' : ''}`);
  }
  const repository = `${run.host}/${name}`;
  countRepository(run.host, tally);

  const trouble = again === null ? undefined : faults.find((fault) => fault.reference === repository);
  const isLast = await database.transaction(async (connection) => {
    const [, isDone] = await Promise.all([
      // First, since it waits for the lock of the counters: whoever holds that may wait for the run's row.
      report.needsRecount && catalog.recountRepository(connection, { registryId: run.registryId, name }),
      again === null
        ? catalog.completeRunRepositories(connection, run.id, [name], tally)
        : repeat(connection, run.id, looked, again),
      report.synced && catalog.recordSynced(connection, run.registryId, syncedOf([looked]), now()),
      (faults.length > 0 || go.attempt > 1) && catalog.replaceSyncErrors(connection, run.id, repository, faults, now()),
      trouble && catalog.recordHealth(connection, run.registryId, troubleOf(trouble), now()),
    ]);
    return isDone;
  });
  if (isLast) await endRun(context, run);
}

function syncedOf(looked: readonly Looked[]): Map<RepositoryName, catalog.SyncedRepository> {
  return new Map(looked.flatMap(({ name, report: { synced } }) => (synced === null ? [] : [[name, synced]])));
}

/** Containers that were started before their images were cataloged are tied to these before anybody hears of the end. */
async function endRun(context: JobContext, run: catalog.SyncRun): Promise<void> {
  const { database } = context;
  await linkContainers(database);
  await database.transaction((connection) => finishRun(context, connection, run));
}

/** False: the repository is not done. */
async function repeat(
  connection: Connection,
  runId: number,
  { name, tally }: Looked,
  { runAt, ...go }: NextGo,
): Promise<false> {
  await catalog.addToTally(connection, runId, { ...tally, tagsSeen: 0 });
  await enqueue(connection, [{ name: 'sync-repositories', payload: { runId, names: [name], ...go }, runAt }]);
  return false;
}
