import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { graphql, type GraphQLSchema } from 'graphql';
import { createReads } from '../../src/catalog/read/index.ts';
import type { Commands } from '../../src/commands/index.ts';
import { wordsOf } from '../../src/domain/words.ts';
import { createContext } from '../../src/graphql/context.ts';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import { ANONYMOUS } from '../../src/graphql/viewer.ts';
import { catalogOf, type CatalogBuilder, type Content, type ImageContent } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addRuntime, observed, report } from '../support/observed-container.ts';

let database: TestDatabase;
let build: CatalogBuilder;
let schema: GraphQLSchema;

beforeAll(async () => {
  schema = createSchema(await readFile('schema.graphql', 'utf8'), typeResolvers);
  database = await createTestDatabase();
  build = catalogOf(database);
  await fill();
});

afterAll(() => database.close());

/** No mutation is sent here, so nothing is asked of the commands. */
const NO_COMMANDS = {} as Commands;

const QUERY = `query ($query: String!, $types: [SearchType!], $first: Int, $after: String) {
  search(query: $query, types: $types, first: $first, after: $after) {
    edges { cursor score matchedOn node {
      __typename
      ... on Repository { reference }
      ... on Image { digest }
      ... on Layer { diffId }
      ... on Container { name }
    } }
    nodes { __typename }
    pageInfo { hasNextPage hasPreviousPage endCursor }
    totalCount
  }
}`;

interface Found {
  readonly edges: readonly {
    readonly cursor: string;
    readonly score: number;
    readonly matchedOn: string;
    readonly node: { __typename: string; reference?: string; digest?: string; diffId?: string; name?: string };
  }[];
  readonly nodes: readonly { __typename: string }[];
  readonly pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string | null };
  readonly totalCount: number;
}

async function answer(variables: Record<string, unknown>, source = QUERY) {
  const contextValue = createContext({ reads: createReads(database), commands: NO_COMMANDS, viewer: ANONYMOUS });
  const result = await graphql({ schema, source, variableValues: variables, contextValue });
  const found = result.data?.['search'] as Found | undefined;
  return { found, errors: result.errors?.map((error) => error.message) ?? [] };
}

async function search(query: string, variables: Record<string, unknown> = {}): Promise<Found> {
  const { found, errors } = await answer({ query, ...variables });
  expect(errors).toEqual([]);
  return found as Found;
}

/** What was found, by the names of this file, each with where. */
async function finds(query: string, ...types: string[]): Promise<string[]> {
  const { edges } = await search(query, { types, first: 100 });
  return edges.map(({ node, matchedOn }) => `${nameOf(node)} by ${matchedOn}`);
}

const names = new Map<string, string>();

function nameOf({ reference, digest, diffId, name }: Found['edges'][number]['node']): string {
  if (name !== undefined) return name;
  const key = reference ?? digest ?? diffId ?? '';
  return names.get(key) ?? key;
}

let alpineAmd64: ImageContent;
let alpineIndex: Content;
let shopImage: ImageContent;
let signature: Content;

