import { setTimeout as pause } from 'node:timers/promises';
import pino from 'pino';
import { openDatabase } from '../../src/catalog/database.ts';
import { LOCK_SPACES } from '../../src/catalog/lock.ts';
import { removeRuntime, saveRuntime, type NewRuntime } from '../../src/catalog/write/index.ts';
import { labelsBut } from '../../src/domain/sound-container.ts';
import type { OpenRuntimeFunction } from '../../src/runtimes/runtime.ts';
import { createFollowedRuntimes } from '../../src/worker/followed-runtimes.ts';
import { openPresence } from '../../src/worker/presence.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryRuntime } from '../support/memory-runtime.ts';
import { observed } from '../support/observed-container.ts';

let database: TestDatabase;
let workers: TestWorker[];

beforeEach(async () => {
  database = await createTestDatabase();
  workers = [];
});

afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await database.close();
});

interface TestWorker {
  /** Endpoints that it has opened, and not closed. */
  readonly open: readonly string[];
  look(): Promise<void>;
  close(): Promise<void>;
}

class ClosingRuntime extends MemoryRuntime {
  readonly #closed: () => void;

  constructor(closed: () => void) {
    super();
    this.#closed = closed;
  }

  override close(): Promise<void> {
    this.#closed();
    return super.close();
  }
}

/** What a worker has of runtimes, with connections of its own. */
async function work(opened: (runtime: MemoryRuntime) => void = () => undefined): Promise<TestWorker> {
  const name = `worker-${workers.length}`;
  const own = openDatabase({ url: database.url, poolSize: 4, isWorker: true, onError: () => undefined });
  const presence = await openPresence(own, name, {});
  const endpoints: string[] = [];
  const open: OpenRuntimeFunction = (_, { endpoint }) => {
    if (endpoint === 'unix:///broken.sock') return Promise.reject(new Error('no such file'));
    endpoints.push(endpoint);
    const runtime = new ClosingRuntime(() => endpoints.splice(endpoints.indexOf(endpoint), 1));
    opened(runtime);
    return Promise.resolve(runtime);
  };
  const followed = createFollowedRuntimes({
    database: own,
    presence,
    open,
    keepsLabel: labelsBut(['secret*']),
    log: pino({ level: 'silent' }),
    now: () => new Date(),
  });
  let isClosed = false;
  const worker = {
    open: endpoints,
    look: () => followed.look(),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await followed.close();
      presence.close();
      await own.close();
    },
  };
  workers.push(worker);
  return worker;
}

function save(endpoint: string, rest: Partial<NewRuntime> = {}): Promise<number> {
  const settings = { endpoint, tls: null, insecure: false, namespaces: [] };
  return saveRuntime(database, { name: 'host-1', kind: 'DOCKER', managedBy: 'API', settings, ...rest });
}

/** Waits until it holds; the test's time is the limit. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await pause(10);
}

const SOCKET = 'unix:///a.sock';

test('of two workers one follows a runtime, and the other takes over when that ends', async () => {
  await save(SOCKET);
  const [first, second] = [await work(), await work()];
  for (const worker of [first, second, first, second]) await worker.look();
  expect([first.open, second.open]).toEqual([[SOCKET], []]);
  await first.close();
  await second.look();
  expect(second.open).toEqual([SOCKET]);
});

test('a worker that lost its connection leaves what another has taken meanwhile, and keeps the rest', async () => {
  await save(SOCKET);
  const kept = await save('unix:///b.sock', { name: 'host-2' });
  const first = await work();
  await first.look();
  const other = database.client();
  await other.connect();
  const [runtime] = await database.run<{ id: number }>('select id from runtime where id <> $1', [kept]);
  const locks = `from pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database()
    where l.locktype = 'advisory' and l.classid = ${LOCK_SPACES.runtime}`;
  const taken = other.query('select pg_advisory_lock($1, $2)', [LOCK_SPACES.runtime, runtime?.id]);
  await until(async () => (await database.run(`select ${locks} and not l.granted`, [])).length === 1);
  await database.run(`select pg_terminate_backend(pid) from (select distinct l.pid ${locks} and l.granted) held`, []);
  await taken;

  await until(async () => {
    await first.look();
    return first.open.length === 1;
  });
  expect(first.open).toEqual(['unix:///b.sock']);
  await other.end();
  await until(async () => {
    await first.look();
    return first.open.length === 2;
  });
});

test('a runtime that is reached in another way is followed in that way, and one that is removed is left', async () => {
  const id = await save(SOCKET);
  const worker = await work();
  await worker.look();
  await save('unix:///b.sock');
  await worker.look();
  expect(worker.open).toEqual(['unix:///b.sock']);
  await database.transaction((connection) => removeRuntime(connection, id));
  await worker.look();
  expect(worker.open).toEqual([]);
});

test('a runtime that can not be opened is tried again, and keeps no other from being followed', async () => {
  await save('unix:///broken.sock');
  await save(SOCKET, { name: 'host-2' });
  const worker = await work();
  await worker.look();
  expect(worker.open).toEqual([SOCKET]);
  await save('unix:///b.sock');
  await worker.look();
  expect(worker.open).toEqual([SOCKET, 'unix:///b.sock']);
});

test('a runtime that is removed while it is followed is not written of again', async () => {
  const id = await save(SOCKET);
  const seen: MemoryRuntime[] = [];
  const worker = await work((runtime) => {
    runtime.containers = [observed({ containerId: 'a', labels: { secret1: 'x', team: 'shop' } })];
    seen.push(runtime);
  });
  await worker.look();
  await until(async () => (await database.run('select from container', [])).length === 1);
  expect(await database.run('select labels from container', [])).toEqual([{ labels: { team: 'shop' } }]);
  await database.transaction((connection) => removeRuntime(connection, id));
  seen[0]?.tell({ seen: [observed({ containerId: 'b' })], hasOtherImages: true });
  await worker.look();
  expect(worker.open).toEqual([]);
  expect(await database.run('select from container', [])).toEqual([]);
  expect(await database.run('select from runtime_health', [])).toEqual([]);
});
