import { endOfLifeOf, type ImageComposition, type ImageFile } from '../../inspect/index.ts';
import type { Connection } from '../database.ts';

/** How far the catalog is with looking into an image. */
export interface InspectionRecord {
  readonly status: 'QUEUED' | 'INSPECTED' | 'PARTIAL' | 'FAILED' | 'TOO_LARGE';
  /** As a sentence; null where there is nothing to tell. */
  readonly reason: string | null;
}

/** What an image holds. A bill of materials tells of packages alone: all that is in files is empty or zero then. */
export interface ImageContentsRecord {
  readonly imageId: number;
  readonly origin: 'LAYERS' | 'SBOM';
  readonly inspectedAt: Date;
  readonly operatingSystem: OperatingSystemRecord | null;
  readonly shells: readonly string[];
  readonly packageManagers: readonly string[];
  readonly kernels: readonly string[];
  readonly packageSetId: number;
  /** Position of the layer that brought each, in the order of the row ids of the packages; null where nothing tells. */
  readonly packageLayers: readonly (number | null)[] | null;
  readonly packageCount: number;
  readonly fileCount: number;
  readonly composition: ImageComposition;
  readonly wastedSize: number;
  /** Largest first. */
  readonly largestFiles: readonly ImageFileRecord[];
}

export interface OperatingSystemRecord {
  readonly id: string;
  readonly versionId: string | null;
  readonly prettyName: string;
  /** Null where it is not known. */
  readonly endOfLifeAt: Date | null;
}

export interface ImageFileRecord extends ImageFile {
  readonly imageId: number;
}

export function imageContentsReads(connection: Connection) {
  return {
    inspectionsByImage: async (ids: readonly number[]): Promise<Map<number, InspectionRecord>> => {
      const rows = await connection.run<InspectionRecord & { image_id: number }>(INSPECTIONS_BY_IMAGE, [ids]);
      return new Map(rows.map(({ image_id, status, reason }) => [image_id, { status, reason }]));
    },

    contentsByImage: async (ids: readonly number[]): Promise<Map<number, ImageContentsRecord>> => {
      const rows = await connection.run<ContentsRow>(CONTENTS_BY_IMAGE, [ids]);
      return new Map(rows.map((row) => [row.image_id, recordOf(row)]));
    },
  };
}

const INSPECTIONS_BY_IMAGE = `/* catalog.inspectionsByImage */
  select image_id, status, reason from image_inspection where image_id = any((select $1::int[])::int[])`;

const CONTENTS_BY_IMAGE = `/* catalog.contentsByImage */
  select * from image_contents where image_id = any((select $1::int[])::int[])`;

interface ContentsRow {
  image_id: number;
  origin: 'LAYERS' | 'SBOM';
  inspected_at: Date;
  os_id: string | null;
  os_version_id: string | null;
  os_name: string | null;
  shells: string[] | null;
  package_managers: string[] | null;
  kernels: string[] | null;
  file_count: number | null;
  operating_system_size: number | null;
  dependency_size: number | null;
  application_size: number | null;
  metadata_size: number | null;
  wasted_size: number | null;
  largest_files: ImageFile[];
  package_set_id: number;
  package_layers: (number | null)[] | null;
  package_count: number;
}

function recordOf(row: ContentsRow): ImageContentsRecord {
  const imageId = row.image_id;
  return {
    imageId,
    origin: row.origin,
    inspectedAt: row.inspected_at,
    operatingSystem: operatingSystemOf(row),
    shells: row.shells ?? [],
    packageManagers: row.package_managers ?? [],
    kernels: row.kernels ?? [],
    packageSetId: row.package_set_id,
    packageLayers: row.package_layers,
    packageCount: row.package_count,
    fileCount: row.file_count ?? 0,
    composition: {
      operatingSystemSize: row.operating_system_size ?? 0,
      dependencySize: row.dependency_size ?? 0,
      applicationSize: row.application_size ?? 0,
      metadataSize: row.metadata_size ?? 0,
    },
    wastedSize: row.wasted_size ?? 0,
    largestFiles: row.largest_files.map((file) => ({ ...file, imageId })),
  };
}

function operatingSystemOf({ os_id, os_version_id, os_name }: ContentsRow): OperatingSystemRecord | null {
  if (os_id === null) return null;
  return {
    id: os_id,
    versionId: os_version_id,
    prettyName: os_name ?? (os_version_id === null ? os_id : `${os_id} ${os_version_id}`),
    endOfLifeAt: endOfLifeOf(os_id, os_version_id),
  };
}
