import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { openMetrics } from '../../src/bin/metrics.ts';
import { openDatabase, type Database } from '../../src/catalog/database.ts';
import { createSeal } from '../../src/catalog/write/index.ts';
import { createCommands } from '../../src/commands/index.ts';
import { checkCredential, defaultRegistryUrl, openRegistry } from '../../src/registries/index.ts';
import { openWeb } from '../../src/web/index.ts';
import { answerCalls } from '../part.ts';

export interface ApiStart {
  readonly databaseUrl: string;
  /** Of a registry that the catalog follows. */
  readonly host: string;
  readonly secret: string;
}

let database: Database;

/** Opens what `stowage api` opens, with a source that follows all of the registry; the address of its webhook. */
async function start({ databaseUrl, host, secret }: ApiStart): Promise<string> {
  database = openDatabase({
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
  await commands.updateRegistry({ host, webhookSecret: secret });
  await commands.addSyncSource({ registry: host, repositories: '*' });
  const log = pino({ level: 'error' }, pino.destination(2));
  const web = await openWeb({
    database,
    commands,
    metrics: openMetrics(database),
    adminToken: randomBytes(32).toString('hex'),
    log,
    version: 'bench',
  });
  return `${await web.listen(0, '127.0.0.1')}/hooks/${host}`;
}

/** How many runs there are, and how many of them have not ended. */
async function runs(): Promise<{ all: number; unfinished: number } | undefined> {
  const [row] = await database.run<{ all: number; unfinished: number }>(
    `/* bench.runs */ select count(*) as all, count(*) filter (where finished_at is null) as unfinished from sync_run`,
    [],
  );
  return row;
}

answerCalls({ start, runs, memory: () => process.memoryUsage().rss });
