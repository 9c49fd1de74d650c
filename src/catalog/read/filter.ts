import sql, { join, raw, type Sql } from 'sql-template-tag';
import { CatalogError, messageOf } from '../../domain/errors.ts';
import { isWildcard, likePattern, parsePattern } from '../../domain/pattern.ts';
import { DOCKER_HUB, parseRegistryHost, type RegistryHost } from '../../domain/reference.ts';
import { parseVersionRange } from '../../domain/version-range.ts';

export interface KeyValueFilter {
  readonly name: string;
  readonly value?: string | null;
}

/** Where something is. */
export interface PlaceFilter {
  readonly registry?: string | null;
  readonly repository?: string | null;
}

/** Half open. */
export interface InstantRange {
  readonly from?: Date | null;
  readonly to?: Date | null;
}

/** Both ends belong to it. */
export interface NumberRange {
  readonly min?: number | null;
  readonly max?: number | null;
}

/** A filter that is made of others of its kind. */
export interface Composable<F> {
  readonly and?: readonly F[] | null;
  readonly or?: readonly F[] | null;
  readonly not?: F | null;
}

/** Where in a filter we are; errors name the place. */
export interface Nesting {
  readonly place: string;
  readonly depth: number;
  /** Shared by the whole filter, so that no request grows a statement without bound. */
  readonly budget: { left: number };
}

/**
 * A filter as one condition. `conditionsOf` turns its own members into conditions, and calls `within` for filters of
 * another kind in it. Throws INVALID_ARGUMENT for a filter that nests too deep or is too large.
 */
export function conditionOf<F extends Composable<F>>(
  filter: F | null | undefined,
  conditionsOf: (filter: F, nesting: Nesting) => Sql[],
  nesting: Nesting = { place: 'filter', depth: 1, budget: { left: MAX_FILTERS } },
): Sql {
  if (filter == null) return TRUE;
  checkNesting(nesting);
  const conditions = conditionsOf(filter, nesting);
  const inner = (each: F, name: string) => conditionOf(each, conditionsOf, within(nesting, name));
  if (filter.and != null) conditions.push(allOf(filter.and.map((each, at) => inner(each, `and[${at}]`))));
  if (filter.or != null) conditions.push(anyOf(filter.or.map((each, at) => inner(each, `or[${at}]`))));
  // Not `not (...)`: a comparison with null does not hold, and so its opposite does.
  if (filter.not != null) conditions.push(sql`(${inner(filter.not, 'not')}) is not true`);
  return allOf(conditions);
}

/** A part of a filter that costs as much as so many filters. Throws INVALID_ARGUMENT where there is nothing left. */
export function spend({ place, budget }: Pick<Nesting, 'place' | 'budget'>, filters: number): void {
  budget.left -= filters;
  if (budget.left >= 0) return;
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `${place} is one too many: a filter is made of ${MAX_FILTERS} filters at most, of which a package counts ten.`,
  );
}

export function within(nesting: Nesting, name: string): Nesting {
  return { ...nesting, place: `${nesting.place}.${name}`, depth: nesting.depth + 1 };
}

export const TRUE = raw('true');

export function allOf(conditions: readonly Sql[]): Sql {
  return conditions.length === 0 ? TRUE : join(conditions, ' and ');
}

export function anyOf(conditions: readonly Sql[]): Sql {
  if (conditions.length === 0) return raw('false');
  const each = conditions.map((condition) => sql`(${condition})`);
  return sql`(${join(each, ' or ')})`;
}

export function instantIn(column: Sql, { from, to }: InstantRange): Sql {
  return allOf([
    ...(from == null ? [] : [sql`${column} >= ${from}::timestamptz`]),
    ...(to == null ? [] : [sql`${column} < ${to}::timestamptz`]),
  ]);
}

export function numberIn(column: Sql, { min, max }: NumberRange): Sql {
  return allOf([
    ...(min == null ? [] : [sql`${column} >= ${min}::int8`]),
    ...(max == null ? [] : [sql`${column} <= ${max}::int8`]),
  ]);
}