async function fill(): Promise<void> {
  const repository = async (name: string, reference: string, columns: Record<string, unknown> = {}) => {
    names.set(reference, name);
    return build.repository(reference, columns);
  };
  const alpine = await repository('alpine', 'docker.io/library/alpine', {
    description: 'A minimal image with a complete package index',
    pull_count: 1_000_000_000,
    star_count: 10_000,
  });
  const nginx = await repository('nginx', 'docker.io/library/nginx', { pull_count: 900_000_000 });
  await repository('acme/alpine', 'docker.io/acme/alpine', { pull_count: 12 });
  await repository('alpine-git', 'docker.io/alpine/alpine-git', { pull_count: 5_000_000 });
  await repository('busy alpine-git', 'docker.io/busy/alpine-git', { pull_count: 50_000_000 });
  const shop = await repository('shop-api', 'ghcr.io/acme/shop-api', {
    description: 'Takes orders & returns',
    team: 'checkout',
    annotations: { pager: 'blue-phone' },
  });
  await repository('shop-web', 'ghcr.io/acme/shop-web', { description: '注文のイメージ' });
  await repository('payments', 'ghcr.io/beta/payments', {
    description: 'Bills what the shop of Acme sold: 100% of it',
  });
  await repository('app', 'ghcr.io/org/app');
  await repository('mysql', 'registry.example.com:5000/data/mysql', {
    description: 'Relational database that alpines love',
  });

  alpineAmd64 = await build.image(alpine, { layers: ['rootfs'], history: [step('ADD alpine-minirootfs.tar.gz /')] });
  const alpineArm64 = await build.image(alpine, { platform: 'linux/arm64/v8', layers: ['rootfs-arm'] });
  alpineIndex = await build.index(alpine, [
    { child: alpineAmd64, platform: 'linux/amd64' },
    { child: alpineArm64, platform: 'linux/arm64/v8' },
  ]);
  await build.tag(alpine, '3.20', alpineIndex);
  await build.tag(alpine, 'latest', alpineIndex);
  const nginxImage = await build.image(nginx, {
    layers: ['rootfs', 'nginx'],
    labels: { maintainer: 'Docker Maintainers' },
  });
  await build.tag(nginx, '1.27', nginxImage);
  shopImage = await build.image(shop, {
    layers: ['rootfs', 'shop'],
    labels: { maintainer: 'team-x', 'org.opencontainers.image.source': 'https://git.example.com/acme/shop' },
    annotations: { 'com.example.ticket': 'OPS-4711' },
    history: [step('ADD rootfs'), step('RUN apk add --no-cache curl | cat'), step('COPY 日本語 /srv')],
    command: ['serve', '--storefront'],
  });
  await build.tag(shop, 'v2.4.1-RC', shopImage);
  signature = await build.artifact(shop, 'application/vnd.dev.cosign.artifact.sig.v1+json', shopImage.digest);

  names.set(alpineAmd64.digest, 'alpine amd64');
  names.set(alpineArm64.digest, 'alpine arm64');
  names.set(nginxImage.digest, 'nginx image');
  names.set(shopImage.digest, 'shop image');
  names.set(shopImage.diffIds[1] as string, 'shop layer');
}

const step = (createdBy: string) => ({ createdAt: null, createdBy, author: null, comment: null, isEmptyLayer: false });

