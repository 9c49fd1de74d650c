import { setTimeout as pause } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import pino from 'pino';
import { openDatabase } from '../../src/catalog/database.ts';
import { createSeal } from '../../src/catalog/write/index.ts';
import { createCommands, type Commands } from '../../src/commands/index.ts';
import { digestBytes, digestOf, type Digest } from '../../src/domain/digest.ts';
import { RegistryError } from '../../src/domain/errors.ts';
import { INSPECTION_LIMITS, type InspectionLimits } from '../../src/domain/inspection-limits.ts';
import type { RepositoryName } from '../../src/domain/reference.ts';
import { prepareQueue } from '../../src/queue/index.ts';
import { startWorker, type Worker } from '../../src/worker/index.ts';
import { anImage, anIndex, type Content } from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { aFilledLayer, type FilledLayer } from '../support/filled-layer.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';
import { rowVersionsOf } from '../support/snapshot.ts';

const WEB = 'app/web';
const BASE = [
  { name: 'etc/os-release', body: 'ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n' },
  { name: 'bin/sh', body: 'shell', mode: 0o755 },
  { name: 'lib/apk/db/installed', body: 'P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\n\n' },
];
const base = aFilledLayer(BASE);
const packed = aFilledLayer(BASE, 'zstd');
const app = aFilledLayer([
  { name: 'app/server.js', body: 'x'.repeat(100) },
  { name: 'app/node_modules/left-pad/package.json', body: '{"name":"left-pad","version":"1.3.0","license":"WTFPL"}' },
]);

/** Sends other bytes than those of some blobs: once for each that is here. */
class LyingRegistry extends MemoryRegistry {
  readonly lies = new Map<Digest, Uint8Array[]>();

  override async *fetchBlob(repository: RepositoryName, digest: Digest): AsyncIterable<Uint8Array> {
    const lie = this.lies.get(digest)?.shift();
    if (lie === undefined) {
      yield* super.fetchBlob(repository, digest);
      return;
    }
    this.asked.push(`blob ${repository} ${digest}`);
    yield lie;
    throw new RegistryError('DIGEST_MISMATCH', 'GET was answered with other bytes than it names');
  }
}

let database: TestDatabase;
let registry: LyingRegistry;
let commands: Commands;
let workers: Worker[];
let clock: Date | null;

beforeEach(async () => {
  database = await createTestDatabase();
  await prepareQueue(database);
  registry = new LyingRegistry();
  clock = null;
  workers = [];
  const kinds = {
    defaultUrl: (host: string) => new URL(`https://${host}`),
    detectKind: () => Promise.resolve('OCI' as const),
    checkCredential: () => undefined,
    open: () => Promise.resolve(registry),
  };
  commands = createCommands({ database, seal, kinds });
  expect((await commands.addRegistry({ host: registry.host })).userErrors).toEqual([]);
});

afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await database.close();
});

const seal = createSeal(Buffer.alloc(32, 7));

/** A worker with connections of its own, as in a process of its own. */
async function work(limits: Partial<InspectionLimits> = {}): Promise<Worker> {
  const own = openDatabase({ url: database.url, poolSize: 6, isWorker: true, onError: () => undefined });
  const worker = await startWorker({
    database: own,
    seal,
    openRegistry: () => Promise.resolve(registry),
    inspection: { ...INSPECTION_LIMITS, ...limits },
    log: pino({ level: 'silent' }),
    concurrency: 2,
    pauses: [10, 20],
    now: () => clock ?? new Date(),
  });
  let stopped: Promise<void> | null = null;
  const once = { stop: () => (stopped ??= worker.stop().then(() => own.close())) };
  workers.push(once);
  return once;
}

function push(repository: string, tag: string | null, content: Content, layers: readonly FilledLayer[]): void {
  for (const { blob } of layers) registry.push(repository, null, blob);
  registry.push(repository, tag, content);
}

async function follow(input: object = {}): Promise<number> {
  const source = { registry: registry.host, repositories: '*', inspectContents: true, ...input };
  const { sourceId, userErrors } = await commands.addSyncSource(source);
  expect(userErrors).toEqual([]);
  return sourceId as number;
}

async function sync(source: number): Promise<void> {
  const { runId } = await commands.requestSync({ source });
  const run = await until(() =>
    database.prisma.syncRun.findFirst({
      where: { id: Number(runId), finishedAt: { not: null } },
      include: { errors: true },
    }),
  );
  expect(run).toMatchObject({ status: 'SUCCEEDED', errors: [] });
}

/** What came of an image, once something has. */
function outcomeOf({ digest }: Content) {
  return until(async () => {
    const [row] = await database.run(
      `select n.status, n.reason from image_inspection n join manifest m on m.id = n.image_id
       where m.digest = $1 and n.status <> 'QUEUED'`,
      [digestBytes(digest)],
    );
    return row ?? null;
  });
}

