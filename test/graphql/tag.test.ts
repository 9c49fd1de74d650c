import { readFile } from 'node:fs/promises';
import { graphql, type GraphQLSchema } from 'graphql';
import type { Connection } from '../../src/catalog/database.ts';
import {
  createReads,
  type CatalogReads,
  type NestedList,
  type Page,
  type TagRecord,
} from '../../src/catalog/read/index.ts';
import type { Commands } from '../../src/commands/index.ts';
import { createContext } from '../../src/graphql/context.ts';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import { ANONYMOUS } from '../../src/graphql/viewer.ts';
import { catalogOf, type CatalogBuilder, type Content, type ImageContent } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import type { NewerTagVectors } from '../support/newer-tag-vectors.ts';
import { describeSamples, sampleJson } from '../support/samples.ts';

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
  return graphql({ schema, source, variableValues, contextValue });
}

async function data<T>(source: string, variables: Record<string, unknown> = {}): Promise<T> {
  const { data, errors } = await answer(source, variables);
  expect(errors).toBeUndefined();
  return JSON.parse(JSON.stringify(data)) as T;
}

const names = (nodes: readonly { name: string }[]) => nodes.map((node) => node.name);

/** A repository in which all these tags name one image, in this order. */
async function repositoryOf(reference: string, tags: readonly string[]): Promise<number> {
  const repository = await build.repository(reference);
  const image = await build.image(repository, { layers: ['one'] });
  for (const name of new Set(tags)) await build.tag(repository, name, image);
  return repository;
}

async function newerTagsOf(reference: string, args = ''): Promise<string[]> {
  const { tag } = await data<{ tag: { newerTags: { name: string }[] } }>(
    `query ($reference: ImageReference!) { tag(reference: $reference) { newerTags${args} { name } } }`,
    { reference },
  );
  return names(tag.newerTags);
}

describe('newer tags', () => {
  describeSamples('by the vectors', () => {
    const vectors = sampleJson<NewerTagVectors>('vectors-newer-tags.json')?.vectors ?? [];

    test.each(vectors.map((vector, at) => [vector.current, at, vector] as const))(
      'of %s (%i)',
      async (current, at, { tags, expected }) => {
        await repositoryOf(`vectors.example.com/vector-${at}`, [current, ...tags]);
        const newer = 'newer' in expected ? expected.newer.map(({ tag }) => tag) : [];
        expect(await newerTagsOf(`vectors.example.com/vector-${at}:${current}`, '(first: 100)')).toEqual(newer);
      },
    );
  });

  test('are five unless asked otherwise, and neither deleted nor of another repository', async () => {
    const tags = Array.from({ length: 12 }, (_, at) => `1.${at}`);
    const repository = await repositoryOf('ghcr.io/newer/plain', tags);
    await repositoryOf('ghcr.io/newer/other', ['1.99']);
    await build.tag(repository, '1.10', null);
    const reference = 'ghcr.io/newer/plain:1.0';
    expect(await newerTagsOf(reference)).toEqual(['1.11', '1.9', '1.8', '1.7', '1.6']);
    expect(await newerTagsOf(reference, '(first: 1)')).toEqual(['1.11']);
    expect(await newerTagsOf(reference, '(first: 0)')).toEqual([]);
    expect(await newerTagsOf('ghcr.io/newer/plain:1.10')).toEqual(['1.11']);
    const { errors } = await answer('{ tag(reference: "ghcr.io/newer/plain:1.0") { newerTags(first: 101) { name } } }');
    expect(errors?.map(({ message }) => message)).toEqual(['first is 101: a page has 0 to 100 entries.']);
  });

  test('of one version are one, in the style of the tag and else the last cataloged', async () => {
    await repositoryOf('ghcr.io/newer/styles', [
      'v1.0',
      '1.0',
      'V1.1',
      'v1.1',
      '1.1',
      '1.2',
      'V1.2',
      'v1.3-0a1b2c3',
      'v1.3-1a1b2c3',
    ]);
    expect(await newerTagsOf('ghcr.io/newer/styles:v1.0')).toEqual(['V1.2', 'v1.1']);
    expect(await newerTagsOf('ghcr.io/newer/styles:1.0')).toEqual(['1.2', '1.1']);
  });

  test('of a hundred tags are one statement, which reads no more for a version of many tags', async () => {
    const repository = await repositoryOf('ghcr.io/newer/many', ['1.0-0000aaa', '1.2-0000aaa']);
    await database.run(
      `insert into tag (repository_id, name, manifest_id, first_seen_at, moved_at, version_group, version_key)
       select repository_id, '1.1-' || lpad(to_hex(n), 7, '0') || 'a', manifest_id, now(), now(), version_group, '11111.'
       from tag, generate_series(1, 5000) n where repository_id = $1 and name = '1.0-0000aaa'`,
      [repository],
    );
    database.statements.length = 0;
    const { repository: found } = await data<{ repository: { tags: { nodes: { newerTags: { name: string }[] }[] } } }>(
      `{ repository(reference: "ghcr.io/newer/many") { tags(first: 100, orderBy: { field: NAME, direction: ASC }) {
           nodes { newerTags { name } } } } }`,
    );
    expect(database.statements.map((text) => /\/\* (.*?) \*\//.exec(text)?.[1])).toEqual([
      'catalog.repositoriesByReference',
      'catalog.tagsByRepository',
      'catalog.newerTagsByTag',
    ]);
    expect(found.tags.nodes.map(({ newerTags }) => newerTags.length)).toEqual([2, ...Array<number>(99).fill(1)]);
    const statement = database.statements.at(-1) ?? '';
    const plan = await database.query({
      text: `explain (analyze, buffers, format json) ${statement.replace('$1', String(`array[${await idOf(repository, '1.0-0000aaa')}]`)).replace('$2', '5')}`,
      values: [],
    });
    expect(mostRowsOf(plan)).toBeLessThan(50);
  });
});

