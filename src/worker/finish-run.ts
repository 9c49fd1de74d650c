import type { Connection } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { countRun } from '../telemetry/index.ts';
import type { JobContext } from './context.ts';
import { healthOf } from './retry.ts';

/** Ends a run, and says what it showed of its registry. To be called in the transaction that did the last of it. */
export async function finishRun({ log, now }: JobContext, connection: Connection, run: catalog.SyncRun): Promise<void> {
  const outcome = await catalog.finishSyncRun(connection, run.id, now());
  if (outcome === null) return;
  countRun(run.host, outcome.status);
  log.info(`sync run ${run.id} of ${run.repository ?? run.repositories} has ${outcome.status.toLowerCase()}`);
  await catalog.recordHealth(connection, run.registryId, healthOf(outcome), now());
}
