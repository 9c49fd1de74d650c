import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { graphql, type GraphQLSchema } from 'graphql';
import { createReads } from '../../src/catalog/read/index.ts';
import type { Commands } from '../../src/commands/index.ts';
import { createContext } from '../../src/graphql/context.ts';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import { ANONYMOUS } from '../../src/graphql/viewer.ts';
import { catalogOf } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { walks, type OpenWalk } from '../support/list-model.ts';
import { addTag, buildCatalog, catalogs, type CatalogSpec, type ModelCatalog } from '../support/model-catalog.ts';

// Lists of random catalogs, beside plain ones that are kept in memory, filtered and sorted there.

let schema: GraphQLSchema;

beforeAll(async () => {
  schema = createSchema(await readFile('schema.graphql', 'utf8'), typeResolvers);
});

/** No mutation is sent here, so nothing is asked of the commands. */
const NO_COMMANDS = {} as Commands;

/** A failure tells the seed. It is not made smaller: each step to that would be a database. */
const RUNS = { seed: 20261124, numRuns: 4, endOnFailure: true };

test('every list, walked forwards and backwards, is the one sorted list', async () => {
  const many = fc.array(walks, { minLength: 50, maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(catalogs, many, (spec, all) =>
      withCatalog(spec, async (database, catalog) => {
        for (const walk of all) {
          const open = walk.open(catalog);
          const described = [walk.described, JSON.stringify(open.variables)];
          expect([...described, ...(await forwards(database, open))]).toEqual([...described, ...open.expected]);
          if (walk.isForwardOnly) continue;
          expect([...described, ...(await backwards(database, open))]).toEqual([...described, ...open.expected]);
        }
      }),
    ),
    RUNS,
  );
}, 60_000);

test('a row that was there all the time is on one page, whatever comes in between', async () => {
  // A new tag moves its repository among those that are ordered by how many they have.
  const steady = walks.filter(({ described }) => !described.includes('TAG_COUNT'));
  const many = fc.array(fc.tuple(steady, fc.nat()), { minLength: 15, maxLength: 15 });
  await fc.assert(
    fc.asyncProperty(catalogs, many, (spec, all) =>
      withCatalog(spec, async (database, catalog) => {
        for (const [walk, choice] of all) {
          const open = walk.open(catalog);
          const described = [walk.described, JSON.stringify(open.variables)];
          let added = choice;
          const seen = await forwards(database, open, () => addTag(database, catalog, added++));
          // A new tag may take its image out of a list, such as that of untagged ones.
          const after = new Set(await forwards(database, open, () => Promise.resolve()));
          const stayed = open.expected.filter((id) => after.has(id));
          const there = new Set(stayed);
          expect([...described, ...seen.filter((id) => there.has(id))]).toEqual([...described, ...stayed]);
          expect(new Set(seen).size).toBe(seen.length);
        }
      }),
    ),
    RUNS,
  );
}, 60_000);

test('repositories are found by whatever stands in their name or description, and by nothing else', async () => {
  const database = await createTestDatabase();
  try {
    const build = catalogOf(database);
    const described: [name: string, description: string | null][] = [
      ['team/web-frontend', "It's 100% of the web_shop\\front, the WEB's end"],
      ['team/web-backend', 'Back\nend "quoted" {a,b}'],
      ['library/postgres', 'Größe: 日本語のデータベース 🐘🐘🐘🐘🐘'],
      ['library/nothing', null],
      ['org/long', `${'lorem ipsum '.repeat(2000)}the very end`],
    ];
    for (const [name, description] of described) await build.repository(`ghcr.io/${name}`, { description });
    await database.run(`update repository set description = 'Rewritten' where name = 'library/nothing'`, []);
    const contents = described.map(([name, description]) => [name, `${name} ${description ?? 'Rewritten'}`] as const);

    const words = contents.flatMap(([, content]) => content.split(/\s+/).filter(Boolean).slice(-12));
    const word = fc.constantFrom(...words).chain((whole) => {
      const letters = [...whole];
      const place = fc.nat(letters.length - 1);
      return fc
        .tuple(place, fc.integer({ min: 1, max: 12 }))
        .map(([at, length]) => letters.slice(at, at + length).join(''));
    });
    const strange = fc.constantFrom(
      '%',
      '_____',
      '\\',
      "''''''",
      'GRÖSSE:',
      'web%end',
      'webfront',
      'ipsum',
      '🐘🐘🐘',
      'null',
    );
    const texts = fc.array(fc.oneof({ weight: 4, arbitrary: word }, strange), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(texts, fc.boolean(), async (parts, isUpper) => {
        const text = isUpper ? parts.join(' ').replace(/[a-z]/g, (letter) => letter.toUpperCase()) : parts.join(' ');
        const expected = contents.filter(([, content]) => parts.every((part) => lower(content).includes(lower(part))));
        const contextValue = createContext({ reads: createReads(database), commands: NO_COMMANDS, viewer: ANONYMOUS });
        const found = await graphql({
          schema,
          source: 'query ($text: String!) { repositories(filter: { text: $text }) { totalCount nodes { name } } }',
          variableValues: { text },
          contextValue,
        });
        const nodes = expected.map(([name]) => ({ name })).sort((a, b) => (a.name < b.name ? -1 : 1));
        expect([text, found]).toEqual([text, { data: { repositories: { totalCount: nodes.length, nodes } } }]);
      }),
      { seed: 20261126, numRuns: 300 },
    );
  } finally {
    await database.close();
  }
}, 60_000);

/** Names are in the collation C, which knows no letters but those of ASCII, and so is what they stand in. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

async function withCatalog(
  spec: CatalogSpec,
  work: (database: TestDatabase, catalog: ModelCatalog) => Promise<void>,
): Promise<void> {
  const database = await createTestDatabase();
  await buildCatalog(database, spec)
    .then((catalog) => work(database, catalog))
    .finally(() => database.close());
}

interface ListPage {
  readonly nodes: readonly { readonly id: string }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly totalCount: number;
}

/** All pages from the front; between two of them, something may happen. */
async function forwards(database: TestDatabase, open: OpenWalk, between?: () => Promise<void>): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  for (;;) {
    const page: ListPage = await pageOf(database, open, 'first: $size, after: $cursor', cursor);
    expect(page.pageInfo.hasPreviousPage).toBe(cursor !== null);
    if (!between) expect(page.totalCount).toBe(open.expected.length);
    ids.push(...page.nodes.map(({ id }) => id));
    if (!page.pageInfo.hasNextPage) return ids;
    cursor = page.pageInfo.endCursor;
    await between?.();
  }
}

async function backwards(database: TestDatabase, open: OpenWalk): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  for (;;) {
    const page: ListPage = await pageOf(database, open, 'last: $size, before: $cursor', cursor);
    expect(page.pageInfo.hasNextPage).toBe(cursor !== null);
    ids.unshift(...page.nodes.map(({ id }) => id));
    if (!page.pageInfo.hasPreviousPage) return ids;
    cursor = page.pageInfo.startCursor;
  }
}

async function pageOf(database: TestDatabase, open: OpenWalk, page: string, cursor: string | null): Promise<ListPage> {
  const contextValue = createContext({ reads: createReads(database), commands: NO_COMMANDS, viewer: ANONYMOUS });
  const { data, errors } = await graphql({
    schema,
    source: `query ($size: Int, $cursor: String${open.types}) { ${open.field(page)} }`,
    variableValues: { ...open.variables, size: open.size, cursor },
    contextValue,
  });
  expect(errors).toBeUndefined();
  let found: unknown = data;
  while (typeof found === 'object' && found !== null && !('nodes' in found)) found = Object.values(found)[0];
  return found as ListPage;
}