/** A name, exact or with wildcards. */
export function nameIs(column: Sql, text: string, place: string): Sql {
  parsePattern(text, place);
  return isWildcard(text) ? sql`${column} like ${likePattern(text)}` : sql`${column} = ${text}`;
}

/** A text of any characters, exact or with wildcards. */
export function valueIs(column: Sql, text: string): Sql {
  const value = storable(text);
  return isWildcard(value) ? sql`${column} like ${likePattern(value)}` : sql`${column} = ${value}`;
}

/** `document` is a column of text by name. */
export function entryIs(document: Sql, { name, value }: KeyValueFilter): Sql {
  const key = storable(name);
  if (value == null) return sql`${document} ? ${key}`;
  // The one form that the indexes on labels and annotations answer.
  if (!isWildcard(value)) return sql`${document} @> ${JSON.stringify({ [key]: storable(value) })}::jsonb`;
  return valueIs(sql`${document} ->> ${key}::text`, value);
}

/** `key` is a column of version keys: one of them is in the range. A prerelease has a dash in its key. */
export function versionIn(key: Sql, range: string, place: string): Sql {
  const intervals = parseVersionRange(range, place).map(({ from, to, hasPrereleases }) => {
    const within = sql`${key} >= ${from} and ${key} < ${to}`;
    return hasPrereleases ? within : sql`${within} and ${key} not like '%-%'`;
  });
  return anyOf(intervals);
}

/** What PostgreSQL can't hold, and so has nowhere, becomes U+FFFD, as it does when it is stored. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD');
}

/** Over registry g. Hosts have no case: they are kept in lower case. */
export function hostIs(text: string, place: string): Sql {
  return nameIs(sql`g.host`, hostPattern(text, place), place);
}

export function hostPattern(text: string, place: string): string {
  return isWildcard(text) ? text.toLowerCase() : hostAt(place, text);
}

/**
 * Over repository r and registry g: a path (library/alpine, team-a/*), a path with its host (ghcr.io/org/*), or what a
 * person would type (alpine).
 */
export function repositoryIs(text: string, place: string): Sql {
  const ways = readingsOf(text).map(({ hosts, path }) =>
    allOf([...hosts.map((host) => hostIs(host, place)), nameIs(sql`r.name`, path, place)]),
  );
  return ways.length === 1 ? (ways[0] as Sql) : anyOf(ways);
}

/** `column` has the id of a repository that fits both, as `filter` names them; null where neither is asked for. */
export function repositoriesIn(column: Sql, { registry, repository }: PlaceFilter, place: string): Sql | null {
  if (registry == null && repository == null) return null;
  const repositories = allOf([
    ...(registry == null ? [] : [hostIs(registry, `${place}.registry`)]),
    ...(repository == null ? [] : [repositoryIs(repository, `${place}.repository`)]),
  ]);
  return sql`${column} = any(array(select r.id from repository r join registry g on g.id = r.registry_id where ${repositories}))`;
}

/** How a text can name a repository: all of the hosts must fit, and the path. */
export function readingsOf(text: string): { readonly hosts: readonly string[]; readonly path: string }[] {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isHost = first === 'localhost' || /[.:]/.test(first);
  const path = isHost ? text.slice(slash + 1) : text;
  const hosts = isHost ? [first] : [];
  if (path.includes('/')) return [{ hosts, path }];
  return [
    { hosts, path },
    { hosts: [...hosts, DOCKER_HUB], path: `library/${path}` },
  ];
}

const MAX_DEPTH = 5;
const MAX_FILTERS = 100;

function hostAt(place: string, text: string): RegistryHost {
  try {
    return parseRegistryHost(text);
  } catch (error) {
    throw new CatalogError('INVALID_REFERENCE', `${place} ${messageOf(error)}`, { cause: error });
  }
}

function checkNesting({ place, depth, budget }: Nesting): void {
  if (depth > MAX_DEPTH) {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `${place} is nested ${depth} deep: filters nest ${MAX_DEPTH} deep at most.`,
    );
  }
  spend({ place, budget }, 1);
}
