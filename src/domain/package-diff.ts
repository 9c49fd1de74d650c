import { comparePackageVersions } from './package-version.ts';
import type { PackageType } from './package.ts';

/** What tells packages apart. */
export interface ComparablePackage {
  readonly type: PackageType;
  readonly name: string;
  readonly version: string;
}

/** A package that one of two images has, or that they have in different versions. */
export interface PackageChange {
  /** CHANGED: the versions differ, and their ecosystem does not say which is the newer. */
  readonly kind: 'ADDED' | 'REMOVED' | 'UPGRADED' | 'DOWNGRADED' | 'CHANGED';
  readonly type: PackageType;
  readonly name: string;
  /** Null where it was added. */
  readonly before: string | null;
  /** Null where it was removed. */
  readonly after: string | null;
}

/**
 * What differs, by name, type and version. Versions that both have are no change; of several others that stand side by
 * side under one name, the newest is compared with the newest, the next with the next, and what is left was added or
 * removed.
 */
export function comparePackages(from: readonly ComparablePackage[], to: readonly ComparablePackage[]): PackageChange[] {
  const before = versionsByPackage(from);
  const after = versionsByPackage(to);
  const changes = [...new Set([...before.keys(), ...after.keys()])].flatMap((key) => {
    const known = before.get(key) ?? after.get(key);
    if (known === undefined) return [];
    const { type, name } = known;
    const old = before.get(key)?.versions ?? new Set();
    const now = after.get(key)?.versions ?? new Set();
    return changesOf(type, newestFirst(type, old.difference(now)), newestFirst(type, now.difference(old))).map(
      (change) => ({ ...change, type, name }),
    );
  });
  return changes.sort(
    (a, b) =>
      order(a.name, b.name) ||
      order(a.type, b.type) ||
      order(a.before ?? '', b.before ?? '') ||
      order(a.after ?? '', b.after ?? ''),
  );
}

interface Versions {
  readonly type: PackageType;
  readonly name: string;
  readonly versions: Set<string>;
}

function versionsByPackage(packages: readonly ComparablePackage[]): Map<string, Versions> {
  const found = new Map<string, Versions>();
  for (const { type, name, version } of packages) {
    const key = `${type} ${name}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { type, name, versions: new Set([version]) });
    else known.versions.add(version);
  }
  return found;
}

/** Where an ecosystem does not say which of two is newer, by their texts. */
function newestFirst(type: PackageType, versions: ReadonlySet<string>): string[] {
  const sorted = [...versions].sort(order);
  return sorted.sort((a, b) => comparePackageVersions(type, b, a) ?? order(b, a));
}

function changesOf(
  type: PackageType,
  before: readonly string[],
  after: readonly string[],
): Pick<PackageChange, 'kind' | 'before' | 'after'>[] {
  return Array.from({ length: Math.max(before.length, after.length) }, (_, at) => {
    const [old = null, now = null] = [before[at], after[at]];
    return { kind: kindOf(type, old, now), before: old, after: now };
  });
}

function kindOf(type: PackageType, before: string | null, after: string | null): PackageChange['kind'] {
  if (before === null) return 'ADDED';
  if (after === null) return 'REMOVED';
  const difference = comparePackageVersions(type, before, after);
  if (difference === null || difference === 0) return 'CHANGED';
  return difference < 0 ? 'UPGRADED' : 'DOWNGRADED';
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
