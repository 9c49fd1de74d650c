import { compareSections, schemeOfParts, type Part, type Sections, type VersionScheme } from './scheme.ts';

const VERSION = /^(?:(\d+):)?([^\s:-]+)(?:-([^\s:-]+))?$/;

const TILDE = 0;
const END: Part = { rank: 1, value: '' };
const CARET = 2;
const LETTERS = 3;
const NUMBER = 4;

/**
 * RPM's: [epoch:]version[-release], runs of letters and of digits; what stands between them only separates, except for
 * ~ (before the end) and ^ (right after it). https://rpm-software-management.github.io/rpm/man/rpm-version.7
 *
 * A condition without a release is about the version alone, as it is in a spec file.
 */
export const rpmVersions: VersionScheme<Sections> = {
  ...schemeOfParts(parse, END),
  compareToLimit: (version, limit) => compareSections(version.slice(0, limit.length), limit, END),
};

function parse(text: string): Sections | null {
  const match = VERSION.exec(text);
  if (!match) return null;
  const [, epoch = '0', version = '', release] = match;
  const sections = [[{ rank: NUMBER, value: BigInt(epoch) }], partsOf(version)];
  return release === undefined ? sections : [...sections, partsOf(release)];
}

function partsOf(text: string): Part[] {
  return (text.match(/~|\^|\d+|[A-Za-z]+/g) ?? []).map((part) => {
    if (part === '~') return { rank: TILDE, value: '' };
    if (part === '^') return { rank: CARET, value: '' };
    return /\d/.test(part) ? { rank: NUMBER, value: BigInt(part) } : { rank: LETTERS, value: part };
  });
}
