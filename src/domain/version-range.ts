import { CatalogError } from './errors.ts';
import {
  END_OF_KEYS,
  FIRST_VERSION_KEY,
  keyOfNumbers,
  keyOfStage,
  parseTagVersion,
  withoutZeros,
  type Prerelease,
} from './version.ts';

/** Keys of versions (see versionKey), from the first on and before the second; none where they cross. */
export interface VersionInterval {
  readonly from: string;
  readonly to: string;
  /** Whether prereleases within it belong to it. */
  readonly hasPrereleases: boolean;
}

/**
 * Reads `>=1.24 <2`, `^1.2 || ~2.1`, `1.24.*`: alternatives of conditions that all have to hold. A version that is not
 * written to the end stands for all that begin with it, and `<2` leaves out the prereleases of 2 as well. Throws
 * INVALID_ARGUMENT; `place` says what was read, such as "filter.version".
 */
export function parseVersionRange(text: string, place: string): VersionInterval[] {
  if (text.length > MAX_LENGTH) {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `${place} has ${text.length} characters: a version range has ${MAX_LENGTH} at most.`,
    );
  }
  const refuse = (at: number, what: string): never => {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `${place} "${text}" is not a version range: ${what} at character ${at + 1}. Write conditions such as >=1.24 <2, ^1.2, ~1.2, 1.24 or 1.24.*, and || between alternatives.`,
    );
  };
  const intervals: VersionInterval[] = [];
  let start = 0;
  for (const alternative of text.split('||')) {
    intervals.push(parseAlternative(alternative, (at, what) => refuse(start + at, what)));
    start += alternative.length + 2;
  }
  return intervals;
}

const MAX_LENGTH = 200;

type Refuse = (at: number, what: string) => never;

const CONDITION =
  /\s*(>=|<=|>|<|=|\^|~)?\s*[vV]?(\*|\d+(?:\.\d+)*(?:\.[*xX])*)((?:[-_.]?[A-Za-z][\w.-]*|-[\w.-]+)?)(?=[\s,]|$)[\s,]*/y;

function parseAlternative(text: string, refuse: Refuse): VersionInterval {
  const whole = text.trimEnd();
  let interval: VersionInterval = { from: FIRST_VERSION_KEY, to: END_OF_KEYS, hasPrereleases: false };
  CONDITION.lastIndex = 0;
  do {
    const at = CONDITION.lastIndex;
    const start = at + whole.slice(at).search(/\S|$/);
    const match = CONDITION.exec(whole);
    if (match === null) return refuse(start, 'there is no condition');
    const [, operator = '', version = '', stage = ''] = match;
    const [from, to] = boundsOf(operator, version, stage, () => refuse(start, FLAVOUR));
    interval = {
      from: from > interval.from ? from : interval.from,
      to: to < interval.to ? to : interval.to,
      hasPrereleases: interval.hasPrereleases || stage !== '',
    };
  } while (CONDITION.lastIndex < whole.length);
  return interval;
}

const FLAVOUR =
  'there is a version with more than numbers and a prerelease (flavours are matched by the name of a tag)';

function boundsOf(operator: string, version: string, stage: string, refuse: () => never): [string, string] {
  const isOpen = /[*xX]$/.test(version);
  const numbers = version.split('.').flatMap((segment) => (/^\d/.test(segment) ? [BigInt(segment)] : []));
  const prerelease = stage === '' ? null : prereleaseOf(numbers, stage, refuse);
  if (isOpen && prerelease !== null) return refuse();
  const start = `${keyOfNumbers(withoutZeros(numbers))}`;
  const own = prerelease === null ? start : `${start}${keyOfStage(prerelease)}`;
  const from = prerelease === null ? (numbers.length === 0 ? FIRST_VERSION_KEY : `${start}.`) : own;
  const end = `${prerelease === null ? keyOfNumbers(numbers) : own}${END_OF_KEYS}`;
  switch (operator) {
    case '>=':
      return [from, END_OF_KEYS];
    case '>':
      return [end, END_OF_KEYS];
    case '<':
      return [FIRST_VERSION_KEY, own];
    case '<=':
      return [FIRST_VERSION_KEY, end];
    case '^':
      return [from, `${keyOfNumbers(numbers.slice(0, firstThatCounts(numbers)))}${END_OF_KEYS}`];
    case '~':
      return [from, `${keyOfNumbers(numbers.slice(0, 2))}${END_OF_KEYS}`];
    default:
      return [from, end];
  }
}

/** ^1.2.3 is of 1, ^0.2.3 of 0.2, ^0.0.3 of 0.0.3. */
function firstThatCounts(numbers: readonly bigint[]): number {
  const at = numbers.findIndex((number) => number !== 0n);
  return at < 0 ? numbers.length : at + 1;
}

function prereleaseOf(numbers: readonly bigint[], stage: string, refuse: () => never): Prerelease {
  const version = parseTagVersion(`${numbers.join('.')}${stage}`);
  const isPlain = version?.kind === 'version' && version.flavour === '' && version.numbers.length === numbers.length;
  return (isPlain ? version.prerelease : null) ?? refuse();
}
