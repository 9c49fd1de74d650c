import { readFile } from 'node:fs/promises';
import { graphql, type GraphQLSchema } from 'graphql';
import { createReads } from '../../src/catalog/read/index.ts';
import type { Commands } from '../../src/commands/index.ts';
import type { BaseName } from '../../src/domain/base-claim.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { createContext } from '../../src/graphql/context.ts';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import { ANONYMOUS } from '../../src/graphql/viewer.ts';
import { catalogOf, type CatalogBuilder, type Content, type ImageContent } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let build: CatalogBuilder;
let schema: GraphQLSchema;

beforeAll(async () => {
  schema = createSchema(await readFile('schema.graphql', 'utf8'), typeResolvers);
  database = await createTestDatabase();
  build = catalogOf(database);
});

afterAll(() => database.close());

/** No mutation is sent here, so nothing is asked of the commands. */
const NO_COMMANDS = {} as Commands;

async function answer(source: string, variableValues: Record<string, unknown> = {}) {
  const contextValue = createContext({ reads: createReads(database), commands: NO_COMMANDS, viewer: ANONYMOUS });
  const result = await graphql({ schema, source, variableValues, contextValue });
  return { data: result.data as never, errors: result.errors?.map((error) => error.message) };
}

async function data<T>(source: string, variables: Record<string, unknown> = {}): Promise<T> {
  const { data, errors } = await answer(source, variables);
  expect(errors).toBeUndefined();
  return JSON.parse(JSON.stringify(data)) as T;
}

interface Candidate {
  readonly image: Named;
  readonly evidence: string[];
  readonly layerCount: number;
  readonly isOutdated: boolean;
  readonly tags: { reference: string }[];
}

interface Named {
  readonly digest: Digest;
}

interface Bases {
  readonly baseImage: Named | null;
  readonly baseCandidates: Candidate[];
  readonly lineage: Named[];
  readonly derivedImages: { nodes: Named[]; totalCount: number };
  readonly direct: { nodes: Named[] };
  readonly impact: {
    derivedImages: number;
    repositories: number;
    rebuildPlan: { wave: number; count: number; images: Named[] }[];
  };
}

async function basesOf({ digest }: Content): Promise<Bases> {
  const { image } = await data<{ image: Bases }>(
    `query ($digest: Digest!) {
      image(digest: $digest) {
        baseImage { digest }
        baseCandidates(first: 100) { image { digest } evidence layerCount isOutdated tags { reference } }
        lineage { digest }
        derivedImages { nodes { digest } totalCount }
        direct: derivedImages(directOnly: true) { nodes { digest } }
        impact { derivedImages repositories rebuildPlan { wave count images { digest } } }
      }
    }`,
    { digest },
  );
  return image;
}

/** Digests, so that what is compared is short where it differs. */
const digests = (images: readonly Named[]) => images.map((image) => image.digest);
const candidates = (bases: Bases) => digests(bases.baseCandidates.map((candidate) => candidate.image));

let serial = 0;
/** Layers that no other test has. */
function layersOf(...names: string[]): string[] {
  const mark = ++serial;
  return names.map((name) => `${mark} ${name}`);
}

function repository(): Promise<number> {
  return build.repository(`registry.example.com/bases/r${++serial}`);
}

const named = (reference: string) => parseReference(reference) as BaseName;

