import sql, { empty, join, raw, type Sql } from 'sql-template-tag';
import { CatalogError } from '../../domain/errors.ts';
import type { Connection, Row } from '../database.ts';

/** Entries of a page at most, and where nothing is said. */
export const MAX_PAGE = 100;
export const DEFAULT_PAGE = 20;

/** Which part of a list is asked for. 20 entries from the front where nothing is said. */
export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
}

export interface Page<T> {
  readonly nodes: readonly T[];
  /** Where the entry at this place of the page stands in the list. */
  readonly cursorAt: (place: number) => string;
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/**
 * An order that an index has. The id makes it total, and continues it: pages are compared as a row, (key, id), which
 * an index answers as fast on page 500 as on page 1.
 */
export interface Order {
  /** List and field, as cursors name them. */
  readonly name: string;
  /** The arguments that a list has to be asked for with again where a cursor of it is given: orderBy where not said. */
  readonly givenBy?: string;
  readonly direction: 'ASC' | 'DESC';
  /** Never null in SQL, and written as the index has it. Null where the id alone is the order. */
  readonly key: { readonly expression: Sql; readonly type: KeyType } | null;
  readonly id: Sql;
}

/** An order by ids alone. */
export interface IdOrder extends Order {
  readonly key: null;
}

export type KeyType = 'number' | 'text' | 'instant';

/** A list: what stands after `from` and `where`. In a nested list they may name `parent.id`. */
interface AnyListQuery {
  /** For the comment that opens the statement. */
  readonly name: string;
  readonly from: Sql;
  readonly where: Sql;
  /** In a nested list, the column that is its parent's id, where an index has it before the order. */
  readonly within?: Sql;
  readonly order: Order;
}

/** A list whose entries are made of columns. */
export interface ListQuery<R extends Row, T> extends AnyListQuery {
  readonly columns: Sql;
  readonly toRecord: (row: R) => T;
  readonly together?: Together;
}

/**
 * Another way to a nested list: the rows of all parents at once, unordered, each with its `parent_id`. It is taken for
 * the first pages of lists that are nearly always shorter than a page, where to begin anew for every parent would be most
 * of the work. No more rows are read than the pages have room for; where that is not all, each parent is read by itself.
 */
export interface Together {
  readonly select: (parents: readonly number[]) => Sql;
  /** The name that columns and order know the rows by. */
  readonly as: string;
}

/** A list of which only the ids are read: the records behind them are known, or read beside it by whoever keeps them. */
export interface KeptListQuery<T> extends AnyListQuery {
  /** True where `from` has an entry several times, which then counts once. */
  readonly repeats?: boolean;
  /** Lacks what is not there any more. */
  readonly recordsById: (ids: readonly number[]) => Promise<ReadonlyMap<number, T>>;
}

/** Throws INVALID_ARGUMENT and INVALID_CURSOR, as do the other reads here. */
export interface RootList<A, T> {
  /** Throws what `page` would for these arguments, and reads nothing. */
  check(args: A & PageArguments): void;
  page(args: A & PageArguments): Promise<Page<T>>;
  count(args: A): Promise<number>;
}

/** One list for each parent, all of them in one statement. Every parent asked for is in the answer. */
export interface NestedList<A, T> {
  /** Throws what `pages` would for these arguments, and reads nothing. */
  check(args: A & PageArguments): void;
  pages(parents: readonly number[], args: A & PageArguments): Promise<Map<number, Page<T>>>;
  counts(parents: readonly number[], args: A): Promise<Map<number, number>>;
}

export function rootList<A, R extends Row, T>(
  connection: Connection,
  define: (args: A) => ListQuery<R, T> | KeptListQuery<T>,
): RootList<A, T> {
  return {
    check: (args) => void windowOf(args, define(args).order),
    async page(args) {
      const query = define(args);
      const window = windowOf(args, query.order);
      const rows = await connection.query<R & PageRow>(sql`${title(query)}${select(query, window)}`);
      const cut = cutOf(rows, window);
      return pageOf(cut, query.order, await recordReader(cut.rows, query));
    },
    async count(args) {
      const query = define(args);
      const rows = await connection.query<{ count: number }>(
        sql`${title(query, 'count ')}select ${countOf(query)} from ${query.from} where ${query.where}`,
      );
      return rows[0]?.count ?? 0;
    },
  };
}

export function nestedList<A, R extends Row, T>(
  connection: Connection,
  define: (args: A) => ListQuery<R, T> | KeptListQuery<T>,
): NestedList<A, T> {
  return {
    check: (args) => void windowOf(args, define(args).order),
    async pages(parents, args) {
      const query = define(args);
      const window = windowOf(args, query.order);
      const rows =
        (await allTogether<R>(connection, query, parents, window)) ??
        (await connection.query<R & ChildRow>(
          sql`${title(query)}select parent.id as parent_id, entry.* from unnest((select ${parents}::int8[])::int8[]) as parent(id) cross join lateral (${select(query, window)}) entry`,
        ));
      const byParent = Map.groupBy(rows, (row) => row.parent_id);
      const cuts = parents.map((parent) => cutOf(byParent.get(parent) ?? [], window));
      const recordOf = await recordReader(
        cuts.flatMap((cut) => cut.rows),
        query,
      );
      return new Map(cuts.map((cut, at) => [parents[at] as number, pageOf(cut, query.order, recordOf)]));
    },
    async counts(parents, args) {
      const query = define(args);
      const rows = await connection.query<{ parent_id: number; count: number }>(
        sql`${title(query, 'count ')}select parent.id as parent_id, entry.count from unnest((select ${parents}::int8[])::int8[]) as parent(id) cross join lateral (select ${countOf(query)} as count from ${query.from} where ${query.where}${query.within === undefined ? empty : sql` and ${query.within} = parent.id`}) entry`,
      );
      return new Map(rows.map((row) => [row.parent_id, row.count]));
    },
  };
}

/** The length of a list that has no pages. Throws INVALID_ARGUMENT. */
export function lengthOf(first: number | null | undefined, usual: number): number {
  checkSize('first', first);
  return first ?? usual;
}

/** Where the entry with this id stands. */
export function cursorOf(order: IdOrder, id: number): string {
  return formatCursor(order, { page_id: id });
}

/** The id that a cursor stands at. Throws INVALID_CURSOR, which names the argument. */
export function idOfCursor(order: IdOrder, cursor: string, argument: string): number {
  return parseCursor(order, cursor, argument).id;
}

/** How long a page is, and from which end of the list. Throws INVALID_ARGUMENT. */
export function extentOf({ first, last }: PageArguments): { readonly size: number; readonly isBackward: boolean } {
  if (first != null && last != null) {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `first is ${first} and last is ${last}: give first for the front of the list or last for its end, not both.`,
    );
  }
  checkSize('first', first);
  checkSize('last', last);
  return { size: first ?? last ?? DEFAULT_PAGE, isBackward: last != null };
}

