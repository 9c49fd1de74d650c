import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import { openStorage } from './storage.ts';

/** Brings the database up to date and says so. */
export async function migrateOnly(config: Config, log: Logger): Promise<void> {
  const storage = await openStorage(config, log);
  await storage.close();
  process.stdout.write(`The database (${storage.description}) is up to date.\n`);
}