describe('three images on each other', () => {
  let root: ImageContent;
  let middle: ImageContent;
  let top: ImageContent;
  let stranger: ImageContent;
  let place: number;
  const name = 'registry.example.com/bases/three';

  beforeAll(async () => {
    place = await build.repository(name);
    const [a, b, c, d, e] = layersOf('a', 'b', 'c', 'd', 'e') as [string, string, string, string, string];
    // The last cataloged is the lowest: what a base is does not depend on who came first.
    top = await build.image(place, { layers: [a, b, c, d] });
    middle = await build.image(await repository(), { layers: [a, b, c] });
    root = await build.image(place, { layers: [a] });
    stranger = await build.image(place, { layers: [e, b] });
  });

  test('the base is the nearest, and the lineage leads over it to the root', async () => {
    const bases = await basesOf(top);
    expect(bases.baseImage).toEqual({ digest: middle.digest });
    expect(digests(bases.lineage)).toEqual(digests([middle, root]));
    expect(bases.baseCandidates).toEqual([
      { image: { digest: middle.digest }, evidence: ['LAYER_PREFIX'], layerCount: 3, isOutdated: false, tags: [] },
      { image: { digest: root.digest }, evidence: ['LAYER_PREFIX'], layerCount: 1, isOutdated: false, tags: [] },
    ]);
  });

  test('the root has neither base nor lineage, and knows all that stand on it', async () => {
    const bases = await basesOf(root);
    expect(bases).toMatchObject({ baseImage: null, baseCandidates: [], lineage: [] });
    expect(digests(bases.derivedImages.nodes)).toEqual(digests([middle, top]));
    expect(digests(bases.direct.nodes)).toEqual(digests([middle]));
    expect(bases.impact).toEqual({
      derivedImages: 2,
      repositories: 2,
      rebuildPlan: [
        { wave: 1, count: 1, images: [{ digest: middle.digest }] },
        { wave: 2, count: 1, images: [{ digest: top.digest }] },
      ],
    });
  });

  test('an image that shares a layer, but not the bottom, has nothing to do with them', async () => {
    expect(await basesOf(stranger)).toMatchObject({ baseImage: null, derivedImages: { totalCount: 0 } });
  });

  test('what stands on an image is counted by where and what it is, of what can be pulled', async () => {
    const count = async () => {
      const { image } = await data<{ image: { impact: object } }>(
        `query ($digest: Digest!) {
          image(digest: $digest) {
            impact {
              os: breakdown(by: OS) { key value }
              repository: breakdown(by: REPOSITORY) { key value }
              first: breakdown(by: REPOSITORY, first: 1) { key value }
            }
          }
        }`,
        { digest: root.digest },
      );
      return image.impact;
    };
    const other = expect.stringMatching(/^registry\.example\.com\/bases\/r\d+$/) as string;
    const both = [
      { key: other, value: 1 },
      { key: name, value: 1 },
    ];
    expect(await count()).toEqual({ os: [{ key: 'linux', value: 2 }], repository: both, first: both.slice(0, 1) });
    await build.holds(place, top, '2026-02-01T00:00:00Z');
    expect(await count()).toMatchObject({ os: [{ key: 'linux', value: 1 }], repository: both.slice(0, 1) });
    await build.holds(place, top);
  });

  test('a repository from which an image is gone no longer counts', async () => {
    await build.holds(place, top, '2026-02-01T00:00:00Z');
    expect((await basesOf(root)).impact.repositories).toBe(1);
    await build.holds(place, top);
  });

  test('a filter by what images stand on finds them, and not the base itself', async () => {
    await build.tag(place, 'root', await build.index(place, [{ child: root, platform: 'linux/amd64' }]));
    const found = (reference: string, layers: number) =>
      data<{ images: { nodes: Named[]; totalCount: number } }>(
        `query ($reference: ImageReference!, $layers: SafeInt!) {
          images(
            filter: { derivedFrom: $reference, layerCount: { min: $layers } }
            orderBy: { field: LAYER_COUNT, direction: ASC }
          ) { nodes { digest } totalCount }
        }`,
        { reference, layers },
      );
    const nodes = [{ digest: middle.digest }, { digest: top.digest }];
    expect(await found(`${name}:root`, 0)).toEqual({ images: { nodes, totalCount: 2 } });
    expect(await found(`${name}:root`, 4)).toEqual({ images: { nodes: nodes.slice(1), totalCount: 1 } });
    expect(await found(`${name}@${middle.digest}`, 0)).toEqual({ images: { nodes: [], totalCount: 0 } });
    expect(await found(`${name}:nothing`, 0)).toEqual({ images: { nodes: [], totalCount: 0 } });
  });

  test('a filter and an order apply to derived images, page by page', async () => {
    const { image } = await data<{ image: { derivedImages: { nodes: Named[]; pageInfo: { hasNextPage: boolean } } } }>(
      `query ($digest: Digest!) {
        image(digest: $digest) {
          derivedImages(first: 1, filter: { layerCount: { min: 2 } }, orderBy: { field: LAYER_COUNT, direction: DESC }) {
            nodes { digest } pageInfo { hasNextPage }
          }
        }
      }`,
      { digest: root.digest },
    );
    expect(image.derivedImages).toEqual({ nodes: [{ digest: top.digest }], pageInfo: { hasNextPage: true } });
  });
});

