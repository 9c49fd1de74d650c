import { CatalogError } from '../../../domain/errors.ts';
import { isTagName, parsePastedReference, type Reference } from '../../../domain/reference.ts';
import { wordsOf } from '../../../domain/words.ts';
import { storable } from '../filter.ts';

/** Characters of a text at most. */
export const MAX_TEXT = 1_000;

/** What somebody typed, read in every way that it can be meant. */
export interface SearchText {
  /** As it was typed, without what PostgreSQL can't hold. */
  readonly typed: string;
  /** Every word of it. */
  readonly words: readonly string[];
  /** What stood between blanks, as parts of a name; without what has no word in it. */
  readonly terms: readonly Term[];
  /** Null where it is no reference. */
  readonly reference: Reference | null;
  /** What a repository would be called if it were a reference: as it was typed, and in full. */
  readonly paths: readonly string[];
  /** Null where it can't be the name of a tag. */
  readonly tag: string | null;
  readonly digest: DigestRange | null;
}

export interface Term {
  /** Null where no name is written so. */
  readonly path: string | null;
  readonly parts: readonly Part[];
}

/** What stood between slashes, colons and the like, with the words in it, of which there is one at least. */
export interface Part {
  readonly text: string;
  readonly words: readonly string[];
}

/** The digests that begin with what was typed. */
export interface DigestRange {
  readonly from: Buffer;
  readonly below: Buffer;
  /** Null where no algorithm was typed. */
  readonly bytes: 32 | 64 | null;
  /** All digits were typed. */
  readonly isWhole: boolean;
}

/** Throws INVALID_ARGUMENT for a text that is empty or too long; everything else can be searched for. */
export function parseSearchText(query: string): SearchText {
  if (query.length > MAX_TEXT) {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `query has ${query.length.toLocaleString('en')} characters: search for at most ${MAX_TEXT.toLocaleString('en')}.`,
    );
  }
  const typed = storable(query).trim();
  if (typed === '') {
    throw new CatalogError('INVALID_ARGUMENT', `query is empty: write what to search for, such as "nginx:1.27".`);
  }
  const blocks = typed.split(/\s+/);
  const digest = blocks.length === 1 ? digestIn(typed) : null;
  const reference = referenceIn(blocks);
  const names = digest?.bytes != null ? [] : reference === null || blocks.length > 1 ? blocks : [nameIn(typed)];
  return {
    typed,
    words: [...wordsOf(typed)],
    terms: distinct(names.map((name) => name.toLowerCase()))
      .map(termOf)
      .filter(({ parts }) => parts.length > 0),
    reference,
    paths: reference === null ? [] : distinct([nameIn(blocks[0] ?? ''), `${reference.host}/${reference.repository}`]),
    tag: isTagName(typed) ? typed : null,
    digest,
  };
}

/** A prefix of hex digits, at least 6, perhaps behind an algorithm or a name, and perhaps cut off by an ellipsis. */
const DIGEST = /^(?:\S*@(?=sha))?(?:(sha256|sha512):)?([0-9a-f]{6,128})(?:…|\.\.\.)?$/;
const BYTES = { sha256: 32, sha512: 64 } as const;

function digestIn(text: string): DigestRange | null {
  const [, algorithm, hex] = DIGEST.exec(text.toLowerCase()) ?? [];
  if (hex === undefined) return null;
  const bytes = algorithm === undefined ? null : BYTES[algorithm as keyof typeof BYTES];
  if (bytes !== null && hex.length > 2 * bytes) return null;
  return {
    from: Buffer.from(hex.padEnd(hex.length + (hex.length % 2), '0'), 'hex'),
    below: Buffer.from(hex.padEnd(130, 'f'), 'hex'),
    bytes,
    isWhole: hex.length === 2 * (bytes ?? BYTES.sha256) || hex.length === 2 * BYTES.sha512,
  };
}

/** Two words may be a repository and its tag. */
function referenceIn(blocks: readonly string[]): Reference | null {
  const [name = '', tag, ...others] = blocks;
  if (others.length > 0) return null;
  const text = tag === undefined ? name : `${name}:${tag}`;
  return parsed(text) ?? parsed(text.replace(/^[^:@]*/, (start) => start.toLowerCase()));
}

function parsed(text: string): Reference | null {
  try {
    return parsePastedReference(text);
  } catch (error) {
    if (error instanceof CatalogError) return null;
    throw error;
  }
}

/** A reference without its tag and digest. */
function nameIn(reference: string): string {
  return reference
    .toLowerCase()
    .replace(/^[a-z-]+:\/\//, '')
    .replace(/@.*$/, '')
    .replace(/:[^/:]*$/, '');
}

function termOf(text: string): Term {
  const parts = distinct(text.split(/[/:@]+/)).map((part) => ({ text: part, words: [...wordsOf(part)] }));
  return {
    path: /^[a-z0-9._:/-]{1,511}$/.test(text) ? text : null,
    parts: parts.filter(({ words }) => words.length > 0),
  };
}

/** To say a word twice says no more, and costs twice as much. */
function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
