import { isTagName } from './reference.ts';

/** The version or the date in a tag's name, apart from what else stands there. */
export interface TagVersion {
  readonly kind: 'version' | 'date';
  /** What stands before the first digit, in lower case: jdk-, or mostly nothing. */
  readonly prefix: string;
  /** Of a version its segments, of any size; of a date the day, the time and the counter. */
  readonly numbers: readonly bigint[];
  /** How it is written: so many segments, or so many digits of a date. */
  readonly shape: string;
  readonly prerelease: Prerelease | null;
  /** Counters of builds of the same version: -r12, -ls132. */
  readonly builds: readonly bigint[];
  /** All words behind it that mean something else, in lower case: alpine3.18, debian-12. */
  readonly flavour: string;
}

export interface Prerelease {
  /** From 0 (dev) to 5 (rc). */
  readonly rank: number;
  readonly numbers: readonly bigint[];
}

/** A name without an order: a word (latest), a commit, a companion of another manifest, or what no tag is called. */
export interface NoVersion {
  readonly kind: 'word' | 'commit' | 'artifact' | 'invalid';
}

export function classifyTag(name: string): TagVersion | NoVersion {
  if (!isTagName(name)) return { kind: 'invalid' };
  if (ARTIFACT.test(name)) return { kind: 'artifact' };
  const [, prefix, , text] = NUMBERED.exec(name) ?? [];
  if (prefix === undefined || text === undefined) return { kind: 'word' };
  if (isCommit(name) || NAMED_COMMIT.test(name)) return { kind: 'commit' };
  const { rest, ...head } = parseDate(text) ?? parseNumbers(text);
  return { ...head, ...parseWords(rest), prefix: prefix.toLowerCase() };
}

/** Null where there is nothing to compare. */
export function parseTagVersion(name: string): TagVersion | null {
  const tag = classifyTag(name);
  return tag.kind === 'version' || tag.kind === 'date' ? tag : null;
}

/**
 * Tags of the same group can replace each other: same kind, prefix, flavour and shape. That of prereleases has a mark at
 * its end, without which it is the group of their releases.
 */
function versionGroup({ kind, shape, prefix, flavour, prerelease }: TagVersion): string {
  return `${kind === 'date' ? 'd' : ''}${shape}/${prefix}/${flavour}${prerelease === null ? '' : PRERELEASE_GROUP}`;
}

export const PRERELEASE_GROUP = '!';

/**
 * A text whose order, byte by byte, is that of versions: numbers, then prereleases before the release, then counters of
 * builds. Numbers that are not written count as 0, so 1.24 and 1.24.0 are equal. All dates come before all versions.
 */
export function versionKey({ kind, numbers, prerelease, builds }: TagVersion): string {
  const counters = builds.map((build) => `+${keyOfNumbers([build])}`).join('');
  return `${kind === 'date' ? '#' : ''}${keyOfNumbers(withoutZeros(numbers))}${keyOfStage(prerelease)}${counters}`;
}

/** As a tag's row has them: both empty for what is no version. */
export function versionColumns(name: string): { readonly group: string; readonly key: string } {
  const version = parseTagVersion(name);
  return version === null ? NO_COLUMNS : { group: versionGroup(version), key: versionKey(version) };
}

const NO_COLUMNS = { group: '', key: '' };

/** Numbers as a part of a key: of each how many digits it has, and the digits. */
export function keyOfNumbers(numbers: readonly bigint[]): string {
  return numbers.map((number) => lengthPrefixed(number.toString())).join('');
}

/** What follows the numbers in a key; null is a release. */
export function keyOfStage(prerelease: Prerelease | null): string {
  return prerelease === null ? '.' : `-${prerelease.rank}${keyOfNumbers(prerelease.numbers)}`;
}

export function withoutZeros(numbers: readonly bigint[]): readonly bigint[] {
  return numbers.slice(0, numbers.findLastIndex((number) => number !== 0n) + 1);
}

/** Keys of versions, without those of dates, begin here. */
export const FIRST_VERSION_KEY = '-';

/** Behind every key, and behind a part of one: behind all that begin with it. */
export const END_OF_KEYS = '~';

/**
 * A version that begins with a year is no newer than one that begins with a small number, but of another scheme: what is
 * newer than a key before the first lies before the second.
 */
export const SMALL_VERSION = keyOfNumbers([1000n]);
export const YEAR_VERSION = keyOfNumbers([1990n]);

/**
 * Those among the candidates that are newer and of the same group, newest first. Of equal ones there is one: one that is
 * written as the current tag is (v1.2, 1.2), and else the first. A release gets releases only.
 */
export function newerTags<T extends { readonly name: string }>(name: string, candidates: readonly T[]): T[] {
  const { group, key } = versionColumns(name);
  if (group === '') return [];
  const style = styleOf(name);
  const limit = key < SMALL_VERSION ? YEAR_VERSION : END_OF_KEYS;
  const groups = [group, group.replace(PRERELEASE_GROUP, '')];
  const found = new Map<string, { readonly tag: T; readonly isOurStyle: boolean }>();
  for (const tag of candidates) {
    const { group: other, key: otherKey } = versionColumns(tag.name);
    if (!groups.includes(other) || otherKey <= key || otherKey >= limit) continue;
    const isOurStyle = styleOf(tag.name) === style;
    const rival = found.get(otherKey);
    if (rival === undefined || (isOurStyle && !rival.isOurStyle)) found.set(otherKey, { tag, isOurStyle });
  }
  return [...found].sort(([a], [b]) => (a < b ? 1 : -1)).map(([, { tag }]) => tag);
}

