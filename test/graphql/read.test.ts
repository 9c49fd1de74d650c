import { readFile } from 'node:fs/promises';
import { graphql, type GraphQLSchema } from 'graphql';
import { createReads } from '../../src/catalog/read/index.ts';
import type { Commands } from '../../src/commands/index.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { createContext } from '../../src/graphql/context.ts';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import { ANONYMOUS } from '../../src/graphql/viewer.ts';
import {
  catalogOf,
  type CatalogBuilder,
  type Content,
  type ImageContent,
  type IndexChild,
} from '../support/catalog.ts';
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

async function refused(source: string, variables: Record<string, unknown> = {}): Promise<string> {
  const { errors } = await answer(source, variables);
  expect(errors).toHaveLength(1);
  return errors?.[0] ?? '';
}

const names = (nodes: readonly { name: string }[]) => nodes.map((node) => node.name);

describe('a repository of two platforms', () => {
  let alpine: number;
  let amd64: ImageContent;
  let arm64: ImageContent;
  let index: Content;

  beforeAll(async () => {
    alpine = await build.repository('docker.io/library/alpine', { description: 'A minimal image', owner: 'natanael' });
    amd64 = await build.image(alpine, {
      layers: ['alpine', 'alpine-app'],
      labels: { b: '2', a: '1' },
      history: [
        { createdAt: SEEN, createdBy: 'ADD rootfs', author: null, comment: null, isEmptyLayer: false },
        { createdAt: SEEN, createdBy: 'ENV A=1', author: null, comment: 'buildkit', isEmptyLayer: true },
        { createdAt: SEEN, createdBy: 'COPY app', author: null, comment: null, isEmptyLayer: false },
      ],
    });
    arm64 = await build.image(alpine, { platform: 'linux/arm64/v8', layers: ['alpine-arm'] });
    const attestation = await build.artifact(alpine, 'application/vnd.in-toto+json');
    index = await build.index(alpine, [
      { child: amd64, platform: 'linux/amd64' },
      { child: arm64, platform: 'linux/arm64/v8' },
      { child: `sha256:${'9'.repeat(64)}`, platform: 'linux/s390x' },
      {
        child: attestation,
        platform: 'unknown/unknown',
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': amd64.digest,
        },
      },
    ]);
    await build.tag(alpine, '3.19', amd64, '2026-01-01T00:00:00Z');
    await build.tag(alpine, 'latest', amd64, '2026-01-02T00:00:00Z');
    await build.tag(alpine, 'latest', index, '2026-01-03T00:00:00Z');
    await build.tag(alpine, 'edge', amd64, '2026-01-04T00:00:00Z');
    await build.tag(alpine, 'edge', null, '2026-01-05T00:00:00Z');
  });

  test('is found as people type it, with what it is called', async () => {
    const { repository } = await data<{ repository: object }>(
      `{ repository(reference: "alpine:ignored") {
           name reference familiarName isOfficial description tagCount lastSyncedAt
           registry { host kind health { status } rateLimit { limit } repositoryCount }
           metadata { owner team annotations { name } }
         } }`,
    );
    expect(repository).toEqual({
      name: 'library/alpine',
      reference: 'docker.io/library/alpine',
      familiarName: 'alpine',
      isOfficial: true,
      description: 'A minimal image',
      tagCount: 2,
      lastSyncedAt: null,
      registry: { host: 'docker.io', kind: 'OCI', health: { status: 'UNKNOWN' }, rateLimit: null, repositoryCount: 1 },
      metadata: { owner: 'natanael', team: null, annotations: [] },
    });
    expect(
      await data(`{ repository(reference: "ghcr.io/no/such") { id } registry(host: "index.docker.io") { host } }`),
    ).toEqual({
      repository: null,
      registry: { host: 'docker.io' },
    });
  });

  test('resolves a tag to the image that a platform would pull', async () => {
    const { tag } = await data<{ tag: object }>(
      `{ tag(reference: "alpine") {
           name reference movedAt
           default: image { digest }
           arm: image(platform: { architecture: "aarch64" }) { digest platform { label variant } }
           none: image(platform: { architecture: "riscv64" }) { digest }
           images { digest }
           manifest { __typename digest }
         } }`,
    );
    expect(tag).toEqual({
      name: 'latest',
      reference: 'docker.io/library/alpine:latest',
      movedAt: '2026-01-03T00:00:00.000Z',
      default: { digest: amd64.digest },
      arm: { digest: arm64.digest, platform: { label: 'linux/arm64/v8', variant: 'v8' } },
      none: null,
      images: [{ digest: amd64.digest }, { digest: arm64.digest }],
      manifest: { __typename: 'ImageIndex', digest: index.digest },
    });
  });

  test('answers for a plain image only where the platform can run it', async () => {
    expect(
      await data(
        `{ tag(reference: "alpine:3.19") { amd: image { digest } arm: image(platform: { architecture: "arm64" }) { digest } } }`,
      ),
    ).toEqual({ tag: { amd: { digest: amd64.digest }, arm: null } });
  });

  test('keeps a deleted tag, which names nothing any more', async () => {
    const query = `{ tag(reference: "alpine:edge") { deletedAt manifest { digest } image { digest } images { digest } } }`;
    expect(await data(query)).toEqual({
      tag: { deletedAt: '2026-01-05T00:00:00.000Z', manifest: null, image: null, images: [] },
    });
    const lists = await data<{ repository: Record<string, { nodes: { name: string }[] }> }>(
      `{ repository(reference: "alpine") {
           now: tags { nodes { name } }
           ever: tags(filter: { includeDeleted: true }, orderBy: { field: NAME, direction: ASC }) { nodes { name } }
         } }`,
    );
    expect(names(lists.repository['now']?.nodes ?? [])).toEqual(['latest', '3.19']);
    expect(names(lists.repository['ever']?.nodes ?? [])).toEqual(['3.19', 'edge', 'latest']);
  });

  test('tells the history of its tags, newest first', async () => {
    const { repository, tagEvents } = await data<{
      repository: { history: unknown; tag: unknown };
      tagEvents: unknown;
    }>(
      `{ repository(reference: "alpine") {
           history(filter: { tag: "e*" }) { totalCount nodes { kind tagName from { digest } to { digest } } }
           tag(name: "latest") { history { nodes { kind from { digest } to { digest } tag { name } } } }
         }
         tagEvents(first: 1, filter: { repository: "alpine", kind: [DELETED] }) { nodes { tagName repository { familiarName } } } }`,
    );
    expect(repository.history).toEqual({
      totalCount: 2,
      nodes: [
        { kind: 'DELETED', tagName: 'edge', from: { digest: amd64.digest }, to: null },
        { kind: 'CREATED', tagName: 'edge', from: null, to: { digest: amd64.digest } },
      ],
    });
    expect(repository.tag).toEqual({
      history: {
        nodes: [
          { kind: 'MOVED', from: { digest: amd64.digest }, to: { digest: index.digest }, tag: { name: 'latest' } },
          { kind: 'CREATED', from: null, to: { digest: amd64.digest }, tag: { name: 'latest' } },
        ],
      },
    });
    expect(tagEvents).toEqual({ nodes: [{ tagName: 'edge', repository: { familiarName: 'alpine' } }] });
  });

  test('lists what an index lists, and the platforms that are some', async () => {
    const { manifest } = await data<{ manifest: { entries: unknown[]; platforms: unknown; images: unknown } }>(
      `query ($digest: Digest!) { manifest(digest: $digest) { ... on ImageIndex {
         entries { position digest platform { label } manifest { __typename } } platforms { label } images { digest }
       } } }`,
      { digest: index.digest },
    );
    expect(manifest.entries).toHaveLength(4);
    expect(manifest.entries[2]).toEqual({
      position: 2,
      digest: `sha256:${'9'.repeat(64)}`,
      platform: { label: 'linux/s390x' },
      manifest: null,
    });
    expect(manifest.platforms).toEqual([
      { label: 'linux/amd64' },
      { label: 'linux/arm64/v8' },
      { label: 'linux/s390x' },
    ]);
    expect(manifest.images).toEqual([{ digest: amd64.digest }, { digest: arm64.digest }]);
  });

  test('shows an image whole: layers, history, configuration, labels, tags, referrers', async () => {
    const signature = await build.artifact(alpine, 'application/vnd.example.signature', amd64.digest);
    const { image } = await data<{ image: Record<string, unknown> }>(
      `query ($digest: Digest!) { image(digest: $digest) {
         configDigest layerCount size uniqueSize uncompressedSize isAvailable lastSeenAt
         labels { name value } label(name: "b") missing: label(name: "c")
         config { entrypoint environment { name } exposedPorts { port } healthcheck { test } }
         layers { position digest size cumulativeSize chainId createdBy layer { diffId size imageCount blobs { digest } firstSeenIn { digest } } }
         history { position createdBy createdAt isEmptyLayer layer { position } }
         tags { totalCount nodes { name } } ever: tags(includeMoved: true) { nodes { name } }
         repositories { nodes { familiarName } }
         referrers { nodes { artifactType subject { digest } blobs { mediaType size } } }
         signatures: referrers(artifactType: "application/vnd.example.signature") { totalCount nodes { digest } }
       } }`,
      { digest: amd64.digest },
    );
    expect(image).toMatchObject({
      configDigest: amd64.configDigest,
      layerCount: 2,
      size: 2000,
      uniqueSize: 2000,
      uncompressedSize: null,
      isAvailable: true,
      lastSeenAt: SEEN,
      labels: [
        { name: 'a', value: '1' },
        { name: 'b', value: '2' },
      ],
      label: '2',
      missing: null,
      config: { entrypoint: null, environment: [], exposedPorts: [], healthcheck: null },
      tags: { totalCount: 2, nodes: [{ name: '3.19' }, { name: 'latest' }] },
      ever: { nodes: [{ name: '3.19' }, { name: 'edge' }, { name: 'latest' }] },
      repositories: { nodes: [{ familiarName: 'alpine' }] },
      referrers: {
        nodes: [
          { artifactType: 'application/vnd.in-toto+json', subject: null },
          {
            artifactType: 'application/vnd.example.signature',
            subject: { digest: amd64.digest },
            blobs: [{ mediaType: 'text/plain', size: 4 }],
          },
        ],
      },
      signatures: { totalCount: 1, nodes: [{ digest: signature.digest }] },
    });
    expect(image['layers']).toEqual([
      {
        position: 0,
        digest: amd64.blobDigests[0],
        size: 1000,
        cumulativeSize: 1000,
        chainId: amd64.chainIds[0],
        createdBy: 'ADD rootfs',
        layer: {
          diffId: amd64.diffIds[0],
          size: 1000,
          imageCount: 1,
          blobs: [{ digest: amd64.blobDigests[0] }],
          firstSeenIn: { digest: amd64.digest },
        },
      },
      {
        position: 1,
        digest: amd64.blobDigests[1],
        size: 1000,
        cumulativeSize: 2000,
        chainId: amd64.chainIds[1],
        createdBy: 'COPY app',
        layer: {
          diffId: amd64.diffIds[1],
          size: 1000,
          imageCount: 1,
          blobs: [{ digest: amd64.blobDigests[1] }],
          firstSeenIn: { digest: amd64.digest },
        },
      },
    ]);
    expect(image['history']).toEqual([
      { position: 0, createdBy: 'ADD rootfs', createdAt: SEEN, isEmptyLayer: false, layer: { position: 0 } },
      { position: 1, createdBy: 'ENV A=1', createdAt: SEEN, isEmptyLayer: true, layer: null },
      { position: 2, createdBy: 'COPY app', createdAt: SEEN, isEmptyLayer: false, layer: { position: 1 } },
    ]);
  });

  test('gives an image by reference, by digest, or by an index and a platform', async () => {
    const {
      plain,
      index: fromIndex,
      arm,
      wrong,
      pinned,
    } = await data<Record<string, { digest: string } | null>>(
      `query ($amd: Digest!, $index: Digest!, $pinned: ImageReference!) {
         plain: image(reference: "alpine:3.19") { digest }
         index: image(digest: $index) { digest }
         arm: image(reference: "alpine", platform: { architecture: "arm64" }) { digest }
         wrong: image(digest: $amd, platform: { architecture: "arm64" }) { digest }
         pinned: image(reference: $pinned) { digest }
       }`,
      { amd: amd64.digest, index: index.digest, pinned: `alpine:whatever@${arm64.digest}` },
    );
    expect([plain, fromIndex, arm, wrong, pinned]).toEqual([
      { digest: amd64.digest },
      { digest: amd64.digest },
      { digest: arm64.digest },
      null,
      { digest: arm64.digest },
    ]);
    expect(await refused('{ image { digest } }')).toMatch(/^Neither reference nor digest is given/);
    expect(await refused(`{ manifest(reference: "alpine", digest: "${amd64.digest}") { digest } }`)).toMatch(/^Both/);
  });

  test('takes a tag with a digest behind it, and refuses a digest that stands in its place', async () => {
    const query = 'query ($reference: ImageReference!) { tag(reference: $reference) { name } }';
    const both = { reference: `alpine:3.19@${arm64.digest}` };
    expect(await data(query, both)).toEqual({ tag: { name: '3.19' } });
    const reference = `docker.io/library/alpine@${arm64.digest}`;
    expect(await refused(query, { reference })).toBe(
      `reference "${reference}" names a digest: name a tag, such as nginx:1.27, or ask for image or manifest.`,
    );
  });

  test('says of an image that is gone when it was last there', async () => {
    const gone = await build.image(alpine, { layers: ['gone'] });
    await build.holds(alpine, gone, '2026-02-01T00:00:00Z');
    const query = `query ($digest: Digest!) { image(digest: $digest) { isAvailable lastSeenAt repositories { totalCount } } }`;
    expect(await data(query, { digest: gone.digest })).toEqual({
      image: { isAvailable: false, lastSeenAt: '2026-02-01T00:00:00.000Z', repositories: { totalCount: 0 } },
    });
  });

  test('finds a layer by its diff id and by the digest of a packing', async () => {
    const query = `query ($digest: Digest!) { layer(digest: $digest) { diffId images { totalCount nodes { digest } } } }`;
    for (const digest of [amd64.diffIds[0], amd64.blobDigests[0]]) {
      expect(await data(query, { digest })).toEqual({
        layer: { diffId: amd64.diffIds[0], images: { totalCount: 1, nodes: [{ digest: amd64.digest }] } },
      });
    }
    expect(await data(query, { digest: index.digest })).toEqual({ layer: null });
  });

  test('follows indexes within indexes, and each image once', async () => {
    const outer = await build.index(alpine, [{ child: index }, { child: amd64, platform: 'linux/amd64' }]);
    await build.tag(alpine, 'nested', outer);
    const { tag } = await data<{ tag: unknown }>(
      `{ tag(reference: "alpine:nested") { images { digest tags(first: 5) { nodes { name } } } image(platform: { architecture: "arm64" }) { digest } } }`,
    );
    expect(tag).toEqual({
      images: [
        { digest: amd64.digest, tags: { nodes: [{ name: '3.19' }, { name: 'latest' }, { name: 'nested' }] } },
        { digest: arm64.digest, tags: { nodes: [{ name: 'latest' }, { name: 'nested' }] } },
      ],
      image: { digest: arm64.digest },
    });
    await build.tag(alpine, 'nested', null);
  });

  test('gives everything an id that leads back to it', async () => {
    const ids = await data<Record<string, unknown>>(
      `{ repository(reference: "alpine") { id registry { id } tag(name: "latest") { id manifest { id } image { id layers { layer { id } } } history(first: 1) { nodes { id } } } } }`,
    );
    const all = [...JSON.stringify(ids).matchAll(/"id":"([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(all).size).toBe(8);
    const { nodes } = await data<{ nodes: { __typename: string; id: string }[] }>(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }',
      { ids: all },
    );
    expect(nodes.map((node) => node.id)).toEqual(all);
    expect(nodes.map((node) => node.__typename).sort()).toEqual(
      ['Image', 'ImageIndex', 'Layer', 'Layer', 'Registry', 'Repository', 'Tag', 'TagEvent'].sort(),
    );
    const missing = Buffer.from('Tag:2147483647').toString('base64url');
    expect(await data('query ($id: ID!) { node(id: $id) { id } }', { id: missing })).toEqual({ node: null });
    for (const id of [
      'x',
      '',
      'VGFnOjE=',
      ...['Tag:0', 'Tag:2147483648', 'Nothing:1', 'Image:sha256:12'].map(base64),
    ]) {
      expect(await refused('query ($id: ID!) { node(id: $id) { id } }', { id })).toBe(
        `id "${id}" is not an id of this catalog: use the id of an earlier answer, unchanged.`,
      );
    }
    expect(await refused(`{ syncRun(id: "${base64('Tag:1')}") { id } }`)).toMatch(
      /is not the id of a SyncRun but of a Tag/,
    );
    expect(
      await refused('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: Array(101).fill(missing) }),
    ).toMatch(/^ids has 101 entries/);
  });
});

const SEEN = '2026-01-01T00:00:00.000Z';

function base64(text: string): string {
  return Buffer.from(text).toString('base64url');
}

describe('lists', () => {
  let big: number;
  const tags: string[] = [];

  beforeAll(async () => {
    big = await build.repository('ghcr.io/org/big', { star_count: 7 });
    for (let at = 0; at < 60; at++) {
      const name = `v${String(at).padStart(2, '0')}`;
      const image = await build.image(big, { layers: ['shared', 'middle', `top ${at}`], layerSize: 100 + (at % 7) });
      // Several move in the same instant, so that only the id tells them apart.
      await build.tag(big, name, image, new Date(Date.UTC(2026, 1, 1, Math.floor(at / 4))).toISOString());
      tags.push(name);
    }
  });

  interface TagPage {
    nodes: { name: string }[];
    edges: { cursor: string; node: { name: string } }[];
    pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
    totalCount: number;
  }

  const PAGE = `nodes { name } edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount`;

  async function tagPage(args: string, variables: Record<string, unknown> = {}): Promise<TagPage> {
    const source = `query ($cursor: String) { repository(reference: "ghcr.io/org/big") { tags(${args}) { ${PAGE} } } }`;
    return (await data<{ repository: { tags: TagPage } }>(source, variables)).repository.tags;
  }

  test.each(['NAME', 'MOVED_AT', 'FIRST_SEEN_AT'])('are the same forward and backward, by %s', async (field) => {
    for (const direction of ['ASC', 'DESC']) {
      const order = `orderBy: { field: ${field}, direction: ${direction} }`;
      const forward: string[] = [];
      let cursor: string | null = null;
      let page: TagPage;
      do {
        page = await tagPage(`first: 25, after: $cursor, ${order}`, { cursor });
        expect(page.totalCount).toBe(60);
        expect(page.edges.map((edge) => edge.node)).toEqual(page.nodes);
        expect(page.pageInfo.hasPreviousPage).toBe(forward.length > 0);
        forward.push(...names(page.nodes));
        cursor = page.pageInfo.endCursor;
      } while (page.pageInfo.hasNextPage);
      expect(forward).toEqual(direction === 'ASC' ? tags : tags.toReversed());

      const backward: string[] = [];
      cursor = null;
      do {
        page = await tagPage(`last: 25, before: $cursor, ${order}`, { cursor });
        backward.unshift(...names(page.nodes));
        cursor = page.pageInfo.startCursor;
      } while (page.pageInfo.hasPreviousPage);
      expect(backward).toEqual(forward);
    }
  });

  test('have an empty page of none, and say whether there is more', async () => {
    expect(await tagPage('first: 0, after: $cursor')).toEqual({
      nodes: [],
      edges: [],
      pageInfo: { hasNextPage: true, hasPreviousPage: false, startCursor: null, endCursor: null },
      totalCount: 60,
    });
    expect((await tagPage('after: $cursor, filter: { name: "none" }')).pageInfo.hasNextPage).toBe(false);
    expect((await tagPage('after: $cursor')).nodes).toHaveLength(20);
  });

  test('refuse a page that can not be, and name the argument', async () => {
    const query = (args: string) => `{ tags(${args}) { nodes { name } } }`;
    expect(await refused(query('first: 101'))).toBe('first is 101: a page has 0 to 100 entries.');
    expect(await refused(query('last: -1'))).toBe('last is -1: a page has 0 to 100 entries.');
    expect(await refused(query('first: 1, last: 1'))).toMatch(/^first is 1 and last is 1: give first/);
  });

  test('refuse cursors of other lists, of other orders, and forged ones', async () => {
    const page = await tagPage('first: 1, after: $cursor, orderBy: { field: NAME, direction: ASC }');
    const cursor = page.pageInfo.endCursor ?? '';
    const query = (args: string) => `query ($cursor: String) { tags(${args}) { nodes { name } } }`;
    const message = `after "${cursor}" is not a cursor of this list in this order`;
    expect(await refused(query('after: $cursor'), { cursor })).toContain(message);
    expect(await refused(query('after: $cursor, orderBy: { field: NAME, direction: DESC }'), { cursor })).toContain(
      message,
    );
    expect(await refused('query ($cursor: String) { layers(after: $cursor) { totalCount } }', { cursor })).toContain(
      message,
    );
    const forged = [
      'not a cursor',
      base64('{}'),
      base64('["tags MOVED_AT DESC"]'),
      base64('["tags MOVED_AT DESC",1,"2026-02-30T00:00:00.000Z"]'),
      base64('["tags MOVED_AT DESC",1e300,"2026-02-01T00:00:00.000Z"]'),
      base64('["tags MOVED_AT DESC",1,5]'),
    ];
    for (const text of forged) {
      expect(await refused(query('before: $cursor'), { cursor: text })).toMatch(/^before ".*" is not a cursor/);
    }
  });

  test('send one statement for each level of a query, whatever the size of the page', async () => {
    const query = (first: number) => `{ repository(reference: "ghcr.io/org/big") { tags(first: ${first}) { nodes {
        name image { digest size layers { digest size layer { diffId size imageCount } } } } } } }`;
    for (const first of [2, 50]) {
      database.statements.length = 0;
      const { repository } = await data<{ repository: { tags: { nodes: { image: { layers: unknown[] } }[] } } }>(
        query(first),
      );
      expect(repository.tags.nodes).toHaveLength(first);
      expect(repository.tags.nodes.every((tag) => tag.image.layers.length === 3)).toBe(true);
      expect(database.statements.map(nameOf)).toEqual([
        'catalog.repositoriesByReference',
        'catalog.tagsByRepository',
        'catalog.imagesByManifest',
        'catalog.layersByImage',
        'catalog.measuresByLayer',
      ]);
    }
  });

  test('page the lists of many parents in one statement', async () => {
    const repositories = `{ repositories(first: 10) { nodes { name tags(first: 2, orderBy: { field: NAME, direction: ASC }) {
        totalCount nodes { name history(first: 1) { totalCount nodes { kind } } } } } } }`;
    database.statements.length = 0;
    const page = await data<{ repositories: { nodes: { name: string; tags: TagPage }[] } }>(repositories);
    expect(page.repositories.nodes.map(({ name, tags }) => [name, tags.totalCount, names(tags.nodes)])).toEqual([
      ['library/alpine', 2, ['3.19', 'latest']],
      ['org/big', 60, ['v00', 'v01']],
    ]);
    expect(database.statements.map(nameOf).sort()).toEqual([
      'catalog.repositories',
      'catalog.tagEventsByTag',
      'catalog.tagsByRepository',
      'count catalog.tagEventsByTag',
      'count catalog.tagsByRepository',
    ]);
  });

  test('count only when they are asked to', async () => {
    database.statements.length = 0;
    await data('{ images(first: 1) { nodes { digest } pageInfo { endCursor } } }');
    expect(database.statements.map(nameOf)).toEqual(['catalog.images', 'catalog.manifestsById']);
  });

  test.each([
    ['images', 'images', 'digest', ['CREATED_AT', 'SIZE', 'LAYER_COUNT', 'FIRST_SEEN_AT']],
    ['layers', 'layers', 'diffId', ['SIZE', 'IMAGE_COUNT', 'FIRST_SEEN_AT']],
    [
      'repositories',
      'repositories',
      'reference',
      ['NAME', 'UPDATED_AT', 'PULL_COUNT', 'STAR_COUNT', 'TAG_COUNT', 'STORED_SIZE'],
    ],
  ])('of all %s can be read to the end in every order', async (_, field, key, orders) => {
    for (const order of orders) {
      const seen: string[] = [];
      let cursor: string | null = null;
      let count = 0;
      do {
        const page: Record<
          string,
          { nodes: Record<string, string>[]; pageInfo: { endCursor: string }; totalCount: number }
        > = await data(
          `query ($cursor: String) { ${field}(first: 30, after: $cursor, orderBy: { field: ${order} }) {
               nodes { ${key} } pageInfo { endCursor } totalCount } }`,
          { cursor },
        );
        const list = page[field];
        seen.push(...(list?.nodes ?? []).map((node) => node[key] ?? ''));
        count = list?.totalCount ?? 0;
        cursor = list?.nodes.length === 0 ? null : (list?.pageInfo.endCursor ?? null);
      } while (cursor !== null);
      expect(seen).toHaveLength(count);
      expect(new Set(seen).size).toBe(count);
    }
  });

  test('of a layer begin with what was cataloged last', async () => {
    const { layers } = await data<{
      layers: { nodes: { imageCount: number; images: { nodes: { tags: TagPage }[] } }[] };
    }>(
      `{ layers(first: 1, orderBy: { field: IMAGE_COUNT, direction: DESC }) { nodes {
           imageCount images(first: 2) { nodes { tags { nodes { name } } } } } } }`,
    );
    expect(layers.nodes[0]?.imageCount).toBe(60);
    expect(layers.nodes[0]?.images.nodes.map(({ tags }) => names(tags.nodes))).toEqual([['v59'], ['v58']]);
  });
});

function nameOf(statement: string): string {
  return /\/\* (.*?) \*\//.exec(statement)?.[1] ?? statement;
}

describe('filters', () => {
  let app: number;
  let old: ImageContent;
  let root: ImageContent;
  let unnamed: ImageContent;

  beforeAll(async () => {
    app = await build.repository('registry.example.com:5000/team-a/app', {
      description: 'The 100% app',
      team: 'a',
      annotations: JSON.stringify({ tier: 'gold' }),
      updated_at: '2026-03-01T00:00:00Z',
    });
    old = await build.image(app, {
      platform: 'linux/arm/v7',
      layers: ['filter base', 'filter old'],
      labels: { 'org.opencontainers.image.vendor': 'ACME Inc.', stage: 'test' },
      annotations: { made: 'by hand' },
      createdAt: null,
      user: '1000:1000',
    });
    root = await build.image(app, {
      layers: ['filter base'],
      layerSize: 5,
      createdAt: '2020-05-05T00:00:00Z',
      user: '0:0',
    });
    unnamed = await build.image(app, { platform: 'windows/amd64:10.0.20348.2402', layers: [], user: 'ContainerUser' });
    const list = await build.index(app, [{ child: old, platform: 'linux/arm/v7' }]);
    await build.tag(app, 'multi', list, '2026-03-03T00:00:00Z');
    await build.tag(app, 'root', root, '2026-03-04T00:00:00Z');
  });

  const IMAGE_QUERY = `query ($filter: ImageFilter) { repository(reference: "registry.example.com:5000/team-a/app") {
      images(filter: $filter) { totalCount nodes { digest } } } }`;

  async function imagesOf(filter: object): Promise<string[]> {
    const { repository } = await data<{ repository: { images: { totalCount: number; nodes: { digest: Digest }[] } } }>(
      IMAGE_QUERY,
      { filter },
    );
    expect(repository.images.totalCount).toBe(repository.images.nodes.length);
    const known = { old, root, unnamed };
    return repository.images.nodes.map(
      ({ digest }) => Object.entries(known).find(([, image]) => image.digest === digest)?.[0] ?? digest,
    );
  }

  test('of images hold for what they say', async () => {
    const cases: [object, string[]][] = [
      [{}, ['unnamed', 'root', 'old']],
      [{ digest: old.digest }, ['old']],
      [{ reference: 'registry.example.com:5000/team-a/app:multi' }, ['old']],
      [{ reference: `registry.example.com:5000/team-a/app@${root.digest}` }, ['root']],
      [{ reference: 'alpine' }, []],
      [{ registry: '*.example.com:5000' }, ['unnamed', 'root', 'old']],
      [{ registry: 'docker.io' }, []],
      [{ repository: 'team-?/app' }, ['unnamed', 'root', 'old']],
      [{ repository: 'registry.example.com:5000/team-a/*' }, ['unnamed', 'root', 'old']],
      [{ repository: 'ghcr.io/team-a/app' }, []],
      [{ tag: 'm*' }, ['old']],
      [{ tag: 'm*', repository: 'alpine' }, []],
      [{ tagged: true }, ['root', 'old']],
      [{ tagged: false }, ['unnamed']],
      [{ isAvailable: true }, ['unnamed', 'root', 'old']],
      [{ runsAsRoot: true }, ['root']],
      [{ runsAsRoot: false }, ['unnamed', 'old']],
      [{ os: 'windows' }, ['unnamed']],
      [{ architecture: 'arm', variant: 'v7' }, ['old']],
      [{ not: { variant: 'v7' } }, ['unnamed', 'root']],
      [{ size: { min: 5, max: 5 } }, ['root']],
      [{ size: { min: 6 } }, ['old']],
      [{ layerCount: { max: 0 } }, ['unnamed']],
      [{ createdAt: { to: '2021-01-01' } }, ['root']],
      [{ createdAt: { from: '2020-05-05T00:00:00Z', to: '2020-05-05T00:00:00Z' } }, []],
      [{ label: { name: 'stage' } }, ['old']],
      [{ label: { name: 'stage', value: 'test' } }, ['old']],
      [{ label: { name: 'stage', value: 'prod' } }, []],
      [{ label: { name: 'org.opencontainers.image.vendor', value: 'ACME*' } }, ['old']],
      [{ annotation: { name: 'made', value: 'by hand' } }, ['old']],
      [{ layer: old.diffIds[0] }, ['root', 'old']],
      [{ layer: root.blobDigests[0] }, ['root', 'old']],
      [{ or: [{ os: 'windows' }, { variant: 'v7' }] }, ['unnamed', 'old']],
      [{ or: [] }, []],
      [{ and: [{ os: 'linux' }, { runsAsRoot: true }] }, ['root']],
    ];
    for (const [filter, expected] of cases) {
      expect({ filter, images: await imagesOf(filter) }).toEqual({ filter, images: expected });
    }
  });

  test('of tags reach through indexes to images and platforms', async () => {
    const query = `query ($filter: TagFilter) { tags(filter: $filter) { totalCount nodes { name } } }`;
    const cases: [object, string[]][] = [
      [{ repository: 'team-a/app' }, ['root', 'multi']],
      [{ repository: 'team-a/app', name: 'm*' }, ['multi']],
      [{ registry: 'registry.example.com:5000', movedAt: { from: '2026-03-04' } }, ['root']],
      [{ repository: 'team-a/app', platform: { architecture: 'armhf' } }, ['multi']],
      [{ repository: 'team-a/app', platform: { architecture: 'arm', variant: 'v6' } }, []],
      [{ repository: 'team-a/app', platform: { architecture: 'x86_64' } }, ['root']],
      [{ image: { label: { name: 'stage' } } }, ['multi']],
      [{ repository: 'alpine', includeDeleted: true, not: { name: 'e*' } }, ['latest', 'nested', '3.19']],
    ];
    for (const [filter, expected] of cases) {
      const { tags } = await data<{ tags: { totalCount: number; nodes: { name: string }[] } }>(query, { filter });
      expect({ filter, tags: names(tags.nodes) }).toEqual({ filter, tags: expected });
      expect(tags.totalCount).toBe(expected.length);
    }
  });

  test('of repositories find them by name, text, metadata and images', async () => {
    const query = `query ($filter: RepositoryFilter) { repositories(filter: $filter) { nodes { name } } }`;
    const cases: [object, string[]][] = [
      [{ name: 'alpine' }, ['library/alpine']],
      [{ name: 'docker.io/library/alpine' }, ['library/alpine']],
      [{ name: 'ghcr.io/*' }, ['org/big']],
      [{ name: '*a*' }, ['library/alpine', 'team-a/app']],
      [{ registry: '*io' }, ['library/alpine', 'org/big']],
      [{ registry: 'GHCR.*' }, ['org/big']],
      [{ name: 'GHCR.*/org/*' }, ['org/big']],
      [{ text: '100% APP' }, ['team-a/app']],
      [{ text: '%' }, ['team-a/app']],
      [{ isOfficial: true }, ['library/alpine']],
      [{ isOfficial: false }, ['org/big', 'team-a/app']],
      [{ metadata: { name: 'team', value: 'a' } }, ['team-a/app']],
      [{ metadata: { name: 'tier', value: 'g*' } }, ['team-a/app']],
      [{ metadata: { name: 'owner' } }, ['library/alpine']],
      [{ updatedAt: { from: '2026-02-01' } }, ['team-a/app']],
      [{ images: { os: 'windows' } }, ['team-a/app']],
      [{ not: { images: { os: 'windows' } } }, ['library/alpine', 'org/big']],
    ];
    for (const [filter, expected] of cases) {
      const { repositories } = await data<{ repositories: { nodes: { name: string }[] } }>(query, { filter });
      expect({ filter, repositories: names(repositories.nodes) }).toEqual({ filter, repositories: expected });
    }
  });

  test('of layers go by size, use and kind', async () => {
    const query = `query ($filter: LayerFilter) { layers(filter: $filter) { totalCount } }`;
    expect(await data(query, { filter: { imageCount: { min: 60 } } })).toEqual({ layers: { totalCount: 2 } });
    expect(await data(query, { filter: { size: { max: 5 } } })).toEqual({ layers: { totalCount: 1 } });
    expect(await data(query, { filter: { isForeign: true } })).toEqual({ layers: { totalCount: 0 } });
  });

  test('of labels and annotations with their exact value are answered by an index', async () => {
    for (const [member, index] of [
      ['label', 'image_labels'],
      ['annotation', 'manifest_annotations'],
    ]) {
      database.statements.length = 0;
      await data(`{ images(filter: { ${member}: { name: "made", value: "by hand" } }) { totalCount } }`);
      const counting = database.statements.find((text) => text.startsWith('/* count catalog.images */'));
      const plan = await database.transaction(async (transaction) => {
        await transaction.run('set local enable_seqscan = off', []);
        await transaction.run('set local enable_indexscan = off', []);
        return transaction.run<{ 'QUERY PLAN': string }>(`explain ${counting}`, ['{"made":"by hand"}']);
      });
      expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain(index);
    }
  });

  test('nest five deep and are refused beyond', async () => {
    const nested = (depth: number): object => (depth === 1 ? { os: 'linux' } : { not: nested(depth - 1) });
    expect(await imagesOf(nested(5))).toEqual(['root', 'old']);
    expect(await refused(IMAGE_QUERY, { filter: nested(6) })).toBe(
      'filter.not.not.not.not.not is nested 6 deep: filters nest 5 deep at most.',
    );
    const within = { and: [{}, { not: { or: [{ not: {} }] } }] };
    expect(
      await refused('query ($of: ImageFilter) { tags(filter: { image: $of }) { totalCount } }', { of: within }),
    ).toBe('filter.image.and[1].not.or[0].not is nested 6 deep: filters nest 5 deep at most.');
    expect(await refused(IMAGE_QUERY, { filter: { or: Array(100).fill({ os: 'linux' }) } })).toMatch(
      /^filter.or\[99] is one too many: a filter is made of 100 filters at most/,
    );
  });

  test('say which of their values is no pattern', async () => {
    expect(await refused('{ tags(filter: { not: { name: "a b" } }) { totalCount } }')).toMatch(
      /^filter\.not\.name "a b" is not a pattern/,
    );
    for (const list of ['repositories', 'tags', 'images', 'tagEvents']) {
      expect(await refused(`{ ${list}(filter: { registry: "a b" }) { totalCount } }`)).toBe(
        'filter.registry "a b" is not a registry host: write a name and perhaps a port, such as ghcr.io or registry.example.com:5000.',
      );
    }
    expect(await refused('{ tags(filter: { or: [{ repository: "a_b.c/d" }] }) { totalCount } }')).toMatch(
      /^filter\.or\[0]\.repository "a_b\.c" is not a registry host/,
    );
  });

  test('find nothing by text that no document can hold', async () => {
    for (const text of ['\u0000', '\ud800', 'x\u0000*']) {
      expect(
        await data(
          `query ($text: String!) {
             named: images(filter: { label: { name: $text } }) { totalCount }
             valued: images(filter: { label: { name: "stage", value: $text } }) { totalCount }
             repositories(filter: { text: $text, metadata: { name: "owner", value: $text } }) { totalCount }
             repository(reference: "alpine") { tag(name: $text) { id } }
           }`,
          { text },
        ),
      ).toEqual({
        named: { totalCount: 0 },
        valued: { totalCount: 0 },
        repositories: { totalCount: 0 },
        repository: { tag: null },
      });
    }
  });
});

describe('sizes', () => {
  const query = `query ($digest: Digest!) { manifest(digest: $digest) { ... on Image {
    uniqueSize layers { size cumulativeSize } } } }`;
  let repository: number;

  beforeAll(async () => {
    repository = await build.repository('quay.io/team/sizes');
  });

  test('of documents that claim too much stay numbers that JSON carries', async () => {
    const most = Number.MAX_SAFE_INTEGER;
    const { digest } = await build.image(repository, { layers: ['claims much', 'claims more'], layerSize: most });
    expect(await data(query, { digest })).toEqual({
      manifest: {
        uniqueSize: most,
        layers: [
          { size: most, cumulativeSize: most },
          { size: most, cumulativeSize: most },
        ],
      },
    });
  });

  test('of what is the own of an image count a blob once, however often it is stacked', async () => {
    const { digest } = await build.image(repository, { layers: ['stacked', 'other', 'stacked'], layerSize: 10 });
    const { manifest } = await data<{ manifest: object }>(query, { digest });
    expect(manifest).toMatchObject({ uniqueSize: 20, layers: [{}, {}, { cumulativeSize: 30 }] });
  });
});

describe('sources and runs', () => {
  test('tell what is kept, how it went, and what could not be read', async () => {
    const registryId = await build.registry('quay.io');
    const [source] = await database.run<{ id: number }>(
      `insert into sync_source (registry_id, repositories, platforms, managed_by, schedule)
       values ($1, 'team/*', '{linux/arm64/v8}', 'API', '0 * * * *') returning id`,
      [registryId],
    );
    const [run] = await database.run<{ id: number }>(
      `insert into sync_run (registry_id, source_id, status, trigger, repositories, platforms, bytes_fetched)
       values ($1, $2, 'PARTIAL', 'MANUAL', 'team/*', '{}', 9007199254740991) returning id`,
      [registryId, source?.id],
    );
    await database.run(
      `insert into sync_error (run_id, reference, code, message, at, attempts, will_retry)
       select $1, 'quay.io/team/app:' || n, 'NOT_FOUND', 'it is not there', now(), 1, false from generate_series(1, 3) n`,
      [run?.id],
    );
    await database.run(
      `insert into registry_health (registry_id, status, checked_at, message, consecutive_failures)
       values ($1, 'DEGRADED', now(), 'part of it failed', 2)`,
      [registryId],
    );
    const { registry, syncSources } = await data<{
      registry: Record<string, unknown>;
      syncSources: { nodes: unknown[] };
    }>(
      `{ registry(host: "quay.io") {
           health { status message consecutiveFailures pausedUntil } rateLimit { limit }
           lastSync { id status source { repositories } }
           syncRuns { nodes { trigger bytesFetched errors(first: 2) { totalCount nodes { reference willRetry } pageInfo { hasNextPage } } } }
         }
         syncSources { nodes { repositories platforms { label } schedule paused lastRun { status } registry { host } nextRunAt } } }`,
    );
    expect(registry).toMatchObject({
      health: { status: 'DEGRADED', message: 'part of it failed', consecutiveFailures: 2, pausedUntil: null },
      rateLimit: null,
      lastSync: { status: 'PARTIAL', source: { repositories: 'team/*' } },
      syncRuns: {
        nodes: [
          {
            trigger: 'MANUAL',
            bytesFetched: Number.MAX_SAFE_INTEGER,
            errors: {
              totalCount: 3,
              nodes: [
                { reference: 'quay.io/team/app:1', willRetry: false },
                { reference: 'quay.io/team/app:2', willRetry: false },
              ],
              pageInfo: { hasNextPage: true },
            },
          },
        ],
      },
    });
    expect(syncSources.nodes).toEqual([
      {
        repositories: 'team/*',
        platforms: [{ label: 'linux/arm64/v8' }],
        schedule: '0 * * * *',
        paused: false,
        lastRun: { status: 'PARTIAL' },
        registry: { host: 'quay.io' },
        nextRunAt: null,
      },
    ]);
    const { id } = registry['lastSync'] as { id: string };
    expect(await data(`{ syncRun(id: "${id}") { id requests registry { host } } }`)).toEqual({
      syncRun: { id, requests: 0, registry: { host: 'quay.io' } },
    });
  });
});

describe('an index', () => {
  const asked = `images { digest } arm: image(platform: { architecture: "arm" }) { digest }
    v6: image(platform: { architecture: "arm", variant: "v6" }) { digest }
    v7: image(platform: { architecture: "arm", variant: "v7" }) { digest }`;
  let repository: number;

  beforeAll(async () => {
    repository = await build.repository('quay.io/team/indexes');
  });

  test('gives one image for each platform under which it lists it, and lists it once', async () => {
    const image = await build.image(repository, { platform: 'linux/arm' });
    const index = await build.index(repository, [
      { child: image, platform: 'linux/arm/v6' },
      { child: image, platform: 'linux/arm/v7' },
    ]);
    await build.tag(repository, 'twice', index);
    const { tag, manifest } = await data<Record<string, object>>(
      `query ($digest: Digest!) { tag(reference: "quay.io/team/indexes:twice") { ${asked} }
         manifest(digest: $digest) { ... on ImageIndex { images { digest } platforms { label } } } }`,
      { digest: index.digest },
    );
    const found = { digest: image.digest };
    expect(tag).toEqual({ images: [found], arm: found, v6: found, v7: found });
    expect(manifest).toEqual({ images: [found], platforms: [{ label: 'linux/arm/v6' }, { label: 'linux/arm/v7' }] });
  });

  test('gives the usual variant to who names none, wherever it stands', async () => {
    const v6 = await build.image(repository, { platform: 'linux/arm/v6' });
    const v7 = await build.image(repository, { platform: 'linux/arm/v7' });
    const index = await build.index(repository, [
      { child: v6, platform: 'linux/arm/v6' },
      { child: v7, platform: 'linux/arm/v7' },
    ]);
    await build.tag(repository, 'variants', index);
    const { tag } = await data<{ tag: object }>(`{ tag(reference: "quay.io/team/indexes:variants") { ${asked} } }`);
    expect(tag).toEqual({
      images: [{ digest: v6.digest }, { digest: v7.digest }],
      arm: { digest: v7.digest },
      v6: { digest: v6.digest },
      v7: { digest: v7.digest },
    });
  });

  test('without platforms has those of the images behind it, and never those of attestations', async () => {
    const amd64 = await build.image(repository, { platform: 'linux/amd64' });
    const arm64 = await build.image(repository, { platform: 'linux/arm64/v8' });
    const attestation = await build.artifact(repository, 'application/vnd.in-toto+json');
    const inner = await build.index(repository, [
      { child: arm64 },
      { child: attestation, platform: 'unknown/unknown' },
      { child: amd64, platform: 'linux/amd64/v2' },
    ]);
    const outer = await build.index(repository, [
      { child: amd64 },
      { child: inner },
      { child: inner },
      { child: `sha256:${'8'.repeat(64)}` },
      { child: attestation, platform: 'unknown/unknown' },
      { child: attestation },
    ]);
    const { manifest } = await data<{ manifest: object }>(
      `query ($digest: Digest!) { manifest(digest: $digest) { ... on ImageIndex { images { digest } platforms { label } } } }`,
      { digest: outer.digest },
    );
    expect(manifest).toEqual({
      images: [{ digest: amd64.digest }, { digest: arm64.digest }],
      platforms: [{ label: 'linux/amd64' }, { label: 'linux/arm64/v8' }, { label: 'linux/amd64/v2' }],
    });
  });

  test('keeps the order of its lines through the indexes within it', async () => {
    const [a, b, c, d] = await Promise.all(
      ['v1', 'v2', 'v3', 'v4'].map((name) => build.image(repository, { layers: [name] })),
    );
    const inmost = await build.index(repository, [{ child: b as Content }, { child: c as Content }]);
    const inner = await build.index(repository, [{ child: inmost }, { child: a as Content }]);
    const outer = await build.index(repository, [{ child: inner }, { child: d as Content }, { child: inmost }]);
    const { manifest } = await data<{ manifest: object }>(
      'query ($digest: Digest!) { manifest(digest: $digest) { ... on ImageIndex { images { digest } } } }',
      { digest: outer.digest },
    );
    expect(manifest).toEqual({ images: [b, c, a, d].map((image) => ({ digest: image?.digest })) });
  });

  test('makes its images tagged once it is tagged itself, at any depth', async () => {
    const image = await build.image(repository);
    const outer = await build.index(repository, [{ child: await build.index(repository, [{ child: image }]) }]);
    const query = `query ($digest: Digest!) {
      yes: images(filter: { digest: $digest, tagged: true }) { totalCount }
      no: images(filter: { digest: $digest, tagged: false }) { totalCount } }`;
    const variables = { digest: image.digest };
    expect(await data(query, variables)).toEqual({ yes: { totalCount: 0 }, no: { totalCount: 1 } });
    await build.tag(repository, 'deep', outer);
    expect(await data(query, variables)).toEqual({ yes: { totalCount: 1 }, no: { totalCount: 0 } });
  });

  /** Read line by line, it would have 125 million of them. */
  test('of equal lines, thrice nested, costs no more than its length', async () => {
    const image = await build.image(repository);
    const equal = (child: Content) => build.index(repository, Array<IndexChild>(500).fill({ child }));
    const outer = await equal(await equal(await equal(image)));
    const { manifest } = await data<{ manifest: object }>(
      `query ($digest: Digest!) { manifest(digest: $digest) { ... on ImageIndex {
         images { digest } platforms { label } tags { totalCount } entries { position } } } }`,
      { digest: outer.digest },
    );
    expect(manifest).toMatchObject({ images: [{ digest: image.digest }], platforms: [{ label: 'linux/amd64' }] });
  });

  test('of many tags cost one statement for each level of a query', async () => {
    const many = await build.repository('ghcr.io/org/indexed');
    for (let at = 0; at < 50; at++) {
      const children = [];
      for (const architecture of ['amd64', 'arm64'])
        children.push({ child: await build.image(many, { platform: `linux/${architecture}` }) });
      await build.tag(many, `v${at}`, await build.index(many, children));
    }
    database.statements.length = 0;
    const { repository } = await data<{ repository: { tags: { nodes: { images: { layers: unknown[] }[] }[] } } }>(
      `{ repository(reference: "ghcr.io/org/indexed") { tags(first: 50) { nodes {
         name images { digest platform { label } layers { digest size } } } } } }`,
    );
    expect(repository.tags.nodes.map((tag) => tag.images.length)).toEqual(Array<number>(50).fill(2));
    expect(database.statements.map(nameOf)).toEqual([
      'catalog.repositoriesByReference',
      'catalog.tagsByRepository',
      'catalog.imagesByManifest',
      'catalog.layersByImage',
    ]);
  });
});
