import { extentOf, invalidCursor, readCursor, type Page, type PageArguments } from './page.ts';

/** A list whose entries are all at hand. */
export interface KnownList<T> {
  /** As cursors name it. */
  readonly name: string;
  /** The arguments that it has to be asked for with again where a cursor of it is given. */
  readonly givenBy: string;
  /** In the order of their keys, of which no two are equal. */
  readonly entries: readonly T[];
  readonly keyOf: (entry: T) => string;
}

/** As lists that are read page by page. Throws INVALID_ARGUMENT and INVALID_CURSOR. */
export function pageOfKnown<T>(list: KnownList<T>, args: PageArguments): Page<T> {
  const { size, isBackward } = extentOf(args);
  const { entries, keyOf, name } = list;
  const from = args.after == null ? 0 : firstFrom(list, keyIn(list, 'after', args.after), true);
  const to = args.before == null ? entries.length : firstFrom(list, keyIn(list, 'before', args.before), false);
  const start = isBackward ? Math.max(to - size, from) : from;
  const nodes = entries.slice(start, isBackward ? to : Math.min(from + size, to));
  return {
    nodes,
    cursorAt: (place) => Buffer.from(JSON.stringify([name, keyOf(nodes[place] as T)])).toString('base64url'),
    hasNextPage: isBackward ? args.before != null : start + nodes.length < to,
    hasPreviousPage: isBackward ? start > from : args.after != null,
  };
}

/** The place of the first entry whose key is not below this one, or, behind it, above. */
function firstFrom<T>({ entries, keyOf }: KnownList<T>, key: string, isBehind: boolean): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = keyOf(entries[middle] as T);
    if (found < key || (isBehind && found === key)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function keyIn<T>({ name, givenBy }: KnownList<T>, argument: string, cursor: string): string {
  const [list, key, ...rest] = readCursor(cursor);
  if (list === name && typeof key === 'string' && rest.length === 0) return key;
  throw invalidCursor(argument, cursor, givenBy);
}
