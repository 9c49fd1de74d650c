import { RegistryError } from '../../domain/errors.ts';
import type { FoundPackage } from '../../domain/package.ts';

/** More than any real document tells of. */
export const MAX_PACKAGES = 100_000;

/** What a document tells of, each package once. Throws TOO_LARGE where it does not end. */
export function collect(found: Iterable<FoundPackage | null>, path: string): FoundPackage[] {
  const packages = new Map<string, FoundPackage>();
  for (const one of found) {
    if (one === null || packages.has(one.purl)) continue;
    if (packages.size === MAX_PACKAGES) {
      throw new RegistryError('TOO_LARGE', `${path} tells of more than ${MAX_PACKAGES} packages`);
    }
    packages.set(one.purl, one);
  }
  return [...packages.values()];
}