test('a base that is cataloged last changes what was direct, the lineage and the waves', async () => {
  const place = await repository();
  const [a, b, c] = layersOf('a', 'b', 'c') as [string, string, string];
  const root = await build.image(place, { layers: [a] });
  const top = await build.image(place, { layers: [a, b, c] });
  expect(digests((await basesOf(root)).direct.nodes)).toEqual([top.digest]);
  const middle = await build.image(place, { layers: [a, b] });
  expect(digests((await basesOf(top)).lineage)).toEqual(digests([middle, root]));
  const after = await basesOf(root);
  expect(digests(after.direct.nodes)).toEqual([middle.digest]);
  expect(after.impact.rebuildPlan.map(({ images }) => digests(images))).toEqual([[middle.digest], [top.digest]]);
});

test('an image packed again has the same bases, is no base of its twin, and is one of what stands on either', async () => {
  const place = await repository();
  const [a, b, c] = layersOf('a', 'b', 'c') as [string, string, string];
  const base = await build.image(place, { layers: [a] });
  const gzip = await build.image(place, { layers: [a, b] });
  // Blobs of other bytes with the same files in them.
  const zstd = await build.image(place, { layers: [a, b], layerSize: 700 });
  const top = await build.image(place, { layers: [a, b, c], layerSize: 700 });
  for (const twin of [gzip, zstd]) {
    const bases = await basesOf(twin);
    expect(candidates(bases)).toEqual([base.digest]);
    expect(digests(bases.derivedImages.nodes)).toEqual([top.digest]);
    expect(digests(bases.direct.nodes)).toEqual([top.digest]);
  }
  const bases = await basesOf(top);
  expect(candidates(bases)).toEqual(digests([gzip, zstd, base]));
  expect(digests(bases.lineage)).toEqual(digests([gzip, base]));
  expect((await basesOf(base)).impact.rebuildPlan.map(({ images }) => digests(images))).toEqual([
    digests([zstd, gzip]),
    [top.digest],
  ]);
});

test('of images with one stack one for the same platform is best, then one that a tag names, then the oldest', async () => {
  const place = await repository();
  const [a, b] = layersOf('a', 'b') as [string, string];
  const other = await build.image(place, { layers: [a], platform: 'linux/arm64/v8' });
  const oldest = await build.image(place, { layers: [a] });
  const tagged = await build.image(place, { layers: [a] });
  const index = await build.index(place, [{ child: tagged, platform: 'linux/amd64' }]);
  const top = await build.image(place, { layers: [a, b] });
  expect(candidates(await basesOf(top))).toEqual(digests([oldest, tagged, other]));
  await build.tag(place, `tag${serial}`, index);
  const bases = await basesOf(top);
  expect(candidates(bases)).toEqual(digests([tagged, oldest, other]));
  expect(bases.baseCandidates[0]?.tags).toHaveLength(1);
});

test('empty layers are no common ground, above a base or below', async () => {
  const place = await repository();
  const [a, b] = layersOf('a', 'b') as [string, string];
  const nothing = await build.image(place, { layers: ['empty'] });
  const twice = await build.image(place, { layers: ['empty', 'empty'] });
  const none = await build.image(place, { layers: [] });
  const onEmpty = await build.image(place, { layers: ['empty', a] });
  const base = await build.image(place, { layers: ['empty', a, 'empty'] });
  const top = await build.image(place, { layers: ['empty', a, 'empty', b] });
  expect(candidates(await basesOf(top))).toEqual(digests([base, onEmpty]));
  for (const image of [nothing, twice, none]) {
    expect(await basesOf(image)).toMatchObject({
      baseImage: null,
      lineage: [],
      derivedImages: { totalCount: 0 },
      impact: { derivedImages: 0, repositories: 0, rebuildPlan: [] },
    });
  }
  expect(digests((await basesOf(base)).direct.nodes)).toEqual([top.digest]);
});

