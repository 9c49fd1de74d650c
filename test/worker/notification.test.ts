import pino from 'pino';
import { openDatabase } from '../../src/catalog/database.ts';
import { createSeal } from '../../src/catalog/write/index.ts';
import { createCommands, type Commands, type Webhook } from '../../src/commands/index.ts';
import type { RepositoryName, TagName } from '../../src/domain/reference.ts';
import { prepareQueue } from '../../src/queue/index.ts';
import { startWorker } from '../../src/worker/index.ts';
import { anImage } from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';

const seal = createSeal(Buffer.alloc(32, 7));

let database: TestDatabase;
let registry: MemoryRegistry;
let commands: Commands;
let webhook: Webhook;
let stops: (() => Promise<void>)[];

beforeEach(async () => {
  database = await createTestDatabase();
  await prepareQueue(database);
  registry = new MemoryRegistry();
  commands = createCommands({
    database,
    seal,
    kinds: {
      defaultUrl: (host) => new URL(`https://${host}`),
      detectKind: () => Promise.resolve('OCI' as const),
      checkCredential: () => undefined,
      open: () => Promise.resolve(registry),
    },
  });
  await commands.addRegistry({ host: registry.host, webhookSecret: 'a-secret-of-enough-signs' });
  webhook = (await commands.findWebhook(registry.host)) as Webhook;
  stops = [];
});

afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await database.close();
});

async function work(): Promise<void> {
  const own = openDatabase({ url: database.url, poolSize: 6, isWorker: true, onError: () => undefined });
  const log = pino({ level: 'silent' });
  const openRegistry = () => Promise.resolve(registry);
  const worker = await startWorker({ database: own, seal, openRegistry, log, concurrency: 4, pauses: [10] });
  stops.push(() => worker.stop().then(() => own.close()));
}

async function addSource(input: object): Promise<number> {
  const { sourceId, userErrors } = await commands.addSyncSource({
    registry: registry.host,
    repositories: '*',
    ...input,
  });
  expect(userErrors).toEqual([]);
  return sourceId as number;
}

function tell(repository: string, tag: string | null = null): Promise<boolean> {
  return commands.lookAt(webhook, [{ repository: repository as RepositoryName, tag: tag as TagName | null }]);
}

/** What runs there are, as `repository status`; null in the place of all of a source. */
async function runs(): Promise<string[]> {
  const rows = await database.run<{ text: string }>(
    `select concat_ws(' ', coalesce(repository, 'all'), status) as text from sync_run order by id`,
    [],
  );
  return rows.map(({ text }) => text);
}

async function until(look: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function untilRuns(expected: readonly string[]): Promise<void> {
  await until(async () => JSON.stringify(await runs()) === JSON.stringify(expected));
}

async function tags(): Promise<string[]> {
  const rows = await database.run<{ name: string }>(
    `select r.name || ':' || t.name as name from tag t join repository r on r.id = t.repository_id
     where t.manifest_id is not null order by 1`,
    [],
  );
  return rows.map(({ name }) => name);
}

test('a repository that was named is looked at as its source would, and no other', async () => {
  for (const tag of ['1.0', '1.1', '1.2', 'nightly']) registry.push('app/web', tag, anImage());
  registry.push('app/worker', '1.0', anImage());
  await addSource({ repositories: 'app/*, !app/tmp', tags: '1.*', maxTags: 2 });
  await work();
  expect(await tell('app/web', '1.2')).toBe(true);
  await untilRuns(['app/web SUCCEEDED']);
  expect(await tags()).toEqual(['app/web:1.1', 'app/web:1.2']);
  expect(registry.countAsked('repositories')).toBe(0);
  expect([await tell('app/tmp'), await tell('app/web', 'nightly')]).toEqual([false, false]);
});

test('a tag that is there no more is forgotten when its deletion is told', async () => {
  registry.push('app/web', '1.0', anImage());
  registry.push('app/web', '1.1', anImage());
  await addSource({});
  await work();
  await tell('app/web');
  await untilRuns(['app/web SUCCEEDED']);
  registry.removeTag('app/web', '1.1');
  await tell('app/web', '1.1');
  await untilRuns(['app/web SUCCEEDED', 'app/web SUCCEEDED']);
  expect(await tags()).toEqual(['app/web:1.0']);
});

test('a storm while a repository is looked at is followed by exactly one look more', async () => {
  registry.push('app/web', 'latest', anImage());
  await addSource({});
  const looking = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  registry.pause = async (asked) => {
    if (asked.startsWith('tags')) {
      looking.resolve();
      await released.promise;
    }
  };
  await work();
  await work();
  await tell('app/web');
  await looking.promise;
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 10 }, () => tell('app/web')));
    // Time for the one that waits to begin, if it would.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await runs()).toEqual(['app/web RUNNING', 'app/web QUEUED']);
  // The first look does not see it: it has its answer.
  registry.push('app/web', 'later', anImage());
  released.resolve();
  await untilRuns(['app/web SUCCEEDED', 'app/web SUCCEEDED']);
  expect(registry.countAsked('tags')).toBe(2);
  expect(await tags()).toEqual(['app/web:later', 'app/web:latest']);
});

test('a look waits while notifications go on to come, though not for longer than five seconds', async () => {
  registry.push('app/web', 'latest', anImage());
  await addSource({});
  await work();
  await tell('app/web');
  await database.run(`update sync_run set notified_at = now() + interval '1 hour'`, []);
  // Asked of the queue, and put off.
  const putOff = `select from graphile_worker._private_jobs where run_at > now() + interval '2 s' and locked_at is null`;
  await until(async () => (await database.run(putOff, [])).length === 1);
  expect(await runs()).toEqual(['app/web QUEUED']);
  await database.run(`update sync_run set created_at = created_at - interval '5 s'`, []);
  await database.run('update graphile_worker._private_jobs set run_at = now()', []);
  await untilRuns(['app/web SUCCEEDED']);
});

test('a notification of what waits says so a few times a second, and else writes nothing', async () => {
  await addSource({});
  await tell('app/web');
  const seen = () => database.run<{ at: string }>(`select notified_at::text || xmin::text as at from sync_run`, []);
  await database.run(`update sync_run set notified_at = notified_at + interval '1 hour'`, []);
  const before = await seen();
  await Promise.all(Array.from({ length: 20 }, () => tell('app/web')));
  expect(await seen()).toEqual(before);
  await database.run(`update sync_run set notified_at = notified_at - interval '2 hours'`, []);
  await tell('app/web');
  const rows = await database.run(`select from sync_run where notified_at > now() - interval '1 minute'`, []);
  expect(rows).toHaveLength(1);
});

test('a run of all of a source neither hinders nor is hindered by what is told, and is its last run', async () => {
  const source = await addSource({});
  await tell('app/web');
  const { runId } = await commands.requestSync({ source });
  await tell('app/worker');
  expect(await runs()).toEqual(['app/web QUEUED', 'all QUEUED', 'app/worker QUEUED']);
  expect((await commands.requestSync({ source })).runId).toBe(runId);
});

test('what is told of a repository that is not there is no fault', async () => {
  await addSource({});
  await work();
  expect(await tell('no/such')).toBe(true);
  await untilRuns(['no/such SUCCEEDED']);
  expect(await tags()).toEqual([]);
});

test('a run whose source is removed meanwhile looks all the same, and the next is not held up', async () => {
  registry.push('app/web', 'latest', anImage());
  const id = await addSource({});
  await tell('app/web');
  await commands.removeSyncSource({ id });
  expect(await tell('app/web')).toBe(false);
  await work();
  await untilRuns(['app/web SUCCEEDED']);
});
