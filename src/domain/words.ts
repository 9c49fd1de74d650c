/**
 * The words of a text, each once and in lower case: runs of letters and digits, and every character by itself where
 * words are written without blanks between them. The function `words` of the database finds the same.
 */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  for (const word of text.toLowerCase().match(WORD) ?? []) words.add(word.length > MAX_WORD ? cut(word) : word);
  return words;
}

/**
 * Everything that is one letter away from a word: a letter missing, one too many, another one, or two neighbours
 * swapped.
 */
export interface Misspellings {
  /** As they are. */
  readonly words: readonly string[];
  /** Without its letter at this place, from 1 on, they are this. */
  readonly lacking: readonly { readonly place: number; readonly rest: string }[];
}

/** Of a word or a part of a name; null for what is too short, too long, or has no letter to be wrong. */
export function misspellingsOf(word: string): Misspellings | null {
  if (word.length < MIN_SPELLED - 1 || word.length > MAX_SPELLED + 1 || !NAME.test(word)) return null;
  const places = Array.from(word, (_, at) => at);
  const rests = places.map((at) => word.slice(0, at) + word.slice(at + 1));
  const swapped = places.slice(1).map((at) => word.slice(0, at - 1) + word[at] + word[at - 1] + word.slice(at + 1));
  return {
    words: [...new Set([...rests, ...swapped])],
    lacking: [
      ...rests.map((rest, at) => ({ place: at + 1, rest })),
      ...[...places, word.length].map((at) => ({ place: at + 1, rest: word })),
    ],
  };
}

const WORD = /[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])[\p{L}\p{M}\p{N}])+/gu;
const MAX_WORD = 64;

const NAME = /^(?=.*[a-z])[a-z0-9._-]+$/;

/** Shorter words are one letter away from too many others; longer ones are hardly words. */
const MIN_SPELLED = 4;
const MAX_SPELLED = 32;

function cut(word: string): string {
  return Array.from(word).slice(0, MAX_WORD).join('');
}
