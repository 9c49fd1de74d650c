import type { Logger } from 'pino';
import { openDatabase, type Database } from '../catalog/database.ts';
import { migrate } from '../catalog/migrate.ts';
import { createSeal, renewSecrets, type Seal } from '../catalog/write/index.ts';
import type { Config } from '../config/index.ts';
import { CatalogError, messageOf } from '../domain/errors.ts';
import { startEmbedded } from '../postgres/index.ts';
import { prepareQueue } from '../queue/index.ts';
import { keptKeys } from './kept-keys.ts';

/** The database of a process, up to date, and the key of what is sealed in it. */
export interface Storage {
  readonly url: string;
  /** For people: without a password. */
  readonly description: string;
  readonly seal: Seal;
  /** Stops an embedded server that nobody else uses. To be called when all connections are closed. */
  close(): Promise<void>;
}

/** The database of DATABASE_URL, or else the embedded one. Throws a CatalogError that says what to do. */
export async function openStorage(config: Config, log: Logger): Promise<Storage> {
  const place = config.databaseUrl === null ? await embedded(config, log) : external(config.databaseUrl);
  try {
    const [first, ...others] = config.credentialKeys ?? (await keptKeys(config.dataDirectory));
    const seal = createSeal(first, ...others);
    await bringUpToDate(place, seal, log);
    return { ...place, seal };
  } catch (error) {
    await place.close();
    throw error;
  }
}

type Place = Omit<Storage, 'seal'>;

async function embedded(config: Config, log: Logger): Promise<Place> {
  const server = await startEmbedded({ dataDirectory: config.dataDirectory, log: (line) => log.info(line) });
  return { url: server.url, description: `embedded, in ${config.dataDirectory}`, close: () => server.stop() };
}

function external(text: string): Place {
  const url = new URL(text);
  return {
    url: text,
    description: `${url.pathname.slice(1) || 'postgres'} at ${url.searchParams.get('host') ?? url.host}`,
    close: () => Promise.resolve(),
  };
}

async function bringUpToDate({ url, description }: Place, seal: Seal, log: Logger): Promise<void> {
  try {
    for (const name of await migrate(url)) log.info(`Applied the migration ${name}.`);
    const database = openDatabase({ url, poolSize: 1, onError: (error) => log.error(error.message) });
    try {
      await prepareQueue(database);
      await renew(database, seal, log);
    } finally {
      await database.close();
    }
  } catch (error) {
    throw new CatalogError('CATALOG_UNAVAILABLE', `The database (${description}) cannot be used: ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}

/** So that a key that seals no more can be taken away. */
async function renew(database: Database, seal: Seal, log: Logger): Promise<void> {
  const { renewed, unopened } = await renewSecrets(database, seal);
  if (renewed > 0) log.info(`Sealed ${renewed} secrets anew, with the first key.`);
  for (const host of unopened) {
    log.warn(`A stored secret of ${host} opens with no key that is given: add the key that sealed it.`);
  }
}

/** A name that leads to several addresses fails with the errors of all of them, and no message of its own. */
function reasonOf(error: unknown): string {
  const inner = error instanceof AggregateError ? error.errors.map(messageOf).join('; ') : messageOf(error);
  return inner.replaceAll(/\s*\n\s*/g, ' ').replace(/\.$/, '');
}
