import type { CatalogReads, ImageLayerRecord, LayerRecord } from '../../catalog/read/index.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import { batchMany, batchOne, batchPages } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';
import { existing } from './existing.ts';
import type { Loaders } from './index.ts';

export const layerLoaders = (reads: CatalogReads) => ({
  layerById: batchOne(reads.layersById),
  layerByDigest: batchOne(reads.layersByDigest),
  layerByDiffId: batchOne(reads.layersByDiffId),
  measuresByLayer: batchOne(reads.measuresByLayer),
  blobsByLayer: batchMany(reads.blobsByLayer),
  firstImageByLayer: batchOne(reads.firstImagesByLayer),
  imagesByLayer: batchPages(reads.imagesByLayer),
});

/** A layer of an image, by its position in the stack. */
export interface LayerPlace {
  readonly imageId: number;
  readonly layer: number;
}

export async function layerAt({ imageId, layer }: LayerPlace, loaders: Loaders): Promise<ImageLayerRecord> {
  const found = (await loaders.layersByImage.load(imageId))[layer];
  if (found === undefined)
    throw new Error(`image ${imageId} has no layer ${layer}, which is to have brought something`);
  return found;
}

export const layerResolvers: Resolvers = {
  Query: {
    layer: (_, { digest }, { loaders }) => loaders.layerByDigest.load(digest),
    layers: (_, args, { reads }) => rootConnection(reads.layers, args),
  },
  Layer: {
    id: (layer) => formatNodeId('Layer', layer.diffId),
    size: async (layer, _, { loaders }) => (await measuresOf(layer, loaders)).size,
    uncompressedSize: async (layer, _, { loaders }) => (await measuresOf(layer, loaders)).uncompressedSize,
    isForeign: async (layer, _, { loaders }) => (await measuresOf(layer, loaders)).isForeign,
    imageCount: async (layer, _, { loaders }) => (await measuresOf(layer, loaders)).imageCount,
    blobs: ({ layerId }, _, { loaders }) => loaders.blobsByLayer.load(layerId),
    firstSeenIn: ({ layerId }, _, { loaders }) => loaders.firstImageByLayer.load(layerId),
    images: ({ layerId }, args, { loaders }) => loaders.imagesByLayer.connection(layerId, args),
    containers: ({ layerId }, args, { loaders }) => loaders.containersByLayer.connection(layerId, args),
    containerCount: ({ layerId }, _, { loaders }) => loaders.containersByLayer.connection(layerId, {}).totalCount(),
  },
  LayerConnection: connectionFields,
};

function measuresOf({ measures, layerId }: LayerRecord, loaders: Loaders) {
  return measures ?? existing(loaders.measuresByLayer.load(layerId));
}
