import { createCommands, type Commands } from '../../src/commands/index.ts';
import {
  createSeal,
  dueInspections,
  giveBackInspectionBytes,
  queueInspections,
  recordImageContents,
  recordInspection,
  takeInspectionBytes,
  type HeldPackage,
  type ImageContents,
} from '../../src/catalog/write/index.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { foundPackage, type FoundPackage, type PackageType } from '../../src/domain/package.ts';
import { catalogOf, type CatalogBuilder, type ImageContent } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let build: CatalogBuilder;
let commands: Commands;
let repository: number;
let one: ImageContent;
let other: ImageContent;

beforeEach(async () => {
  database = await createTestDatabase();
  build = catalogOf(database);
  const kinds = {
    defaultUrl: (host: string) => new URL(`https://${host}`),
    detectKind: () => Promise.resolve('OCI' as const),
    checkCredential: () => undefined,
    open: () => Promise.reject(new Error('nothing is asked of registries')),
  };
  commands = createCommands({ database, seal: createSeal(Buffer.alloc(32, 7)), kinds });
  repository = await build.repository('docker.io/library/nginx');
  one = await build.image(repository, { layers: ['debian', 'nginx'] });
  other = await build.image(repository, { layers: ['debian', 'nginx', 'app'] });
});

afterEach(() => database.close());

const NOW = new Date('2026-03-01T12:00:00Z');

function a(type: PackageType, name: string, version: string, layer: number | null = 0): HeldPackage {
  return { ...(foundPackage({ type, name, version, licenses: ['MIT'] }) as FoundPackage), layer };
}

const musl = a('APK', 'musl', '1.2.5-r0');
const curl = a('APK', 'curl', '8.9.0-r0', 1);
const react = a('NPM', 'react', '18.3.1', 2);

function contents(packages: readonly HeldPackage[], origin: ImageContents['origin'] = 'LAYERS'): ImageContents {
  const files = {
    shells: ['/bin/sh'],
    packageManagers: [],
    kernels: [],
    fileCount: 3,
    wastedSize: 7,
    operatingSystemSize: 1,
    dependencySize: 2,
    applicationSize: 3,
    metadataSize: 4,
    largestFiles: [{ path: '/bin/sh', size: 1 }],
  };
  const operatingSystem = { id: 'alpine', versionId: '3.20.3', prettyName: 'Alpine Linux v3.20' };
  const isFound = origin === 'LAYERS';
  return { origin, operatingSystem: isFound ? operatingSystem : null, packages, files: isFound ? files : null };
}

function record({ id }: ImageContent, what: ImageContents): Promise<void> {
  return database.transaction((connection) => recordImageContents(connection, id, what, NOW));
}

/** Names of packages with the images that have them, as they are counted. */
async function counts(): Promise<Record<string, number>> {
  const rows = await database.prisma.package.findMany({ orderBy: { name: 'asc' } });
  return Object.fromEntries(rows.map(({ name, imageCount }) => [name, imageCount]));
}

async function sets(): Promise<number[]> {
  return (await database.prisma.packageSet.findMany({ orderBy: { id: 'asc' } })).map(({ imageCount }) => imageCount);
}

/** Packages of an image with the layer that brought each. */
async function packagesOf({ id }: ImageContent) {
  const rows = await database.run<{ name: string; layer: number | null }>(
    `select p.name, c.package_layers[e.place] as layer
     from image_contents c
     cross join lateral (
       select package_id, row_number() over (order by package_id) as place
       from package_set_entry where set_id = c.package_set_id
     ) e
     join package p on p.id = e.package_id
     where c.image_id = $1 order by p.name`,
    [id],
  );
  return rows;
}

async function remove({ digest }: ImageContent): Promise<void> {
  expect((await commands.deleteImage({ digest })).userErrors).toEqual([]);
}