/** The parts of a cursor; none where the text can't be one of ours. */
export function readCursor(text: string): unknown[] {
  try {
    const content: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(content) ? content : [];
  } catch {
    return [];
  }
}

/** For a cursor that is not of the list that it is given to; `givenBy` as an order has it. */
export function invalidCursor(argument: string, text: string, givenBy: string): CatalogError {
  return new CatalogError(
    'INVALID_CURSOR',
    `${argument} "${text.slice(0, 200)}" is not a cursor of this list in this order: use startCursor or endCursor of one of its pages, with the same ${givenBy}.`,
  );
}

interface PageRow {
  page_id: number;
  page_key?: string;
}

/** A row of a nested list. */
interface ChildRow extends PageRow {
  parent_id: number;
}

interface Position {
  readonly id: number;
  readonly key: string | null;
}

interface Window {
  readonly size: number;
  readonly isBackward: boolean;
  readonly after: Position | null;
  readonly before: Position | null;
}

function title(query: { readonly name: string }, prefix = ''): Sql {
  return raw(`/* ${prefix}${query.name} */\n`);
}

/**
 * One row more than the page has says whether the list goes on. A parent is found by two comparisons, not by `=`: of
 * that PostgreSQL expects as few rows as parents have on average, and would read and sort all of those that a large one
 * has, rather than begin where the index does. The length of the page is written out, since a plan that knows it is one
 * that PostgreSQL keeps.
 */
function select<R extends Row, T>(query: ListQuery<R, T> | KeptListQuery<T>, window: Window): Sql {
  const { from, where, within, order } = query;
  const way = raw((order.direction === 'ASC') === window.isBackward ? 'desc' : 'asc');
  const sorted = columnsOf(order, within).map((column) => sql`${column} ${way}`);
  const scope = within === undefined ? empty : sql`${within} >= parent.id and ${within} <= parent.id and `;
  const columns = 'columns' in query ? sql`, ${query.columns}` : empty;
  const once = isRepeating(query) ? sql` group by ${join(columnsOf(order, within))}` : empty;
  return sql`select ${placeIn(order)}${columns} from ${from} where ${scope}${where}${beyond(order, within, window.after, 'ASC')}${beyond(order, within, window.before, 'DESC')}${once} order by ${join(sorted)} limit ${raw(String(window.size + 1))}`;
}

/** The rows of the first pages, in order, read together; null where they can't be, or are more than the pages hold. */
async function allTogether<R extends Row>(
  connection: Connection,
  query: ListQuery<R, unknown> | KeptListQuery<unknown>,
  parents: readonly number[],
  { size, isBackward, after, before }: Window,
): Promise<(R & ChildRow)[] | null> {
  if (!('columns' in query) || query.together === undefined) return null;
  if (isBackward || after !== null || before !== null) return null;
  const { order, columns, together } = query;
  const room = parents.length * (size + 1);
  const rows = await connection.query<R & ChildRow>(
    sql`${title(query)}select parent_id, ${placeIn(order)}, ${columns} from (${together.select(parents)} limit ${room}) ${raw(together.as)} order by ${join(columnsOf(order, undefined).map((column) => sql`${column} ${raw(order.direction)}`))}`,
  );
  return rows.length < room ? rows : null;
}

