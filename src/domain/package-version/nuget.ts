import { schemeOfParts, type Part } from './scheme.ts';

const VERSION = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9a-z-]+(?:\.[0-9a-z-]+)*))?(?:\+[0-9a-z.-]+)?$/i;

const END: Part = { rank: 0, value: '' };
const NUMBER = 1;
const TEXT = 2;
const RELEASE: Part = { rank: 3, value: '' };

/**
 * NuGet's: semantic versions with a fourth number, without regard to case.
 * https://learn.microsoft.com/nuget/concepts/package-versioning
 */
export const nugetVersions = schemeOfParts((text) => {
  const match = VERSION.exec(text);
  if (!match) return null;
  const numbers = match.slice(1, 5).map((digits = '0'): Part => ({ rank: NUMBER, value: BigInt(digits) }));
  const labels = match[5]?.toLowerCase().split('.');
  return [numbers, labels?.map(partOfLabel) ?? [RELEASE]];
}, END);

function partOfLabel(label: string): Part {
  return /^\d+$/.test(label) ? { rank: NUMBER, value: BigInt(label) } : { rank: TEXT, value: label };
}
