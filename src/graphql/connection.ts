import type { Page, PageArguments, RootList } from '../catalog/read/index.ts';

/** A connection of the schema. What is a function here is worked out only when a client asks for it. */
export interface ConnectionOf<T> {
  readonly nodes: readonly T[];
  edges(): { readonly cursor: string; readonly node: T }[];
  pageInfo(): PageInfoRecord;
  totalCount(): Promise<number>;
}

export interface PageInfoRecord {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

export function connectionOf<T>(page: Page<T>, totalCount: () => Promise<number>): ConnectionOf<T> {
  const { nodes, hasNextPage, hasPreviousPage } = page;
  const cursorAt = (place: number) => (nodes.length === 0 ? null : page.cursorAt(place));
  return {
    nodes,
    edges: () => nodes.map((node, place) => ({ cursor: page.cursorAt(place), node })),
    pageInfo: () => ({
      hasNextPage,
      hasPreviousPage,
      startCursor: cursorAt(0),
      endCursor: cursorAt(nodes.length - 1),
    }),
    totalCount,
  };
}

/** A list that belongs to no parent. */
export async function rootConnection<A, T>(list: RootList<A, T>, args: A & PageArguments): Promise<ConnectionOf<T>> {
  return connectionOf(await list.page(args), () => list.count(args));
}