describe('what comes first', () => {
  test.each([
    // Names.
    ['alpine', 'alpine by name'],
    ['ALPINE', 'alpine by name'],
    ['  alpine  ', 'alpine by name'],
    ['library/alpine', 'alpine by name'],
    ['docker.io/library/alpine', 'alpine by name'],
    ['docker.io/alpine', 'alpine by name'],
    ['https://docker.io/library/alpine', 'alpine by name'],
    ['acme/alpine', 'acme/alpine by name'],
    ['alpine-git', 'busy alpine-git by name'],
    ['ghcr.io/org/app', 'app by name'],
    ['ghcr.io/org', 'app by name'],
    ['registry.example.com:5000', 'mysql by name'],
    ['shop-api', 'shop-api by name'],
    ['acme shop api', 'shop-api by name'],
    ['api acme', 'shop-api by name'],
    ['shop_web', 'shop-web by name'],
    ['sho', 'shop-web by name'],
    ['sql', 'mysql by name'],
    ['org ap', 'app by name'],
    ['library ng', 'nginx by name'],
    ['ng library', 'nginx by name'],
    ['acme pay', 'payments by description'],
    // With a letter wrong.
    ['alpin', 'alpine by name'],
    ['alpnie', 'alpine by name'],
    ['lpine', 'alpine by name'],
    ['blpine', 'alpine by name'],
    ['libary/alpine', 'alpine by name'],
    ['library/apline', 'alpine by name'],
    ['ngnix', 'nginx by name'],
    ['sohp-api', 'shop-api by name'],
    ['shopapi', 'shop-api by name'],
    ['paymets', 'payments by name'],
    // Descriptions and metadata.
    ['minimal package', 'alpine by description'],
    ['orders & returns', 'shop-api by description'],
    ['relat', 'mysql by description'],
    ['elational', 'mysql by description'],
    ['注文', 'shop-web by description'],
    ['acme sold', 'payments by description'],
    ['checkout', 'shop-api by annotation'],
    ['pager blue-phone', 'shop-api by annotation'],
    ['shop checkout', 'shop-api by annotation'],
    // References and tags.
    ['nginx:1.27', 'nginx by name'],
    ['docker.io/library/nginx:1.27', 'nginx by name'],
    ['nginx 1.27', 'nginx by name'],
    ['shop-api:v2.4.1-RC', 'shop image by reference'],
    ['shop-api v2.4.1-RC', 'shop image by reference'],
    ['v2.4.1-RC', 'shop image by tag'],
    ['1.27', 'nginx image by tag'],
    // What is written in images.
    ['apk add curl', 'shop image by instruction'],
    ['apk add --no-cache curl | cat', 'shop image by instruction'],
    ['storefront', 'shop image by instruction'],
    ['maintainer team-x', 'shop image by label'],
    ['org.opencontainers.image.source', 'shop image by label'],
    ['https://git.example.com/acme/shop', 'shop image by label'],
    ['ticket ops-4711', 'shop image by annotation'],
    ['team-x curl', 'shop image by instruction'],
    ['日本語', 'shop image by instruction'],
  ])('of "%s" is %s', async (query, expected) => {
    expect((await finds(query))[0]).toBe(expected);
  });

  test('of a digest is what has it, then where it is', async () => {
    const { digest, configDigest, diffIds, blobDigests } = shopImage;
    expect(await finds(digest)).toEqual(['shop image by digest', 'shop-api by digest']);
    expect(await finds(configDigest)).toEqual(['shop image by digest']);
    expect(await finds(diffIds[1] as string)).toEqual(['shop layer by digest']);
    expect(await finds(blobDigests[1] as string)).toEqual(['shop layer by digest']);
    expect((await search(digest)).edges[0]?.score).toBeGreaterThan((await search(digest.slice(0, 20))).edges[0]!.score);
  });

  test.each([6, 7, 8, 9, 12, 63, 64])('of the first %i digits of a digest is the same', async (digits) => {
    const { digest, configDigest, diffIds, blobDigests } = shopImage;
    for (const [each, expected] of [
      [digest, 'shop image by digest'],
      [configDigest, 'shop image by digest'],
      [diffIds[1] as string, 'shop layer by digest'],
      [blobDigests[1] as string, 'shop layer by digest'],
    ] as const) {
      const hex = each.slice(7, 7 + digits);
      expect([hex, (await finds(hex))[0]]).toEqual([hex, expected]);
      expect((await finds(`sha256:${hex.toUpperCase()}`))[0]).toBe(expected);
      expect((await finds(`sha256:${hex}…`))[0]).toBe(expected);
      expect(await finds(`ghcr.io/acme/shop-api@sha256:${hex}`)).toContain(expected);
    }
    expect(await finds(digest.slice(7, 12))).not.toContain('shop image by digest');
    expect(await finds(`sha512:${digest.slice(7, 17)}`)).toEqual([]);
  });

  test('of the digest of an index are its images, of that of a signature its repository', async () => {
    expect(await finds(alpineIndex.digest)).toEqual([
      'alpine arm64 by digest',
      'alpine amd64 by digest',
      'alpine by digest',
    ]);
    expect(await finds(signature.digest)).toEqual(['shop-api by digest']);
  });
});

