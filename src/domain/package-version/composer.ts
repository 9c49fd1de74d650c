import { schemeOfParts, type Part } from './scheme.ts';

const NUMBERS = /\d{1,5}(?:\.\d+){0,3}|\d{4}(?:[.:-]?\d{2}){1,6}(?:[.:-]?\d{1,3}){0,2}/;
const STABILITY = /(?:[._-]?(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?\d)*))?([.-]?dev)?(?:\+\S*)?/;
const VERSION = new RegExp(`^v?(${NUMBERS.source})${STABILITY.source}$`, 'i');

/** From the least stable on, as PHP's version_compare() has them. */
const RANKS = new Map([
  ['dev', 0],
  ['alpha', 1],
  ['a', 1],
  ['beta', 2],
  ['b', 2],
  ['rc', 3],
  ['stable', 4],
  ['patch', 6],
  ['pl', 6],
  ['p', 6],
]);
const END: Part = { rank: 4, value: 0n };
const NUMBER = 5;

/**
 * Composer's: numbers (or a date), a stability, and -dev. Branches (dev-main) are in no order, and no versions here.
 * https://getcomposer.org/doc/04-schema.md#version
 */
export const composerVersions = schemeOfParts((text) => {
  const match = VERSION.exec(text);
  if (!match) return null;
  const [, numbers = '', stability, build = '', dev] = match;
  const suffix: Part[] = [];
  if (stability !== undefined) suffix.push(partOfStability(stability), ...numbersOf(build));
  if (dev !== undefined) suffix.push(partOfStability('dev'));
  return [withoutZeros(numbersOf(numbers)), suffix];
}, END);

function numbersOf(text: string): Part[] {
  return (text.match(/\d+/g) ?? []).map((digits) => ({ rank: NUMBER, value: BigInt(digits) }));
}

/** 1.0 is 1.0.0.0. */
function withoutZeros(parts: readonly Part[]): Part[] {
  return parts.slice(0, parts.findLastIndex(({ value }) => value !== 0n) + 1);
}

function partOfStability(name: string): Part {
  return { rank: RANKS.get(name.toLowerCase()) ?? END.rank, value: 0n };
}
