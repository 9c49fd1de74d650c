import { misspellingsOf } from '../../../domain/words.ts';
import { MARKS } from '../../marks.ts';
import type { SearchText, Term } from './text.ts';

/** How well a repository matches, best first. Each way takes in those before it, so that a text may be met by several. */
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

/** How well an image matches, best first, likewise. */
export const IMAGE_MATCHES = ['label', 'annotation', 'instruction'] as const;
export type ImageMatch = (typeof IMAGE_MATCHES)[number];

/**
 * What a document must hold, as a tsquery. Words are letters and digits, and paths have nothing that needs to be escaped.
 * https://www.postgresql.org/docs/15/datatype-textsearch.html#DATATYPE-TSQUERY
 */
export type DocumentQuery = string;

/** All terms must be met. Null where one can't be met so. */
export function repositoryQueries({ terms }: SearchText): Record<NameMatch, DocumentQuery | null> {
  const isSpelled = terms.flatMap(({ parts }) => parts.flatMap(({ words }) => words)).length <= MAX_SPELLED_WORDS;
  const ways = terms.map((term) => waysOf(term, isSpelled));
  const queries = NAME_MATCHES.map((match, at): [NameMatch, DocumentQuery | null] => {
    const each = ways.map((way) => NAME_MATCHES.slice(0, at + 1).flatMap((known) => way[known] ?? []));
    const isPossible = each.length > 0 && each.every((alternatives) => alternatives.length > 0);
    return [match, isPossible ? allOf(each.map(anyOf)) : null];
  });
  return Object.fromEntries(queries) as Record<NameMatch, DocumentQuery | null>;
}

/** All words must be there, as they are. Null where there are none. */
export function imageQueries({ words }: SearchText): Record<ImageMatch, DocumentQuery> | null {
  if (words.length === 0) return null;
  const among = (...marks: string[]) => allOf(words.map((word) => anyOf(marks.map((mark) => lexeme(mark, word)))));
  return {
    label: among(MARKS.label),
    annotation: among(MARKS.label, MARKS.annotation),
    instruction: among(MARKS.label, MARKS.annotation, ''),
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

function waysOf({ path, parts }: Term, isSpelled: boolean): Partial<Record<NameMatch, DocumentQuery>> {
  const words = parts.flatMap((part) => part.words);
  return {
    ...(path !== null && {
      path: lexeme(MARKS.path, path),
      pathPrefix: prefix(MARKS.path, path),
    }),
    word: allOf(words.map((word) => lexeme(MARKS.name, word))),
    wordPrefix: allOf(words.map((word) => prefix(MARKS.name, word))),
    ...(isSpelled && {
      misspelling: allOf(
        parts.map((part) =>
          anyOf([
            ...misspelled(part.text),
            allOf(part.words.map((word) => anyOf([prefix(MARKS.name, word), ...misspelled(word)]))),
          ]),
        ),
      ),
    }),
    fragment: allOf(words.map((word) => prefix(MARKS.ending, word))),
    description: allOf(words.map((word) => (word.length < MIN_PREFIX ? lexeme('', word) : prefix('', word)))),
    annotation: allOf(words.map((word) => lexeme(MARKS.annotation, word))),
  };
}

function misspelled(word: string): DocumentQuery[] {
  const found = misspellingsOf(word);
  if (found === null) return [];
  return [
    ...found.words.map((each) => lexeme(MARKS.name, each)),
    ...found.lacking.map(({ place, rest }) => lexeme(MARKS.spelling, `${place}${MARKS.spelling}${rest}`)),
  ];
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

function anyOf(queries: readonly DocumentQuery[]): DocumentQuery {
  return `(${queries.join(' | ')})`;
}