describe('the order', () => {
  test('is by how well a name matches, then by how popular it is, and no name is listed twice', async () => {
    expect(await finds('alpine', 'REPOSITORY')).toEqual([
      'alpine by name',
      'acme/alpine by name',
      'busy alpine-git by name',
      'alpine-git by name',
      'mysql by description',
    ]);
  });

  test('has images of a name behind what is called so, and in front of those that mention it', async () => {
    expect(await finds('alpine', 'IMAGE')).toEqual(['alpine arm64 by reference', 'alpine amd64 by reference']);
    expect(await finds('alpine minirootfs', 'IMAGE')).toEqual(['alpine amd64 by instruction']);
  });

  test('is that of the scores, which are between 0 and 1', async () => {
    for (const query of ['alpine', 'shop', 'acme', 'a', alpineIndex.digest]) {
      const scores = (await search(query)).edges.map((edge) => edge.score);
      expect(scores.length).toBeGreaterThan(1);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      expect(scores.every((score) => score > 0 && score <= 1)).toBe(true);
    }
  });

  test('follows what is said of a repository, whoever says it', async () => {
    const id = await build.repository('quay.io/late/comer');
    expect(await finds('zeppelin')).toEqual([]);
    await database.run(`update repository set description = 'Zeppelin', pull_count = 7 where id = $1`, [id]);
    expect(await finds('zeppelin')).toEqual(['quay.io/late/comer by description']);
    await database.run(`update repository set description = null, team = 'zeppelin' where id = $1`, [id]);
    expect(await finds('zeppelin')).toEqual(['quay.io/late/comer by annotation']);
    await database.run('delete from repository where id = $1', [id]);
    expect(await finds('comer')).toEqual([]);
  });
});

describe('containers', () => {
  let engine: number;
  const MORNING = '2026-03-01T08:00:00Z';
  const NOON = '2026-03-01T12:00:00Z';
  const WHOLE = '0123456789abcdef'.repeat(4);
  const kiosk = observed({
    containerId: WHOLE,
    name: 'kiosk_front-1',
    imageReference: 'registry.example.com/stand/ticketing:4.2',
    labels: { 'com.example.owner': 'box office', tier: 'Zürich' },
    workload: { kind: 'ComposeService', name: 'frontdesk', namespace: 'fair' },
  });

  beforeAll(async () => {
    engine = await addRuntime(database, 'host-1');
    await report(database, engine, MORNING, [
      kiosk,
      observed({ containerId: 'f'.repeat(64), name: 'till', imageReference: 'stand/kiosk', labels: { note: 'kiosk' } }),
      observed({ containerId: 'pod-uid/web', name: "it's (odd) & :*", imageReference: '' }),
    ]);
  });

  test.each([
    ['kiosk_front-1', ['kiosk_front-1 by name']],
    ['KIOSK front', ['kiosk_front-1 by name']],
    ['kiosk fro', ['kiosk_front-1 by name']],
    ['kiosk', ['kiosk_front-1 by name', 'till by reference']],
    ['kios', ['kiosk_front-1 by name']],
    ['fair frontdesk', ['kiosk_front-1 by workload']],
    ['frontdesk kiosk', ['kiosk_front-1 by workload']],
    ['stand/ticketing:4.2', ['kiosk_front-1 by reference']],
    ['owner box office', ['kiosk_front-1 by label']],
    ['zürich', ['kiosk_front-1 by label']],
    ['odd it s', ["it's (odd) & :* by name"]],
    ['012345', ['kiosk_front-1 by id']],
    ['0123456', ['kiosk_front-1 by id']],
    [WHOLE.toUpperCase(), ['kiosk_front-1 by id']],
    [`${WHOLE.slice(0, 12)}…`, ['kiosk_front-1 by id']],
    ['01234', []],
    [`sha256:${WHOLE}`, []],
    ['fffffe', []],
  ])('are found by %s', async (query, expected) => {
    expect(await finds(query, 'CONTAINER')).toEqual(expected);
    expect(await finds(query)).toEqual(expect.arrayContaining(expected));
  });

  test('stand beside all else, the best match first', async () => {
    const id = await build.repository('quay.io/fair/kiosk_front-1');
    expect(await finds('kiosk_front-1')).toEqual(['quay.io/fair/kiosk_front-1 by name', 'kiosk_front-1 by name']);
    await database.run('delete from repository where id = $1', [id]);
  });

  test('are found by what they are called now, and not when they are removed', async () => {
    database.statements.length = 0;
    await report(database, engine, '2026-03-01T09:00:00Z', [{ ...kiosk, state: 'EXITED' }], { present: null });
    expect(database.statements.some((text) => text.includes('recordContainerTexts'))).toBe(false);
    await report(database, engine, '2026-03-01T10:00:00Z', [{ ...kiosk, name: 'booth' }], { present: null });
    expect(await finds('booth', 'CONTAINER')).toEqual(['booth by name']);
    expect(await finds('kiosk_front-1', 'CONTAINER')).toEqual([]);
    await report(database, engine, NOON, []);
    for (const query of ['booth', 'ticketing', WHOLE]) expect(await finds(query, 'CONTAINER')).toEqual([]);
    await report(database, engine, '2026-03-01T13:00:00Z', [kiosk]);
    expect(await finds('kiosk_front-1', 'CONTAINER')).toEqual(['kiosk_front-1 by name']);
    await report(database, engine, '2026-03-01T14:00:00Z', []);
  });
});