/** Where a row stands in its list. */
function placeIn({ key, id }: Order): Sql {
  return key === null ? sql`${id} as page_id` : sql`${keyText(key)} as page_key, ${id} as page_id`;
}

function countOf<R extends Row, T>(query: ListQuery<R, T> | KeptListQuery<T>): Sql {
  return isRepeating(query) ? sql`count(distinct ${query.order.id})` : raw('count(*)');
}

function isRepeating<R extends Row, T>(query: ListQuery<R, T> | KeptListQuery<T>): boolean {
  return 'recordsById' in query && query.repeats === true;
}

/** As the index has them. */
function columnsOf({ key, id }: Order, within: Sql | undefined): Sql[] {
  return [...(within === undefined ? [] : [within]), ...(key === null ? [] : [key.expression]), id];
}

function beyond(order: Order, within: Sql | undefined, position: Position | null, side: 'ASC' | 'DESC'): Sql {
  if (position === null) return empty;
  const operator = raw(order.direction === side ? '>' : '<');
  const values = [
    ...(within === undefined ? [] : [raw('parent.id')]),
    ...(order.key === null ? [] : [sql`${position.key}::${raw(SQL_TYPES[order.key.type])}`]),
    sql`${position.id}::int8`,
  ];
  return sql` and (${join(columnsOf(order, within))}) ${operator} (${join(values)})`;
}

const SQL_TYPES: Record<KeyType, string> = { number: 'int8', text: 'text', instant: 'timestamptz' };

/** Keys travel as text: no instant is lost in a Date, year 1 included. */
function keyText({ expression, type }: { readonly expression: Sql; readonly type: KeyType }): Sql {
  if (type !== 'instant') return sql`(${expression})::text`;
  return sql`to_char((${expression}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** The rows of a page, and what the window says of those before and behind. */
interface Cut<R> {
  readonly rows: readonly R[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

function cutOf<R>(rows: readonly R[], { size, isBackward, before, after }: Window): Cut<R> {
  const hasMore = rows.length > size;
  const page = rows.slice(0, size);
  return {
    rows: isBackward ? page.reverse() : page,
    hasNextPage: isBackward ? before !== null : hasMore,
    hasPreviousPage: isBackward ? hasMore : after !== null,
  };
}

/** How a row becomes its record; undefined for one that was removed while the list was read. */
async function recordReader<R extends Row, T>(
  rows: readonly (R & PageRow)[],
  query: ListQuery<R, T> | KeptListQuery<T>,
): Promise<(row: R & PageRow) => T | undefined> {
  if ('columns' in query) return query.toRecord;
  const records = await query.recordsById([...new Set(rows.map((row) => row.page_id))]);
  return (row) => records.get(row.page_id);
}

function pageOf<R extends PageRow, T>(
  { rows, hasNextPage, hasPreviousPage }: Cut<R>,
  order: Order,
  recordOf: (row: R) => T | undefined,
): Page<T> {
  const nodes: T[] = [];
  const places: R[] = [];
  for (const row of rows) {
    const record = recordOf(row);
    if (record === undefined) continue;
    nodes.push(record);
    places.push(row);
  }
  return { nodes, cursorAt: (place) => formatCursor(order, places[place] as R), hasNextPage, hasPreviousPage };
}

function windowOf(args: PageArguments, order: Order): Window {
  const { after, before } = args;
  return {
    ...extentOf(args),
    after: after == null ? null : parseCursor(order, after, 'after'),
    before: before == null ? null : parseCursor(order, before, 'before'),
  };
}

function checkSize(name: string, size: number | null | undefined): void {
  if (size == null || (size >= 0 && size <= MAX_PAGE)) return;
  throw new CatalogError('INVALID_ARGUMENT', `${name} is ${size}: a page has 0 to ${MAX_PAGE} entries.`);
}

function formatCursor(order: Order, row: PageRow): string {
  const content = [`${order.name} ${order.direction}`, row.page_id, ...(order.key === null ? [] : [row.page_key])];
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

function parseCursor(order: Order, text: string, argument: string): Position {
  const [list, id, key, ...rest] = readCursor(text);
  const isOurs =
    rest.length === 0 &&
    list === `${order.name} ${order.direction}` &&
    typeof id === 'number' &&
    Number.isSafeInteger(id) &&
    (order.key === null ? key === undefined : isKey(order.key.type, key));
  if (isOurs) return { id, key: typeof key === 'string' ? key : null };
  throw invalidCursor(argument, text, order.givenBy ?? 'orderBy');
}

/** What PostgreSQL would refuse is no key of ours. */
function isKey(type: KeyType, key: unknown): boolean {
  if (typeof key !== 'string' || key.length > 1000) return false;
  if (type === 'text') return key.isWellFormed() && !key.includes('\u0000');
  if (type === 'number') return Number.isSafeInteger(Number(key)) && /^-?\d+$/.test(key);
  const time = new Date(key);
  return !Number.isNaN(time.getTime()) && time.toISOString() === key;
}
