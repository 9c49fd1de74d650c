import type { CatalogReads, PlatformRecord, ReachedImage } from '../../catalog/read/index.ts';
import { isUnknownPlatform } from '../../domain/platform.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields } from '../connection.ts';
import { batchMany } from '../loader.ts';
import { imagesOf } from './image.ts';
import type { Loaders } from './index.ts';
import { manifestFields } from './manifest.ts';

export const imageIndexLoaders = (reads: CatalogReads) => ({
  entriesByIndex: batchMany(reads.entriesByIndex),
});

export const imageIndexResolvers: Resolvers = {
  ImageIndex: {
    ...manifestFields,
    entries: ({ manifestId }, _, { loaders }) => loaders.entriesByIndex.load(manifestId),
    images: ({ manifestId }, _, { loaders }) => imagesOf(loaders, manifestId),
    platforms: ({ manifestId }, _, { loaders }) => platformsOf(loaders, manifestId),
  },
  IndexEntry: {
    manifest: ({ manifestId }, _, { loaders }) => (manifestId === null ? null : loaders.manifestById.load(manifestId)),
  },
  ImageIndexConnection: connectionFields,
};

/** What the entries name, and where one names nothing, what stands behind it. */
async function platformsOf(loaders: Loaders, indexId: number): Promise<PlatformRecord[]> {
  const entries = await loaders.entriesByIndex.load(indexId);
  const unnamed = new Set(entries.filter(({ platform }) => platform === null).map(({ manifestId }) => manifestId));
  const behind = new Map<number, readonly ReachedImage[]>();
  await Promise.all(
    [...unnamed].map(async (id) => id !== null && behind.set(id, await loaders.imagesByManifest.load(id))),
  );
  const platforms = new Map<string, PlatformRecord>();
  const add = (platform: PlatformRecord) => platforms.set(JSON.stringify(platform), platform);
  for (const { platform, manifestId } of entries) {
    if (platform !== null) add(platform);
    else if (manifestId !== null) {
      for (const reached of behind.get(manifestId) ?? []) add(reached.platform);
      // Named twice, it has nothing more to add.
      behind.delete(manifestId);
    }
  }
  return [...platforms.values()].filter((platform) => !isUnknownPlatform(platform));
}
