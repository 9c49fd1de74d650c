import { firstKey, pairKey, type BaseImageRecord, type CatalogReads } from '../../catalog/read/index.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { batchOne } from '../loader.ts';
import type { Loaders } from './index.ts';
import type { LayerPlace } from './layer.ts';

export const baseImageLoaders = (reads: CatalogReads) => ({
  baseCandidatesByImage: batchOne(reads.baseCandidates, firstKey),
  lineageByImage: batchOne(reads.lineages, firstKey),
  outdatedByBase: batchOne(reads.outdatedBases, pairKey),
});

/** The images that an image stands on, best first. */
export async function basesOf(loaders: Loaders, imageId: number, first: number): Promise<readonly BaseImageRecord[]> {
  return (await loaders.baseCandidatesByImage.load({ imageId, first })) ?? [];
}

/** Whether a layer of an image is one of its base's, too. */
export async function isOfBase({ imageId, layer }: LayerPlace, loaders: Loaders): Promise<boolean> {
  const [base] = await basesOf(loaders, imageId, 1);
  return base !== undefined && layer < base.image.layerCount;
}

export const baseImageResolvers: Resolvers = {
  BaseImageCandidate: {
    layerCount: ({ image }) => image.layerCount,
    tags({ image }, { first }, { loaders }) {
      return loaders.tagsByManifest.connection(image.manifestId, { first: first ?? 5 }).nodes();
    },
    isOutdated: async ({ derivedId, image }, _, { loaders }) =>
      (await loaders.outdatedByBase.load({ derivedId, baseId: image.manifestId })) ?? false,
  },
};
