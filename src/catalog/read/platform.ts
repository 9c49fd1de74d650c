import sql, { type Sql } from 'sql-template-tag';
import { formatPlatform, parsePlatform, satisfies, type Platform, type WantedPlatform } from '../../domain/platform.ts';
import { allOf } from './filter.ts';

/** A platform as clients see it. */
export interface PlatformRecord extends Platform {
  readonly label: string;
}

/** A platform that a client asks for; null asks for nothing in particular. */
export interface PlatformArgument {
  readonly os?: string | null;
  readonly architecture: string;
  readonly variant?: string | null;
  readonly osVersion?: string | null;
}

export interface PlatformRow {
  os: string | null;
  architecture: string | null;
  variant: string | null;
  os_version: string | null;
  os_features: string[] | null;
}

/** Null where the row names no platform. */
export function platformOf(row: PlatformRow): PlatformRecord | null {
  const { os, architecture, variant } = row;
  if (os === null || architecture === null) return null;
  return {
    os,
    architecture,
    variant,
    osVersion: row.os_version,
    osFeatures: row.os_features ?? [],
    label: formatPlatform({ os, architecture, variant }),
  };
}

/** A platform as sources keep it: linux/arm64/v8. */
export function platformOfText(text: string): PlatformRecord {
  const platform = parsePlatform(text);
  return { ...platform, osFeatures: [], label: formatPlatform(platform) };
}

export function wantedPlatform({ os, architecture, variant, osVersion }: PlatformArgument): WantedPlatform {
  return { os: os ?? 'linux', architecture, variant: variant ?? null, osVersion: osVersion ?? null };
}

/** Over image i: a host of this platform can run it. The rule is `satisfies`, asked for every usual spelling. */
export function imageRunsOn(argument: PlatformArgument): Sql {
  const wanted = wantedPlatform(argument);
  const build = wanted.osVersion?.split('.').slice(0, 3).join('.');
  return allOf([
    sql`lower(i.os) = ${wanted.os.toLowerCase()}`,
    runs(wanted, wanted.architecture, 'other')
      ? sql`lower(i.architecture) = any(${architectures(wanted).filter((each) => runs(wanted, each, null))}::text[])`
      : sql`lower(i.architecture) || '/' || coalesce(i.variant, '') = any(${variants(wanted)}::text[])`,
    ...(build === undefined ? [] : [sql`starts_with(i.os_version || '.', ${`${build}.`})`]),
  ]);
}

const ARCHITECTURES = ['amd64', 'x86_64', 'x86-64', 'arm64', 'aarch64', 'arm', 'armhf', 'armel', '386', 'i386'];
const VARIANTS = ['v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8', 'v9'];

function architectures(wanted: WantedPlatform): string[] {
  return [...new Set([...ARCHITECTURES, wanted.architecture.toLowerCase()])];
}

function variants(wanted: WantedPlatform): string[] {
  const known = new Set([null, ...VARIANTS, wanted.variant]);
  return architectures(wanted).flatMap((architecture) =>
    [...known]
      .filter((variant) => runs(wanted, architecture, variant))
      .map((variant) => `${architecture}/${variant ?? ''}`),
  );
}

function runs(wanted: WantedPlatform, architecture: string, variant: string | null): boolean {
  const platform = { os: wanted.os, architecture, variant, osVersion: null, osFeatures: [] };
  return satisfies(platform, { ...wanted, osVersion: null });
}
