import { readFileSync } from 'node:fs';
import { catalogOf, type CatalogBuilder, type ImageContent } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { apkDatabase, contentsOf, INSPECTED_AT, osRelease, packageOf } from '../support/image-contents.ts';
import { addRuntime, observed, report } from '../support/observed-container.ts';
import type { TarFields } from '../support/tar.ts';
import { openTestWeb, type TestWeb } from '../support/web.ts';

let database: TestDatabase;
let build: CatalogBuilder;
let web: TestWeb;
let base: ImageContent;
let shop: ImageContent;
let next: ImageContent;
let tool: ImageContent;
let billed: ImageContent;
let unknown: ImageContent;

const program = (name: string, body = 'x'): TarFields => ({ name, body, mode: 0o755 });

const BASE: TarFields[] = [
  osRelease('alpine', '3.10.9'),
  { name: 'bin/', type: '5', mode: 0o755 },
  program('bin/busybox', 'busy'.repeat(500)),
  { name: 'bin/sh', type: '2', linkName: '/bin/busybox', mode: 0o777 },
  program('sbin/apk'),
  apkDatabase(['musl', '1.1.22-r4'], ['openssl', '3.0.12-r1', 'Apache-2.0']),
  { name: 'var/cache/index', body: 'stale'.repeat(1000) },
];

/** An Alpine, two shops that stand on it, a tool without a shell, one that a bill tells of, and one that nothing does. */
beforeAll(async () => {
  database = await createTestDatabase();
  build = catalogOf(database);
  const contents = contentsOf(database);
  web = await openTestWeb(database);
  const alpine = await build.repository('docker.io/library/alpine');
  const shops = await build.repository('registry.example.com/team/shop');
  const tools = await build.repository('registry.example.com/team/tool');
  base = await build.image(alpine, { layers: ['alpine'] });
  shop = await build.image(shops, { layers: ['alpine', 'shop'] });
  next = await build.image(shops, { layers: ['alpine', 'newer'], user: '1000' });
  tool = await build.image(tools, { layers: ['tool'], user: '1000' });
  billed = await build.image(tools, { layers: ['billed'] });
  unknown = await build.image(tools, { layers: ['unknown'] });
  await contents.inspect(base, [BASE]);
  await contents.inspect(shop, [
    BASE,
    [
      apkDatabase(['musl', '1.1.22-r4'], ['openssl', '3.0.12-r1', 'Apache-2.0'], ['curl', '8.5.0-r0']),
      { name: 'var/cache/.wh.index' },
      {
        name: 'srv/app/node_modules/@acme/shop/package.json',
        body: '{"name":"@acme/shop","version":"1.24.0","license":"MIT"}',
      },
      { name: 'srv/app/node_modules/a/package.json', body: '{"name":"a","version":"1.0.0"}' },
      { name: 'srv/app/node_modules/b/node_modules/a/package.json', body: '{"name":"a","version":"2.0.0"}' },
    ],
  ]);
  await contents.inspect(next, [
    BASE,
    [
      apkDatabase(['musl', '1.1.22-r3'], ['openssl', '3.0.14-r0', 'Apache-2.0'], ['zlib', '1.3-r2']),
      { name: 'srv/app/node_modules/a/package.json', body: '{"name":"a","version":"1.0.0"}' },
      { name: 'srv/app/node_modules/b/node_modules/a/package.json', body: '{"name":"a","version":"2.1.0"}' },
      { name: 'srv/app/node_modules/b/package.json', body: '{"name":"b","version":"odd"}' },
    ],
  ]);
  await contents.inspect(tool, [[program('tool', 'go'.repeat(100))]]);
  await contents.hold(billed, [packageOf('DEB', 'openssl', '3.0.11-1~deb12u2'), packageOf('NPM', 'left-pad', '1.3.0')]);
  await contents.status(unknown, 'TOO_LARGE', 'Layer 0 has 20,000,000,000 bytes; 10,000,000,000 are read at most.');
  await build.tag(alpine, '3.10', base);
  await build.tag(shops, '1.24', shop);
  await build.tag(shops, '1.25', next);
  await build.tag(tools, '1', tool);
  await build.tag(tools, 'billed', billed);
  const host = await addRuntime(database, 'host-1');
  const runs = (name: string, { digest }: ImageContent, state: 'RUNNING' | 'EXITED' = 'RUNNING') =>
    observed({ containerId: name, name, state, evidence: [{ via: 'MANIFEST', digest }] });
  await report(database, host, '2026-03-01T08:00:00.000Z', [
    runs('shop', shop),
    runs('newer', next),
    runs('tool', tool),
    runs('ended', shop, 'EXITED'),
  ]);
});