async function contentsOf({ digest }: Content) {
  const [row] = await database.run(
    `select c.os_id as os, c.os_version_id as version, c.shells, c.file_count as files, c.package_layers as layers,
       array(
         select p.purl from package_set_entry e join package p on p.id = e.package_id
         where e.set_id = c.package_set_id order by p.id
       ) as packages
     from image_contents c join manifest m on m.id = c.image_id where m.digest = $1`,
    [digestBytes(digest)],
  );
  return row;
}

async function until<T>(look: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await pause(20);
  }
}

const downloads = (layer: FilledLayer) => registry.asked.filter((asked) => asked.endsWith(` ${layer.digest}`)).length;

test('what images hold is found, and each layer is downloaded once, whatever it is packed in', async () => {
  const first = anImage({ layers: [base] });
  const second = anImage({ layers: [packed, app] });
  push(WEB, '1', first, [base]);
  push('other/web', '2', second, [packed, app]);
  await work();
  await sync(await follow());

  expect(await outcomeOf(first)).toEqual({ status: 'INSPECTED', reason: null });
  expect(await outcomeOf(second)).toEqual({ status: 'INSPECTED', reason: null });
  const musl = 'pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64';
  const facts = { os: 'alpine', version: '3.20.3', shells: ['/bin/sh'] };
  expect(await contentsOf(first)).toEqual({ ...facts, files: 3, packages: [musl], layers: [0] });
  const both = { [musl]: 0, 'pkg:npm/left-pad@1.3.0': 1 };
  const { packages, layers, ...rest } = (await contentsOf(second)) as { packages: string[]; layers: number[] };
  expect(rest).toEqual({ ...facts, files: 5 });
  expect(Object.fromEntries(packages.map((purl, at) => [purl, layers[at]]))).toEqual(both);
  expect(downloads(base) + downloads(packed)).toBe(1);
  expect(downloads(app)).toBe(1);
  const [day] = await database.prisma.inspectionDay.findMany();
  expect([base.size + app.size, packed.size + app.size]).toContain(Number(day?.bytesRead));
});

test('a source that begins to inspect has looked at what was cataloged before, and asks no more after it', async () => {
  const image = anImage({ layers: [base] });
  push(WEB, '1', image, [base]);
  await work();
  const source = await follow({ inspectContents: false });
  await sync(source);
  expect(await database.prisma.imageInspection.count()).toBe(0);

  expect((await commands.updateSyncSource({ id: source, inspectContents: true })).userErrors).toEqual([]);
  await sync(source);
  expect(await outcomeOf(image)).toEqual({ status: 'INSPECTED', reason: null });
  const rows = await rowVersionsOf(database);
  await sync(source);
  expect(await rowVersionsOf(database)).toEqual(rows);
  expect(downloads(base)).toBe(1);
});

test('images of platforms and tags that the source does not follow are not looked at', async () => {
  const amd64 = anImage({ layers: [base] });
  const arm64 = anImage({ layers: [app], architecture: 'arm64' });
  const other = anImage({ layers: [packed, base] });
  push(WEB, '1', anIndex([amd64, arm64]), [base, app]);
  push(WEB, '2', other, [packed]);
  await work();
  await sync(await follow({ inspectContents: false }));
  await sync(await follow({ tags: '1', platforms: [{ architecture: 'amd64' }] }));
  await outcomeOf(amd64);
  expect(await database.prisma.imageInspection.count()).toBe(1);
});

