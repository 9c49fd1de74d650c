import type { Logger } from 'pino';
import type { Database } from '../catalog/database.ts';
import type { Config } from '../config/index.ts';
import { INSPECTION_LIMITS } from '../domain/inspection-limits.ts';
import { openProbes } from '../probes/index.ts';
import { startWorker } from '../worker/index.ts';
import { openProcessDatabase } from './database.ts';
import { applyDeclarations } from './declaration.ts';
import { keepsLabelOf } from './kept-labels.ts';
import { openMetrics } from './metrics.ts';
import { openRuntimeOf } from './open-runtime.ts';
import { runUntilSignal } from './process.ts';
import { registryKindsOf } from './registry-kinds.ts';
import { openStorage, type Storage } from './storage.ts';
import { ownVersion } from './version.ts';

export interface WorkerSettings {
  readonly config: Config;
  readonly storage: Storage;
  readonly log: Logger;
}

/** Repositories that one worker looks at side by side. */
const CONCURRENCY = 4;

/** The half that looks outside. */
export interface ProcessWorker {
  readonly database: Database;
  close(): Promise<void>;
}

/** Follows what the configuration declares, and works off what is queued. */
export async function openWorker({ config, storage, log }: WorkerSettings): Promise<ProcessWorker> {
  const { seal } = storage;
  const database = openProcessDatabase({ storage, log, poolSize: CONCURRENCY + 5, isWorker: true });
  try {
    await applyDeclarations(config, database, seal, log);
    const openRegistry = registryKindsOf(config, log).open;
    const runtimes = { open: openRuntimeOf(config), keepsLabel: keepsLabelOf(config) };
    const inspection = config.declarations?.inspection ?? INSPECTION_LIMITS;
    const concurrency = CONCURRENCY;
    const worker = await startWorker({ database, seal, openRegistry, runtimes, inspection, log, concurrency });
    return {
      database,
      async close() {
        await worker.stop();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** A worker alone, until a signal ends it. Where PORT is set, it can be asked there how it is. */
export async function runWorker(config: Config, log: Logger): Promise<void> {
  await runUntilSignal(config, log, async (onClose) => {
    const storage = await openStorage(config, log);
    onClose(() => storage.close());
    const worker = await openWorker({ config, storage, log });
    onClose(() => worker.close());
    const { port, host } = config;
    if (port !== null) {
      const { database } = worker;
      const probes = openProbes({ database, metrics: openMetrics(database), version: ownVersion(), log });
      onClose(() => probes.close());
      await probes.listen(port, host);
    }
    log.info(`A worker is running on the database (${storage.description}).`);
  });
}
