import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createReads, type CatalogReads, type SyncErrorRecord, type SyncRunRecord } from '../catalog/read/index.ts';
import { createCommands, type Commands } from '../commands/index.ts';
import type { Config } from '../config/index.ts';
import { CatalogError } from '../domain/errors.ts';
import { parsePastedReference, type Reference } from '../domain/reference.ts';
import { startWorker } from '../worker/index.ts';
import { openProcessDatabase } from './database.ts';
import { declareRegistry } from './declaration.ts';
import { openProgress } from './progress.ts';
import { registryKindsOf } from './registry-kinds.ts';
import { formatSize } from './size.ts';
import { openStorage } from './storage.ts';

/**
 * Looks at one tag, or at a repository with all its tags, and tells what came of it. A worker in this process does the
 * work, unless another one is faster. Ctrl-C cancels the run.
 */
export async function sync(text: string, config: Config, log: Logger): Promise<void> {
  const reference = parsePastedReference(text);
  const storage = await openStorage(config, log);
  const { seal } = storage;
  const database = openProcessDatabase({ storage, log, poolSize: 8 });
  try {
    await declareRegistry(reference.host, config, database, seal, log);
    const kinds = registryKindsOf(config, log);
    const commands = createCommands({ database, seal, kinds });
    const runId = await request(commands, reference);
    process.once('SIGINT', () => void commands.cancelSync({ id: runId }));

    const worker = await startWorker({ database, seal, openRegistry: kinds.open, log, concurrency: 2 });
    const reads = createReads(database);
    const run = await watch(reads, runId).finally(() => worker.stop());
    const errors = (await reads.syncErrorsByRun.pages([runId], { first: 20 })).get(runId)?.nodes ?? [];
    process.stdout.write(summaryOf(run, errors));
    if (run.status !== 'SUCCEEDED') process.exitCode = 1;
  } finally {
    await database.close();
    await storage.close();
  }
}

async function request(commands: Commands, reference: Reference): Promise<number> {
  const isTag = reference.tag !== null || reference.digest !== null;
  const { runId, userErrors } = await commands.requestSync(isTag ? { tag: reference } : { repository: reference });
  if (runId !== null) return runId;
  throw new CatalogError('INVALID_ARGUMENT', userErrors.map(({ message }) => message).join('\n'));
}

async function watch(reads: CatalogReads, id: number): Promise<SyncRunRecord> {
  const progress = openProgress(process.stderr);
  try {
    for (;;) {
      const run = (await reads.syncRunsById([id])).get(id);
      if (!run) throw new CatalogError('INVALID_ARGUMENT', 'The run is gone: its registry was removed.');
      progress.show(run);
      if (run.finishedAt !== null) return run;
      await pause(100);
    }
  } finally {
    progress.end();
  }
}

function summaryOf(run: SyncRunRecord, errors: readonly SyncErrorRecord[]): string {
  const seconds = ((run.finishedAt?.getTime() ?? 0) - (run.startedAt?.getTime() ?? 0)) / 1000;
  return [
    `${OUTCOMES[run.status]} in ${Math.max(seconds, 0).toFixed(1)} s.`,
    `  tags       ${run.tagsSeen} seen, ${run.tagsChanged} changed`,
    `  manifests  ${run.manifestsFetched} fetched`,
    `  traffic    ${run.requests} requests, ${formatSize(run.bytesFetched)}`,
    ...errors.map(({ reference, message }) => `  error      ${reference}: ${message}`),
    '',
  ].join('\n');
}

const OUTCOMES: Record<SyncRunRecord['status'], string> = {
  QUEUED: 'Waiting',
  RUNNING: 'Running',
  SUCCEEDED: 'Done',
  PARTIAL: 'Done in part',
  FAILED: 'Failed',
  CANCELLED: 'Cancelled',
};