describe('any text', () => {
  const HOSTILE = [
    ...['%', '_', '\\', '*', ':', '&', '!', '|', '(', ')', "'", '"', '<->', ':*', '""', "''", '\\\\', '--', ';', '$1'],
    ...['alpine:*', "alpine'", "al'pine", 'alpine & !nginx', '(alpine', 'alpine | nginx', "'; drop table image; --"],
    ...[
      '🐳',
      '👩‍👩‍👧',
      'a\u0000b',
      '\u0000',
      '\ud800',
      '\uffff',
      'İ',
      'ﬀ',
      'e\u0301',
      '日本',
      '\u202eabc',
      '%%%%%%',
      '____',
    ],
    ...[
      'sha256:',
      'sha256:zz',
      'sha256:abc',
      '@sha256:abcdef',
      'a@b',
      'http://',
      '://',
      '/',
      '//',
      '.',
      '..',
      'a//b',
      ':1',
    ],
    ...['-1', '1e400', '0x10', 'null', 'undefined', '{}', '[]', '<script>', 'x'.repeat(1000), 'x '.repeat(500)],
    ...['a/'.repeat(500), 'a:'.repeat(500), "'".repeat(1000), '\\'.repeat(1000), '日'.repeat(1000), 'f'.repeat(128)],
    ...['é'.repeat(1000), 'alpine '.repeat(142)],
  ];

  test.each(HOSTILE.map((text) => [JSON.stringify(text).slice(0, 30), text]))(
    'such as %s is searched for',
    async (_, text) => {
      await search(text);
    },
  );

  test('is searched for, whatever it is made of', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), async (text) => {
        const { errors } = await answer({ query: `${text}a` });
        expect(errors).toEqual([]);
      }),
      { seed: 20261124, numRuns: 200 },
    );
  });

  test('finds what it finds without the signs between its words', async () => {
    expect(await finds('alpine & !')).toEqual(await finds('alpine !'));
    expect((await finds("alpine's"))[0]).toBeUndefined();
    expect((await finds('100%'))[0]).toBe('payments by description');
    expect(await finds('%')).toEqual([]);
    expect(await finds('_')).toEqual([]);
  });

  test.each(['', ' ', '\t\n', '\u3000'])('but the empty %j is refused', async (query) => {
    expect((await answer({ query })).errors).toEqual([
      'query is empty: write what to search for, such as "nginx:1.27".',
    ]);
  });

  test('but one of ten thousand characters is refused, with the bound', async () => {
    expect((await answer({ query: 'a'.repeat(10_000) })).errors).toEqual([
      'query has 10,000 characters: search for at most 1,000.',
    ]);
  });
});

