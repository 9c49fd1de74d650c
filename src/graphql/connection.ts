import { pageOfKnown, type KnownList, type Page, type PageArguments, type RootList } from '../catalog/read/index.ts';

/** A connection of the schema. What of it is worked out, and read, is what a client asks for: who counts reads no page. */
export interface ConnectionOf<T> {
  nodes(): Promise<readonly T[]>;
  edges(): Promise<{ readonly cursor: string; readonly node: T }[]>;
  pageInfo(): Promise<PageInfoRecord>;
  totalCount(): Promise<number>;
}

/** Compiled operations call no function that is not a resolver. */
export const connectionFields = {
  nodes: <T>(connection: ConnectionOf<T>) => connection.nodes(),
  edges: <T>(connection: ConnectionOf<T>) => connection.edges(),
  pageInfo: (connection: ConnectionOf<unknown>) => connection.pageInfo(),
  totalCount: (connection: ConnectionOf<unknown>) => connection.totalCount(),
};

export interface PageInfoRecord {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

/** `page` answers the same question once, however often it is asked. */
export function connectionOf<T>(page: () => Promise<Page<T>>, totalCount: () => Promise<number>): ConnectionOf<T> {
  return {
    nodes: async () => (await page()).nodes,
    async edges() {
      const { nodes, cursorAt } = await page();
      return nodes.map((node, place) => ({ cursor: cursorAt(place), node }));
    },
    pageInfo: async () => pageInfoOf(await page()),
    totalCount,
  };
}

/** A list that belongs to no parent. It is read at once, so that what goes wrong is told at its place in the answer. */
export async function rootConnection<A, T>(list: RootList<A, T>, args: A & PageArguments): Promise<ConnectionOf<T>> {
  const page = await list.page(args);
  return connectionOf(
    () => Promise.resolve(page),
    () => list.count(args),
  );
}

/** A list that is at hand. Throws what is wrong with the arguments. */
export function knownConnection<T>(list: KnownList<T>, args: PageArguments): ConnectionOf<T> {
  const page = pageOfKnown(list, args);
  return connectionOf(
    () => Promise.resolve(page),
    () => Promise.resolve(list.entries.length),
  );
}

function pageInfoOf<T>({ nodes, cursorAt, hasNextPage, hasPreviousPage }: Page<T>): PageInfoRecord {
  const isEmpty = nodes.length === 0;
  return {
    hasNextPage,
    hasPreviousPage,
    startCursor: isEmpty ? null : cursorAt(0),
    endCursor: isEmpty ? null : cursorAt(nodes.length - 1),
  };
}