async function idOf(repository: number, name: string): Promise<number> {
  const [row] = await database.run<{ id: number }>('select id from tag where repository_id = $1 and name = $2', [
    repository,
    name,
  ]);
  return row?.id ?? 0;
}

/** Rows that the busiest step of a plan gave, over all its loops. */
function mostRowsOf(plan: unknown): number {
  if (Array.isArray(plan)) return Math.max(0, ...plan.map(mostRowsOf));
  if (typeof plan !== 'object' || plan === null) return 0;
  const { 'Actual Rows': rows = 0, 'Actual Loops': loops = 0 } = plan as Record<string, number>;
  return Math.max(rows * loops, ...Object.values(plan).map(mostRowsOf));
}

describe('tags by version', () => {
  const tags = ['1.9', 'latest', '1.10', '20260101', '1.10-alpine', '2.0-rc1', 'v2.0', '1.9.1'];

  beforeAll(() => repositoryOf('ghcr.io/versions/app', tags));

  const list = async (args: string) =>
    names(
      (
        await data<{ repository: { tags: { nodes: { name: string }[] } } }>(
          `{ repository(reference: "ghcr.io/versions/app") { tags(${args}) { nodes { name } } } }`,
        )
      ).repository.tags.nodes,
    );

  test('have those without one at the end, or at the start', async () => {
    const ordered = ['v2.0', '2.0-rc1', '1.10-alpine', '1.10', '1.9.1', '1.9', '20260101', 'latest'];
    expect(await list('orderBy: { field: VERSION }')).toEqual(ordered);
    expect(await list('orderBy: { field: VERSION, direction: ASC }')).toEqual(ordered.toReversed());
  });

  test.each([
    ['>=1.10', ['v2.0', '1.10-alpine', '1.10']],
    ['1.9 || 2-rc1', ['2.0-rc1', '1.9.1', '1.9']],
    ['>=1.9.1 <2', ['1.10-alpine', '1.10', '1.9.1']],
    ['*', ['v2.0', '1.10-alpine', '1.10', '1.9.1', '1.9']],
  ])('are found by the range %s', async (version, expected) => {
    expect(await list(`filter: { version: "${version}" }, orderBy: { field: VERSION }`)).toEqual(expected);
    const { tags } = await data<{ tags: { totalCount: number } }>(
      `{ tags(filter: { repository: "versions/app", version: "${version}" }) { totalCount } }`,
    );
    expect(tags.totalCount).toBe(expected.length);
  });

  test('can be left out by a range, those without a version are not', async () => {
    expect(await list('filter: { not: { version: ">=1.9.1" } }, orderBy: { field: VERSION }')).toEqual([
      '2.0-rc1',
      '1.9',
      '20260101',
      'latest',
    ]);
  });

  test('refuse what is no range, and say where', async () => {
    const { errors } = await answer('{ tags(filter: { or: [{ version: ">=1.24 <x" }] }) { totalCount } }');
    expect(errors?.map(({ message }) => message)).toEqual([
      'filter.or[0].version ">=1.24 <x" is not a version range: there is no condition at character 8. Write conditions such as >=1.24 <2, ^1.2, ~1.2, 1.24 or 1.24.*, and || between alternatives.',
    ]);
  });
});