describe('sets of packages', () => {
  test('are stored once for all images that have the same, in whatever order and layers', async () => {
    await record(one, contents([musl, curl]));
    await record(other, contents([{ ...curl, layer: 2 }, musl, musl]));
    expect(await sets()).toEqual([2]);
    expect(await counts()).toEqual({ curl: 2, musl: 2 });
    expect(await packagesOf(one)).toEqual([
      { name: 'curl', layer: 1 },
      { name: 'musl', layer: 0 },
    ]);
    expect(await packagesOf(other)).toEqual([
      { name: 'curl', layer: 2 },
      { name: 'musl', layer: 0 },
    ]);
    expect(await database.prisma.imageContents.findMany({ select: { packageCount: true } })).toEqual([
      { packageCount: 2 },
      { packageCount: 2 },
    ]);
  });

  test('and packages that no image has any more go when what an image holds is found anew', async () => {
    await record(one, contents([musl, curl]));
    await record(other, contents([musl, react]));
    expect(await counts()).toEqual({ curl: 1, musl: 2, react: 1 });
    await record(one, contents([musl, react]));
    expect(await sets()).toEqual([2]);
    expect(await counts()).toEqual({ musl: 2, react: 2 });
    await record(one, contents([]));
    expect(await counts()).toEqual({ musl: 1, react: 1 });
    expect(await sets()).toEqual([1, 1]);
  });

  test('and packages are counted down, and go, when images are deleted', async () => {
    await record(one, contents([musl, curl]));
    await record(other, contents([musl, react]));
    await remove(one);
    expect(await counts()).toEqual({ musl: 1, react: 1 });
    await remove(other);
    expect(await counts()).toEqual({});
    expect(await sets()).toEqual([]);
    expect(await database.prisma.layerInspection.count()).toBe(0);
  });

  test('are right when several writers record the same at once', async () => {
    const images = [one, other];
    for (let at = 0; at < 10; at++) images.push(await build.image(repository, { layers: [`layer ${at}`] }));
    await Promise.all(images.map((image, at) => record(image, contents(at % 2 === 0 ? [musl, curl] : [musl, react]))));
    expect(await counts()).toEqual({ curl: 6, musl: 12, react: 6 });
    await Promise.all(images.map((image) => record(image, contents([curl]))));
    expect(await counts()).toEqual({ curl: 12 });
    expect(await sets()).toEqual([12]);
  });

  test('leave out a package whose URL is longer than an index takes', async () => {
    const long = { ...musl, purl: `pkg:apk/${'x'.repeat(3000)}@1` };
    await record(one, contents([long, curl]));
    expect(await counts()).toEqual({ curl: 1 });
  });
});

test('nothing is written of an image that is not there', async () => {
  await record({ ...one, id: 1_000_000 }, contents([musl]));
  expect(await counts()).toEqual({});
  await queueInspections(database, [one.id, 1_000_000], NOW);
  expect(await dueInspections(database, NOW, 10)).toEqual([{ imageId: one.id, attempts: 0 }]);
});

test('what an SBOM tells gives way to what is found in layers, and never takes its place', async () => {
  await record(one, contents([{ ...musl, layer: null }], 'SBOM'));
  expect(await database.prisma.imageContents.findFirst()).toMatchObject({
    origin: 'SBOM',
    fileCount: null,
    osId: null,
  });
  await record(one, contents([musl, curl]));
  await record(one, contents([{ ...react, layer: null }], 'SBOM'));
  expect(await database.prisma.imageContents.findFirst()).toMatchObject({ origin: 'LAYERS', packageCount: 2 });
});

test('an image is queued once, and again when somebody asks for it', async () => {
  await queueInspections(database, [one.id], NOW);
  await recordInspection(database, one.id, { status: 'FAILED', reason: 'It is gone.' }, NOW);
  await queueInspections(database, [one.id, other.id], NOW);
  expect(await dueInspections(database, NOW, 10)).toEqual([{ imageId: other.id, attempts: 0 }]);

  expect(await commands.requestInspection({ image: one.digest })).toEqual({ digest: one.digest, userErrors: [] });
  const due = await dueInspections(database, new Date(), 10);
  expect(due.map(({ imageId }) => imageId)).toEqual([other.id, one.id]);
  expect(await commands.requestInspection({ image: digestOf(Buffer.from('unknown')) })).toMatchObject({
    digest: null,
    userErrors: [{ type: 'NotFound', path: ['input', 'image'] }],
  });
});

test('bytes of a day are taken until there are no more, and what is given back can be taken again', async () => {
  const evening = new Date('2026-03-01T23:59:59Z');
  const midnight = new Date('2026-03-02T00:00:00Z');
  const take = (at: Date, bytes: number) => takeInspectionBytes(database, at, bytes, 100);
  expect(await take(NOW, 101)).toBe(false);
  expect(await take(NOW, 60)).toBe(true);
  expect(await take(evening, 41)).toBe(false);
  expect(await take(midnight, 41)).toBe(true);
  await giveBackInspectionBytes(database, NOW, 20);
  expect(await Promise.all([take(evening, 40), take(evening, 40)])).toEqual(expect.arrayContaining([true, false]));
});
