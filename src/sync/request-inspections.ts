import * as catalog from '../catalog/write/index.ts';
import { parsePlatform, satisfies } from '../domain/platform.ts';
import type { Look } from './look.ts';

/**
 * Asks to look at what the images hold that the wanted tags reach, on the platforms that are followed, as far as nobody
 * has asked yet. Where nothing is new, nothing is written.
 */
export async function requestInspections({ sync, wanted, known }: Look): Promise<void> {
  const { database, scope, now } = sync;
  const platforms = scope.platforms.map(parsePlatform);
  const digests = [...new Set(wanted.flatMap((name) => known.get(name) ?? []))];
  for (let from = 0; from < digests.length; from += CHUNK) {
    const found = await catalog.uninspectedImages(database, digests.slice(from, from + CHUNK));
    const followed = found.filter(
      ({ platform }) => platforms.length === 0 || platforms.some((each) => satisfies(platform, each)),
    );
    const imageIds = followed.map(({ imageId }) => imageId);
    if (imageIds.length > 0) await catalog.queueInspections(database, imageIds, now());
  }
}

const CHUNK = 500;
