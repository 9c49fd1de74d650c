import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { createReads } from '../../src/catalog/read/index.ts';
import { createSeal, pacesOfRegistry } from '../../src/catalog/write/index.ts';
import { createCommands, type Commands } from '../../src/commands/index.ts';
import { RegistryError } from '../../src/domain/errors.ts';
import { DEFAULT_HOST_LIMITS, openPacedGate, type PacedGate, type Turn } from '../../src/http/index.ts';
import { prepareQueue } from '../../src/queue/index.ts';
import { aLayer, anImage } from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { LimitedHost } from '../support/limited-host.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';
import {
  serveRegistry,
  startWorkerProcess,
  type Intervention,
  type ServedRegistry,
} from '../support/served-registry.ts';

const kinds = {
  defaultUrl: (host: string) => new URL(`http://${host}`),
  detectKind: () => Promise.resolve('OCI' as const),
  checkCredential: () => undefined,
  open: () => Promise.reject(new Error('nothing is opened here')),
};

let database: TestDatabase;
let registry: MemoryRegistry;
let commands: Commands;
let served: ServedRegistry | null;
let workers: ChildProcess[];
let gates: PacedGate[];

beforeEach(async () => {
  database = await createTestDatabase();
  await prepareQueue(database);
  registry = new MemoryRegistry();
  commands = createCommands({ database, seal: createSeal(Buffer.alloc(32, 7)), kinds });
  served = null;
  workers = [];
  gates = [];
});

afterEach(async () => {
  await Promise.all(workers.map(stopped));
  await Promise.all(gates.map((gate) => gate.close()));
  served?.close();
  await database.close();
});

async function stopped(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const exit = once(worker, 'exit');
  worker.kill('SIGTERM');
  await exit;
}

/** Lets two workers sync the registry, as it is served; answers with the run. */
async function syncWithTwo(intervene: (line: string) => Intervention | null) {
  served = await serveRegistry(registry, intervene, 2);
  const { host } = served;
  await commands.addRegistry({ host, kind: 'OCI' });
  const { sourceId } = await commands.addSyncSource({ registry: host, repositories: '*' });
  workers = [startWorkerProcess(database.url), startWorkerProcess(database.url)];
  const { runId } = await commands.requestSync({ source: sourceId });
  for (;;) {
    const run = await database.prisma.syncRun.findUnique({ where: { id: Number(runId) }, include: { errors: true } });
    if (run?.finishedAt) return run;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function push(repositories: number): void {
  for (let at = 0; at < repositories; at++) {
    registry.push(`app/n${at}`, 'latest', anImage({ layers: [aLayer('base'), aLayer(`${at}`)] }));
  }
}

test('two workers keep to what a host announces, and when one is killed nothing is lost or asked twice', async () => {
  push(500);
  const announced = new LimitedHost({ limit: 600, periodMs: 3_000, form: 'reset' });
  const asked = new Map<string, number>();
  const run = await syncWithTwo((line) => {
    asked.set(line, (asked.get(line) ?? 0) + 1);
    if (announced.arrivals.length === 1_000) workers[0]?.kill('SIGKILL');
    const { status, headers } = announced.receive();
    return status === 200 ? { headers } : { status, headers };
  });

  expect(run).toMatchObject({ status: 'SUCCEEDED', repositoriesTotal: 500, repositoriesDone: 500, errors: [] });
  expect(workers[0]?.signalCode).toBe('SIGKILL');
  expect(await database.prisma.tag.count()).toBe(500);
  expect(announced.over).toBe(0);
  expect(served?.mostInFlight).toBeLessThanOrEqual(DEFAULT_HOST_LIMITS.concurrency);
  const twice = [...asked].filter(([, times]) => times > 1);
  const repositories = new Set(twice.map(([line]) => /app\/n\d+/.exec(line)?.[0]));
  // The four that the killed one was looking at are looked at again, once.
  expect(repositories.size).toBeLessThanOrEqual(4);
  expect(Math.max(0, ...twice.map(([, times]) => times))).toBeLessThanOrEqual(2);
}, 180_000);

test('after a refusal both workers are silent for as long as the host asked', async () => {
  push(150);
  const arrivals: number[] = [];
  let refusedAt = Infinity;
  const run = await syncWithTwo(() => {
    const now = performance.now();
    arrivals.push(now);
    if (arrivals.length !== 200) return null;
    refusedAt = now;
    return { status: 429, headers: { 'retry-after': '5' } };
  });

  expect(run).toMatchObject({ status: 'SUCCEEDED', repositoriesDone: 150, errors: [] });
  // What was on its way may come; of the second worker, what it sent before it heard of it.
  const isSilence = (at: number) => at > refusedAt + 1_000 && at < refusedAt + 5_000;
  expect(arrivals.filter(isSilence)).toEqual([]);
  expect(arrivals.filter((at) => at > refusedAt + 5_000).length).toBeGreaterThan(200);
}, 120_000);

describe('a host that fails', () => {
  const ORIGIN = 'https://registry.example.com';
  let id: number;

  beforeEach(async () => {
    const { registryId } = await commands.addRegistry({ host: 'registry.example.com', kind: 'OCI' });
    id = registryId as number;
  });

  const openGate = (): PacedGate => {
    const gate = openPacedGate(pacesOfRegistry(database, id), DEFAULT_HOST_LIMITS);
    gates.push(gate);
    return gate;
  };
  const enter = async (gate: PacedGate) =>
    gate.enter({ origin: ORIGIN, authorization: null }, new AbortController().signal);
  const fail = (turn: Turn) => {
    turn.failed(new RegistryError('UNAVAILABLE', 'nothing listens there'));
    turn.ended();
  };
  /** When it is known that so many failed in a row. */
  const healthWith = async (failures: number) => {
    for (;;) {
      const health = (await createReads(database).registriesById([id])).get(id)?.health;
      if (health?.consecutiveFailures === failures) return health;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  test('is left alone, says so, and is well again when one request shows it', async () => {
    const gate = openGate();
    for (let failed = 0; failed < 5; failed++) fail(await enter(gate));
    // Waits for the pause of a second, goes alone and fails; so do the next, after longer ones.
    for (let failed = 0; failed < 2; failed++) fail(await enter(gate));
    const trial = enter(gate);
    expect(await healthWith(7)).toMatchObject({
      status: 'UNREACHABLE',
      message: `${ORIGIN}: it failed 7 times in a row, the last time so: nothing listens there`,
      pausedUntil: expect.any(Date),
    });
    const turn = await trial;
    turn.answered(200, {});
    turn.ended();
    expect(await healthWith(0)).toMatchObject({ status: 'UNKNOWN', message: null, pausedUntil: null });
  });
});
