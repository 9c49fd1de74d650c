import { CatalogError } from './errors.ts';
import { PACKAGE_TYPES, type PackageType } from './package.ts';
import { packageVersionTest, type Operator } from './package-version.ts';
import { isWildcard, matchesWildcards } from './pattern.ts';

/** Versions of packages, in the order that the ecosystem of each has. */
export interface PackageVersionRange {
  matches(type: PackageType, version: string): boolean;
}

/**
 * Reads `<3.0.14`, `>=1.2 <2 || 3.0.*`: alternatives of conditions that all have to hold. A version alone is that
 * version, with * or ? a pattern of its text. Throws INVALID_ARGUMENT; `place` says what was read, such as
 * "filter.package.version".
 */
export function parsePackageVersionRange(text: string, place: string): PackageVersionRange {
  if (text.length > MAX_LENGTH) {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `${place} has ${text.length} characters: a range of package versions has ${MAX_LENGTH} at most.`,
    );
  }
  const refuse = (at: number, what: string): never => {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `${place} "${text}" is not a range of package versions: ${what} at character ${at + 1}. Write conditions such as <3.0.14, >=1.2 <2, 1:2.3-4 or 3.0.*, and || between alternatives.`,
    );
  };
  const alternatives: Condition[][] = [];
  let start = 0;
  for (const alternative of text.split('||')) {
    alternatives.push(parseAlternative(alternative, (at, what) => refuse(start + at, what)));
    start += alternative.length + 2;
  }
  return { matches: (type, version) => alternatives.some((all) => all.every((holds) => holds(type, version))) };
}

const MAX_LENGTH = 200;

type Refuse = (at: number, what: string) => never;
type Condition = (type: PackageType, version: string) => boolean;

const CONDITION = /(?:(>=|<=|>|<|=)\s*)?([A-Za-z0-9*?][^\s,<>=|]*)(?=[\s,<>=]|$)[\s,]*/y;

function parseAlternative(text: string, refuse: Refuse): Condition[] {
  const conditions: Condition[] = [];
  const whole = text.trimEnd();
  CONDITION.lastIndex = whole.search(/\S|$/);
  do {
    const at = CONDITION.lastIndex;
    const match = CONDITION.exec(whole);
    if (match === null) return refuse(at, 'there is no condition');
    const [, operator, version = ''] = match;
    if (operator !== undefined && isWildcard(version)) return refuse(at, 'there is a pattern after an operator');
    conditions.push(isWildcard(version) ? isLike(version) : compares((operator ?? '=') as Operator, version));
  } while (CONDITION.lastIndex < whole.length);
  return conditions;
}

function isLike(pattern: string): Condition {
  return (_type, version) => matchesWildcards(pattern, version);
}

function compares(operator: Operator, limit: string): Condition {
  const tests = new Map(PACKAGE_TYPES.map((type) => [type, packageVersionTest(type, operator, limit)]));
  return (type, version) => tests.get(type)?.(version) ?? false;
}
