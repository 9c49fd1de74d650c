import { readFile } from 'node:fs/promises';
import { graphql, type GraphQLSchema } from 'graphql';
import { createReads } from '../../src/catalog/read/index.ts';
import type { Commands } from '../../src/commands/index.ts';
import { type CatalogError } from '../../src/domain/errors.ts';
import { createContext } from '../../src/graphql/context.ts';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import { ANONYMOUS } from '../../src/graphql/viewer.ts';
import { catalogOf, type CatalogBuilder, type Content, type ImageContent } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let build: CatalogBuilder;
let schema: GraphQLSchema;

let repository: number;
let old: ImageContent;
let next: ImageContent;
let arm: ImageContent;
let both: Content;

beforeAll(async () => {
  schema = createSchema(await readFile('schema.graphql', 'utf8'), typeResolvers);
  database = await createTestDatabase();
  build = catalogOf(database);
  repository = await build.repository('ghcr.io/acme/shop');
  old = await build.image(repository, { layers: ['base', 'app-1', 'assets'], labels: { version: '1', team: 'a' } });
  next = await build.image(repository, {
    layers: ['base', 'app-2', 'assets', 'app-2'],
    labels: { version: '2', team: 'a' },
    user: '1000',
    createdAt: '2026-02-01T00:00:00.000Z',
  });
  arm = await build.image(repository, { platform: 'linux/arm64', layers: ['base-arm'] });
  both = await build.index(repository, [
    { child: next, platform: 'linux/amd64' },
    { child: arm, platform: 'linux/arm64' },
  ]);
  const chart = await build.artifact(repository, 'application/vnd.cncf.helm.config.v1+json');
  await build.tag(repository, '1', old);
  await build.tag(repository, '2', next);
  await build.tag(repository, 'arm', arm);
  await build.tag(repository, 'both', both);
  await build.tag(repository, 'chart', chart);
  await build.tag(repository, 'moving', old);
  await build.tag(repository, 'moving', both);
  await build.tag(repository, 'moving', chart);
  await build.tag(repository, 'moving', null);
});

afterAll(() => database.close());

async function answer(source: string) {
  const commands = {} as Commands;
  const contextValue = createContext({ reads: createReads(database), commands, viewer: ANONYMOUS });
  return graphql({ schema, source, contextValue });
}

async function data<T>(source: string): Promise<T> {
  const { data, errors } = await answer(source);
  expect(errors).toBeUndefined();
  return JSON.parse(JSON.stringify(data)) as T;
}

async function refusal(source: string): Promise<CatalogError> {
  const { errors } = await answer(source);
  expect(errors).toHaveLength(1);
  return errors?.[0]?.originalError as CatalogError;
}

const ENDS = 'from { digest } to { digest }';

test('a comparison tells the layers that stay, come and go, what a pull costs, and what changes in the configuration', async () => {
  const { diff } = await data<{ diff: object }>(
    `{ diff(from: "ghcr.io/acme/shop:1", to: "ghcr.io/acme/shop:2") {
         ${ENDS} sizeChange pullSize
         commonLayers { position layer { diffId } } addedLayers { position digest } removedLayers { position digest }
         configChanges { field before after }
       } }`,
  );
  expect(diff).toEqual({
    from: { digest: old.digest },
    to: { digest: next.digest },
    sizeChange: 1000,
    pullSize: 1000,
    commonLayers: [0, 2].map((position) => ({ position, layer: { diffId: next.diffIds[position] } })),
    addedLayers: [1, 3].map((position) => ({ position, digest: next.blobDigests[position] })),
    removedLayers: [{ position: 1, digest: old.blobDigests[1] }],
    configChanges: [
      { field: 'createdAt', before: '2026-01-01T00:00:00.000Z', after: '2026-02-01T00:00:00.000Z' },
      { field: 'labels.version', before: '1', after: '2' },
      { field: 'user', before: null, after: '1000' },
    ],
  });
});

test('an image has nothing to change for itself', async () => {
  const { image } = await data<{ image: { diff: object } }>(
    `{ image(digest: "${old.digest}") { diff(to: "ghcr.io/acme/shop:1") {
         ${ENDS} sizeChange pullSize addedLayers { position } removedLayers { position } configChanges { field }
       } } }`,
  );
  const itself = { digest: old.digest };
  const nothing = { sizeChange: 0, pullSize: 0, addedLayers: [], removedLayers: [], configChanges: [] };
  expect(image.diff).toEqual({ from: itself, to: itself, ...nothing });
});