describe('what is said of bases', () => {
  let place: number;
  let name: string;
  let low: ImageContent;
  let high: ImageContent;
  let top: ImageContent;
  let lowest: string;

  beforeEach(async () => {
    name = `registry.example.com/bases/r${++serial}`;
    place = await build.repository(name);
    const [a, b, c] = layersOf('a', 'b', 'c') as [string, string, string];
    lowest = a;
    low = await build.image(place, { layers: [a] });
    high = await build.image(place, { layers: [a, b] });
    top = await build.image(place, { layers: [a, b, c] });
  });

  test('a base that an annotation names shows that, and does not hide one that is nearer', async () => {
    await build.claim(top, 'ANNOTATION', { digest: low.digest });
    const bases = await basesOf(top);
    expect(bases.baseCandidates).toMatchObject([
      { image: { digest: high.digest }, evidence: ['LAYER_PREFIX'] },
      { image: { digest: low.digest }, evidence: ['LAYER_PREFIX', 'ANNOTATION'] },
    ]);
    expect(digests(bases.lineage)).toEqual(digests([high, low]));
  });

  test('a digest may be that of an index, and annotation and provenance may agree', async () => {
    const index = await build.index(place, [{ child: low, platform: 'linux/amd64' }]);
    await build.claim(top, 'PROVENANCE', { digest: index.digest });
    await build.claim(top, 'ANNOTATION', { digest: index.digest });
    expect((await basesOf(top)).baseCandidates[1]).toMatchObject({
      image: { digest: low.digest },
      evidence: ['LAYER_PREFIX', 'ANNOTATION', 'PROVENANCE'],
    });
  });

  test('a name counts for what its tag named once, too', async () => {
    await build.tag(place, '1', low);
    await build.claim(top, 'PROVENANCE', { name: named(`${name}:1`) });
    expect((await basesOf(top)).baseCandidates[1]).toMatchObject({
      image: { digest: low.digest },
      evidence: ['LAYER_PREFIX', 'PROVENANCE'],
      isOutdated: false,
    });
    await build.tag(place, '1', await build.image(place, { layers: layersOf('new') }));
    expect((await basesOf(top)).baseCandidates[1]).toMatchObject({
      image: { digest: low.digest },
      evidence: ['LAYER_PREFIX', 'PROVENANCE'],
      isOutdated: true,
    });
  });

  test('of two images with one stack the one whose digest is named is best', async () => {
    const twin = await build.image(place, { layers: [lowest] });
    await build.tag(place, 'low', low);
    await build.claim(top, 'ANNOTATION', { name: named(`${name}:low`) });
    await build.claim(top, 'ANNOTATION', { digest: twin.digest });
    expect(candidates(await basesOf(top))).toEqual(digests([high, twin, low]));
  });

  test('what layers contradict, and what the catalog does not have, is not shown', async () => {
    const stranger = await build.image(place, { layers: layersOf('other') });
    await build.tag(place, 'stranger', stranger);
    await build.claim(top, 'ANNOTATION', { digest: stranger.digest, name: named(`${name}:stranger`) });
    await build.claim(top, 'PROVENANCE', {
      digest: `sha256:${'8'.repeat(64)}` as Digest,
      name: named('ghcr.io/no/where:1'),
    });
    const bases = await basesOf(top);
    expect(candidates(bases)).toEqual(digests([high, low]));
    expect(bases.baseCandidates.map(({ evidence }) => evidence)).toEqual([['LAYER_PREFIX'], ['LAYER_PREFIX']]);
  });

  test('without a name a base is outdated once no tag that ever named it does so and one names another', async () => {
    const outdated = async () => (await basesOf(top)).baseCandidates[0]?.isOutdated;
    const next = await build.image(place, { layers: layersOf('next') });
    await build.tag(place, 'latest', high);
    await build.tag(place, '1.0', await build.index(place, [{ child: high, platform: 'linux/amd64' }]));
    expect(await outdated()).toBe(false);
    await build.tag(place, 'latest', next);
    expect(await outdated()).toBe(false);
    await build.tag(place, '1.0', null);
    expect(await outdated()).toBe(true);
    await build.tag(place, 'latest', null);
    expect(await outdated()).toBe(false);
  });

  test('with a name its tag alone decides whether the base is outdated', async () => {
    await build.tag(place, 'latest', high);
    await build.tag(place, '1.0', high);
    await build.claim(top, 'ANNOTATION', { digest: high.digest, name: named(`${name}:latest`) });
    const next = await build.image(place, { layers: layersOf('next') });
    await build.tag(place, 'latest', next);
    expect((await basesOf(top)).baseCandidates[0]).toMatchObject({
      image: { digest: high.digest },
      isOutdated: true,
      tags: [{ reference: `${name}:1.0` }],
    });
  });
});

