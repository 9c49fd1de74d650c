import { setTimeout as pause } from 'node:timers/promises';
import pino from 'pino';
import { digestOf, type Digest } from '../../src/domain/digest.ts';
import { chainIds } from '../../src/domain/chain-id.ts';
import { labelsBut } from '../../src/domain/sound-container.ts';
import { followRuntime, type FollowSettings } from '../../src/follow/index.ts';
import { createRuntimeRecord, forgetContainers } from '../../src/sync/index.ts';
import { catalogOf } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryRuntime } from '../support/memory-runtime.ts';
import { addRuntime, observed } from '../support/observed-container.ts';

let database: TestDatabase;
let runtime: MemoryRuntime;
let runtimeId: number;
let stop: () => Promise<void>;

beforeEach(async () => {
  database = await createTestDatabase();
  runtime = new MemoryRuntime();
  runtimeId = await addRuntime(database, 'host-1');
  stop = () => Promise.resolve();
});

afterEach(async () => {
  await stop();
  await database.close();
});

function follow(settings: Partial<FollowSettings> = {}): void {
  const ending = new AbortController();
  const ended = followRuntime({
    runtime,
    record: createRuntimeRecord(database, runtimeId, () => new Date()),
    name: 'host-1',
    keepsLabel: () => true,
    now: () => new Date(),
    signal: ending.signal,
    log: pino({ level: 'silent' }),
    pauses: [10],
    ...settings,
  });
  stop = () => {
    ending.abort();
    return ended;
  };
}

interface Stored {
  readonly id: string;
  readonly state: string;
  readonly removed: boolean;
}

function stored(): Promise<Stored[]> {
  return database.run<Stored & Record<string, unknown>>(
    `select container_id as id, state, removed_at is not null as removed from container order by container_id`,
    [],
  );
}

async function health() {
  const [row] = await database.run<{ status: string; failures: number }>(
    'select status, consecutive_failures as failures from runtime_health where runtime_id = $1',
    [runtimeId],
  );
  return row;
}