afterAll(async () => {
  await web.close();
  await database.close();
});

async function ask<T = Record<string, unknown>>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
  const { data, errors } = await web.ask(query, variables);
  expect(errors).toBeUndefined();
  return data as T;
}

async function refusal(query: string) {
  const { errors = [] } = await web.ask(query);
  return errors.map(({ message, extensions }) => [extensions['code'], message]);
}

interface Nodes<T> {
  readonly nodes: readonly T[];
}

async function imagesWhere(filter: string): Promise<string[]> {
  const { images } = await ask<{ images: Nodes<{ digest: string }> & { totalCount: number } }>(
    `{ images(filter: ${filter}) { totalCount nodes { digest } } }`,
  );
  expect(images.totalCount).toBe(images.nodes.length);
  const all = { base, shop, next, tool, billed, unknown };
  return Object.entries(all)
    .filter(([, { digest }]) => images.nodes.some((node) => node.digest === digest))
    .map(([name]) => name);
}

describe('the questions of the README', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const section = /^## What is inside$(.*?)^## /ms.exec(readme)?.[1] ?? '';
  const questions = [...section.matchAll(/^```graphql$(.*?)^```$/gms)].map(([, question = '']) => question);

  test('are four', () => expect(questions).toHaveLength(4));

  test('tell which running containers have openssl below 3.0.14, and whether it is the base’s', async () => {
    expect(await ask(questions[0] ?? '')).toEqual({
      containers: {
        nodes: [
          {
            runtime: { name: 'host-1' },
            name: 'shop',
            image: { contents: { packages: { edges: [{ node: { version: '3.0.12-r1' }, isFromBase: true }] } } },
          },
        ],
      },
    });
  });

  test('tell which images have no shell, and what runs as root and has one', async () => {
    expect(await ask(questions[1] ?? '')).toEqual({
      images: {
        totalCount: 1,
        nodes: [{ digest: tool.digest, tags: { nodes: [{ reference: 'registry.example.com/team/tool:1' }] } }],
      },
      containers: { nodes: [{ runtime: { name: 'host-1' }, name: 'shop' }] },
    });
  });

  test('tell what 1.25 added over 1.24 in packages', async () => {
    expect(await ask(questions[2] ?? '')).toEqual({
      diff: {
        packageChanges: {
          nodes: [
            { kind: 'REMOVED', type: 'NPM', name: '@acme/shop', before: '1.24.0', after: null },
            { kind: 'UPGRADED', type: 'NPM', name: 'a', before: '2.0.0', after: '2.1.0' },
            { kind: 'ADDED', type: 'NPM', name: 'b', before: null, after: 'odd' },
            { kind: 'REMOVED', type: 'APK', name: 'curl', before: '8.5.0-r0', after: null },
            { kind: 'DOWNGRADED', type: 'APK', name: 'musl', before: '1.1.22-r4', after: '1.1.22-r3' },
            { kind: 'UPGRADED', type: 'APK', name: 'openssl', before: '3.0.12-r1', after: '3.0.14-r0' },
            { kind: 'ADDED', type: 'APK', name: 'zlib', before: null, after: '1.3-r2' },
          ],
        },
      },
    });
  });

  test('tell what wastes most', async () => {
    // Both have written the base's database of packages anew, and one took a file of the base away.
    const packages = BASE[5]?.body?.length ?? 0;
    const composition = {
      operatingSystemSize: expect.any(Number) as number,
      dependencySize: expect.any(Number) as number,
      applicationSize: 0,
      metadataSize: expect.any(Number) as number,
    };
    expect(await ask(questions[3] ?? '')).toEqual({
      images: {
        nodes: [
          {
            digest: shop.digest,
            contents: {
              wastedSize: packages + 5000,
              composition,
              largestFiles: [{ path: '/bin/busybox', size: 2000, isFromBase: true }],
            },
          },
          {
            digest: next.digest,
            contents: {
              wastedSize: packages,
              composition,
              largestFiles: [{ path: '/var/cache/index', size: 5000, isFromBase: true }],
            },
          },
        ],
      },
    });
  });
});