describe('many at once', () => {
  const FIELDS = `
    baseImage { digest }
    baseCandidates(first: 3) { image { digest } evidence isOutdated tags(first: 2) { name } }
    lineage { digest }
    derivedImages(first: 2) { nodes { digest } totalCount }
    impact { derivedImages repositories breakdown(by: OS) { value } rebuildPlan { wave images(first: 3) { digest } } }`;

  test('fifty images take as many statements as one', async () => {
    const place = await repository();
    const layers = layersOf('a', 'b', 'c');
    const images: ImageContent[] = [];
    for (let at = 0; at < 50; at++) {
      images.push(await build.image(place, { layers: [...layers.slice(0, at % 3), `${serial} ${at}`], layerSize: at }));
    }
    const base = await build.image(place, { layers: layers.slice(0, 1) });
    await build.image(place, { layers: layers.slice(0, 2) });
    await build.tag(place, 'base', base);
    const count = async (chosen: readonly ImageContent[]) => {
      database.statements.length = 0;
      const fields = chosen.map(({ digest }, at) => `i${at}: image(digest: "${digest}") { ${FIELDS} }`);
      const found = await data<Record<string, Bases>>(`{ ${fields.join('\n')} }`);
      return { statements: database.statements.length, found };
    };
    const one = await count([images[2] as ImageContent]);
    const all = await count(images);
    expect(all.statements).toBeLessThanOrEqual(one.statements);
    expect(Object.values(all.found).filter(({ baseImage }) => baseImage !== null)).toHaveLength(33);
    expect(one.found['i0']).toEqual(all.found['i2']);
    // One for the image, and one for each of: candidates, outdated, tags, lineage, page, count, impact (4), its images.
    expect(one.statements).toBeLessThanOrEqual(12);
  });

  test.each([
    ['baseCandidates(first: 101) { layerCount }', 'first is 101: a page has 0 to 100 entries.'],
    ['baseCandidates(first: -1) { layerCount }', 'first is -1: a page has 0 to 100 entries.'],
    ['lineage(first: 101) { digest }', 'first is 101: a page has 0 to 100 entries.'],
    ['impact { rebuildPlan(first: 101) { wave } }', 'first is 101: a page has 0 to 100 entries.'],
  ])('%s is refused, and says why', async (field, message) => {
    const image = await build.image(await repository(), { layers: layersOf('x') });
    const { errors } = await answer(`{ image(digest: "${image.digest}") { ${field} } }`);
    expect(errors).toEqual([message]);
  });

  test('a list of none is empty', async () => {
    const place = await repository();
    const [a, b] = layersOf('a', 'b') as [string, string];
    await build.image(place, { layers: [a] });
    const { digest } = await build.image(place, { layers: [a, b] });
    const { image } = await data<{ image: object }>(
      `{ image(digest: "${digest}") { baseCandidates(first: 0) { layerCount } lineage(first: 0) { digest } } }`,
    );
    expect(image).toEqual({ baseCandidates: [], lineage: [] });
  });
});