describe('a word with one letter wrong', () => {
  const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const letter = fc.constantFrom(...ALPHABET);
  const edit = fc.record({
    kind: fc.constantFrom('missing', 'added', 'other', 'swapped'),
    at: fc.nat(),
    by: letter,
  });

  function edited(word: string, { kind, at, by }: { kind: string; at: number; by: string }): string {
    const place = at % (kind === 'added' ? word.length + 1 : kind === 'swapped' ? word.length - 1 : word.length);
    const [head, tail] = [word.slice(0, place), word.slice(place)];
    if (kind === 'missing') return head + tail.slice(1);
    if (kind === 'added') return head + by + tail;
    if (kind === 'other') return head + by + tail.slice(1);
    return `${head}${tail[1]}${tail[0]}${tail.slice(2)}`;
  }

  test.each(['alpine', 'nginx', 'shop-api', 'shop-web', 'payments', 'mysql'])('still finds %s', async (word) => {
    await fc.assert(
      fc.asyncProperty(edit, async (each) => {
        const query = edited(word, each);
        expect([query, await finds(query, 'REPOSITORY')]).toEqual([query, expect.arrayContaining([`${word} by name`])]);
      }),
      { seed: 20261124, numRuns: 60 },
    );
  });

  test('finds a word of four letters, whichever letter it is', async () => {
    await build.repository('docker.io/vier/buch');
    const wrong = [
      'uch',
      'bch',
      'buh',
      'buc',
      'xuch',
      'bxch',
      'buxh',
      'bucx',
      'ubch',
      'bcuh',
      'buhc',
      'xbuch',
      'buchx',
    ];
    for (const query of wrong) {
      expect([query, await finds(query, 'REPOSITORY')]).toEqual([query, ['docker.io/vier/buch by name']]);
    }
  });

  test('does not find one that is further away', async () => {
    for (const query of ['alxxne', 'pinela', 'alpineee', 'lpin3x', 'buch99', 'hcub']) {
      expect([query, await finds(query, 'REPOSITORY')]).toEqual([query, []]);
    }
  });
});

