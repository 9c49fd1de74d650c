import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { parseSchedule } from '../domain/schedule.ts';
import { enqueueRun } from '../queue/index.ts';

/** Queues a run for each source whose time has come. Any number of workers may do so at the same time. */
export async function startDueSources(database: Database, now: Date): Promise<void> {
  await database.transaction(async (connection) => {
    for (const { id, schedule } of await catalog.dueSyncSources(connection, now)) {
      await catalog.scheduleSyncSource(connection, id, parseSchedule(schedule).next(now));
      const runId = await catalog.queueSourceRun(connection, id, 'SCHEDULE');
      if (runId !== null) await enqueueRun(connection, runId);
    }
  });
}
