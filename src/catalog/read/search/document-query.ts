import { misspellingsOf } from '../../../domain/words.ts';
import { MARKS } from '../../marks.ts';
import type { Part, SearchText, Term } from './text.ts';

/** How a repository can match, best first. */
export const NAME_MATCHES = [
  'path',
  'pathPrefix',
  'word',
  'wordPrefix',
  'misspelling',
  'fragment',
  'description',
  'annotation',
] as const;
export type NameMatch = (typeof NAME_MATCHES)[number];

/** How an image can match, best first. Each way takes in those before it, so that words may stand in several places. */
export const IMAGE_MATCHES = ['label', 'annotation', 'instruction'] as const;
export type ImageMatch = (typeof IMAGE_MATCHES)[number];

/** How a container can match, best first. From words of its name on, each way takes in those before it. */
export const CONTAINER_MATCHES = ['path', 'word', 'wordPrefix', 'workload', 'reference', 'label'] as const;
export type ContainerMatch = (typeof CONTAINER_MATCHES)[number];

/** How a package can match, best first. */
export const PACKAGE_MATCHES = ['path', 'pathPrefix', 'word', 'wordPrefix', 'misspelling'] as const;
export type PackageMatch = (typeof PACKAGE_MATCHES)[number];

/**
 * What a document must hold, as a tsquery. Words are letters and digits, and paths have nothing that needs to be escaped.
 * https://www.postgresql.org/docs/15/datatype-textsearch.html#DATATYPE-TSQUERY
 */
export type DocumentQuery = string;

/**
 * The ways in which a text can be met: each wants all of it, and is left out where it can't be met so. No way repeats a
 * better one, and none has a long list of alternatives for every word: an index weighs all of them against each document
 * that has the most frequent.
 */
export function repositoryQueries({ terms }: SearchText): Partial<Record<NameMatch, DocumentQuery>> {
  const parts = terms.flatMap((term) => term.parts);
  const words = [...new Set(parts.flatMap((part) => part.words))];
  const [last] = words.slice(-1);
  if (last === undefined) return {};
  const whole = terms.map(({ path }) => path).filter((path) => path !== null);
  const isLong = last.length >= MIN_PREFIX;
  const misspelling =
    words.length > MAX_SPELLED_WORDS ? null : oneOrAll(parts.map(partName), parts.map(misspelledPart));
  const fragment = words.length > MAX_SPELLED_WORDS ? null : oneOrAll(words.map(name), words.map(part));
  return {
    ...(whole.length === terms.length && { path: allOf(whole.map((path) => lexeme(MARKS.path, path))) }),
    ...(terms.length === 1 && whole[0] !== undefined && { pathPrefix: prefix(MARKS.path, whole[0]) }),
    word: allOf(terms.map(termName)),
    ...((isLong || words.length === 1) && {
      wordPrefix: allOf([...words.slice(0, -1).map(name), prefix(MARKS.name, last)]),
    }),
    ...(misspelling !== null && { misspelling }),
    ...(fragment !== null && { fragment }),
    description: allOf([
      ...words.slice(0, -1).map((word) => anyOf([name(word), lexeme('', word)])),
      anyOf([name(last), isLong ? prefix('', last) : lexeme('', last)]),
    ]),
    annotation: allOf(words.map((word) => anyOf([name(word), lexeme('', word), lexeme(MARKS.annotation, word)]))),
  };
}

/** All words must be there, as they are. Null where there are none. */
export function imageQueries({ words }: SearchText): Record<ImageMatch, DocumentQuery> | null {
  if (words.length === 0) return null;
  return {
    label: amongMarks(words, MARKS.label),
    annotation: amongMarks(words, MARKS.label, MARKS.annotation),
    instruction: amongMarks(words, MARKS.label, MARKS.annotation, ''),
  };
}

