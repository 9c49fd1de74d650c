import { cut } from './json.ts';
import { formatPackageUrl, namespaceOf, parsePackageUrl } from './package-url.ts';

/** Kinds of packages, in the words of the API: what each is called in its own ecosystem, and how its versions compare. */
export const PACKAGE_TYPES = [
  'APK',
  'DEB',
  'RPM',
  'NPM',
  'PYPI',
  'GO',
  'MAVEN',
  'GEM',
  'CARGO',
  'NUGET',
  'COMPOSER',
] as const;
export type PackageType = (typeof PACKAGE_TYPES)[number];

/** A package as a document inside an image, or an SBOM, tells of it. */
export interface FoundPackage {
  readonly type: PackageType;
  /** Whole, as its ecosystem writes it: @babel/core, golang.org/x/net, com.acme:shop, acme/shop. */
  readonly name: string;
  /** Whole as well: with epoch and release, 1:2.3-4. */
  readonly version: string;
  /** https://github.com/package-url/purl-spec; see `inDistribution` for packages of operating systems. */
  readonly purl: string;
  /** As the document writes them, each once; empty where it names none. */
  readonly licenses: readonly string[];
}

export interface PackageFacts {
  readonly type: PackageType;
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly string[];
  /** As the ecosystem calls it: x86_64, amd64, all. Absent where the package is for any. */
  readonly architecture?: string | null;
}

const MAX_TEXT = 512;
const MAX_LICENSES = 100;

/**
 * The package that a document tells of, its texts cleaned: cut at 512 characters, without what PostgreSQL can't hold.
 * Null where it has no name or no version.
 */
export function foundPackage({ type, name, version, licenses = [], architecture }: PackageFacts): FoundPackage | null {
  const facts = { type, name: clean(name), version: clean(version) };
  if (facts.name === '' || facts.version === '') return null;
  const purl = formatPackageUrl({ ...facts, namespace: null, architecture: clean(architecture ?? '') || null });
  const known = [...new Set(licenses.map(clean))].filter((license) => license !== '');
  return purl === null ? null : { ...facts, purl, licenses: known.slice(0, MAX_LICENSES) };
}

/**
 * The same package as of the distribution that it was found in. Documents of apk, dpkg and rpm do not say which that
 * is, so its name, by the ID of os-release, is missing in what `foundPackage` gives: pkg:apk/alpine/musl@1.2.5-r0.
 */
export function inDistribution(found: FoundPackage, distributionId: string): FoundPackage {
  const namespace = namespaceOf(found.type, clean(distributionId));
  if (namespace === null) return found;
  const { architecture = null } = parsePackageUrl(found.purl) ?? {};
  return { ...found, purl: formatPackageUrl({ ...found, namespace, architecture }) ?? found.purl };
}

const CONTROL = /[\u0000-\u001f\u007f]/g;

function clean(text: string): string {
  return cut(text.toWellFormed().replace(CONTROL, '\uFFFD').trim(), MAX_TEXT);
}