describe('what registries do wrong', () => {
  const noise = Buffer.alloc(200_000, 'no layer');

  test.each([
    ['other bytes', noise],
    ['half of the bytes', app.blob.raw.subarray(0, app.size / 2)],
    ['more bytes', Buffer.concat([app.blob.raw, noise])],
  ])('%s are the fault of the place that sent them: the next place is asked', async (_, bytes) => {
    const image = anImage({ layers: [base, app] });
    push('a/web', '1', image, [base, app]);
    push('b/web', '1', image, [base, app]);
    registry.lies.set(app.digest, [bytes]);
    await work();
    // Both places are known before anything is asked of them.
    await sync(await follow({ inspectContents: false }));
    await sync(await follow());
    expect(await outcomeOf(image)).toEqual({ status: 'INSPECTED', reason: null });
    expect(registry.asked.filter((asked) => asked.endsWith(app.digest)).sort()).toEqual([
      `blob a/web ${app.digest}`,
      `blob b/web ${app.digest}`,
    ]);
  });

  test('bytes that no place has right are told as the reason, and the rest of the image is known', async () => {
    const image = anImage({ layers: [base, app] });
    push(WEB, '1', image, [base, app]);
    registry.lies.set(app.digest, [noise]);
    await work();
    await sync(await follow());
    expect(await outcomeOf(image)).toEqual({
      status: 'PARTIAL',
      reason:
        "Nothing is known of layer 1. Layer 1: It can't be downloaded: GET was answered with other bytes than it names.",
    });
    expect(await contentsOf(image)).toMatchObject({ os: 'alpine', files: 3 });
    expect(await database.prisma.layerInspection.count()).toBe(1);
  });

  test('a layer that is not what its configuration says spoils no honest packing of what it claims to be', async () => {
    const liar = anImage({ layers: [{ ...app, diffId: base.diffId }] });
    push('a/liar', '1', liar, [app]);
    const honest = anImage({ layers: [base] });
    await work();
    const source = await follow();
    await sync(source);
    expect(await outcomeOf(liar)).toMatchObject({ status: 'FAILED', reason: expect.stringContaining('diff id') });

    push(WEB, '1', honest, [base]);
    await sync(source);
    expect(await outcomeOf(honest)).toEqual({ status: 'INSPECTED', reason: null });
    expect(await contentsOf(honest)).toMatchObject({ os: 'alpine', files: 3 });
  });

  test('what may pass by itself is tried again, and given up with the reason', async () => {
    const lucky = anImage({ layers: [base] });
    const unlucky = anImage({ layers: [app] });
    push(WEB, '1', lucky, [base]);
    push(WEB, '2', unlucky, [app]);
    let failures = 2;
    registry.pause = async (asked) => {
      if (asked.endsWith(base.digest) && failures-- > 0) throw new RegistryError('UNAVAILABLE', 'reset');
      if (asked.endsWith(app.digest)) throw new RegistryError('UNAVAILABLE', 'nothing listens there');
    };
    await work();
    await sync(await follow());
    expect(await outcomeOf(lucky)).toEqual({ status: 'INSPECTED', reason: null });
    expect(await outcomeOf(unlucky)).toEqual({ status: 'FAILED', reason: 'nothing listens there.' });
    expect([downloads(base), downloads(app)]).toEqual([3, 3]);
    expect(Number((await database.prisma.inspectionDay.findFirst())?.bytesRead)).toBe(base.size);
  });
});

describe('layers that no registry holds', () => {
  const foreign = {
    diffId: digestOf(Buffer.from('nanoserver')),
    digest: digestOf(Buffer.from('nanoserver.gz')),
    mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    size: 100_000_000,
  };
  const windows = { os: 'windows', configExtra: { 'os.version': '10.0.20348.2461' } };

  test('leave an image PARTIAL, with the operating system that its configuration says', async () => {
    const image = anImage({ ...windows, layers: [foreign, app] });
    push(WEB, '1', image, [app]);
    await work();
    await sync(await follow());
    expect(await outcomeOf(image)).toEqual({
      status: 'PARTIAL',
      reason: 'Nothing is known of layer 0. Layer 0: It is foreign: registries do not hold it.',
    });
    expect(await contentsOf(image)).toMatchObject({ os: 'windows', version: '10.0.20348.2461', files: 2 });
    expect(registry.countAsked(`blob ${WEB} ${foreign.digest}`)).toBe(0);
  });

  test('leave an image of nothing else TOO_LARGE', async () => {
    const image = anImage({ ...windows, layers: [foreign] });
    push(WEB, '1', image, []);
    await work();
    await sync(await follow());
    expect(await outcomeOf(image)).toMatchObject({ status: 'TOO_LARGE' });
    expect(await contentsOf(image)).toMatchObject({ os: 'windows', files: 0 });
  });
});