describe('a page of a large repository', () => {
  let repository: number;

  beforeAll(async () => {
    repository = await repositoryOf('ghcr.io/large/app', ['0.0']);
    await database.run(
      `insert into repository (registry_id, name, first_seen_at, updated_at)
       select registry_id, name || n, now(), now() from repository, generate_series(1, 2000) n where id = $1`,
      [repository],
    );
    // Beside many small ones, whose tags lie among its own.
    await database.run(
      `insert into tag (repository_id, name, manifest_id, first_seen_at, moved_at, version_group, version_key)
       select r.id, '0.' || n, t.manifest_id, t.moved_at + n * interval '1 s', t.moved_at + n * interval '1 s',
              t.version_group, '10' || length(n::text) || n || '.'
       from tag t, repository r, generate_series(1, case when r.id = $1 then 20000 else 8 end) n
       where t.repository_id = $1 and r.name like 'large/app%' order by md5(r.id || ' ' || n)`,
      [repository],
    );
    await database.run(
      `insert into tag_event (kind, at, repository_id, tag_id) select 'CREATED', moved_at, repository_id, id from tag`,
      [],
    );
    await database.run('analyze tag, tag_event', []);
  });

  /** The first page and the 501st, by what PostgreSQL reads for them. */
  async function rowsRead<A>(list: (reads: CatalogReads) => NestedList<A, unknown>, args: A): Promise<number[]> {
    const plans: unknown[] = [];
    const explaining: Connection = {
      run: (text, values) => database.run(text, values),
      async query({ text, values }) {
        plans.push(await database.query({ text: `explain (analyze, format json) ${text}`, values }));
        return database.query({ text, values });
      },
    };
    const pages = list(createReads(database));
    const explained = list(createReads(explaining));
    let after: string | null = null;
    await explained.pages([repository], { ...args, first: 20 });
    for (let at = 0; at < 500; at++) {
      const page = (await pages.pages([repository], { ...args, first: 20, after })).get(repository);
      after = page?.cursorAt(19) ?? null;
    }
    await explained.pages([repository], { ...args, first: 20, after });
    return plans.map(mostRowsOf);
  }

  test.each(['NAME', 'VERSION', 'MOVED_AT', 'FIRST_SEEN_AT'] as const)('by %s reads what it shows', async (field) => {
    for (const direction of ['ASC', 'DESC'] as const) {
      const rows = await rowsRead((reads) => reads.tagsByRepository, { orderBy: { field, direction } });
      expect(Math.max(...rows)).toBeLessThanOrEqual(22);
    }
  });

  test('of its history reads what it shows', async () => {
    const rows = await rowsRead((reads) => reads.tagEventsByRepository, {});
    expect(Math.max(...rows)).toBeLessThanOrEqual(22);
  });
});

