import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import pino from 'pino';
import { openDatabase } from '../../src/catalog/database.ts';
import { createSeal } from '../../src/catalog/write/index.ts';
import { createCommands, type Commands } from '../../src/commands/index.ts';
import { RegistryError } from '../../src/domain/errors.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { enqueue, prepareQueue } from '../../src/queue/index.ts';
import { startWorker, type Worker } from '../../src/worker/index.ts';
import { aLayer, anImage } from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';
import { serveRegistry, startWorkerProcess, type ServedRegistry } from '../support/served-registry.ts';
import { snapshotOf } from '../support/snapshot.ts';

const seal = createSeal(Buffer.alloc(32, 7));
const log = pino({ level: 'silent' });
const kinds = {
  defaultUrl: (host: string) => new URL(`https://${host}`),
  detectKind: () => Promise.resolve('OCI' as const),
  checkCredential: () => undefined,
  open: () => Promise.resolve(registry),
};

let database: TestDatabase;
let registry: MemoryRegistry;
let commands: Commands;
let workers: Worker[];

beforeEach(async () => {
  database = await createTestDatabase();
  await prepareQueue(database);
  registry = new MemoryRegistry();
  commands = createCommands({ database, seal, kinds });
  workers = [];
  expect((await commands.addRegistry({ host: registry.host })).userErrors).toEqual([]);
});

afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await database.close();
});

/** A worker with connections of its own, as in a process of its own. */
async function work({
  openRegistry = () => Promise.resolve(registry),
  onStatement = () => undefined,
  now = () => new Date(),
}: {
  openRegistry?: () => Promise<MemoryRegistry>;
  onStatement?: (text: string) => void;
  now?: () => Date;
} = {}): Promise<Worker> {
  const own = openDatabase({ url: database.url, poolSize: 5, isWorker: true, onError: () => undefined, onStatement });
  const worker = await startWorker({ database: own, seal, openRegistry, log, concurrency: 2, pauses: [10, 20], now });
  const stop = () => worker.stop().then(() => own.close());
  workers.push({ stop });
  return { stop };
}

async function addSource(input: object = {}): Promise<number> {
  const { sourceId, userErrors } = await commands.addSyncSource({
    registry: registry.host,
    repositories: '*',
    ...input,
  });
  expect(userErrors).toEqual([]);
  return sourceId as number;
}

async function finished(runId: number | null) {
  return until(async () => {
    const run = await database.prisma.syncRun.findUnique({ where: { id: Number(runId) }, include: { errors: true } });
    return run?.finishedAt ? run : null;
  });
}

async function until<T>(look: () => Promise<T | null | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a source is listed, its repositories are synced, and the run says what it did', async () => {
  for (const name of ['app/web', 'app/worker', 'other/thing']) registry.push(name, 'latest', anImage());
  const source = await addSource({ repositories: 'app/*' });
  await work();

  const run = await finished((await commands.requestSync({ source })).runId);

  expect(run).toMatchObject({ status: 'SUCCEEDED', trigger: 'MANUAL', repositoriesTotal: 2, repositoriesDone: 2 });
  expect(run).toMatchObject({ tagsSeen: 2n, tagsChanged: 2n, errors: [] });
  expect(Number(run.requests)).toBe(registry.asked.length);
  expect((await snapshotOf(database))['repository']).toMatchObject([{ name: 'app/web' }, { name: 'app/worker' }]);
  expect(await database.prisma.registryHealth.findFirst()).toMatchObject({ status: 'HEALTHY', consecutiveFailures: 0 });
  expect(await database.prisma.syncRepository.count()).toBe(0);
});

test('what may pass by itself is tried again, and leaves no error when it has', async () => {
  registry.push('app/web', 'latest', anImage());
  const source = await addSource();
  let failures = 2;
  registry.pause = async (asked) => {
    if (asked.startsWith('tags') && failures-- > 0) throw new RegistryError('UNAVAILABLE', 'reset');
  };
  await work();
  const run = await finished((await commands.requestSync({ source })).runId);
  expect(run).toMatchObject({ status: 'SUCCEEDED', errors: [] });
  expect(registry.countAsked('tags')).toBe(3);
});