describe('pages', () => {
  test('follow each other without gap or repetition, over all kinds', async () => {
    const query = 'a';
    const whole = await search(query, { first: 100 });
    expect(whole.totalCount).toBe(whole.edges.length);
    expect(whole.edges.length).toBeGreaterThan(5);
    const walked: string[] = [];
    let after: string | null = null;
    do {
      const page: Found = await search(query, { first: 2, after });
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      expect(page.totalCount).toBe(whole.totalCount);
      walked.push(...page.edges.map(({ node }) => nameOf(node)));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(walked).toEqual(whole.edges.map(({ node }) => nameOf(node)));
  });

  test('are bounded, and continue by their own cursors alone', async () => {
    expect((await answer({ query: 'a', first: 101 })).errors[0]).toMatch('first is 101: a page has 0 to 100 entries');
    expect((await answer({ query: 'a', after: 'nonsense' })).errors[0]).toMatch('after "nonsense" is not a cursor');
    expect((await search('a', { first: 0 })).edges).toEqual([]);
    const { pageInfo } = await search('alpine', { types: ['IMAGE', 'REPOSITORY'], first: 1 });
    const after = pageInfo.endCursor;
    expect((await search(' alpine ', { types: ['REPOSITORY', 'IMAGE'], after })).edges).not.toEqual([]);
    for (const other of [{ query: 'shop', types: ['IMAGE', 'REPOSITORY'] }, { query: 'alpine' }]) {
      expect((await answer({ ...other, after })).errors).toEqual([
        `after "${after}" is not a cursor of this list in this order: use startCursor or endCursor of one of its pages, with the same query and types.`,
      ]);
    }
  });

  test('hold what was asked for', async () => {
    const kinds = async (types: string[] | null) =>
      new Set((await search('alpine', { types, first: 100 })).nodes.map((node) => node.__typename));
    expect(await kinds(['REPOSITORY'])).toEqual(new Set(['Repository']));
    expect(await kinds(['IMAGE'])).toEqual(new Set(['Image']));
    expect(await kinds(['LAYER'])).toEqual(new Set());
    expect(await kinds(null)).toEqual(new Set(['Repository', 'Image']));
    expect(await kinds([])).toEqual(new Set(['Repository', 'Image']));
  });

  test('take a statement, and one more for each kind on them', async () => {
    database.statements.length = 0;
    await search('alpine', { first: 100 });
    const sent = database.statements.map((text) => /\/\* (?:count )?catalog\.\w+/.exec(text)?.[0]);
    expect(sent.toSorted()).toEqual([
      '/* catalog.manifestsById',
      '/* catalog.repositoriesById',
      '/* catalog.search',
      '/* count catalog.search',
    ]);
  });
});

test('five hundred of a kind are ranked, the most popular of them, and of images the newest', async () => {
  const registryId = await build.registry('many.example.com');
  await database.run(
    `insert into repository (registry_id, name, pull_count, first_seen_at, updated_at)
     select $1, 'crowd/member-' || n, n, now(), now() from generate_series(1, 700) n`,
    [registryId],
  );
  const found = await search('member', { types: ['REPOSITORY'], first: 1 });
  expect(found.totalCount).toBe(500);
  expect(nameOf(found.edges[0]!.node)).toMatch(/member-\d{3}$/);

  const crowd = await build.repository('many.example.com/crowd/images');
  const images = [];
  for (let n = 0; n < 3; n++)
    images.push(await build.image(crowd, { layers: [`crowd ${n}`], labels: { crowded: 'yes' } }));
  expect((await search('crowded')).edges.map(({ node }) => node.digest)).toEqual(
    images.map(({ digest }) => digest).reverse(),
  );
});

test('a word that is in most images is looked for in the newest, a rare one in all', async () => {
  const [first] = await database.run<{ id: number }>('select max(id) + 1 as id from manifest', []);
  await database.run(
    `with made as (
       insert into manifest (digest, kind, media_type, size, raw, first_seen_at)
       select sha256(convert_to('bulk ' || n, 'UTF8')), 'IMAGE', 'application/vnd.oci.image.manifest.v1+json', 1, '', now()
       from generate_series(1, 4000) n returning id
     )
     insert into image (manifest_id, config_digest, os, architecture, run_config, labels, history, layer_count, size, first_seen_at)
     select id, sha256(convert_to('bulk ' || id, 'UTF8')), 'linux', 'amd64', '{}', '{}', '[]', 0, 0, now() from made`,
    [],
  );
  await database.run(
    `insert into image_text (image_id, document)
     select manifest_id, array_to_tsvector(
       array['common', '#' || (manifest_id >> 10)] || case when manifest_id % 500 = 0 then array['seldom'] else '{}' end)
     from image i where not exists (select from image_text t where t.image_id = i.manifest_id)`,
    [],
  );
  const idsOf = async (query: string) => {
    const reads = createReads(database);
    const { nodes } = await reads.search.page({ query, first: 100 });
    return { ids: nodes.map((hit) => hit.id), count: await reads.search.count({ query }) };
  };
  const [newest] = await database.run<{ id: number }>('select max(manifest_id) as id from image', []);
  const common = await idsOf('common');
  expect(common).toEqual({ ids: Array.from({ length: 100 }, (_, at) => (newest?.id ?? 0) - at), count: 500 });
  const seldom = await idsOf('seldom common');
  expect(seldom.count).toBe(8);
  expect(Math.min(...seldom.ids)).toBeLessThan((first?.id ?? 0) + 500);
});

test('the database finds the words that the worker does', async () => {
  const texts = [
    ...['apk add --no-cache curl', 'org.opencontainers.image.source=https://example.com/a_b', 'Ünïcode ÉCOLE Straße'],
    ...[
      '日本語のイメージ v2',
      'αβγ ДЕЖ 1e5 0x1f',
      '',
      '   ',
      `${'x'.repeat(70)} y`,
      '한국어 이미지',
      'हिन्दी शब्द',
      'ไทย',
      '“x” … – 🐳y',
    ],
  ];
  for (const text of texts) {
    const [row] = await database.run<{ words: string[] }>('select words($1) as words', [text]);
    expect([text, [...new Set(row?.words)]]).toEqual([text, [...wordsOf(text)]]);
  }
});
