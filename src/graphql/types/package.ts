import type { CatalogReads, PackageRecord } from '../../catalog/read/index.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import { batchMany, batchOne, batchPages } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';
import { isOfBase } from './base-image.ts';
import { existing } from './existing.ts';
import { layerAt } from './layer.ts';

/** A place in a list; of the packages of an image it tells whose each is. */
export interface ListedPackage {
  readonly cursor: string;
  readonly node: PackageRecord;
}

export const packageLoaders = (reads: CatalogReads) => ({
  packageById: batchOne(reads.packagesById),
  packageByPurl: batchOne(reads.packagesByPurl),
  packagesBySet: batchMany(reads.packagesBySet),
  imageCountByPackage: batchOne(reads.imageCountsByPackage),
  imagesByPackage: batchPages(reads.imagesByPackage),
});

export const packageResolvers: Resolvers = {
  Query: {
    package: (_, { purl }, { loaders }) => loaders.packageByPurl.load(purl),
    packages: (_, args, { reads }) => rootConnection(reads.packages, args),
  },
  Package: {
    id: ({ packageId }) => formatNodeId('Package', packageId),
    images: ({ packageId }, args, { loaders }) => loaders.imagesByPackage.connection(packageId, args),
    imageCount: ({ packageId }, _, { loaders }) => existing(loaders.imageCountByPackage.load(packageId)),
  },
  PackageConnection: connectionFields,
  PackageEdge: {
    layer: ({ node: { place } }, _, { loaders }) => place && layerAt(place, loaders),
    isFromBase: ({ node: { place } }, _, { loaders }) => place && isOfBase(place, loaders),
  },
};
