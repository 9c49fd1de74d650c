import { schemeOfParts, type Part } from './scheme.ts';

/** Colons are in no version without an epoch, hyphens in none without a revision. */
const VERSION = /^(?:(\d+):)?([A-Za-z0-9.+~-]+?|(?<=:)[A-Za-z0-9.+~:-]+?)(?<!-)(?:-([A-Za-z0-9.+~]+))?$/;

/** What is there when nothing is left: no text, and zero. */
const END: Part = { rank: keyOfText(''), value: 0n };

/**
 * Debian's: [epoch:]upstream[-revision], text and numbers by turns.
 * https://www.debian.org/doc/debian-policy/ch-controlfields.html#version
 */
export const debVersions = schemeOfParts((text) => {
  const match = VERSION.exec(text);
  if (!match) return null;
  const [, epoch = '0', upstream = '', revision = ''] = match;
  return [[{ rank: 0, value: BigInt(epoch) }], partsOf(upstream), partsOf(revision)];
}, END);

/** A part is a text, and the number after it. */
function partsOf(text: string): Part[] {
  return [...text.matchAll(/(\D*)(\d*)/g)].map(([, before = '', number = '']) => ({
    rank: keyOfText(before),
    value: BigInt(number || '0'),
  }));
}

/** In the order of these keys: a tilde, the end of the text, letters, all other characters. */
function keyOfText(text: string): string {
  const moved = text.replace(/[^A-Za-z]/g, (character) =>
    character === '~' ? '\u0000' : String.fromCharCode(0x100 + character.charCodeAt(0)),
  );
  return `${moved}\u0001`;
}