describe('the contents of an image', () => {
  test('tell its operating system, its programs, and where its bytes are', async () => {
    const { image } = await ask(
      `query ($digest: Digest!) { image(digest: $digest) { contentsStatus contentsReason contents {
        inspectedAt origin operatingSystem { id versionId prettyName isEndOfLife endOfLifeAt }
        shells packageManagers kernels packageCount fileCount
        composition { operatingSystemSize dependencySize applicationSize metadataSize }
      } } }`,
      { digest: base.digest },
    );
    expect(image).toEqual({
      contentsStatus: 'INSPECTED',
      contentsReason: null,
      contents: {
        inspectedAt: INSPECTED_AT,
        origin: 'LAYERS',
        operatingSystem: {
          id: 'alpine',
          versionId: '3.10.9',
          prettyName: 'alpine v3.10.9',
          isEndOfLife: true,
          endOfLifeAt: '2021-05-01T00:00:00.000Z',
        },
        shells: ['/bin/busybox', '/bin/sh'],
        packageManagers: ['/sbin/apk'],
        kernels: [],
        packageCount: 2,
        fileCount: 5,
        composition: {
          operatingSystemSize: 2000 + 1 + 5000 + (BASE[0]?.body?.length ?? 0),
          dependencySize: 0,
          applicationSize: 0,
          metadataSize: 1000 + (BASE[5]?.body?.length ?? 0),
        },
      },
    });
  });

  test('are missing until something tells of them, and the status says why', async () => {
    const query = `query ($digest: Digest!) { image(digest: $digest) { contentsStatus contentsReason contents { packageCount } } }`;
    expect(await ask(query, { digest: unknown.digest })).toEqual({
      image: {
        contentsStatus: 'TOO_LARGE',
        contentsReason: 'Layer 0 has 20,000,000,000 bytes; 10,000,000,000 are read at most.',
        contents: null,
      },
    });
    const without = await build.image(await build.repository('registry.example.com/team/new'), { layers: ['new'] });
    expect(await ask(query, { digest: without.digest })).toEqual({
      image: { contentsStatus: 'NOT_REQUESTED', contentsReason: null, contents: null },
    });
  });

  test('are packages alone where a bill of materials tells of them', async () => {
    const { image } = await ask(
      `query ($digest: Digest!) { image(digest: $digest) { contentsStatus contents {
        origin operatingSystem { id } shells fileCount files { totalCount } largestFiles { path } wastedSize
        packages { edges { node { purl } layer { position } isFromBase } }
      } } }`,
      { digest: billed.digest },
    );
    const ofBill = { layer: null, isFromBase: null };
    expect(image).toEqual({
      contentsStatus: 'NOT_REQUESTED',
      contents: {
        origin: 'SBOM',
        operatingSystem: null,
        shells: [],
        fileCount: 0,
        files: { totalCount: 0 },
        largestFiles: [],
        wastedSize: 0,
        packages: {
          edges: [
            { node: { purl: 'pkg:npm/left-pad@1.3.0' }, ...ofBill },
            { node: { purl: 'pkg:deb/openssl@3.0.11-1~deb12u2' }, ...ofBill },
          ],
        },
      },
    });
  });

  test('tell of each package which layer brought it, and whether that is the base’s', async () => {
    const { image } = await ask<{ image: { contents: { packages: { edges: unknown[] } } } }>(
      `query ($digest: Digest!) { image(digest: $digest) { contents { packages {
        edges { node { name } layer { position digest } isFromBase } } } } }`,
      { digest: shop.digest },
    );
    const [low, high] = [0, 1].map((position) => ({ position, digest: shop.blobDigests[position] }));
    expect(image.contents.packages.edges).toEqual([
      { node: { name: '@acme/shop' }, layer: high, isFromBase: false },
      { node: { name: 'a' }, layer: high, isFromBase: false },
      { node: { name: 'a' }, layer: high, isFromBase: false },
      { node: { name: 'curl' }, layer: high, isFromBase: false },
      { node: { name: 'musl' }, layer: low, isFromBase: true },
      { node: { name: 'openssl' }, layer: low, isFromBase: true },
    ]);
  });

  test('list packages page by page, from either end, and as a filter wants them', async () => {
    const page = async (args: string) => {
      const { image } = await ask<{
        image: { contents: { packages: Nodes<{ name: string; version: string }> & Record<string, unknown> } };
      }>(
        `query ($digest: Digest!) { image(digest: $digest) { contents { packages(${args}) {
          totalCount nodes { name version } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }`,
        { digest: shop.digest },
      );
      const { nodes, ...rest } = image.contents.packages;
      return {
        names: nodes.map(({ name, version }) => `${name} ${version}`),
        ...(rest as { totalCount: number; pageInfo: Record<string, unknown> }),
      };
    };
    const first = await page('first: 2');
    expect([first.names, first.totalCount]).toEqual([['@acme/shop 1.24.0', 'a 1.0.0'], 6]);
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const second = await page(`first: 3, after: "${String(first.pageInfo['endCursor'])}"`);
    expect(second.names).toEqual(['a 2.0.0', 'curl 8.5.0-r0', 'musl 1.1.22-r4']);
    expect(second.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    const last = await page('last: 2');
    expect(last.names).toEqual(['musl 1.1.22-r4', 'openssl 3.0.12-r1']);
    const before = await page(`last: 3, before: "${String(last.pageInfo['startCursor'])}"`);
    expect(before.names).toEqual(['a 1.0.0', 'a 2.0.0', 'curl 8.5.0-r0']);
    expect((await page('filter: { version: ">=1.0.1 <2.0.1", type: NPM }')).names).toEqual([
      '@acme/shop 1.24.0',
      'a 2.0.0',
    ]);
    expect((await page('filter: { name: "*ssl", license: "Apache-*" }')).names).toEqual(['openssl 3.0.12-r1']);
  });

  test('list files directory by directory, each with its layer', async () => {
    const list = async (args: string) => {
      const { image } = await ask<{ image: { contents: { files: object } } }>(
        `query ($digest: Digest!) { image(digest: $digest) { contents { files(${args}) {
          totalCount nodes { path type size mode uid gid linkTarget layer { position } isFromBase }
          pageInfo { hasNextPage endCursor } } } } }`,
        { digest: shop.digest },
      );
      return image.contents.files as Nodes<{ path: string }> & {
        totalCount: number;
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
    };
    expect((await list('first: 100')).nodes.map(({ path }) => path)).toEqual([
      '/bin',
      '/etc',
      '/lib',
      '/sbin',
      '/srv',
      '/var',
    ]);
    expect(await list('directory: "bin/"')).toMatchObject({
      totalCount: 2,
      nodes: [
        {
          path: '/bin/busybox',
          type: 'FILE',
          size: 2000,
          mode: '0755',
          uid: 0,
          gid: 0,
          linkTarget: null,
          layer: { position: 0 },
          isFromBase: true,
        },
        { path: '/bin/sh', type: 'SYMLINK', size: 0, linkTarget: '/bin/busybox' },
      ],
    });
    expect(await list('directory: "/srv"')).toMatchObject({
      nodes: [{ path: '/srv/app', type: 'DIRECTORY', layer: { position: 1 }, isFromBase: false }],
    });
    expect((await list('directory: "/var/cache"')).nodes).toEqual([]);
    expect((await list('directory: "/no/such"')).nodes).toEqual([]);
    const first = await list('first: 2');
    expect(first.pageInfo.hasNextPage).toBe(true);
    const rest = await list(`first: 4, after: "${first.pageInfo.endCursor}"`);
    expect(rest.nodes.map(({ path }) => path)).toEqual(['/lib', '/sbin', '/srv', '/var']);
    expect(rest.pageInfo.hasNextPage).toBe(false);
    const elsewhere = `{ image(digest: "${shop.digest}") { contents { files(directory: "/etc", after: "${first.pageInfo.endCursor}") { totalCount } } } }`;
    expect(await refusal(elsewhere)).toEqual([
      ['BAD_USER_INPUT', expect.stringContaining('is not a cursor of this list in this order') as string],
    ]);
  });
});

interface Changes {
  readonly diff: {
    readonly packageChanges: Nodes<{ name: string }> & {
      readonly pageInfo: { hasNextPage: boolean; endCursor: string };
    };
  };
}

describe('a diff', () => {
  test('of an image of which nothing is known has no package changes, and says so', async () => {
    const { image } =
      await ask(`{ image(digest: "${unknown.digest}") { diff(to: "registry.example.com/team/shop:1.25") {
      arePackagesKnown packageChanges { totalCount nodes { name } } } } }`);
    expect(image).toEqual({ diff: { arePackagesKnown: false, packageChanges: { totalCount: 0, nodes: [] } } });
  });

  test('has its package changes page by page', async () => {
    const page = async (after: string | null): Promise<string[]> => {
      const { diff } = await ask<Changes>(
        `query ($after: String) { diff(from: "registry.example.com/team/shop:1.24", to: "registry.example.com/team/shop:1.25") {
          packageChanges(first: 3, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } } }`,
        { after },
      );
      const { nodes, pageInfo } = diff.packageChanges;
      const names = nodes.map(({ name }) => name);
      return pageInfo.hasNextPage ? [...names, ...(await page(pageInfo.endCursor))] : names;
    };
    expect(await page(null)).toEqual(['@acme/shop', 'a', 'b', 'curl', 'musl', 'openssl', 'zlib']);
  });
});

describe('images', () => {
  test.each([
    ['{ package: { name: "openssl" } }', ['base', 'shop', 'next', 'billed']],
    ['{ package: { name: "openssl", version: "<3.0.14" } }', ['base', 'shop', 'billed']],
    ['{ package: { name: "openssl", version: ">=3.0.14" } }', ['next']],
    ['{ package: { name: "openssl", version: "3.0.12*" } }', ['base', 'shop']],
    ['{ package: { name: "openssl", type: DEB } }', ['billed']],
    ['{ package: { name: "open*", version: "<3.0.12", type: DEB } }', ['billed']],
    ['{ package: { type: NPM } }', ['shop', 'next', 'billed']],
    ['{ package: { license: "Apache*" } }', ['base', 'shop', 'next']],
    ['{ package: { name: "nothing" } }', []],
    ['{ package: {} }', ['base', 'shop', 'next', 'billed']],
    ['{ not: { package: { name: "openssl" } } }', ['tool', 'unknown']],
    ['{ or: [{ package: { name: "curl" } }, { package: { name: "zlib", version: ">1.2" } }] }', ['shop', 'next']],
    ['{ and: [{ package: { name: "a", version: "2.0.0" } }, { package: { name: "musl" } }] }', ['shop']],
    ['{ operatingSystem: "alpine" }', ['base', 'shop', 'next']],
    ['{ operatingSystem: "Alpine 3.10" }', ['base', 'shop', 'next']],
    ['{ operatingSystem: "alpine 3.1" }', []],
    ['{ operatingSystem: "alp*" }', ['base', 'shop', 'next']],
    ['{ operatingSystem: "alpine 3.10.?" }', ['base', 'shop', 'next']],
    ['{ operatingSystem: "debian" }', []],
    ['{ hasShell: true }', ['base', 'shop', 'next']],
    ['{ hasPackageManager: true }', ['base', 'shop', 'next']],
    ['{ hasPackageManager: false }', ['tool']],
  ])('are found by %s', async (filter, names) => {
    expect(await imagesWhere(`{ and: [${filter}, { not: { repository: "registry.example.com/team/new" } }] }`)).toEqual(
      names,
    );
  });

  test('are not asked of packages by a version that is no range', async () => {
    expect(
      await refusal('{ images(filter: { not: { package: { name: "a", version: "<" } } }) { totalCount } }'),
    ).toEqual([['BAD_USER_INPUT', expect.stringContaining('filter.not.package.version "<" is not a range') as string]]);
  });

  test('are asked of ten packages at a time', async () => {
    const filters = (count: number) => `{ or: [${Array(count).fill('{ package: { name: "musl" } }').join(', ')}] }`;
    expect(await imagesWhere(filters(9))).toEqual(['base', 'shop', 'next']);
    expect(await refusal(`{ images(filter: ${filters(10)}) { totalCount } }`)).toEqual([
      [
        'BAD_USER_INPUT',
        'filter.or[9] is one too many: a filter is made of 100 filters at most, of which a package counts ten.',
      ],
    ]);
  });

  test('are asked of a range only where the packages are few enough to be compared', async () => {
    await database.run(
      `insert into package (type, name, version, purl, licenses)
       select 'GEM', 'gem-' || n, '1.0', 'pkg:gem/gem-' || n || '@1.0', '{}' from generate_series(1, 5001) n`,
      [],
    );
    try {
      expect(await refusal('{ images(filter: { package: { version: "<2", type: GEM } }) { totalCount } }')).toEqual([
        [
          'BAD_USER_INPUT',
          'filter.package.version is asked of more than 5,000 packages: give the name of one beside it, such as { name: "openssl", version: "<3.0.14" }.',
        ],
      ]);
      expect(await imagesWhere('{ package: { type: GEM } }')).toEqual([]);
      expect(await imagesWhere('{ package: { version: "<2", type: NPM } }')).toEqual(['shop', 'next', 'billed']);
    } finally {
      await database.run(`delete from package where type = 'GEM'`, []);
    }
  });
});

describe('a package', () => {
  const MUSL = 'pkg:apk/alpine/musl@1.1.22-r4?arch=x86_64';

  test('is found by its package URL and its id, and leads to the images that have it', async () => {
    const fields = 'id purl type name version licenses imageCount images { totalCount nodes { digest } }';
    const { found } = await ask<{ found: { id: string } }>(
      `query ($purl: String!) { found: package(purl: $purl) { ${fields} } none: package(purl: "pkg:apk/x@1") { id } }`,
      { purl: MUSL },
    );
    expect(found).toEqual({
      id: expect.any(String) as string,
      purl: MUSL,
      type: 'APK',
      name: 'musl',
      version: '1.1.22-r4',
      licenses: ['MIT'],
      imageCount: 2,
      images: { totalCount: 2, nodes: [{ digest: shop.digest }, { digest: base.digest }] },
    });
    const { node } = await ask(`{ node(id: "${found.id}") { ... on Package { ${fields} } } }`);
    expect(node).toEqual(found);
  });

  test('is one of all packages, by name, as a filter wants them', async () => {
    const list = async (args: string) => {
      const { packages } = await ask<{
        packages: Nodes<{ name: string; version: string }> & { totalCount: number; pageInfo: { endCursor: string } };
      }>(`{ packages(${args}) { totalCount nodes { name version } pageInfo { endCursor } } }`);
      return { ...packages, names: packages.nodes.map(({ name, version }) => `${name} ${version}`) };
    };
    const all = await list('first: 100');
    expect(all.names.map((name) => name.split(' ')[0])).toEqual(all.names.map((name) => name.split(' ')[0]).toSorted());
    expect(all.totalCount).toBe(13);
    const openssl = await list('filter: { name: "openssl", version: "<3.0.14" }, first: 1');
    expect([openssl.totalCount, openssl.names]).toEqual([2, ['openssl 3.0.12-r1']]);
    const rest = await list(
      `filter: { name: "openssl", version: "<3.0.14" }, first: 5, after: "${openssl.pageInfo.endCursor}"`,
    );
    expect(rest.names).toEqual(['openssl 3.0.11-1~deb12u2']);
  });

  test.each([
    ['openssl', ['openssl', 'openssl', 'openssl'], 'name'],
    ['opensl', ['openssl', 'openssl', 'openssl'], 'name'],
    ['left', ['left-pad'], 'name'],
    ['lef', ['left-pad'], 'name'],
    ['@acme/shop', ['@acme/shop'], 'name'],
    [MUSL, ['musl'], 'name'],
  ])('is found by "%s"', async (query, names, matchedOn) => {
    const { search } = await ask<{
      search: { edges: { matchedOn: string; node: { name: string } }[] };
    }>(
      'query ($query: String!) { search(query: $query, types: [PACKAGE]) { edges { matchedOn node { ... on Package { name } } } } }',
      { query },
    );
    expect(search.edges.map(({ node }) => node.name)).toEqual(names);
    expect(new Set(search.edges.map((edge) => edge.matchedOn))).toEqual(new Set([matchedOn]));
  });
});

test('numbers count packages, and images and containers by what they hold', async () => {
  await build.holds(await build.repository('docker.io/library/other'), shop);
  const answer = await ask(`{
    all: statistics { packages }
    shop: statistics(repository: "registry.example.com/team/shop") { packages }
    registry: statistics(registry: "docker.io") { packages }
    systems: breakdown(by: OPERATING_SYSTEM) { key value }
    types: breakdown(by: PACKAGE_TYPE) { key value }
    running: breakdown(by: OPERATING_SYSTEM, metric: CONTAINERS) { key value }
    having: breakdown(by: PACKAGE_TYPE, metric: CONTAINERS, filter: { hasShell: true }) { key value }
    options(kind: OPERATING_SYSTEM, text: "Alp") { text value }
    timeline(metric: IMAGES, by: OPERATING_SYSTEM, from: "2026-01-01", to: "2026-01-02", interval: DAY) { series value }
  }`);
  expect(answer).toEqual({
    all: { packages: 13 },
    shop: { packages: 11 },
    registry: { packages: 6 },
    systems: [{ key: 'alpine 3.10.9', value: 3 }],
    types: [
      { key: 'APK', value: 3 },
      { key: 'NPM', value: 3 },
      { key: 'DEB', value: 1 },
    ],
    running: [{ key: 'alpine 3.10.9', value: 3 }],
    having: [
      { key: 'APK', value: 3 },
      { key: 'NPM', value: 3 },
    ],
    options: [{ text: 'alpine 3.10.9', value: 'alpine 3.10.9' }],
    timeline: [{ series: 'alpine 3.10.9', value: 3 }],
  });
});

test('every metric is told by what images hold, also over time', async () => {
  const range = 'from: "2026-01-01", to: "2026-04-01", interval: MONTH';
  const told = async (by: string, metric: string) => {
    const { breakdown, timeline } = await ask<{
      breakdown: { key: string; value: number }[];
      timeline: { series: string; value: number }[];
    }>(`{ breakdown(by: ${by}, metric: ${metric}) { key value }
          timeline(by: ${by}, metric: ${metric}, ${range}) { series value } }`);
    const rows = Object.fromEntries(breakdown.map(({ key, value }) => [key, value]));
    return { rows, series: [...new Set(timeline.map(({ series }) => series))].sort() };
  };
  const alpine = (value: number) => ({ rows: { 'alpine 3.10.9': value }, series: ['alpine 3.10.9'] });
  expect(await told('OPERATING_SYSTEM', 'LAYERS')).toEqual(alpine(3));
  expect(await told('OPERATING_SYSTEM', 'STORED_SIZE')).toEqual(alpine(3000));
  expect(await told('OPERATING_SYSTEM', 'TAGS')).toEqual(alpine(3));
  expect(await told('OPERATING_SYSTEM', 'TAG_EVENTS')).toEqual(alpine(3));
  expect(await told('OPERATING_SYSTEM', 'CONTAINERS')).toEqual(alpine(3));
  const types = (APK: number, NPM: number, DEB: number) => ({ rows: { APK, NPM, DEB }, series: ['APK', 'DEB', 'NPM'] });
  expect(await told('PACKAGE_TYPE', 'LAYERS')).toEqual(types(3, 4, 1));
  expect(await told('PACKAGE_TYPE', 'TAGS')).toEqual(types(3, 3, 1));
  const { image } = await ask(`{ image(digest: "${base.digest}") { impact {
    systems: breakdown(by: OPERATING_SYSTEM) { key value } types: breakdown(by: PACKAGE_TYPE) { key value } } } }`);
  expect(image).toEqual({
    impact: {
      systems: [{ key: 'alpine 3.10.9', value: 2 }],
      types: [
        { key: 'APK', value: 2 },
        { key: 'NPM', value: 2 },
      ],
    },
  });
});