describe('the tags of manifests', () => {
  let repository: number;
  let single: Content;
  let nested: Content;

  beforeAll(async () => {
    repository = await build.repository('ghcr.io/named/app');
    single = await build.image(repository, { layers: ['single'] });
    nested = await build.image(repository, { layers: ['nested'] });
    const inner = await build.index(repository, [{ child: nested }]);
    // The image is in it twice: by itself, and through the index that is in it, too.
    const outer = await build.index(repository, [{ child: nested }, { child: inner }]);
    for (const [name, target] of [
      ['single', single],
      ['b-image', nested],
      ['c-inner', inner],
      ['a-outer', outer],
    ] as const) {
      await build.tag(repository, name, target);
    }
    await build.tag(repository, 'gone', nested);
    await build.tag(repository, 'gone', null);
  });

  async function pagesOf(manifests: readonly Content[], first: number) {
    database.statements.length = 0;
    const { tagsByManifest } = createReads(database);
    const pages = await tagsByManifest.pages(
      manifests.map(({ id }) => id),
      { first },
    );
    const shown = manifests.map(({ id }) => {
      const { nodes, hasNextPage } = pages.get(id) as Page<TagRecord>;
      return { tags: names(nodes), hasNextPage };
    });
    return { shown, statements: database.statements.length };
  }

  test('are read together, also those through indexes, each once', async () => {
    const untagged = await build.image(repository, { layers: ['untagged'] });
    expect(await pagesOf([nested, untagged, single], 5)).toEqual({
      shown: [
        { tags: ['a-outer', 'b-image', 'c-inner'], hasNextPage: false },
        { tags: [], hasNextPage: false },
        { tags: ['single'], hasNextPage: false },
      ],
      statements: 1,
    });
  });

  test('that are more than one page are cut where it ends, and go on behind it', async () => {
    const expected = [
      { tags: ['single'], hasNextPage: false },
      { tags: ['a-outer', 'b-image'], hasNextPage: true },
    ];
    expect(await pagesOf([single, nested], 2)).toEqual({ shown: expected, statements: 1 });
    const { tagsByManifest } = createReads(database);
    const page = (await tagsByManifest.pages([nested.id], { first: 2 })).get(nested.id);
    const next = (await tagsByManifest.pages([nested.id], { first: 2, after: page?.cursorAt(1) ?? '' })).get(nested.id);
    expect(names(next?.nodes ?? [])).toEqual(['c-inner']);
  });

  test('of one that has very many are no more than fit, and take no place of others', async () => {
    const frequent = await build.image(repository, { layers: ['frequent'] });
    await build.tag(repository, 'x', frequent);
    await database.run(
      `insert into tag (repository_id, name, manifest_id, first_seen_at, moved_at)
       select repository_id, 'x' || lpad(n::text, 4, '0'), manifest_id, now(), now()
       from tag, generate_series(1, 5000) n where repository_id = $1 and name = 'x'`,
      [repository],
    );
    expect(await pagesOf([frequent, single, nested], 2)).toEqual({
      shown: [
        { tags: ['x', 'x0001'], hasNextPage: true },
        { tags: ['single'], hasNextPage: false },
        { tags: ['a-outer', 'b-image'], hasNextPage: true },
      ],
      statements: 2,
    });
    await database.run(`delete from tag where repository_id = $1 and name like 'x%'`, [repository]);
  });

  test('name their repository without asking twice where it is', async () => {
    const reads = createReads(database);
    const contextValue = () => createContext({ reads, commands: NO_COMMANDS, viewer: ANONYMOUS });
    const source =
      '{ tags(filter: { repository: "named/app", name: "single" }) { nodes { reference repository { name } } } }';
    const first = await graphql({ schema, source, contextValue: contextValue() });
    expect(first).toEqual({
      data: {
        tags: {
          nodes: [{ reference: 'ghcr.io/named/app:single', repository: { name: 'named/app' } }],
        },
      },
    });
    const statementsOf = async (text: string) => {
      database.statements.length = 0;
      await graphql({ schema, source: text, contextValue: contextValue() });
      return database.statements.map((statement) => /catalog\.\w+/.exec(statement)?.[0]);
    };
    expect(await statementsOf(source)).toEqual(['catalog.tags']);
    // What changes of a repository is read each time, and all when ids may have been given again.
    const more = source.replace('{ name }', '{ description }');
    expect(await statementsOf(more)).toEqual(['catalog.tags', 'catalog.repositoriesById']);
    reads.forget(null);
    expect(await statementsOf(source)).toEqual(['catalog.tags', 'catalog.placesById']);
  });
});

