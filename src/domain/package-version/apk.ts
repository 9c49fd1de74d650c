import { schemeOfParts, type Part } from './scheme.ts';

const VERSION =
  /^(\d+)((?:\.\d+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*)(?:~([0-9a-f]+))?(?:-r(\d+))?$/;

/** From the oldest to the newest that may stand in one place. */
const RANKS = [
  ...['alpha', 'beta', 'pre', 'rc'],
  'end',
  ...['revision', 'commit', 'number of a suffix'],
  ...['cvs', 'svn', 'git', 'hg', 'p'],
  ...['letter', 'number after a zero', 'number'],
];

const END = part('end', '');

/**
 * Alpine's: digits.digits…letter_suffix…~commit-rN.
 * https://wiki.alpinelinux.org/wiki/Package_policies, and apk-tools' src/version.c
 */
export const apkVersions = schemeOfParts((text) => {
  const match = VERSION.exec(text);
  if (!match) return null;
  const [, first = '', numbers = '', letter = '', suffixes = '', commit, revision] = match;
  const parts = [part('number', BigInt(first)), ...(numbers.match(/\d+/g) ?? []).map(partOfNumber)];
  if (letter !== '') parts.push(part('letter', letter));
  for (const [, name = '', number = ''] of suffixes.matchAll(/_([a-z]+)(\d*)/g)) {
    parts.push(part(name, ''));
    if (number !== '') parts.push(part('number of a suffix', BigInt(number)));
  }
  if (commit !== undefined) parts.push(part('commit', commit));
  if (revision !== undefined) parts.push(part('revision', BigInt(revision)));
  return [parts];
}, END);

/** With a zero before it, a number that is not the first is read as behind a decimal point: 1.09 is before 1.1. */
function partOfNumber(digits: string): Part {
  return digits.startsWith('0') ? part('number after a zero', digits) : part('number', BigInt(digits));
}

function part(what: string, value: bigint | string): Part {
  return { rank: RANKS.indexOf(what), value };
}
