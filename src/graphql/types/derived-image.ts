import { DEFAULT_PAGE, lengthOf, MAX_PAGE, type CatalogReads, type ImageRecord } from '../../catalog/read/index.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { batchLists, batchMany, batchOne, batchPages } from '../loader.ts';
import { existing } from './existing.ts';

export const derivedImageLoaders = (reads: CatalogReads) => ({
  derivedImagesByImage: batchPages(reads.derivedImages),
  derivedCountByImage: batchOne(reads.derivedCounts),
  derivedRepositoryCountByImage: batchOne(reads.derivedRepositoryCounts),
  derivedBreakdownByImage: batchLists(reads.derivedBreakdowns),
  derivedContainerBreakdownByImage: batchLists(reads.derivedContainerBreakdowns),
  runningCountByImage: batchOne(reads.runningCounts),
  rebuildPlanByImage: batchMany(reads.rebuildPlans),
});

export const derivedImageResolvers: Resolvers = {
  ImageImpact: {
    derivedImages: ({ manifestId }, _, { loaders }) => existing(loaders.derivedCountByImage.load(manifestId)),
    repositories: ({ manifestId }, _, { loaders }) => existing(loaders.derivedRepositoryCountByImage.load(manifestId)),
    runningContainers: ({ manifestId }, _, { loaders }) => existing(loaders.runningCountByImage.load(manifestId)),
    breakdown: ({ manifestId }, { by, first }, { loaders }) =>
      by === 'RUNTIME' || by === 'CONTAINER_STATE'
        ? loaders.derivedContainerBreakdownByImage.list(manifestId, { by, first })
        : loaders.derivedBreakdownByImage.list(manifestId, { by, first }),
    async rebuildPlan({ manifestId }, { first }, { loaders }) {
      const length = lengthOf(first, DEFAULT_PAGE);
      return (await loaders.rebuildPlanByImage.load(manifestId)).slice(0, length);
    },
  },
  RebuildWave: {
    images({ imageIds }, { first }, { loaders }) {
      const shown = imageIds.slice(0, lengthOf(first, MAX_PAGE));
      return Promise.all(shown.map((id) => existing(loaders.manifestById.load(id)) as Promise<ImageRecord>));
    },
  },
};
