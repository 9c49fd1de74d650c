import { PackageURL } from 'packageurl-js';
import type { PackageType } from './package.ts';

/** What a package URL says of a package, its name and version put together as its ecosystem writes them. */
export interface PackageUrl {
  readonly type: PackageType;
  readonly name: string;
  readonly version: string;
  /** The distribution that a package of an operating system is of; null elsewhere, and where the URL names none. */
  readonly namespace: string | null;
  readonly architecture: string | null;
}

/** Null where it is no package URL, one without a version, or one of a type that the catalog does not know. */
export function parsePackageUrl(text: string): PackageUrl | null {
  if (text.length > MAX_LENGTH) return null;
  let url: PackageURL;
  try {
    url = PackageURL.fromString(text);
  } catch {
    return null;
  }
  const type = TYPE_BY_NAME.get(url.type);
  if (type === undefined || !url.version) return null;
  const { epoch, arch } = url.qualifiers ?? {};
  const isSystem = SYSTEM_TYPES.has(type);
  return {
    type,
    name: isSystem || !url.namespace ? url.name : `${url.namespace}${SEPARATORS[type] ?? '/'}${url.name}`,
    version: type === 'RPM' && epoch !== undefined && epoch !== '0' ? `${epoch}:${url.version}` : url.version,
    namespace: isSystem ? (url.namespace ?? null) : null,
    architecture: arch ?? null,
  };
}

/** The canonical form; null where the name can't be one of its ecosystem. */
export function formatPackageUrl({ type, name, version, namespace, architecture }: PackageUrl): string | null {
  const [prefix, rest] = SYSTEM_TYPES.has(type) ? [namespace, name] : splitName(type, name);
  const [epoch, plain] = splitVersion(type, version);
  const qualifiers: Record<string, string> = {};
  if (architecture !== null) qualifiers['arch'] = architecture;
  if (epoch !== null) qualifiers['epoch'] = epoch;
  try {
    return encodeRest(new PackageURL(TYPE_NAMES[type], prefix, rest, plain, qualifiers).toString());
  } catch {
    return null;
  }
}

/**
 * How package URLs name a distribution, by the ID of its os-release; null for packages that are of none.
 * https://github.com/package-url/purl-spec/blob/main/types-doc/rpm-definition.md
 */
export function namespaceOf(type: PackageType, distributionId: string): string | null {
  if (!SYSTEM_TYPES.has(type) || distributionId === '') return null;
  if (distributionId === 'rhel') return 'redhat';
  return distributionId.startsWith('opensuse') ? 'opensuse' : distributionId;
}

const MAX_LENGTH = 4096;

const TYPE_NAMES: Readonly<Record<PackageType, string>> = {
  APK: 'apk',
  DEB: 'deb',
  RPM: 'rpm',
  NPM: 'npm',
  PYPI: 'pypi',
  GO: 'golang',
  MAVEN: 'maven',
  GEM: 'gem',
  CARGO: 'cargo',
  NUGET: 'nuget',
  COMPOSER: 'composer',
};
const TYPE_BY_NAME = new Map(Object.entries(TYPE_NAMES).map(([type, name]) => [name, type as PackageType]));

const SYSTEM_TYPES: ReadonlySet<PackageType> = new Set<PackageType>(['APK', 'DEB', 'RPM']);

/** What stands between namespace and name in a name of the ecosystem; there is no namespace where none stands. */
const SEPARATORS: Partial<Record<PackageType, string>> = { NPM: '/', GO: '/', COMPOSER: '/', MAVEN: ':' };

function splitName(type: PackageType, name: string): [string | null, string] {
  const separator = SEPARATORS[type];
  const at = separator === undefined ? -1 : name.lastIndexOf(separator);
  return at > 0 ? [name.slice(0, at), name.slice(at + 1)] : [null, name];
}

/** RPM alone has the epoch as a qualifier. */
function splitVersion(type: PackageType, version: string): [string | null, string] {
  const match = type === 'RPM' ? /^(\d+):(.+)$/.exec(version) : null;
  return match ? [match[1] === '0' ? null : (match[1] ?? null), match[2] ?? ''] : [null, version];
}

/** What the library leaves as it is, and the standard encodes (ECMA-427, 5.4). */
function encodeRest(url: string): string {
  return url.replace(/[+!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