describe('limits', () => {
  test('a layer beyond that of layers is not asked for, and can be asked for when the limit was raised', async () => {
    const image = anImage({ layers: [base, app] });
    push(WEB, '1', image, [base, app]);
    const worker = await work({ maxLayerBytes: base.size - 1 });
    expect(app.size).toBeLessThan(base.size);
    await sync(await follow());
    expect(await outcomeOf(image)).toEqual({
      status: 'PARTIAL',
      reason: `Nothing is known of layer 0. Layer 0: It has ${base.size} bytes; ${base.size - 1} are downloaded at most.`,
    });
    expect(downloads(base)).toBe(0);
    await worker.stop();

    await work();
    expect(await commands.requestInspection({ image: image.digest })).toMatchObject({ userErrors: [] });
    await until(async () => ((await outcomeOf(image))['status'] === 'INSPECTED' ? true : null));
    expect([downloads(base), downloads(app)]).toEqual([1, 1]);
  });

  test('an image beyond that of images is not begun', async () => {
    const image = anImage({ layers: [base, app] });
    push(WEB, '1', image, [base, app]);
    await work({ maxImageBytes: base.size + app.size - 1 });
    await sync(await follow());
    expect(await outcomeOf(image)).toMatchObject({ status: 'TOO_LARGE' });
    expect([downloads(base), downloads(app)]).toEqual([0, 0]);
    expect(await contentsOf(image)).toBeUndefined();
  });

  test('what the day has no bytes for waits for the next', async () => {
    clock = new Date('2026-03-01T22:00:00Z');
    const one = anImage({ layers: [base] });
    push(WEB, '1', one, [base]);
    const worker = await work({ maxBytesPerDay: base.size, maxLayerBytes: base.size });
    const source = await follow();
    await sync(source);
    await outcomeOf(one);
    const other = anImage({ layers: [base, app] });
    push(WEB, '2', other, [app]);
    await sync(source);
    const waiting = await until(() => database.prisma.imageInspection.findFirst({ where: { reason: { not: null } } }));
    expect(waiting).toMatchObject({ status: 'QUEUED', dueAt: new Date('2026-03-02T00:00:00Z'), attempts: 0 });
    expect(downloads(app)).toBe(0);

    await worker.stop();
    clock = new Date('2026-03-02T00:00:00Z');
    await work({ maxBytesPerDay: base.size, maxLayerBytes: base.size });
    expect(await outcomeOf(other)).toEqual({ status: 'INSPECTED', reason: null });
  });
});

test('workers that look at images of the same layers at once download each once', async () => {
  const layers = Array.from({ length: 6 }, (_, at) => aFilledLayer([{ name: `file-${at}`, body: 'x'.repeat(at) }]));
  const images = layers.map((layer) => anImage({ layers: [base, app, layer] }));
  for (const [at, image] of images.entries()) push(WEB, `${at}`, image, [base, app, ...layers]);
  registry.pause = (asked) => (asked.startsWith('blob') ? pause(50) : Promise.resolve());
  await Promise.all([work(), work(), work()]);
  await sync(await follow());
  for (const image of images) expect(await outcomeOf(image)).toEqual({ status: 'INSPECTED', reason: null });
  expect([base, app, ...layers].map(downloads)).toEqual(Array<number>(8).fill(1));
  expect(await database.prisma.package.findMany({ select: { imageCount: true } })).toEqual([
    { imageCount: 6 },
    { imageCount: 6 },
  ]);
});

test('a layer whose inspection another version wrote is looked at again', async () => {
  const image = anImage({ layers: [base, app] });
  push(WEB, '1', image, [base, app]);
  await work();
  await sync(await follow());
  await outcomeOf(image);
  const document = Buffer.from('{"format":0,"entryCount":0}');
  const head = Buffer.alloc(8);
  head.writeUInt32LE(document.length);
  await database.run(
    `update layer_inspection set content = $1
     where layer_id = (select id from layer where diff_id = $2)`,
    [zstdCompressSync(Buffer.concat([head, document])), digestBytes(base.diffId)],
  );
  await commands.requestInspection({ image: image.digest });
  expect(await outcomeOf(image)).toEqual({ status: 'INSPECTED', reason: null });
  expect([downloads(base), downloads(app)]).toEqual([2, 1]);
});

test('an image whose worker stops is taken by the next, which downloads what is missing alone', async () => {
  const image = anImage({ layers: [base, app] });
  push(WEB, '1', image, [base, app]);
  let isHanging = true;
  registry.pause = (asked) =>
    isHanging && asked.endsWith(app.digest) ? new Promise(() => undefined) : Promise.resolve();
  const worker = await work();
  await sync(await follow());
  await until(async () =>
    (await database.prisma.layerInspection.count()) === 1 && downloads(app) === 1 ? true : null,
  );
  isHanging = false;
  await worker.stop();
  expect(Number((await database.prisma.inspectionDay.findFirst())?.bytesRead)).toBe(base.size);
  await work();
  expect(await outcomeOf(image)).toEqual({ status: 'INSPECTED', reason: null });
  expect([downloads(base), downloads(app)]).toEqual([1, 2]);
});

test('an image that is deleted while it is looked at is no error', async () => {
  const image = anImage({ layers: [app] });
  const other = anImage({ layers: [base] });
  push(WEB, '1', image, [app]);
  push(WEB, '2', other, [base]);
  registry.pause = async (asked) => {
    if (!asked.endsWith(app.digest)) return;
    const { userErrors } = await commands.deleteImage({ digest: image.digest });
    expect(userErrors).toEqual([]);
  };
  await work();
  await sync(await follow());
  expect(await outcomeOf(other)).toEqual({ status: 'INSPECTED', reason: null });
  await until(async () => ((await database.prisma.imageInspection.count()) === 1 ? true : null));
  expect(await database.prisma.imageContents.count()).toBe(1);
});