test('sizes whose sum is beyond all numbers do not keep a run from its end', async () => {
  for (const tag of ['1', '2', '3']) {
    const layers = Array.from({ length: 1000 }, (_, at) => aLayer(`${tag} ${at}`, 'gzip', Number.MAX_SAFE_INTEGER));
    registry.push('app/huge', tag, anImage({ layers }));
  }
  registry.push('app/web', 'latest', anImage());
  const source = await addSource();
  await work();
  const run = await finished((await commands.requestSync({ source })).runId);
  expect(run).toMatchObject({ status: 'SUCCEEDED', repositoriesDone: 2, errors: [] });
  expect((await snapshotOf(database))['repository']).toMatchObject([{ name: 'app/huge' }, { name: 'app/web' }]);
});

test('what does not pass is an error of the run, and of the registry that can not be reached', async () => {
  registry.push('app/web', 'latest', anImage());
  registry.push('app/worker', 'latest', anImage());
  const source = await addSource();
  registry.faults.set('tags app/web', new RegistryError('UNAVAILABLE', 'connection refused'));
  await work();
  const partial = await finished((await commands.requestSync({ source })).runId);
  expect(partial).toMatchObject({ status: 'PARTIAL', repositoriesDone: 2 });
  expect(partial.errors).toMatchObject([
    { reference: `${registry.host}/app/web`, code: 'UNAVAILABLE', attempts: 3, willRetry: false },
  ]);

  registry.faults.set('repositories', new RegistryError('UNAUTHORIZED', 'a credential is needed'));
  const failed = await finished((await commands.requestSync({ source })).runId);
  expect(failed).toMatchObject({ status: 'FAILED', repositoriesTotal: null });
  expect(failed.errors).toMatchObject([{ reference: registry.host, message: 'a credential is needed' }]);
  expect(await database.prisma.registryHealth.findFirst()).toMatchObject({ status: 'UNAUTHORIZED' });
});

test('a registry that can not be opened fails its run, and says why', async () => {
  const source = await addSource();
  await work({ openRegistry: () => Promise.reject(new RegistryError('NOT_A_REGISTRY', '/srv/layout is no layout')) });
  const run = await finished((await commands.requestSync({ source })).runId);
  expect(run).toMatchObject({ status: 'FAILED' });
  expect(run.errors).toMatchObject([{ reference: registry.host, message: '/srv/layout is no layout' }]);
  expect(await database.prisma.registryHealth.findFirst()).toMatchObject({ consecutiveFailures: 1 });
});

test('a repository that was asked for by name and is not there is an error', async () => {
  const source = await addSource({ repositories: 'app/nothing' });
  await work();
  const run = await finished((await commands.requestSync({ source })).runId);
  expect(run).toMatchObject({ status: 'FAILED', errors: [{ code: 'NOT_FOUND' }] });
});

test('a run whose worker died after its last repository is ended by the next', async () => {
  const source = await addSource();
  const { runId } = await commands.requestSync({ source });
  await database.run('delete from graphile_worker._private_jobs', []);
  await database.run(`update sync_run set status = 'RUNNING', repositories_total = 3, repositories_done = 3`, []);
  await database.run(
    `insert into sync_error (run_id, repository, reference, code, message, at, attempts, will_retry)
     select id, 'a', 'a', 'UNAVAILABLE', 'nothing listens there', now(), 1, false from sync_run`,
    [],
  );
  await work();
  expect(await finished(runId)).toMatchObject({ status: 'PARTIAL' });
  const health = await database.prisma.registryHealth.findFirst();
  expect(health).toMatchObject({ status: 'DEGRADED', message: 'nothing listens there' });
});

test('jobs that are done once more, because their worker died behind their last write, ask nothing again', async () => {
  for (const name of ['app/web', 'app/worker']) registry.push(name, 'latest', anImage());
  const { runId } = await commands.requestSync({ source: await addSource() });
  await database.run(`update sync_run set status = 'RUNNING', repositories_total = 2, repositories_done = 1`, []);
  await database.run(
    `insert into sync_repository (run_id, name, is_done)
     select id, name, name = 'app/web' from sync_run, unnest(array['app/web', 'app/worker']) as name`,
    [],
  );
  const look = (names: string[]) =>
    ({ name: 'sync-repositories', payload: { runId: Number(runId), names, attempt: 1 } }) as const;
  await enqueue(database, [['app/web'], ['app/web', 'app/worker'], ['app/worker']].map(look));
  const looked: string[] = [];
  registry.listRepositories = () => {
    throw new Error('they are known');
  };
  registry.listTags = function (name, signal) {
    looked.push(name);
    return MemoryRegistry.prototype.listTags.call(registry, name, signal);
  };
  await work();
  expect(await finished(runId)).toMatchObject({ status: 'SUCCEEDED', repositoriesDone: 2, errors: [] });
  expect(looked).toEqual(['app/worker']);
});

