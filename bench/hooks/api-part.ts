import type { Database } from '../../src/catalog/database.ts';
import { openBenchApi } from '../api.ts';
import { answerCalls } from '../part.ts';

export interface ApiStart {
  readonly databaseUrl: string;
  /** Of a registry that the catalog follows. */
  readonly host: string;
  readonly secret: string;
}

let database: Database;

/** Opens the API, with a source that follows all of the registry; the address of its webhook. */
async function start({ databaseUrl, host, secret }: ApiStart): Promise<string> {
  const api = await openBenchApi(databaseUrl);
  ({ database } = api);
  await api.commands.updateRegistry({ host, webhookSecret: secret });
  await api.commands.addSyncSource({ registry: host, repositories: '*' });
  return `${api.address}/hooks/${host}`;
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
