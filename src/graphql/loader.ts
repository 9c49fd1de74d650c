import DataLoader from 'dataloader';
import type { NestedList, PageArguments } from '../catalog/read/index.ts';
import { connectionOf, type ConnectionOf } from './connection.ts';

export type Loader<K, V> = Pick<DataLoader<K, V | null, unknown>, 'load'>;

/** What each key has; null where it has nothing. `keyOf` is for keys that are not text or numbers. */
export function batchOne<K, V, I = K>(
  read: (keys: readonly K[]) => Promise<ReadonlyMap<I, V>>,
  keyOf: (key: K) => I = (key) => key as unknown as I,
): Loader<K, V> {
  return new DataLoader<K, V | null, I>(
    async (keys) => {
      const found = await read(keys);
      return keys.map((key) => found.get(keyOf(key)) ?? null);
    },
    { cacheKeyFn: keyOf },
  );
}

/** The list that each key has; empty where it has none. */
export function batchMany<K, V>(
  read: (keys: readonly K[]) => Promise<ReadonlyMap<K, readonly V[]>>,
): DataLoader<K, readonly V[]> {
  return new DataLoader<K, readonly V[]>(async (keys) => {
    const found = await read(keys);
    return keys.map((key) => found.get(key) ?? []);
  });
}

/** The page of a list that each parent has. */
export interface PageLoader<A, T> {
  /** Throws what is wrong with the arguments. */
  connection(parent: number, args: A & PageArguments): ConnectionOf<T>;
}

/** Parents that are asked for the same page share a statement; a field under two aliases has one for each. */
export function batchPages<A, T>(list: NestedList<A, T>): PageLoader<A, T> {
  const pages = loadersBy((args: A & PageArguments) => {
    list.check(args);
    return (keys: readonly number[]) => list.pages(keys, args);
  });
  const counts = loadersBy((args: A) => (keys: readonly number[]) => list.counts(keys, args));
  return {
    connection(parent, args) {
      const page = pages(args, args);
      return connectionOf(
        () => existing(page.load(parent)),
        () => {
          const whole = { ...args, first: null, after: null, last: null, before: null };
          return existing(counts(args, whole).load(parent));
        },
      );
    },
  };
}

/** What the answer of a list has for every parent that it was asked for. */
async function existing<V>(loading: Promise<V | null>): Promise<V> {
  const found = await loading;
  if (found === null) throw new Error('a list was read without one of its parents');
  return found;
}

/** A list of bounded length that each parent has; shared as pages are. */
export interface ListLoader<A, V> {
  list(parent: number, args: A): Promise<readonly V[]>;
}

export function batchLists<A extends object, V>(
  read: (keys: readonly number[], args: A) => Promise<ReadonlyMap<number, readonly V[]>>,
): ListLoader<A, V> {
  const lists = loadersBy((args: A) => (keys: readonly number[]) => read(keys, args));
  return { list: async (parent, args) => (await lists(args, args).load(parent)) ?? [] };
}

/** A loader for each set of arguments; `key` holds those that tell the sets apart. */
function loadersBy<A, V>(
  read: (args: A) => (keys: readonly number[]) => Promise<ReadonlyMap<number, V>>,
): (args: A, key: object) => Loader<number, V> {
  const loaders = new Map<string, Loader<number, V>>();
  return (args, key) => {
    const text = JSON.stringify(key);
    let loader = loaders.get(text);
    if (loader === undefined) loaders.set(text, (loader = batchOne(read(args))));
    return loader;
  };
}
