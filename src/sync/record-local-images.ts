import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import type { Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { composeImage, type ComposedImage } from '../domain/local-image.ts';
import type { HoldsLocalImages, OpenRuntime } from '../runtimes/runtime.ts';
import { linkContainers } from './link-containers.ts';

/**
 * Takes images into the catalog that an engine has and no registry. What the catalog has already, from a registry or
 * another engine, is not asked for.
 */
export async function recordLocalImages(
  database: Database,
  runtimeId: number,
  runtime: OpenRuntime,
  at: Date,
  signal: AbortSignal,
): Promise<void> {
  if (!hasImages(runtime)) return;
  const ids = (await runtime.listLocalImages(signal))?.slice(0, MAX_IMAGES);
  if (ids === undefined) return;
  const unknown = await catalog.unknownImages(database, ids);
  for (let from = 0; from < unknown.length; from += BATCH) {
    const composed = await fetchAll(runtime, unknown.slice(from, from + BATCH), signal);
    await database.transaction(async (connection) => {
      await catalog.shareContent(connection);
      const { written, images } = await catalog.recordManifests(connection, composed, at);
      await written;
      await catalog.countImages(connection, images);
    });
  }
  await database.transaction(async (connection) => {
    await catalog.shareContent(connection);
    await catalog.recordLocalImages(connection, runtimeId, ids);
  });
  if (unknown.length > 0) await linkContainers(database);
}

/** Images of one engine that are looked at; engines list the newest first. */
const MAX_IMAGES = 10_000;
const BATCH = 20;

function hasImages(runtime: OpenRuntime): runtime is OpenRuntime & HoldsLocalImages {
  return 'listLocalImages' in runtime;
}

/** Without those that are gone by now, or of which the engine tells nothing that makes an image. */
async function fetchAll(
  runtime: HoldsLocalImages,
  ids: readonly Digest[],
  signal: AbortSignal,
): Promise<ComposedImage[]> {
  const composed: ComposedImage[] = [];
  for (const id of ids) {
    const told = await runtime.fetchLocalImage(id, signal);
    if (told === null) continue;
    try {
      composed.push(composeImage(told));
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
    }
  }
  return composed;
}