describe('the past', () => {
  let first: ImageContent;
  let second: ImageContent;

  beforeAll(async () => {
    const repository = await build.repository('ghcr.io/past/app');
    first = await build.image(repository, { layers: ['first'] });
    second = await build.image(repository, { layers: ['second'] });
    await build.tag(repository, 'latest', first, '2026-02-01T00:00:00Z');
    await build.tag(repository, 'latest', second, '2026-02-02T00:00:00Z');
    await build.tag(repository, 'latest', null, '2026-02-03T00:00:00Z');
    await build.tag(repository, 'latest', first, '2026-02-04T00:00:00Z');
    await build.tag(repository, 'gone', second, '2026-02-01T00:00:00Z');
    await build.tag(repository, 'gone', null, '2026-02-05T00:00:00Z');
    await build.holds(repository, second, '2026-02-06T00:00:00Z');
  });

  const asOf = async (reference: string, at: string) =>
    (
      await data<{ manifestAsOf: { digest: string } | null }>(
        'query ($reference: ImageReference!, $at: DateTime!) { manifestAsOf(reference: $reference, at: $at) { digest } }',
        { reference, at },
      )
    ).manifestAsOf?.digest ?? null;

  test('is what a tag named at an instant', async () => {
    const latest = (at: string) => asOf('ghcr.io/past/app', at);
    expect(await latest('2026-01-31T23:59:59.999Z')).toBeNull();
    expect(await latest('2026-02-01T00:00:00Z')).toBe(first.digest);
    expect(await latest('2026-02-01T23:59:59.999Z')).toBe(first.digest);
    expect(await latest('2026-02-02')).toBe(second.digest);
    expect(await latest('2026-02-03T12:00:00Z')).toBeNull();
    expect(await latest('2026-02-04T00:00:00Z')).toBe(first.digest);
    expect(await latest('2999-01-01')).toBe(first.digest);
    expect(await asOf('ghcr.io/past/app:never', '2999-01-01')).toBeNull();
    expect(await asOf('ghcr.io/past/nothing', '2999-01-01')).toBeNull();
  });

  test('is what a repository held under a digest', async () => {
    const reference = `ghcr.io/past/app:ignored@${second.digest}`;
    expect(await asOf(reference, '2025-12-31T23:59:59Z')).toBeNull();
    expect(await asOf(reference, '2026-01-01T00:00:00Z')).toBe(second.digest);
    expect(await asOf(reference, '2026-02-05T23:59:59Z')).toBe(second.digest);
    expect(await asOf(reference, '2026-02-06T00:00:00Z')).toBeNull();
    expect(await asOf(`ghcr.io/versions/app@${second.digest}`, '2026-02-01')).toBeNull();
  });

  test('of a tag stays when it is deleted', async () => {
    expect(
      await data(
        `{ tag(reference: "ghcr.io/past/app:gone") { name deletedAt manifest { digest } newerTags { name }
             history { totalCount nodes { kind at from { digest } to { digest } } } }
           repository(reference: "ghcr.io/past/app") {
             tags { nodes { name } }
             tag(name: "gone") { deletedAt }
             history(filter: { tag: "g*", kind: [DELETED], at: { from: "2026-02-05", to: "2026-02-06" } }) { nodes { tagName tag { name } } } }
           tagEvents(filter: { registry: "ghcr.*", repository: "past/*", at: { to: "2026-02-02" } }) { nodes { tagName kind } } }`,
      ),
    ).toEqual({
      tag: {
        name: 'gone',
        deletedAt: '2026-02-05T00:00:00.000Z',
        manifest: null,
        newerTags: [],
        history: {
          totalCount: 2,
          nodes: [
            { kind: 'DELETED', at: '2026-02-05T00:00:00.000Z', from: { digest: second.digest }, to: null },
            { kind: 'CREATED', at: '2026-02-01T00:00:00.000Z', from: null, to: { digest: second.digest } },
          ],
        },
      },
      repository: {
        tags: { nodes: [{ name: 'latest' }] },
        tag: { deletedAt: '2026-02-05T00:00:00.000Z' },
        history: { nodes: [{ tagName: 'gone', tag: { name: 'gone' } }] },
      },
      tagEvents: {
        nodes: [
          { tagName: 'gone', kind: 'CREATED' },
          { tagName: 'latest', kind: 'CREATED' },
        ],
      },
    });
  });

  test('of many references is one statement', async () => {
    database.statements.length = 0;
    await data(
      `{ a: manifestAsOf(reference: "ghcr.io/past/app", at: "2026-02-01") { digest }
         b: manifestAsOf(reference: "ghcr.io/past/app", at: "2026-02-02") { digest }
         c: manifestAsOf(reference: "ghcr.io/past/app:gone", at: "2026-02-02") { digest } }`,
    );
    expect(database.statements).toHaveLength(2);
  });
});
