import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { openDatabase, type Database } from '../../src/catalog/database.ts';
import { createSeal, EVERY_TAG, findSyncRun, queueSyncRun, saveRegistry } from '../../src/catalog/write/index.ts';
import { parseRegistryHost } from '../../src/domain/reference.ts';
import { enqueueRun, prepareQueue } from '../../src/queue/index.ts';
import { openRegistry } from '../../src/registries/index.ts';
import { startWorker } from '../../src/worker/index.ts';
import { answerCalls } from '../part.ts';

export interface WorkerStart {
  readonly databaseUrl: string;
  readonly origin: string;
  readonly concurrency: number;
}

export interface SyncResult {
  readonly milliseconds: number;
  readonly status: string;
  readonly images: number;
  readonly errors: number;
}

let database: Database;
let registryId: number;

/** Opens all that `stowage worker` opens, on a database of its own. */
async function start({ databaseUrl, origin, concurrency }: WorkerStart): Promise<void> {
  database = openDatabase({
    url: databaseUrl,
    poolSize: concurrency + 4,
    isWorker: true,
    onError: (error) => process.stderr.write(`${error.message}\n`),
  });
  await prepareQueue(database);
  const seal = createSeal(randomBytes(32));
  const host = parseRegistryHost(new URL(origin).host);
  registryId = await saveRegistry(database, {
    host,
    kind: 'OCI',
    title: null,
    url: origin,
    managedBy: 'API',
    credential: null,
    webhookSecret: null,
  });
  const log = pino({ level: 'warn' }, pino.destination(2));
  await startWorker({ database, seal, openRegistry, log, concurrency });
}

/** Syncs the whole registry, from the request to the finished run. */
async function sync(): Promise<SyncResult> {
  const before = performance.now();
  const scope = { registryId, repositories: '*', ...EVERY_TAG };
  const runId = await database.transaction(async (connection) => {
    const id = await queueSyncRun(connection, scope, 'MANUAL');
    await enqueueRun(connection, id);
    return id;
  });
  let status = 'QUEUED';
  while (status === 'QUEUED' || status === 'RUNNING') {
    await pause(10);
    status = (await findSyncRun(database, runId))?.status ?? 'GONE';
  }
  const milliseconds = performance.now() - before;
  const [counts] = await database.run<{ images: number; errors: number }>(
    `/* bench.counts */ select (select count(*) from image) as images,
       (select count(*) from sync_error e where e.run_id = $1::bigint) as errors`,
    [runId],
  );
  return { milliseconds, status, images: counts?.images ?? 0, errors: counts?.errors ?? 0 };
}

answerCalls({
  start,
  sync,
  cpu: () => process.cpuUsage(),
  /** Most memory that this process ever had, in MB. */
  peakMemory: () => process.resourceUsage().maxRSS / 1024,
});
