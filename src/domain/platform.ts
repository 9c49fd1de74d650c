import { CatalogError } from './errors.ts';

/** What an image runs on, in the words that its configuration or index uses. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | null;
  /** Windows build, such as 10.0.20348.2402. */
  readonly osVersion: string | null;
  readonly osFeatures: readonly string[];
}

/** A platform that somebody asks for; what is null is not asked. */
export interface WantedPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | null;
  readonly osVersion: string | null;
}

export function formatPlatform(platform: Pick<Platform, 'os' | 'architecture' | 'variant'>): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant ? `${base}/${platform.variant}` : base;
}

const PART = /^[A-Za-z0-9_.-]{1,64}$/;

/** `linux/arm64`, `linux/arm/v7`, `windows/amd64:10.0.20348`. */
export function parsePlatform(text: string): WantedPlatform {
  const [path = '', osVersion, ...rest] = text.split(':');
  const [os = '', architecture = '', variant, ...more] = path.split('/');
  const parts = [os, architecture, ...(variant === undefined ? [] : [variant])];
  const valid = rest.length === 0 && more.length === 0 && parts.every((part) => PART.test(part));
  if (!valid || (osVersion !== undefined && !PART.test(osVersion))) {
    throw new CatalogError(
      'INVALID_PLATFORM',
      `"${text.slice(0, 200)}" is not a platform: write os/architecture or os/architecture/variant, such as linux/arm64/v8.`,
    );
  }
  return { os, architecture, variant: variant ?? null, osVersion: osVersion ?? null };
}

/**
 * Whether a host that wants `wanted` can run `platform`. Not symmetric: a host asks for arm64, and takes arm64/v8.
 * Windows matches on the first three numbers of its version, the fourth is the patch level.
 */
export function satisfies(platform: Platform, wanted: WantedPlatform): boolean {
  const have = normalise(platform);
  const want = normalise(wanted);
  return (
    have.os === want.os &&
    have.architecture === want.architecture &&
    (want.variant === null || variantOf(have) === variantOf(want)) &&
    (wanted.osVersion === null || sameBuild(platform.osVersion ?? '', wanted.osVersion))
  );
}

/**
 * What a host that wants `wanted` gets from an index: the first line that it can run. Where no variant is asked, one of
 * the usual variant (arm: v7, arm64: v8, amd64: v1) goes before others, wherever it stands. Null where nothing fits.
 * https://github.com/containerd/platforms
 */
export function bestFor<T extends { readonly platform: Platform }>(
  lines: readonly T[],
  wanted: WantedPlatform,
): T | null {
  const fitting = lines.filter(({ platform }) => satisfies(platform, wanted));
  const usual = { ...wanted, variant: variantOf(normalise(wanted)) };
  return fitting.find(({ platform }) => satisfies(platform, usual)) ?? fitting[0] ?? null;
}

/** BuildKit's attestations stand in an index under this platform; they are no platform. */
export function isUnknownPlatform(platform: Pick<Platform, 'os' | 'architecture'>): boolean {
  return platform.os === 'unknown' || platform.architecture === 'unknown';
}

const ARCHITECTURES = new Map<string, readonly [architecture: string, variant: string | null]>([
  ['x86_64', ['amd64', null]],
  ['x86-64', ['amd64', null]],
  ['aarch64', ['arm64', null]],
  ['armhf', ['arm', 'v7']],
  ['armel', ['arm', 'v6']],
  ['i386', ['386', null]],
]);
const DEFAULT_VARIANTS = new Map([
  ['arm64', 'v8'],
  ['arm', 'v7'],
  ['amd64', 'v1'],
]);

type Words = Pick<Platform, 'os' | 'architecture' | 'variant'>;

/** Spellings of one architecture become one: aarch64 is arm64, armhf is arm/v7. */
function normalise(platform: Words): Words {
  const written = platform.architecture.toLowerCase();
  const [architecture, implied] = ARCHITECTURES.get(written) ?? [written, null];
  return { os: platform.os.toLowerCase(), architecture, variant: platform.variant ?? implied };
}

/** arm64 without a variant is arm64/v8, arm is arm/v7. */
function variantOf(platform: Words): string | null {
  return platform.variant ?? DEFAULT_VARIANTS.get(platform.architecture) ?? null;
}

function sameBuild(have: string, want: string): boolean {
  const numbers = want.split('.').slice(0, 3);
  return numbers.join('.') === have.split('.').slice(0, numbers.length).join('.');
}
