import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import { startWorker } from '../worker/index.ts';
import { openProcessDatabase } from './database.ts';
import { applyDeclarations } from './declaration.ts';
import { runUntilSignal } from './process.ts';
import { registryKindsOf } from './registry-kinds.ts';
import { openStorage, type Storage } from './storage.ts';

export interface WorkerSettings {
  readonly config: Config;
  readonly storage: Storage;
  readonly log: Logger;
}

/** Repositories that one worker looks at side by side. */
const CONCURRENCY = 4;

/** The half that looks outside: follows what the configuration declares, and works off what is queued. */
export async function openWorker({ config, storage, log }: WorkerSettings): Promise<{ close(): Promise<void> }> {
  const { seal } = storage;
  const database = openProcessDatabase({ storage, log, poolSize: CONCURRENCY + 4, isWorker: true });
  try {
    await applyDeclarations(config, database, seal, log);
    const openRegistry = registryKindsOf(config).open;
    const worker = await startWorker({ database, seal, openRegistry, log, concurrency: CONCURRENCY });
    return {
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

/** A worker alone, until a signal ends it. */
export async function runWorker(config: Config, log: Logger): Promise<void> {
  await runUntilSignal(log, async (onClose) => {
    const storage = await openStorage(config, log);
    onClose(() => storage.close());
    const worker = await openWorker({ config, storage, log });
    onClose(() => worker.close());
    log.info(`A worker is running on the database (${storage.description}).`);
  });
}
