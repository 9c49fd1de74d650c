import { lengthOf, packagesIn, type CatalogReads, type ImageContentsRecord } from '../../catalog/read/index.ts';
import type { PackageFilter, Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, knownConnection } from '../connection.ts';
import { batchOne } from '../loader.ts';
import { isOfBase } from './base-image.ts';
import type { Loaders } from './index.ts';
import { layerAt } from './layer.ts';

export const imageContentsLoaders = (reads: CatalogReads) => ({
  contentsByImage: batchOne(reads.contentsByImage),
  inspectionByImage: batchOne(reads.inspectionsByImage),
});

/** By name, each with the layer that brought it. */
export async function packagesOf(
  contents: ImageContentsRecord,
  filter: PackageFilter | null | undefined,
  loaders: Loaders,
) {
  return packagesIn(contents, await loaders.packagesBySet.load(contents.packageSetId), filter);
}

export const imageContentsResolvers: Resolvers = {
  ImageContents: {
    packages: async (contents, { filter, ...args }, { loaders }) =>
      knownConnection(await packagesOf(contents, filter, loaders), args),
    largestFiles: ({ largestFiles }, { first }) => largestFiles.slice(0, lengthOf(first, 20)),
    files: async (contents, { directory, ...args }, { reads }) =>
      knownConnection(await reads.filesIn(contents, directory), args),
  },
  OperatingSystem: {
    isEndOfLife: ({ endOfLifeAt }) => endOfLifeAt && Date.now() >= endOfLifeAt.getTime() + DAY_MS,
  },
  ImageFile: {
    mode: ({ mode }) => mode.toString(8).padStart(4, '0'),
    layer: ({ imageId, layer }, _, { loaders }) => layerAt({ imageId, layer }, loaders),
    isFromBase: ({ imageId, layer }, _, { loaders }) => isOfBase({ imageId, layer }, loaders),
  },
  ImageFileConnection: connectionFields,
};

/** Fixes come to the end of the last day. */
const DAY_MS = 24 * 60 * 60 * 1000;
