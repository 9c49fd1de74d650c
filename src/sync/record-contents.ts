import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { parseManifest } from '../domain/manifest.ts';
import { decodeInspection, overlayImage, type ImageContents, type LayerInspection } from '../inspect/index.ts';

/** Why nothing is known of a layer. */
export interface Refusal {
  readonly status: 'TOO_LARGE' | 'FAILED';
  /** A sentence. */
  readonly reason: string;
}

export interface ContentsRecord {
  readonly database: Database;
  readonly now: () => Date;
}

/**
 * Puts what is known of an image's layers on one another, and writes down what the image holds and how far that goes.
 * `refusals` has the layers of which nothing can be known, by id. False where an inspection can't be read: it is
 * forgotten, and its layer is to be looked at again.
 */
export async function recordContents(
  { database, now }: ContentsRecord,
  image: catalog.InspectedImage,
  refusals: ReadonlyMap<number, Refusal>,
): Promise<boolean> {
  const { imageId, layers } = image;
  const known = await catalog.knownLayers(
    database,
    layers.map(({ layerId }) => layerId),
  );
  const decoded = new Map([...known].map(([layerId, { content }]) => [layerId, decode(content)]));
  const unreadable = [...decoded.keys()].filter((layerId) => decoded.get(layerId) === null);
  if (unreadable.length > 0) {
    await catalog.forgetLayerInspections(database, unreadable);
    return false;
  }
  const stack = layers.map(({ layerId }) => decoded.get(layerId) ?? null);
  const contents = overlayImage(stack, claimOf(image));
  const statuses = layers.map(({ layerId }) => (known.get(layerId) ?? refusals.get(layerId))?.status ?? 'FAILED');
  const status = statusOf(statuses, contents);
  const reasons = layers.flatMap(({ layerId, position }) => {
    const refusal = refusals.get(layerId);
    return refusal === undefined ? [] : [`Layer ${position}: ${refusal.reason}`];
  });
  const reason = [contents.reason ?? [], ...reasons].flat().join(' ').slice(0, MAX_REASON) || null;
  const at = now();
  await database.transaction(async (connection) => {
    const isAnythingKnown = decoded.size > 0 || layers.length === 0 || contents.operatingSystem !== null;
    if (isAnythingKnown) await catalog.recordImageContents(connection, imageId, recordOf(contents), at);
    await catalog.recordInspection(connection, imageId, { status, reason }, at);
  });
  return true;
}

const MAX_REASON = 2000;

/** Null for bytes that another version wrote. */
function decode(content: Uint8Array): LayerInspection | null {
  try {
    return decodeInspection(content);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function claimOf({ os, osVersion, environment, rawManifest, mediaType }: catalog.InspectedImage) {
  const manifest = parseManifest(rawManifest, mediaType);
  const configSize = manifest.kind === 'IMAGE' ? manifest.config.size : 0;
  return {
    os,
    osVersion,
    env: environment.map(({ name, value }) => `${name}=${value}`),
    documentsSize: rawManifest.length + configSize,
  };
}

/** A layer that stopped at a limit counts for what was found until then. */
function statusOf(layers: readonly catalog.InspectionStatus[], { reason }: ImageContents): catalog.InspectionStatus {
  const has = (status: catalog.InspectionStatus) => layers.includes(status);
  if (reason === null && layers.every((status) => status === 'INSPECTED')) return 'INSPECTED';
  if (has('INSPECTED') || has('PARTIAL')) return 'PARTIAL';
  return has('TOO_LARGE') ? 'TOO_LARGE' : 'FAILED';
}

function recordOf({ operatingSystem, packages, composition, ...found }: ImageContents): catalog.ImageContents {
  const { kernels, fileCount, wastedSize, largestFiles } = found;
  return {
    origin: 'LAYERS',
    operatingSystem,
    packages,
    files: {
      shells: found.shells.map(({ path }) => path),
      packageManagers: found.packageManagers.map(({ path }) => path),
      kernels,
      fileCount,
      wastedSize,
      largestFiles,
      ...composition,
    },
  };
}
