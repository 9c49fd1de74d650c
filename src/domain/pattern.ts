import { CatalogError } from './errors.ts';

/** A name with wildcards: `*` is any text, slashes included, `?` one character. Without either it is exact. */
export interface Pattern {
  readonly text: string;
  matches(name: string): boolean;
}

const ALLOWED = /^[A-Za-z0-9_./*?:@+-]{1,255}$/;

/** Throws INVALID_PATTERN where no name could ever match. `place` says what was read, such as "repositories". */
export function parsePattern(text: string, place: string): Pattern {
  if (!ALLOWED.test(text)) {
    throw new CatalogError(
      'INVALID_PATTERN',
      `${place} "${text.slice(0, 200)}" is not a pattern: write a name in which * is any text and ? one character, such as team-a/* or *.`,
    );
  }
  return { text, matches: (name) => matchesWildcards(text, name) };
}

/**
 * Whether the whole text is what the pattern says. Steps back to the last * alone, so that the time is bounded by the
 * product of the two lengths; a regular expression of many * would try every way to share out the name among them.
 */
export function matchesWildcards(pattern: string, name: string): boolean {
  let at = 0;
  let inName = 0;
  let star = -1;
  let afterStar = 0;
  while (inName < name.length) {
    if (pattern[at] === '*') {
      star = at++;
      afterStar = inName;
    } else if (pattern[at] === '?' || pattern[at] === name[inName]) {
      at++;
      inName++;
    } else if (star >= 0) {
      at = star + 1;
      inName = ++afterStar;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}

export function isWildcard(text: string): boolean {
  return /[*?]/.test(text);
}

/** What all names that match begin with. */
export function literalPrefix(text: string): string {
  return /^[^*?]*/.exec(text)?.[0] ?? '';
}

/** The pattern as SQL's LIKE has it, with backslash as the escape. */
export function likePattern(text: string): string {
  return text
    .replace(/[\\%_]/g, '\\$&')
    .replaceAll('*', '%')
    .replaceAll('?', '_');
}
