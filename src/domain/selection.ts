import { CatalogError } from './errors.ts';
import { isWildcard, literalPrefix, parsePattern, type Pattern } from './pattern.ts';
import { isTagName, parseRepositoryName } from './reference.ts';

/**
 * Names that a source looks at: patterns with commas between them, those to be left out behind a `!`, such as
 * `team-a/*, !team-a/tmp-*`. A name is chosen that one of the patterns matches and none behind a `!` does, in whatever
 * order they stand. With nothing but exceptions all other names are chosen.
 */
export interface Selection {
  readonly text: string;
  /** Chosen without wildcards: they need not be listed to be known. */
  readonly names: readonly string[];
  /** What the names begin with that only a list can tell; empty where `names` are all. */
  readonly prefixes: readonly string[];
  matches(name: string): boolean;
}

/** What makes one tag newer than another: the version in its name, or when the registry says that it was pushed. */
export const NEWEST_BY = ['VERSION', 'PUSHED_AT'] as const;
export type NewestBy = (typeof NEWEST_BY)[number];

/** Patterns in one selection. */
const MAX_PATTERNS = 50;
const MAX_LENGTH = 4000;

/** Names of repositories. Throws INVALID_PATTERN or INVALID_REFERENCE. */
export function parseRepositorySelection(text: string): Selection {
  return parseSelection(text, 'repositories', 'team-a/*, !team-a/tmp-*', (name) => void parseRepositoryName(name));
}

/** Names of tags. Throws INVALID_PATTERN. */
export function parseTagSelection(text: string): Selection {
  return parseSelection(text, 'tags', '1.*, !*-rc*', (name) => {
    if (isTagName(name)) return;
    throw invalid(
      `tags "${name.slice(0, 200)}" is neither a tag nor a pattern: write a tag such as 1.27, or one in which * is any text, such as 1.*.`,
    );
  });
}

function parseSelection(text: string, place: string, example: string, checkName: (name: string) => void): Selection {
  const parts = text.split(',').map((part) => part.trim());
  if (text.length > MAX_LENGTH || parts.length > MAX_PATTERNS) {
    throw invalid(
      `${place} has ${parts.length} patterns in ${text.length} characters: write ${MAX_PATTERNS} in ${MAX_LENGTH} at most, or a second source.`,
    );
  }
  if (parts.length > 1 && parts.includes('')) {
    throw invalid(`${place} "${text.slice(0, 200)}" has a comma with no pattern beside it: write ${example}.`);
  }
  const chosen: Pattern[] = [];
  const excepted: Pattern[] = [];
  for (const part of parts) {
    const isException = part.startsWith('!');
    const pattern = parsePattern(isException ? part.slice(1).trim() : part, place);
    if (!isWildcard(pattern.text)) checkName(pattern.text);
    (isException ? excepted : chosen).push(pattern);
  }
  if (chosen.length === 0) chosen.push(parsePattern('*', place));

  const matches = (name: string) =>
    chosen.some((pattern) => pattern.matches(name)) && !excepted.some((pattern) => pattern.matches(name));
  const texts = chosen.map((pattern) => pattern.text);
  const names = [...new Set(texts.filter((name) => !isWildcard(name) && matches(name)))];
  const prefixes = shortest(texts.filter(isWildcard).map(literalPrefix));
  if (names.length + prefixes.length === 0) {
    throw invalid(`${place} "${text.slice(0, 200)}" leaves out all that it chooses: write ${example}.`);
  }
  return { text: parts.join(', '), names, prefixes, matches };
}

/** Without those that begin with another one. */
function shortest(prefixes: readonly string[]): string[] {
  const kept: string[] = [];
  for (const prefix of prefixes.toSorted()) {
    if (!kept.some((shorter) => prefix.startsWith(shorter))) kept.push(prefix);
  }
  return kept;
}

function invalid(message: string): CatalogError {
  return new CatalogError('INVALID_PATTERN', message);
}