test('a run is cancelled in the middle, and the worker goes on with the next', async () => {
  registry.push('app/web', 'latest', anImage());
  const source = await addSource();
  let reached: () => void;
  const isReached = new Promise<void>((resolve) => (reached = resolve));
  registry.listTags = async function* (_, signal) {
    reached();
    yield [];
    await once(signal, 'abort');
    signal.throwIfAborted();
  };
  await work();
  const { runId } = await commands.requestSync({ source });
  await isReached;
  expect(await commands.cancelSync({ id: runId as number })).toEqual({ runId, userErrors: [] });
  expect(await finished(runId)).toMatchObject({ status: 'CANCELLED' });

  registry.listTags = MemoryRegistry.prototype.listTags;
  expect(await finished((await commands.requestSync({ source })).runId)).toMatchObject({ status: 'SUCCEEDED' });
});

test('two workers share the work, and no repository is looked at twice at once', async () => {
  for (let at = 0; at < 30; at++) registry.push(`app/n${at}`, 'latest', anImage({ layers: [aLayer(`n${at}`)] }));
  registry.push('app/n0', 'latest', anImage());
  const open = new Map<string, number>();
  let most = 0;
  const listTags = MemoryRegistry.prototype.listTags;
  registry.listTags = async function* (name, signal) {
    open.set(name, (open.get(name) ?? 0) + 1);
    most = Math.max(most, open.get(name) as number);
    yield* listTags.call(registry, name, signal);
    open.set(name, (open.get(name) as number) - 1);
  };
  const sources = [await addSource(), await addSource({ repositories: 'app/*' })];
  await Promise.all([work(), work()]);
  const runs = await Promise.all(sources.map((source) => commands.requestSync({ source })));
  for (const { runId } of runs) {
    expect(await finished(runId)).toMatchObject({ status: 'SUCCEEDED', repositoriesDone: 30, errors: [] });
  }
  expect(most).toBe(1);
  expect((await snapshotOf(database))['event']).toHaveLength(30);
});

