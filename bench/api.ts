import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { openMetrics } from '../src/bin/metrics.ts';
import { openDatabase, type Database } from '../src/catalog/database.ts';
import { createSeal } from '../src/catalog/write/index.ts';
import { createCommands, type Commands } from '../src/commands/index.ts';
import { checkCredential, defaultRegistryUrl, openRegistry } from '../src/registries/index.ts';
import { openWeb } from '../src/web/index.ts';

/** What `stowage api` opens, in this process. */
export interface BenchApi {
  readonly database: Database;
  readonly commands: Commands;
  /** Such as http://127.0.0.1:4000. */
  readonly address: string;
  close(): Promise<void>;
}

export async function openBenchApi(databaseUrl: string): Promise<BenchApi> {
  const database = openDatabase({
    url: databaseUrl,
    poolSize: 8,
    onError: (error) => process.stderr.write(`${error.message}\n`),
  });
  const commands = createCommands({
    database,
    seal: createSeal(randomBytes(32)),
    kinds: {
      detectKind: () => Promise.resolve('OCI'),
      checkCredential,
      defaultUrl: defaultRegistryUrl,
      open: openRegistry,
    },
  });
  const web = await openWeb({
    database,
    commands,
    metrics: openMetrics(database),
    adminToken: randomBytes(32).toString('hex'),
    log: pino({ level: 'error' }, pino.destination(2)),
    version: 'bench',
  });
  return {
    database,
    commands,
    address: await web.listen(0, '127.0.0.1'),
    async close() {
      await web.close();
      await database.close();
    },
  };
}
