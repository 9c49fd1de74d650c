import type { Logger } from 'pino';
import { openDatabase, type Database } from '../catalog/database.ts';
import { watchPool } from '../telemetry/index.ts';
import type { Storage } from './storage.ts';

export interface ProcessDatabaseSettings {
  readonly storage: Storage;
  readonly log: Logger;
  readonly poolSize: number;
  /** As openDatabase has it. */
  readonly isWorker?: boolean;
}

/** The pool of a process. It logs connections that break, though not those that end because we leave. */
export function openProcessDatabase({ storage, log, ...settings }: ProcessDatabaseSettings): Database {
  let isClosing = false;
  const database = openDatabase({
    ...settings,
    url: storage.url,
    onError: (error) => {
      if (!isClosing) log.error(`A connection to the database broke: ${error.message}`);
    },
  });
  const unwatch = watchPool(settings.isWorker ? 'worker' : 'api', database.pool);
  return {
    ...database,
    close() {
      isClosing = true;
      unwatch();
      return database.close();
    },
  };
}
