import * as catalog from '../../src/catalog/write/index.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { RepositoryName } from '../../src/domain/reference.ts';
import { collectManifests } from '../../src/sync/collect-manifests.ts';
import { catalogOf, type CatalogBuilder } from '../support/catalog.ts';
import { anImage } from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';
import { addRuntime, observed, report } from '../support/observed-container.ts';
import { openTestWeb, type TestWeb } from '../support/web.ts';

let database: TestDatabase;
let build: CatalogBuilder;
let web: TestWeb;
let engine: number;
let app: number;

beforeEach(async () => {
  database = await createTestDatabase();
  build = catalogOf(database);
  web = await openTestWeb(database);
  engine = await addRuntime(database, 'host-1');
  app = await build.repository('one.example.com/team/app');
});

afterEach(async () => {
  await web.close();
  await database.close();
});

const FIRST = '1'.repeat(64);
const SECOND = '2'.repeat(64);
const MORNING = '2026-03-01T08:00:00.000Z';
const NOON = '2026-03-01T12:00:00.000Z';

async function committedFrom(digest: Digest) {
  const source = 'query ($digest: Digest!) { image(digest: $digest) { committedFrom { name runtime { name } } } }';
  const { data, errors } = await web.ask(source, { digest });
  expect(errors).toBeUndefined();
  return (data as { image: { committedFrom: { name: string; runtime: { name: string } } | null } }).image.committedFrom;
}

test.each<['configDigest' | 'digest']>([['configDigest'], ['digest']])(
  'an image is from the container that a runtime told of, by its %s, whatever its configuration names',
  async (member) => {
    const image = await build.image(app, { layers: ['base', 'own'], madeFrom: SECOND });
    const seen = [observed({ containerId: FIRST, name: 'told' }), observed({ containerId: SECOND, name: 'named' })];
    await report(database, engine, MORNING, seen);
    expect(await committedFrom(image.digest)).toMatchObject({ name: 'named' });
    await report(database, engine, NOON, seen, { commits: [{ containerId: FIRST, imageId: image[member] }] });
    expect(await committedFrom(image.digest)).toMatchObject({ name: 'told' });
  },
);

test('an image is from the container that its configuration names, also when that was removed', async () => {
  const image = await build.image(app, { madeFrom: FIRST });
  await report(database, engine, MORNING, [observed({ containerId: FIRST, name: 'web' })]);
  await report(database, engine, NOON, []);
  expect(await committedFrom(image.digest)).toEqual({ name: 'web', runtime: { name: 'host-1' } });
});

test('a container that nobody knows, as those of old builds, made nothing', async () => {
  await report(database, engine, MORNING, [observed({ containerId: FIRST })]);
  const [built, plain] = [await build.image(app, { madeFrom: SECOND }), await build.image(app)];
  expect(await committedFrom(built.digest)).toBeNull();
  expect(await committedFrom(plain.digest)).toBeNull();
});

test('of several runtimes that show the container it is of the one that was seen first; all have the image', async () => {
  const again = await addRuntime(database, 'again');
  await report(database, again, NOON, [observed({ containerId: FIRST })]);
  await report(database, engine, MORNING, [observed({ containerId: FIRST })]);
  const image = await build.image(app, { madeFrom: FIRST });
  expect(await committedFrom(image.digest)).toMatchObject({ runtime: { name: 'host-1' } });
  const { data } = await web.ask('{ containers { nodes { committedImages { nodes { digest } totalCount } } } }');
  const committedImages = { nodes: [{ digest: image.digest }], totalCount: 1 };
  expect(data).toEqual({ containers: { nodes: [{ committedImages }, { committedImages }] } });
});

test('images of many containers are read at once, each once, page by page', async () => {
  const images = [];
  for (let at = 0; at < 3; at++) {
    images.push(await build.image(app, { layers: ['base', `${at}`], madeFrom: FIRST }));
  }
  const told = await build.image(app, { layers: ['told'] });
  const commits = [...images, told].map(({ configDigest }) => ({ containerId: FIRST, imageId: configDigest }));
  const names = observed({ containerId: 'pod/web', name: 'none' });
  await report(database, engine, MORNING, [observed({ containerId: FIRST, name: 'all' }), names], { commits });

  database.statements.length = 0;
  const { data, errors } = await web.ask(`{
    containers { nodes { name committedImages(first: 2) { nodes { digest committedFrom { name } } totalCount pageInfo { endCursor } } } }
  }`);
  expect(errors).toBeUndefined();
  expect(data).toEqual({
    containers: {
      nodes: [
        {
          name: 'all',
          committedImages: {
            nodes: [told, images[2]].map((image) => ({ digest: image?.digest, committedFrom: { name: 'all' } })),
            totalCount: 4,
            pageInfo: { endCursor: expect.any(String) },
          },
        },
        { name: 'none', committedImages: { nodes: [], totalCount: 0, pageInfo: { endCursor: null } } },
      ],
    },
  });
  // The containers, the pages and their lengths, the records of images, and where these are from.
  expect(database.statements.length).toBeLessThanOrEqual(5);
});

test('what a configuration names is written with the image', async () => {
  const registry = new MemoryRegistry();
  const image = anImage({ configExtra: { container: FIRST } });
  registry.push('app', null, image);
  const repository = 'app' as RepositoryName;
  const known = () => Promise.resolve(new Map<Digest, never>());
  const { signal } = new AbortController();
  const { contents } = await collectManifests({ registry, repository, platforms: [], known, parallel: 1, signal }, [
    image.digest,
  ]);
  await database.transaction(async (connection) => {
    await catalog.shareContent(connection);
    const { written } = await catalog.recordManifests(connection, contents, new Date(NOON));
    await written;
  });
  await report(database, engine, NOON, [observed({ containerId: FIRST, name: 'web' })]);
  expect(await committedFrom(image.digest)).toMatchObject({ name: 'web' });
});
