import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import { adminTokenOf } from './admin-token.ts';
import { announce } from './announce.ts';
import { openApi } from './api.ts';
import { runUntilSignal } from './process.ts';
import { openStorage } from './storage.ts';
import { openWorker } from './worker.ts';

/** API and worker in one process, until a signal ends it. */
export async function start(config: Config, log: Logger): Promise<void> {
  await runUntilSignal(config, log, async (onClose) => {
    const storage = await openStorage(config, log);
    onClose(() => storage.close());
    const adminToken = await adminTokenOf(config);
    const api = await openApi({ config, storage, adminToken, log });
    onClose(() => api.close());
    const worker = await openWorker({ config, storage, log });
    onClose(() => worker.close());
    announce({ address: api.address, adminToken, config, storage });
  });
}