export function containerQueries({ terms, words }: SearchText): Partial<Record<ContainerMatch, DocumentQuery>> {
  const [last] = words.slice(-1);
  if (last === undefined) return {};
  const whole = terms.length === 1 ? (terms[0]?.path ?? null) : null;
  const begun = allOf([...words.slice(0, -1).map(name), prefix(MARKS.name, last)]);
  return {
    ...(whole !== null && { path: lexeme(MARKS.path, whole) }),
    word: allOf(words.map(name)),
    ...(last.length >= MIN_PREFIX && { wordPrefix: begun }),
    workload: amongMarks(words, MARKS.name, MARKS.annotation),
    reference: amongMarks(words, MARKS.name, MARKS.annotation, ''),
    label: amongMarks(words, MARKS.name, MARKS.annotation, '', MARKS.label),
  };
}

/** A document with any of these paths. */
export function pathQuery(paths: readonly string[]): DocumentQuery {
  return anyOf(paths.map((path) => lexeme(MARKS.path, path)));
}

/** A word takes some forty probes of the index to find with a letter wrong. */
const MAX_SPELLED_WORDS = 8;

/** Shorter beginnings are those of too many words. */
const MIN_PREFIX = 3;
const MIN_FRAGMENT = 2;

function name(word: string): DocumentQuery {
  return lexeme(MARKS.name, word);
}

function partName({ words }: Part): DocumentQuery {
  return allOf(words.map(name));
}

/** A registry or a namespace may be one term of several. */
function termName({ path, parts }: Term): DocumentQuery {
  const words = allOf(parts.map(partName));
  return path !== null && /[./:]/.test(path) ? anyOf([prefix(MARKS.path, path), words]) : words;
}

/** Anywhere in a word of a name, its beginning too: of that, two letters are enough where other words narrow it down. */
function part(word: string): DocumentQuery | null {
  return word.length < MIN_FRAGMENT ? null : anyOf([prefix(MARKS.name, word), prefix(MARKS.ending, word)]);
}

/** The part has a letter wrong, or one of its words has. */
function misspelledPart({ text, words }: Part): DocumentQuery | null {
  const oneWord = words.length === 1 && words[0] === text ? null : oneOrAll(words.map(name), words.map(misspelledWord));
  return anyOrNull([misspelledWord(text), oneWord]);
}

function misspelledWord(word: string): DocumentQuery | null {
  return anyOrNull(misspelled(word));
}

/** One of these is met in the other way, or all of them are. */
function oneOrAll(ways: readonly DocumentQuery[], others: readonly (DocumentQuery | null)[]): DocumentQuery | null {
  const one = others.map((other, at) => other && allOf(ways.map((way, place) => (place === at ? other : way))));
  const all = others.filter((other) => other !== null);
  return anyOrNull([...one, all.length > 1 && all.length === others.length ? allOf(all) : null]);
}

function misspelled(word: string): DocumentQuery[] {
  const found = misspellingsOf(word);
  if (found === null) return [];
  return [
    ...found.words.map((each) => lexeme(MARKS.name, each)),
    ...found.lacking.map(({ place, rest }) => lexeme(MARKS.spelling, `${place}${MARKS.spelling}${rest}`)),
  ];
}

/** Each of the words stands in one of these places. */
function amongMarks(words: readonly string[], ...marks: string[]): DocumentQuery {
  return allOf(words.map((word) => anyOf(marks.map((mark) => lexeme(mark, word)))));
}

function lexeme(mark: string, word: string): DocumentQuery {
  return `'${mark}${word}'`;
}

function prefix(mark: string, word: string): DocumentQuery {
  return `${lexeme(mark, word)}:*`;
}

function allOf(queries: readonly DocumentQuery[]): DocumentQuery {
  return `(${queries.join(' & ')})`;
}

function anyOrNull(queries: readonly (DocumentQuery | null)[]): DocumentQuery | null {
  const possible = queries.filter((query) => query !== null);
  return possible.length === 0 ? null : anyOf(possible);
}

function anyOf(queries: readonly DocumentQuery[]): DocumentQuery {
  return `(${queries.join(' | ')})`;
}