describe('small repositories that the catalog knows are looked at in batches', () => {
  const COUNT = 130;
  let source: number;

  beforeEach(async () => {
    for (let at = 0; at < COUNT; at++) registry.push(`app/n${at}`, 'latest', anImage());
    source = await addSource();
    const first = await work();
    expect(await finished((await commands.requestSync({ source })).runId)).toMatchObject({ status: 'SUCCEEDED' });
    await first.stop();
    workers = [];
    registry.asked.length = 0;
  });

  test('by few statements where nothing changed, and each counts', async () => {
    const statements: string[] = [];
    await work({ onStatement: (text) => statements.push(text) });
    const run = await finished((await commands.requestSync({ source })).runId);
    expect(run).toMatchObject({ status: 'SUCCEEDED', repositoriesTotal: COUNT, repositoriesDone: COUNT });
    expect(run).toMatchObject({ tagsSeen: BigInt(COUNT), tagsChanged: 0n, errors: [] });
    expect(Number(run.requests)).toBe(registry.asked.length);
    expect(statements.filter((text) => text.includes('completeRunRepositories')).length).toBeLessThan(COUNT / 2);
    expect(statements.length).toBeLessThan(4 * COUNT);
    const { _min } = await database.prisma.repositorySync.aggregate({ _min: { syncedAt: true } });
    expect(_min.syncedAt?.getTime()).toBeGreaterThanOrEqual(run.startedAt?.getTime() ?? Infinity);
  });

  test('and one that fails, or that changed, is not the matter of the others', async () => {
    let failures = 1;
    registry.pause = async (asked) => {
      if (asked === 'tags app/n5' && failures-- > 0) throw new RegistryError('UNAVAILABLE', 'reset');
    };
    registry.faults.set('tags app/n129', new RegistryError('MALFORMED', 'garbled'));
    registry.push('app/n7', 'latest', anImage({ layers: [aLayer('moved')] }));
    await work();
    const run = await finished((await commands.requestSync({ source })).runId);
    expect(run).toMatchObject({ status: 'PARTIAL', repositoriesDone: COUNT, tagsChanged: 1n });
    expect(run.errors).toMatchObject([{ reference: `${registry.host}/app/n129`, message: 'garbled', attempts: 1 }]);
    expect(registry.countAsked('tags')).toBe(COUNT + 1);
  });

  test('once, when two runs by two workers want them', async () => {
    const open = new Set<string>();
    const twice: string[] = [];
    const listTags = MemoryRegistry.prototype.listTags;
    registry.listTags = async function* (name, signal) {
      if (open.has(name)) twice.push(name);
      open.add(name);
      yield* listTags.call(registry, name, signal);
      open.delete(name);
    };
    const sources = [source, await addSource({ repositories: 'app/*' })];
    await Promise.all([work(), work()]);
    const runs = await Promise.all(sources.map((each) => commands.requestSync({ source: each })));
    for (const { runId } of runs) {
      expect(await finished(runId)).toMatchObject({ status: 'SUCCEEDED', repositoriesDone: COUNT, errors: [] });
    }
    expect(twice).toEqual([]);
    expect(registry.countAsked('tags')).toBe(2 * COUNT);
  });

  test('and what a batch has not begun when it takes long is left to others', async () => {
    let clock = Date.now();
    const statements: string[] = [];
    registry.pause = (asked) => {
      if (asked.startsWith('tags')) clock += 10_000;
      return Promise.resolve();
    };
    await work({ onStatement: (text) => statements.push(text), now: () => new Date(clock) });
    const run = await finished((await commands.requestSync({ source })).runId);
    expect(run).toMatchObject({ status: 'SUCCEEDED', repositoriesDone: COUNT, errors: [] });
    expect(statements.filter((text) => text.includes('completeRunRepositories'))).toHaveLength(COUNT);
    expect(registry.countAsked('tags')).toBe(COUNT);
  });

  test('and are not looked at again when the worker stops in the middle, but for those of its batches', async () => {
    let asked = 0;
    let reached: () => void;
    const isReached = new Promise<void>((resolve) => (reached = resolve));
    registry.pause = async (what) => {
      if (!what.startsWith('tags') || ++asked !== COUNT / 2) return;
      reached();
      await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const first = await work();
    const { runId } = await commands.requestSync({ source });
    await isReached;
    await first.stop();
    workers = [];
    await work();
    expect(await finished(runId)).toMatchObject({ status: 'SUCCEEDED', repositoriesDone: COUNT, errors: [] });
    // Batches are of three, and two jobs work at a time.
    expect(registry.countAsked('tags')).toBeLessThanOrEqual(COUNT + 6);
  });
});

test('a source runs when its time has come, once, and knows the next time', async () => {
  registry.push('app/web', 'latest', anImage());
  const source = await addSource({ schedule: '0 * * * *' });
  await database.run(`update sync_source set next_run_at = '2026-01-01T00:00:00Z' where id = $1`, [source]);
  await Promise.all([work(), work()]);
  const run = await until(() => database.prisma.syncRun.findFirst({ where: { sourceId: source } }));
  expect(await finished(Number(run.id))).toMatchObject({ trigger: 'SCHEDULE', status: 'SUCCEEDED' });
  expect(await database.prisma.syncRun.count()).toBe(1);
  const { nextRunAt } = await database.prisma.syncSource.findUniqueOrThrow({ where: { id: source } });
  expect(nextRunAt?.getTime()).toBeGreaterThan(Date.now());
});

test('a worker that stops hands its jobs back at once', async () => {
  for (let at = 0; at < 6; at++) registry.push(`app/n${at}`, 'latest', anImage());
  const source = await addSource();
  let reached: () => void;
  const isReached = new Promise<void>((resolve) => (reached = resolve));
  registry.pause = async (asked) => {
    if (asked.startsWith('head')) reached();
    if (asked.startsWith('head')) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const first = await work();
  const { runId } = await commands.requestSync({ source });
  await isReached;
  await first.stop();
  workers = [];
  registry.pause = () => Promise.resolve();
  await work();
  expect(await finished(runId)).toMatchObject({ status: 'SUCCEEDED', repositoriesDone: 6, errors: [] });
});

test('requests that can not be carried out say why', async () => {
  const unknown = parseReference('ghcr.io/a/b');
  const digested = parseReference(`${registry.host}/a@sha256:${'0'.repeat(64)}`);
  expect((await commands.requestSync({ repository: unknown })).userErrors).toMatchObject([
    { type: 'NotFound', path: ['input', 'repository'], message: expect.stringContaining('ghcr.io') },
  ]);
  expect((await commands.requestSync({ tag: digested })).userErrors).toMatchObject([{ type: 'InvalidInput' }]);
  expect((await commands.requestSync({ source: 99 })).userErrors).toMatchObject([{ type: 'NotFound' }]);
  expect((await commands.cancelSync({ id: 99 })).userErrors).toMatchObject([{ type: 'NotFound' }]);
});

describe('killed in the middle', () => {
  let served: ServedRegistry;

  afterEach(() => served.close());

  test('a worker started after it ends with the same catalog, and no error is left', async () => {
    for (let at = 0; at < 20; at++) {
      for (let tag = 0; tag < 10; tag++) {
        registry.push(`app/n${at}`, `t${tag}`, anImage({ layers: [aLayer('base'), aLayer(`${at} ${tag}`)] }));
      }
    }
    let requests = 0;
    let victim: ChildProcess | null = null;
    served = await serveRegistry(registry, () => {
      if (++requests === 200) victim?.kill('SIGKILL');
      return null;
    });
    const { host } = served;
    await commands.addRegistry({ host, kind: 'OCI', url: `http://${host}` });
    const { sourceId } = await commands.addSyncSource({ registry: host, repositories: '*' });
    const { runId } = await commands.requestSync({ source: sourceId });

    victim = startWorkerProcess(database.url);
    const [, signal] = (await once(victim, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    expect(await database.prisma.syncRun.findUnique({ where: { id: Number(runId) } })).toMatchObject({
      status: 'RUNNING',
    });

    const survivor = startWorkerProcess(database.url);
    const run = await finished(runId);
    expect(run).toMatchObject({ status: 'SUCCEEDED', repositoriesTotal: 20, repositoriesDone: 20, errors: [] });
    const resumed = await snapshotOf(database);
    const again = await finished((await commands.requestSync({ source: sourceId })).runId);
    expect(again).toMatchObject({ status: 'SUCCEEDED', tagsChanged: 0n, errors: [] });

    await database.run('truncate repository, manifest, layer, held_image, held_blob, held_total cascade', []);
    await finished((await commands.requestSync({ source: sourceId })).runId);
    expect(await snapshotOf(database)).toEqual(resumed);
    survivor.kill('SIGTERM');
    await once(survivor, 'exit');
  }, 60_000);

  test('and again where it was killed among batches of small repositories, of which some had changed', async () => {
    for (let at = 0; at < 130; at++) registry.push(`app/n${at}`, 'latest', anImage());
    let requests = 0;
    let victim: ChildProcess | null = null;
    let isDoomed = false;
    served = await serveRegistry(registry, () => {
      if (isDoomed && ++requests === 130) victim?.kill('SIGKILL');
      return null;
    });
    const { host } = served;
    await commands.addRegistry({ host, kind: 'OCI', url: `http://${host}` });
    const { sourceId } = await commands.addSyncSource({ registry: host, repositories: '*' });
    victim = startWorkerProcess(database.url);
    await finished((await commands.requestSync({ source: sourceId })).runId);

    for (let at = 0; at < 130; at += 10) registry.push(`app/n${at}`, 'latest', anImage({ layers: [aLayer(`${at}`)] }));
    isDoomed = true;
    const exit = once(victim, 'exit');
    const { runId } = await commands.requestSync({ source: sourceId });
    expect((await exit)[1]).toBe('SIGKILL');
    const survivor = startWorkerProcess(database.url);
    expect(await finished(runId)).toMatchObject({ status: 'SUCCEEDED', repositoriesDone: 130, errors: [] });
    expect(await database.prisma.tagEvent.count({ where: { kind: 'MOVED' } })).toBe(13);
    expect(await database.prisma.repository.count({ where: { needsRecount: true } })).toBe(0);
    survivor.kill('SIGTERM');
    await once(survivor, 'exit');
  }, 60_000);
});
