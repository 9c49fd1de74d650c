import type { Logger } from 'pino';
import { createCommands } from '../commands/index.ts';
import type { Config } from '../config/index.ts';
import { openWeb } from '../web/index.ts';
import { adminTokenOf, type AdminToken } from './admin-token.ts';
import { announce } from './announce.ts';
import { openProcessDatabase } from './database.ts';
import { keepsLabelOf } from './kept-labels.ts';
import { openMetrics } from './metrics.ts';
import { runUntilSignal } from './process.ts';
import { registryKindsOf } from './registry-kinds.ts';
import { openStorage, type Storage } from './storage.ts';
import { ownVersion } from './version.ts';

export interface ApiSettings {
  readonly config: Config;
  readonly storage: Storage;
  readonly adminToken: AdminToken;
  readonly log: Logger;
}

const DEFAULT_PORT = 4000;

/** The half that answers. */
export interface Api {
  readonly address: string;
  close(): Promise<void>;
}

/** Opens the API and begins to listen. Throws INVALID_CONFIGURATION where the port can't be had. */
export async function openApi({ config, storage, adminToken, log }: ApiSettings): Promise<Api> {
  const database = openProcessDatabase({ storage, log, poolSize: 8 });
  const kinds = registryKindsOf(config, log);
  const commands = createCommands({ database, seal: storage.seal, kinds, keepsLabel: keepsLabelOf(config) });
  const { trustedDocuments, isSubgraph } = config;
  const closes = [() => database.close()];
  const close = async () => {
    for (const each of closes) await each();
  };
  try {
    const web = await openWeb({
      database,
      commands,
      adminToken: adminToken.text,
      agentToken: config.agentToken,
      log,
      metrics: openMetrics(database),
      version: ownVersion(),
      trustedDocuments,
      isSubgraph,
    });
    closes.unshift(() => web.close());
    return { address: await web.listen(config.port ?? DEFAULT_PORT, config.host), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The API alone, until a signal ends it. */
export async function runApi(config: Config, log: Logger): Promise<void> {
  await runUntilSignal(config, log, async (onClose) => {
    const storage = await openStorage(config, log);
    onClose(() => storage.close());
    const adminToken = await adminTokenOf(config);
    const api = await openApi({ config, storage, adminToken, log });
    onClose(() => api.close());
    announce({ address: api.address, adminToken, config, storage });
  });
}