/** The highest version first; dates behind all versions, and names that are neither at the end. */
export function sortedByVersion<T extends { readonly name: string }>(tags: readonly T[]): T[] {
  const keyed = tags.map((tag) => ({ tag, key: versionColumns(tag.name).key }));
  keyed.sort((a, b) => compareTexts(b.key, a.key) || compareTexts(b.tag.name, a.tag.name));
  return keyed.map(({ tag }) => tag);
}

/** Signatures and the like, named after what they belong to. */
const ARTIFACT = /^sha(?:256|512)-[a-f0-9]{64}|\.(?:sig|att|sbom)$/;

/** Text before the first digit, a v of its own at the end of it, and all from the digit on. */
const NUMBERED = /^(\D*?)(?:(?<![^-_.])([vV]))?(\d.*)$/;

/** How a version is introduced: v, V or nothing. */
function styleOf(name: string): string {
  return NUMBERED.exec(name)?.[2] ?? '';
}

const NAMED_COMMIT = /^(?:sha|git|commit|g)[-_.]?[0-9a-f]{7,40}$/i;

function isCommit(text: string): boolean {
  return /^g?(?=.*[a-f])(?=.*\d)[0-9a-f]{7,40}$/i.test(text);
}

type Head = Pick<TagVersion, 'kind' | 'numbers' | 'shape'> & { readonly rest: string };

/** YYYYMMDD[hhmm[ss]] or YYYY-MM-DD, and perhaps a counter behind a dot. Dots alone never make a date. */
const DATE = /^(?:(\d{4})(\d\d)(\d\d)((?:\d\d){2,3})?|(\d{4})-(\d\d)-(\d\d))(?:\.(\d+))?(?!\d)/;

function parseDate(text: string): Head | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [whole, compactYear, compactMonth, compactDay, time = '', isoYear, isoMonth, isoDay, counter] = match;
  const [year, month, day] = [compactYear ?? isoYear, compactMonth ?? isoMonth, compactDay ?? isoDay];
  if (!isDay(Number(year), Number(month), Number(day)) || !/^(?:([01]\d|2[0-3])[0-5]\d([0-5]\d)?)?$/.test(time)) {
    return null;
  }
  return {
    kind: 'date',
    numbers: [`${year}${month}${day}`, time.padEnd(6, '0'), counter ?? '0'].map(BigInt),
    shape: `${isoYear === undefined ? 8 + time.length : 'iso'}${counter === undefined ? '' : '.'}`,
    rest: text.slice(whole.length),
  };
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return year >= 1990 && year <= 2099 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function parseNumbers(text: string): Head {
  const [whole = ''] = /^\d+(?:\.\d+)*/.exec(text) ?? [];
  const segments = whole.split('.');
  return {
    kind: 'version',
    numbers: segments.map(BigInt),
    shape: `${segments.length}`,
    rest: text.slice(whole.length),
  };
}

/** Which come before which: the later in the list, the nearer to the release. */
const PRERELEASES = [
  ['dev', 'snapshot', 'nightly', 'canary', 'unstable', 'next', 'ea'],
  ['alpha', 'a'],
  ['beta', 'b'],
  ['milestone', 'm'],
  ['preview', 'pre'],
  ['rc', 'cr', 'c'],
];
const RANKS = new Map(PRERELEASES.flatMap((words, rank) => words.map((word) => [word, rank] as const)));
const RELEASES = ['release', 'final', 'ga'];
const BUILD = /^(r|ls|build)(\d+)$/;

function parseWords(rest: string): Pick<TagVersion, 'prerelease' | 'builds' | 'flavour'> {
  const words = rest.replace(/^\./, '').toLowerCase().split(/[-_]/).filter(Boolean);
  const builds: bigint[] = [];
  const flavour: string[] = [];
  let prerelease: Prerelease | null = null;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const [, name = '', number = ''] = /^([a-z]+)(?:\.?(\d+(?:\.\d+)*))?$/.exec(word) ?? [];
    const rank: number | undefined = prerelease === null ? RANKS.get(name) : undefined;
    const next = number === '' && /^\d+$/.test(words[at + 1] ?? '') ? (words[at + 1] ?? '') : '';
    const numbers = number + next;
    if (rank !== undefined && (name.length > 1 || numbers !== '')) {
      prerelease = { rank, numbers: numbers === '' ? [] : numbers.split('.').map(BigInt) };
      if (next !== '') at++;
    } else if (at === 0 && /^\d+$/.test(word)) {
      builds.push(BigInt(word));
      flavour.push('#');
    } else if (at === words.length - 1 && BUILD.test(word)) {
      builds.push(BigInt(word.replace(BUILD, '$2')));
      flavour.push(word.replace(BUILD, '$1#'));
    } else if (!RELEASES.includes(word)) {
      flavour.push(isCommit(word) ? '<hash>' : word);
    }
  }
  return { prerelease, builds, flavour: flavour.join('-') };
}

/** Nine digits and less are told by one digit, more by a mark that is higher and three digits: a tag has 128 at most. */
function lengthPrefixed(digits: string): string {
  const { length } = digits;
  return `${length < 10 ? length : `:${String(length).padStart(3, '0')}`}${digits}`;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
