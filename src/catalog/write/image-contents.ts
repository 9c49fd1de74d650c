import type { Connection } from '../database.ts';
import type { FoundPackage } from '../../domain/package.ts';
import { LOCK_SPACES } from '../lock.ts';
import { shareContent } from './content-lock.ts';
import { MAX_PURL, savePackageSet } from './package.ts';

/** What an image holds, found in its layers or told by an SBOM. */
export interface ImageContents {
  readonly origin: 'LAYERS' | 'SBOM';
  /** Null where nothing tells which it is. */
  readonly operatingSystem: OperatingSystem | null;
  /** Those of which `layer` is null are told by an SBOM. */
  readonly packages: readonly HeldPackage[];
  /** Null where an SBOM alone tells of it. */
  readonly files: ImageFiles | null;
}

export interface OperatingSystem {
  readonly id: string;
  readonly versionId: string | null;
  readonly prettyName: string | null;
}

export interface HeldPackage extends FoundPackage {
  /** Position of the layer that brought it. */
  readonly layer: number | null;
}

export interface ImageFiles {
  /** Paths; so too the other two. */
  readonly shells: readonly string[];
  readonly packageManagers: readonly string[];
  readonly kernels: readonly string[];
  readonly fileCount: number;
  readonly wastedSize: number;
  readonly operatingSystemSize: number;
  readonly dependencySize: number;
  readonly applicationSize: number;
  readonly metadataSize: number;
  /** As inspect/image-file.ts has them. */
  readonly largestFiles: readonly object[];
}

/**
 * Writes down what an image holds instead of what was known of it, in a transaction of its own. Of an image that was
 * deleted meanwhile, nothing. An SBOM never takes the place of what was found in layers.
 */
export async function recordImageContents(
  connection: Connection,
  imageId: number,
  { origin, operatingSystem, packages, files }: ImageContents,
  at: Date,
): Promise<void> {
  const [, , rows] = await Promise.all([
    shareContent(connection),
    lockPackages(connection),
    connection.run<{ id: number }>(
      `/* catalog.isWithoutContents */
       select i.manifest_id as id from image i where i.manifest_id = $1::int and ($2 = 'LAYERS' or not exists (
         select from image_contents c where c.image_id = i.manifest_id and c.origin = 'LAYERS'
       ))`,
      [imageId, origin],
    ),
  ]);
  if (rows.length === 0) return;
  const distinct = new Map(packages.filter(({ purl }) => purl.length <= MAX_PURL).map((each) => [each.purl, each]));
  const set = await savePackageSet(connection, [...distinct.values()]);
  const layers = set.purls.map((purl) => distinct.get(purl)?.layer ?? null);
  await connection.run(RECORD, [
    imageId,
    origin,
    at,
    operatingSystem?.id ?? null,
    operatingSystem?.versionId ?? null,
    operatingSystem?.prettyName ?? null,
    files?.shells ?? [],
    files?.packageManagers ?? [],
    files?.kernels ?? [],
    files?.fileCount ?? null,
    files?.operatingSystemSize ?? null,
    files?.dependencySize ?? null,
    files?.applicationSize ?? null,
    files?.metadataSize ?? null,
    files?.wastedSize ?? null,
    JSON.stringify(files?.largestFiles ?? []),
    set.id,
    files === null ? null : layers,
    set.purls.length,
  ]);
}

/** One writer of contents at a time: sets and packages that it finds are there until it has written. */
async function lockPackages(connection: Connection): Promise<void> {
  await connection.run('/* catalog.lockPackages */ select pg_advisory_xact_lock($1::int, 0)', [LOCK_SPACES.packages]);
}

const COLUMNS = [
  'origin',
  'inspected_at',
  'os_id',
  'os_version_id',
  'os_name',
  'shells',
  'package_managers',
  'kernels',
  'file_count',
  'operating_system_size',
  'dependency_size',
  'application_size',
  'metadata_size',
  'wasted_size',
  'largest_files',
  'package_set_id',
  'package_layers',
  'package_count',
];

const RECORD = `/* catalog.recordImageContents */
  insert into image_contents (image_id, ${COLUMNS.join(', ')})
  values ($1::int, $2, $3::timestamptz, $4, $5, $6, $7::text[], $8::text[], $9::text[], $10::int, $11::bigint,
    $12::bigint, $13::bigint, $14::bigint, $15::bigint, $16::jsonb, $17::int, $18::smallint[], $19::int)
  on conflict (image_id) do update set ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}`;
