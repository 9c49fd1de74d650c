import pino, { type Logger } from 'pino';
import { openMetrics } from '../../src/bin/metrics.ts';
import { openDatabase } from '../../src/catalog/database.ts';
import { createSeal } from '../../src/catalog/write/index.ts';
import { createCommands } from '../../src/commands/index.ts';
import { INSPECTION_LIMITS } from '../../src/domain/inspection-limits.ts';
import { prepareQueue } from '../../src/queue/index.ts';
import { checkCredential, defaultRegistryUrl, detectKind, openRegistry } from '../../src/registries/index.ts';
import { openWeb } from '../../src/web/index.ts';
import { openRuntime } from '../../src/runtimes/index.ts';
import { startWorker } from '../../src/worker/index.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

/** API and worker on a database of their own, as `start` runs them, with a client. */
export interface RunningStowage {
  readonly database: TestDatabase;
  readonly address: string;
  /** The data of an answer; rejects when it has errors. */
  ask<T>(query: string, variables?: object): Promise<T>;
  /** Follows a registry, and syncs what of it matches, also when it is told of it with a secret. Answers with the source's id. */
  follow(registry: string, repositories: string, webhookSecret?: string): Promise<string>;
  /** Waits until a new run of the source has ended. */
  sync(source: string): Promise<FinishedRun>;
  close(): Promise<void>;
}

export interface FinishedRun {
  readonly status: string;
  readonly tagsSeen: number;
  readonly tagsChanged: number;
  readonly manifestsFetched: number;
  readonly errors: { readonly nodes: readonly { readonly reference: string; readonly message: string }[] };
}

const ADMIN_TOKEN = 'stowage_test';

export async function startStowage(log: Logger = pino({ level: 'silent' })): Promise<RunningStowage> {
  const database = await createTestDatabase();
  await prepareQueue(database);
  const seal = createSeal(Buffer.alloc(32, 1));
  const workerDatabase = openDatabase({
    url: database.url,
    poolSize: 8,
    isWorker: true,
    onError: () => undefined,
  });
  const pauses = [10, 20];
  const worker = await startWorker({
    database: workerDatabase,
    seal,
    openRegistry,
    runtimes: { open: openRuntime, keepsLabel: () => true },
    inspection: INSPECTION_LIMITS,
    log,
    concurrency: 4,
    pauses,
  });
  const commands = createCommands({
    database,
    seal,
    kinds: {
      defaultUrl: defaultRegistryUrl,
      detectKind: async (url) => (await detectKind(url, [], new AbortController().signal)).kind,
      checkCredential,
      open: openRegistry,
    },
  });
  const web = await openWeb({
    database,
    commands,
    adminToken: ADMIN_TOKEN,
    log,
    metrics: openMetrics(database),
    version: '0.0.0',
  });
  const address = await web.listen(0, '127.0.0.1');

  async function ask<T>(query: string, variables: object = {}): Promise<T> {
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_TOKEN}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: T; errors?: { message: string }[] };
    if (errors) throw new Error(errors.map((error) => error.message).join('\n'));
    return data;
  }

  return {
    database,
    address,
    ask,
    async follow(registry, repositories, webhookSecret) {
      const added = await ask<Record<string, { userErrors: unknown[]; source?: { id: string } }>>(FOLLOW, {
        registry: { host: registry, webhookSecret },
        source: { registry, repositories },
      });
      expect(Object.values(added).flatMap(({ userErrors }) => userErrors)).toEqual([]);
      return (added['addSyncSource'] as { source: { id: string } }).source.id;
    },
    async sync(source) {
      const { requestSync } = await ask<{ requestSync: { run: { id: string } } }>(REQUEST, { source });
      for (;;) {
        const { syncRun } = await ask<{ syncRun: FinishedRun & { finishedAt: string | null } }>(RUN, requestSync.run);
        if (syncRun.finishedAt !== null) return syncRun;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async close() {
      await web.close();
      await worker.stop();
      await workerDatabase.close();
      await database.close();
    },
  };
}

const FOLLOW = `mutation ($registry: AddRegistryInput!, $source: AddSyncSourceInput!) {
  addRegistry(input: $registry) { userErrors { message } }
  addSyncSource(input: $source) { source { id } userErrors { message } }
}`;
const REQUEST = `mutation ($source: ID!) {
  requestSync(input: { source: $source }) { run { id } userErrors { message } }
}`;
const RUN = `query ($id: ID!) {
  syncRun(id: $id) {
    status finishedAt tagsSeen tagsChanged manifestsFetched errors(first: 100) { nodes { reference message } }
  }
}`;