/** Waits until it holds; the test's time is the limit. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await pause(10);
}

const [a, b, c] = ['a', 'b', 'c'].map((containerId) => observed({ containerId })) as [
  ReturnType<typeof observed>,
  ReturnType<typeof observed>,
  ReturnType<typeof observed>,
];

test('takes a picture, and then writes down what it is told', async () => {
  runtime.containers = [a, b, c];
  follow();
  await until(async () => (await stored()).length === 3);
  runtime.tell({ seen: [{ ...a, state: 'EXITED' }], removed: ['b'] });
  await until(async () => (await stored()).some(({ removed }) => removed));
  expect(await stored()).toEqual([
    { id: 'a', state: 'EXITED', removed: false },
    { id: 'b', state: 'RUNNING', removed: true },
    { id: 'c', state: 'RUNNING', removed: false },
  ]);
  expect(runtime.pictures).toBe(1);
  expect(await health()).toEqual({ status: 'HEALTHY', failures: 0 });
});

test('takes a picture again when the connection breaks, and finds what it has missed', async () => {
  runtime.containers = [a, b];
  follow();
  await until(() => runtime.pictures === 1);
  runtime.containers = [b, c];
  runtime.hangUp();
  await until(async () => (await stored()).length === 3);
  expect(await stored()).toMatchObject([{ removed: true }, { removed: false }, { removed: false }]);
});

test('takes a picture again on a schedule, whatever it is told', async () => {
  runtime.containers = [a];
  follow({ pictureMs: 50 });
  await until(() => runtime.pictures === 1);
  runtime.containers = [];
  await until(async () => (await stored()).some(({ removed }) => removed));
  expect(runtime.watchers).toBe(1);
});

test('a runtime that is away keeps its containers, and is unreachable until it is back', async () => {
  runtime.containers = [a];
  follow();
  await until(async () => (await stored()).length === 1);
  runtime.fault = 'UNREACHABLE';
  runtime.hangUp();
  await until(async () => ((await health())?.failures ?? 0) > 2);
  expect(await health()).toMatchObject({ status: 'UNREACHABLE' });
  expect(await stored()).toEqual([{ id: 'a', state: 'RUNNING', removed: false }]);
  runtime.containers = [];
  runtime.fault = null;
  await until(async () => (await health())?.status === 'HEALTHY');
  expect(await stored()).toEqual([{ id: 'a', state: 'RUNNING', removed: true }]);
});

test('a runtime that does not let its events be read is asked again and again', async () => {
  runtime.isMute = true;
  runtime.containers = [a];
  follow({ pollMs: 20 });
  await until(() => runtime.pictures > 2);
  runtime.containers = [];
  await until(async () => (await stored()).some(({ removed }) => removed));
  expect(await health()).toMatchObject({ status: 'HEALTHY' });
});

test('a runtime that can not tell its images is followed all the same, and says so', async () => {
  runtime.containers = [a];
  runtime.imageFault = 'UNAUTHORIZED';
  follow();
  await until(async () => (await health())?.status === 'UNAUTHORIZED');
  runtime.tell({ seen: [{ ...a, state: 'EXITED' }] });
  await until(async () => (await stored())[0]?.state === 'EXITED');
  expect(runtime).toMatchObject({ pictures: 1, watchers: 1 });
  runtime.imageFault = null;
  runtime.tell({ hasOtherImages: true });
  await until(async () => (await health())?.status === 'HEALTHY');
});

test('a runtime that calls a container by what is no id is refused, and nothing is removed for it', async () => {
  runtime.containers = [a];
  follow();
  await until(async () => (await stored()).length === 1);
  runtime.containers = [observed({ containerId: '../etc' })];
  runtime.hangUp();
  await until(async () => (await health())?.status === 'DEGRADED');
  expect(await stored()).toEqual([{ id: 'a', state: 'RUNNING', removed: false }]);
});

test('labels that are not to be kept are not, and texts are such as PostgreSQL can hold', async () => {
  const labels = { 'com.example.secret': 'x', app: 'a\u0000b', 'com.example.name': '\ud800' };
  runtime.containers = [observed({ containerId: 'a', labels })];
  follow({ keepsLabel: labelsBut(['com.example.s*']) });
  await until(async () => (await stored()).length === 1);
  const [row] = await database.run<{ labels: unknown }>('select labels from container', []);
  expect(row?.labels).toEqual({ app: 'a\uFFFDb', 'com.example.name': '\uFFFD' });
});

describe('an image that an engine alone has', () => {
  const diffIds = ['one', 'two'].map((text) => digestOf(Buffer.from(text)));
  const configuration = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config: { Cmd: ['app'] },
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  );
  const id = digestOf(Buffer.from('the configuration that only the engine has'));

  const images = () =>
    database.run<{ id: number; os: string; size: number }>(
      `select i.manifest_id as id, i.os, i.size from image i where i.config_digest = $1`,
      [Buffer.from(id.slice(7), 'hex')],
    );
  const imageOf = async () =>
    (await database.run<{ image: number | null }>('select image_id as image from container', []))[0]?.image ?? null;

  beforeEach(() => {
    runtime.images.set(id, { id, configuration, layerSizes: [10, 20] });
    runtime.containers = [observed({ containerId: 'a', evidence: [{ via: 'CONFIG', digest: id }] })];
  });

  test('is in the catalog, with its layers, and its containers are tied to it', async () => {
    follow();
    await until(async () => (await imageOf()) !== null);
    const [image] = await images();
    expect(image).toMatchObject({ os: 'linux', size: 30 });
    expect(await imageOf()).toBe(image?.id);
    const layers = await database.run<{ chain: Digest }>(
      'select digest_text(chain_id) as chain from image_layer order by position',
      [],
    );
    expect(layers.map(({ chain }) => chain)).toEqual(chainIds(diffIds));
  });

  test('stays as long as a container of it or an engine has it', async () => {
    follow();
    await until(async () => (await imageOf()) !== null);
    runtime.images.clear();
    runtime.tell({ hasOtherImages: true });
    await until(async () => (await database.run('select from local_image', [])).length === 0);
    await forgetContainers(database, new Date());
    expect(await images()).toHaveLength(1);
    runtime.tell({ removed: ['a'] });
    await until(async () => (await stored())[0]?.removed === true);
    await forgetContainers(database, new Date());
    expect(await images()).toEqual([]);
    expect(await database.run('select from layer', [])).toEqual([]);
    expect(await stored()).toHaveLength(1);
  });

  test('gives way to the same image from a registry', async () => {
    follow();
    await until(async () => (await imageOf()) !== null);
    const build = catalogOf(database);
    const pushed = await build.image(await build.repository('ghcr.io/org/app'), { layers: ['one', 'two'] });
    await database.run('update image set config_digest = $1 where manifest_id = $2', [
      Buffer.from(id.slice(7), 'hex'),
      pushed.id,
    ]);
    runtime.hangUp();
    await until(async () => (await imageOf()) === pushed.id);
    await until(async () => (await database.run('select from local_image', [])).length === 0);
    await forgetContainers(database, new Date());
    expect(await images()).toMatchObject([{ id: pushed.id }]);
  });
});
