import { schemeOfParts, type Part } from './scheme.ts';

/** From the oldest to the newest; all other qualifiers come after, by the alphabet, and before numbers. */
const QUALIFIERS = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp'];
const ALIASES = new Map([
  ['cr', 'rc'],
  ['ga', ''],
  ['final', ''],
  ['release', ''],
]);
/** Only right before a number. */
const LETTERS = new Map([
  ['a', 'alpha'],
  ['b', 'beta'],
  ['m', 'milestone'],
]);

const OTHER = QUALIFIERS.length;
const NUMBER_AFTER_HYPHEN = OTHER + 1;
const NUMBER_AFTER_DOT = OTHER + 2;
const RELEASE: Part = { rank: QUALIFIERS.indexOf(''), value: '' };

/**
 * Maven's: any text. Tokens between dots, hyphens, and where digits and letters meet.
 * https://maven.apache.org/pom.html#Version_Order_Specification
 */
export const mavenVersions = schemeOfParts((text) => {
  if (!/^\S+$/.test(text)) return null;
  const parts: Part[] = [];
  for (const [token, separator, digits, word, nextDigit] of `.${text.toLowerCase()}`.matchAll(TOKEN)) {
    if (token === '') continue;
    const isAfterDot = separator === '.' && word === undefined;
    // Zeros and releases say nothing before a hyphen, nor at the end.
    if (!isAfterDot) dropNothings(parts);
    if (word !== undefined) parts.push(partOfWord(word, nextDigit !== undefined));
    else parts.push({ rank: isAfterDot ? NUMBER_AFTER_DOT : NUMBER_AFTER_HYPHEN, value: BigInt(digits ?? '0') });
  }
  dropNothings(parts);
  return [parts];
}, RELEASE);

/** A number is 0 where none is written; a word, and a number after a word, are as if a hyphen stood before them. */
const TOKEN = /([.-]?)(?:(\d+)|([^\d.-]+)(?=(\d)?)|(?=[.-]|$))/g;

function partOfWord(text: string, isBeforeNumber: boolean): Part {
  const word = (isBeforeNumber ? LETTERS.get(text) : undefined) ?? ALIASES.get(text) ?? text;
  const rank = QUALIFIERS.indexOf(word);
  return rank < 0 ? { rank: OTHER, value: word } : { rank, value: '' };
}

function dropNothings(parts: Part[]): void {
  while (parts.at(-1)?.value === 0n || parts.at(-1)?.rank === RELEASE.rank) parts.pop();
}
