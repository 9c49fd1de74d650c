import sql, { raw, type Sql } from 'sql-template-tag';
import { CatalogError } from '../../domain/errors.ts';
import type { ComparablePackage } from '../../domain/package-diff.ts';
import { parsePackageVersionRange } from '../../domain/package-version-range.ts';
import type { PackageType } from '../../domain/package.ts';
import { isWildcard, matchesWildcards } from '../../domain/pattern.ts';
import { allOf, storable, valueIs } from './filter.ts';
import { Question } from './question.ts';

export interface PackageFilter {
  readonly name?: string | null;
  /** As `parsePackageVersionRange` reads it. */
  readonly version?: string | null;
  readonly type?: PackageType | null;
  readonly license?: string | null;
}

/** Over package p. Throws INVALID_ARGUMENT for a version that is no range, and when asked, for one of too many packages. */
export function packageIs(filter: PackageFilter | null | undefined, place = 'filter'): Sql {
  if (filter?.version == null) return allOf(conditionsOf(filter ?? {}));
  const meant = packagesMeant(filter, place);
  return sql`${new Question(async (connection) => {
    const packages = await meant(connection);
    if (packages === null) throw tooMany(place);
    return sql`p.id = any(${idsOf(packages)})`;
  })}`;
}

/** Over image i: it has such a package. Throws as `packageIs` does. */
export function hasPackage(filter: PackageFilter, place: string): Sql {
  const { name, version, type, license } = filter;
  if (type != null && name == null && version == null && license == null) return hasType(type);
  const meant = packagesMeant(filter, place);
  return sql`${new Question(async (connection) => {
    const packages = await meant(connection);
    if (packages !== null) return hasOneOf(packages);
    if (version != null) throw tooMany(place);
    return sql`exists (select from image_contents x join package_set_entry e on e.set_id = x.package_set_id join package p on p.id = e.package_id where x.image_id = i.manifest_id and ${allOf(conditionsOf(filter))} offset 0)`;
  })}`;
}

/** What `packageIs` says, of packages that are known. */
export function packageTest<P extends ComparablePackage & { readonly licenses: readonly string[] }>(
  { name, version, type, license }: PackageFilter,
  place = 'filter',
): (candidate: P) => boolean {
  const range = version == null ? null : parsePackageVersionRange(version, `${place}.version`);
  return (candidate) =>
    (type == null || candidate.type === type) &&
    (name == null || isLike(name, candidate.name)) &&
    (license == null || candidate.licenses.some((each) => isLike(license, each))) &&
    (range === null || range.matches(candidate.type, candidate.version));
}

interface Candidate {
  id: number;
  type: PackageType;
  version: string;
  image_count: number;
}

/** Of so many packages at most versions are compared. */
const MAX_COMPARED = 5_000;

/** Images that are few enough to be looked up one by one; of more, the order of the list soon comes to a page of them. */
const FEW_IMAGES = 2_000;

/** The range is read at once; which packages there are, when asked: null for too many. */
function packagesMeant(
  filter: PackageFilter,
  place: string,
): (connection: Parameters<Question['answer']>[0]) => Promise<Candidate[] | null> {
  const range = filter.version == null ? null : parsePackageVersionRange(filter.version, `${place}.version`);
  const conditions = allOf(conditionsOf(filter));
  return async (connection) => {
    const found = await connection.query<Candidate>(sql`/* catalog.packagesMeant */
select p.id, p.type, p.version, p.image_count from package p where ${conditions} limit ${raw(String(MAX_COMPARED + 1))}`);
    if (found.length > MAX_COMPARED) return null;
    return range === null ? found : found.filter(({ type, version }) => range.matches(type, version));
  };
}

/** Over package p: all but the version. */
function conditionsOf({ name, type, license }: PackageFilter): Sql[] {
  return [
    ...(name == null ? [] : [valueIs(raw('p.name'), name)]),
    ...(type == null ? [] : [sql`p.type = ${type}`]),
    ...(license == null
      ? []
      : [sql`exists (select from unnest(p.licenses) license where ${valueIs(raw('license'), license)})`]),
  ];
}

/** Over image i: sets know the types of their packages. */
function hasType(type: PackageType): Sql {
  return sql`exists (select from image_contents x join package_set z on z.id = x.package_set_id where x.image_id = i.manifest_id and ${type} = any(z.types))`;
}

/** Over image i. */
function hasOneOf(packages: readonly Candidate[]): Sql {
  if (packages.length === 0) return raw('false');
  const ids = idsOf(packages);
  const images = packages.reduce((sum, { image_count }) => sum + image_count, 0);
  if (images <= FEW_IMAGES) {
    return sql`i.manifest_id = any(array(select x.image_id from image_contents x where x.package_set_id = any(array(select e.set_id from package_set_entry e where e.package_id = any(${ids})))))`;
  }
  // A hash of all sets with one of them. `is true` keeps PostgreSQL from making a join of it, and asking set by set.
  return sql`((select x.package_set_id from image_contents x where x.image_id = i.manifest_id) in (select e.set_id from package_set_entry e where e.package_id = any(${ids}))) is true`;
}

/** Hidden from the planner, which so plans once. */
function idsOf(packages: readonly Candidate[]): Sql {
  return sql`(select ${packages.map(({ id }) => id)}::int[])::int[]`;
}

function isLike(pattern: string, text: string): boolean {
  const wanted = storable(pattern);
  return isWildcard(wanted) ? matchesWildcards(wanted, text) : wanted === text;
}

function tooMany(place: string): CatalogError {
  return new CatalogError(
    'INVALID_ARGUMENT',
    `${place}.version is asked of more than ${MAX_COMPARED.toLocaleString('en')} packages: give the name of one beside it, such as { name: "openssl", version: "<3.0.14" }.`,
  );
}
