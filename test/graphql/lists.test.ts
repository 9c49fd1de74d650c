import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { graphql, type GraphQLSchema } from 'graphql';
import { createReads } from '../../src/catalog/read/index.ts';
import type { Commands } from '../../src/commands/index.ts';
import { createContext } from '../../src/graphql/context.ts';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import { ANONYMOUS } from '../../src/graphql/viewer.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { walks, type OpenWalk } from '../support/list-model.ts';
import { addTag, buildCatalog, catalogs, type CatalogSpec, type ModelCatalog } from '../support/model-catalog.ts';

// Lists of random catalogs, beside plain ones that are kept in memory, filtered and sorted there.

let schema: GraphQLSchema;

beforeAll(async () => {
  schema = createSchema(await readFile('schema.graphql', 'utf8'), typeResolvers);
});

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
  const many = fc.array(fc.tuple(walks, fc.nat()), { minLength: 15, maxLength: 15 });
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
  const contextValue = createContext({ reads: createReads(database), commands: {} as Commands, viewer: ANONYMOUS });
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
