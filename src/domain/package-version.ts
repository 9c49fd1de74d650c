import type { PackageType } from './package.ts';
import { apkVersions } from './package-version/apk.ts';
import { composerVersions } from './package-version/composer.ts';
import { debVersions } from './package-version/deb.ts';
import { gemVersions } from './package-version/gem.ts';
import { mavenVersions } from './package-version/maven.ts';
import { nugetVersions } from './package-version/nuget.ts';
import { pypiVersions } from './package-version/pypi.ts';
import { rpmVersions } from './package-version/rpm.ts';
import type { VersionScheme } from './package-version/scheme.ts';
import { goVersions, semanticVersions } from './package-version/semantic.ts';

/** How a version is to another: below, the same, above. */
export type Operator = '<' | '<=' | '=' | '>=' | '>';

/**
 * Below zero where `a` is older, by the rules of its ecosystem; null where these do not say, as one of the two is no
 * version there. Every text is equal to itself.
 */
export function comparePackageVersions(type: PackageType, a: string, b: string): number | null {
  if (a === b) return 0;
  const one = parse(type, a);
  const other = one === null ? null : parse(type, b);
  return other === null ? null : SCHEMES[type].compare(one, other);
}

/** Whether versions hold what `operator` and `limit` say. No version does that is none in its ecosystem. */
export function packageVersionTest(type: PackageType, operator: Operator, limit: string): (version: string) => boolean {
  const scheme = SCHEMES[type];
  const end = parse(type, limit);
  return (version) => {
    if (version === limit) return operator.endsWith('=');
    const parsed = end === null ? null : parse(type, version);
    if (parsed === null) return false;
    const difference = scheme.compareToLimit?.(parsed, end) ?? scheme.compare(parsed, end);
    return holds(operator, difference);
  };
}

const SCHEMES: Readonly<Record<PackageType, VersionScheme>> = {
  APK: apkVersions,
  DEB: debVersions,
  RPM: rpmVersions,
  NPM: semanticVersions,
  PYPI: pypiVersions,
  GO: goVersions,
  MAVEN: mavenVersions,
  GEM: gemVersions,
  CARGO: semanticVersions,
  NUGET: nugetVersions,
  COMPOSER: composerVersions,
};

/** Longer than any version; reading takes more than proportional time. */
const MAX_LENGTH = 512;

function parse(type: PackageType, text: string): unknown {
  return text.length > MAX_LENGTH ? null : SCHEMES[type].parse(text);
}

function holds(operator: Operator, difference: number): boolean {
  switch (operator) {
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '=':
      return difference === 0;
    case '>=':
      return difference >= 0;
    case '>':
      return difference > 0;
  }
}