test('from an index comes the image for the platform asked, else for that of the other side, else for linux/amd64', async () => {
  const on = 'platform: { architecture: "arm64" }';
  const answers = await data<Record<string, object>>(
    `{ asked: diff(from: "ghcr.io/acme/shop:both", to: "ghcr.io/acme/shop:both", ${on}) { ${ENDS} }
       from: diff(from: "ghcr.io/acme/shop:both", to: "ghcr.io/acme/shop:arm") { ${ENDS} }
       to: diff(from: "ghcr.io/acme/shop:arm", to: "ghcr.io/acme/shop:both") { ${ENDS} }
       neither: diff(from: "ghcr.io/acme/shop:both", to: "ghcr.io/acme/shop:both") { ${ENDS} }
       across: diff(from: "ghcr.io/acme/shop:2", to: "ghcr.io/acme/shop:arm") { ${ENDS} configChanges { field before after } }
       image(digest: "${arm.digest}") { diff(to: "ghcr.io/acme/shop:both") { ${ENDS} } } }`,
  );
  const of = (from: Content, to: Content) => ({ from: { digest: from.digest }, to: { digest: to.digest } });
  expect(answers).toMatchObject({
    asked: of(arm, arm),
    from: of(arm, arm),
    to: of(arm, arm),
    neither: of(next, next),
    across: of(next, arm),
    image: { diff: of(arm, arm) },
  });
  expect(answers['across']).toMatchObject({
    configChanges: expect.arrayContaining([{ field: 'platform', before: 'linux/amd64', after: 'linux/arm64' }]),
  });
});

test.each([
  ['from: "ghcr.io/acme/none", to: "ghcr.io/acme/shop:1"', /from is ghcr\.io\/acme\/none.*does not have/],
  ['from: "ghcr.io/acme/shop:1", to: "ghcr.io/acme/shop:9"', /to is ghcr\.io\/acme\/shop:9.*does not have/],
  ['from: "ghcr.io/acme/shop:1", to: "ghcr.io/acme/shop:chart"', /to is ghcr\.io\/acme\/shop:chart.*is no image/],
  [
    'from: "ghcr.io/acme/shop:1", to: "ghcr.io/acme/shop:both", platform: { architecture: "s390x" }',
    /from is ghcr\.io\/acme\/shop:1, which has no image for linux\/s390x.* linux\/amd64/,
  ],
])('without an image there is nothing to compare: %s', async (args, message) => {
  const error = await refusal(`{ diff(${args}) { pullSize } }`);
  expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringMatching(message) });
});

test('a movement of a tag tells what it changed, unless one side has no image', async () => {
  const { tag } = await data<{ tag: { history: { nodes: object[] } } }>(
    `{ tag(reference: "ghcr.io/acme/shop:moving") { history { nodes {
         kind diff { ${ENDS} pullSize } arm: diff(platform: { architecture: "arm64" }) { pullSize }
       } } } }`,
  );
  expect(tag.history.nodes).toEqual([
    { kind: 'DELETED', diff: null, arm: null },
    { kind: 'MOVED', diff: null, arm: null },
    { kind: 'MOVED', diff: { from: { digest: old.digest }, to: { digest: next.digest }, pullSize: 1000 }, arm: null },
    { kind: 'CREATED', diff: null, arm: null },
  ]);
});

test('many comparisons take no more statements than one', async () => {
  const compared = '{ pullSize addedLayers { size } configChanges { field } }';
  const count = async (fields: string) => {
    database.statements.length = 0;
    await data(`{ ${fields} }`);
    return database.statements.length;
  };
  const one = await count(`a: diff(from: "ghcr.io/acme/shop:1", to: "ghcr.io/acme/shop:both") ${compared}`);
  const many = await count(
    ['1', '2', 'arm', 'both']
      .map((tag, at) => `a${at}: diff(from: "ghcr.io/acme/shop:${tag}", to: "ghcr.io/acme/shop:both") ${compared}`)
      .join('\n'),
  );
  expect([one, many]).toEqual([5, 5]);
});
