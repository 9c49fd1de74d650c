import { schemeOfParts, type Part } from './scheme.ts';

const VERSION = /^\d+(?:\.[0-9a-zA-Z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

const TEXT = 0;
const NUMBER = 1;
const ZERO: Part = { rank: NUMBER, value: 0n };

/**
 * RubyGems': segments of numbers and letters; one with letters makes a prerelease. A hyphen is `.pre.`.
 * https://docs.ruby-lang.org/en/master/Gem/Version.html
 */
export const gemVersions = schemeOfParts((text) => {
  if (!VERSION.test(text)) return null;
  const parts = (text.replaceAll('-', '.pre.').match(/\d+|[a-zA-Z]+/g) ?? []).map((segment): Part => {
    return /\d/.test(segment) ? { rank: NUMBER, value: BigInt(segment) } : { rank: TEXT, value: segment };
  });
  const release = parts.findIndex(({ rank }) => rank === TEXT);
  const end = release < 0 ? parts.length : release;
  return [[...withoutZeros(parts.slice(0, end)), ...withoutZeros(parts.slice(end))]];
}, ZERO);

function withoutZeros(parts: readonly Part[]): readonly Part[] {
  return parts.slice(0, parts.findLastIndex(({ value }) => value !== 0n) + 1);
}
