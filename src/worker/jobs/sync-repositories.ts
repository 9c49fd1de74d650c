import * as catalog from '../../catalog/write/index.ts';
import { isUnavailable } from '../../domain/errors.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import { enqueue, type JobPayload } from '../../queue/index.ts';
import { syncRepository, type RepositoryReport } from '../../sync/index.ts';
import { inSpan } from '../../telemetry/index.ts';
import { conclude, concludeUnchanged, isUnchanged, type Looked } from '../conclude.ts';
import type { JobContext } from '../context.ts';
import type { SharedRegistry } from '../open-registries.ts';

type Payload = JobPayload<'sync-repositories'>;

/** Another job has a repository: look again after so many milliseconds. */
const BUSY_MS = 1_000;
/** What has not been begun after so long is handed back: another run may want it sooner. */
const LONGEST_MS = 5_000;

/**
 * Looks at repositories of a run one after the other, and ends the run when the last of it was among them. What was
 * known of them is read together, and what did not change is concluded together.
 */
export async function syncRepositories(context: JobContext, payload: Payload): Promise<void> {
  const { database, presence, now } = context;
  const run = await catalog.findPendingRun(database, payload.runId, payload.names);
  if (run === null) return;
  const claimed = await presence.claim(run.registryId, run.pending);
  try {
    const left = await lookAtEach(context, payload, run, claimed);
    if (left.length > 0) await enqueue(database, [{ name: 'sync-repositories', payload: { ...payload, names: left } }]);
  } finally {
    presence.release(run.registryId, claimed);
  }
  const busy = run.pending.filter((name) => !claimed.includes(name));
  if (busy.length === 0) return;
  const runAt = new Date(now().getTime() + BUSY_MS);
  await context.postpone({ name: 'sync-repositories', payload: { ...payload, names: busy }, runAt });
}

/** Answers with those for which the time did not suffice. */
async function lookAtEach(
  context: JobContext,
  payload: Payload,
  run: catalog.SyncRun,
  names: readonly RepositoryName[],
): Promise<RepositoryName[]> {
  const known = await catalog.knownRepositories(context.database, run.registryId, names);
  const until = context.now().getTime() + LONGEST_MS;
  const unchanged: Looked[] = [];
  const left = [...names];
  do {
    const name = left.shift();
    if (name === undefined) break;
    const looked = await inSpan('sync-repository', { attributes: { 'stowage.repository': name } }, () =>
      look(context, payload, run, name, known.get(name) ?? null),
    );
    if (looked !== null) unchanged.push(looked);
  } while (context.now().getTime() < until);
  if (unchanged.length > 0) await concludeUnchanged(context, run, unchanged);
  return left;
}

/**
 * Answers with what remains to be concluded, where nothing changed. A fault of ours is one of this repository, too: the
 * run goes on with the others, and says so.
 */
async function look(
  context: JobContext,
  payload: Payload,
  run: catalog.SyncRun,
  name: RepositoryName,
  before: catalog.KnownRepository | null,
): Promise<Looked | null> {
  const { database, registries, log, now } = context;
  const signal = context.signalOf(run.id);
  try {
    return await registries.use(run.registryId, async (shared) => {
      if (shared === null) return null;
      const { registry } = shared;
      const { inspectContents } = run;
      const report = await syncRepository({
        database,
        registry,
        scope: run,
        name,
        before,
        inspectContents,
        signal,
        now,
      });
      const looked = { name, report, tally: tallyOf(report, shared) };
      if (isUnchanged(looked, payload)) return looked;
      await conclude(context, run, looked, payload);
      return null;
    });
  } catch (error) {
    if (isUnavailable(error)) throw error;
    await database.transaction((connection) =>
      catalog.recountRepository(connection, { registryId: run.registryId, name }),
    );
    signal.throwIfAborted();
    const reference = `${run.host}/${name}`;
    log.error(error, `${reference} could not be synced`);
    const report = { needsRecount: false, synced: null, faults: [{ reference, error: error as Error }] };
    await conclude(context, run, { name, report, tally: NOTHING }, payload);
    return null;
  }
}

const NOTHING: catalog.SyncTally = { tagsSeen: 0, tagsChanged: 0, manifestsFetched: 0, requests: 0, bytesFetched: 0 };

function tallyOf(
  { tagsSeen, tagsChanged, manifestsFetched }: RepositoryReport,
  shared: SharedRegistry,
): catalog.SyncTally {
  return { tagsSeen, tagsChanged, manifestsFetched, ...shared.takeTraffic() };
}
