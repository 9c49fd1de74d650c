import {
  DEFAULT_PAGE,
  lengthOf,
  wantedPlatform,
  type CatalogReads,
  type ImageRecord,
  type PlatformArgument,
} from '../../catalog/read/index.ts';
import { bestFor } from '../../domain/platform.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import { batchMany, batchOne } from '../loader.ts';
import { basesOf } from './base-image.ts';
import { existing } from './existing.ts';
import { diffFrom } from './image-diff.ts';
import type { Loaders } from './index.ts';
import { manifestFields, manifestNamed } from './manifest.ts';

export const imageLoaders = (reads: CatalogReads) => ({
  imagesByManifest: batchMany(reads.imagesByManifest),
  layersByImage: batchMany(reads.layersByImage),
  configByImage: batchOne(reads.configsByImage),
  historyByImage: batchOne(reads.historiesByImage),
  labelsByImage: batchMany(reads.labelsByImage),
  uncompressedSizeByImage: batchOne(reads.uncompressedSizesByImage),
  uniqueSizeByImage: batchOne(reads.uniqueSizesByImage),
});

/** The image that a host of this platform gets when it pulls a manifest. */
export async function imageFor(
  loaders: Loaders,
  manifestId: number,
  platform: PlatformArgument | null | undefined,
): Promise<ImageRecord | null> {
  const wanted = wantedPlatform(platform ?? { architecture: 'amd64' });
  return bestFor(await loaders.imagesByManifest.load(manifestId), wanted)?.image ?? null;
}

/** Every image that a manifest reaches, once for however many platforms it is listed. */
export async function imagesOf(loaders: Loaders, manifestId: number): Promise<ImageRecord[]> {
  const reached = await loaders.imagesByManifest.load(manifestId);
  return [...new Map(reached.map(({ image }) => [image.manifestId, image])).values()];
}

export const imageResolvers: Resolvers = {
  Query: {
    async image(_, { reference, digest, platform }, { loaders }) {
      const manifest = await manifestNamed(loaders, { reference, digest });
      if (manifest === null) return null;
      return manifest.__typename === 'Image' && platform == null
        ? manifest
        : imageFor(loaders, manifest.manifestId, platform);
    },
    images: (_, args, { reads }) => rootConnection(reads.images, args),
  },
  Mutation: {
    async requestInspection(_, { input }, { commands, loaders }) {
      const { digest, userErrors } = await commands.requestInspection(input);
      const manifest = digest === null ? null : await loaders.manifestByDigest.load(digest);
      return { image: manifest?.__typename === 'Image' ? manifest : null, userErrors };
    },
  },
  Image: {
    ...manifestFields,
    config: ({ manifestId }, _, { loaders }) => existing(loaders.configByImage.load(manifestId)),
    history: async ({ manifestId }, _, { loaders }) => (await loaders.historyByImage.load(manifestId))?.entries ?? [],
    layers: ({ manifestId }, _, { loaders }) => loaders.layersByImage.load(manifestId),
    uncompressedSize: ({ manifestId, uncompressedSize }, _, { loaders }) =>
      uncompressedSize ?? loaders.uncompressedSizeByImage.load(manifestId),
    uniqueSize: async ({ manifestId }, _, { loaders }) => (await loaders.uniqueSizeByImage.load(manifestId)) ?? 0,
    labels: ({ manifestId }, _, { loaders }) => loaders.labelsByImage.load(manifestId),
    async label({ manifestId }, { name }, { loaders }) {
      const labels = await loaders.labelsByImage.load(manifestId);
      return labels.find((label) => label.name === name)?.value ?? null;
    },
    baseImage: async ({ manifestId }, _, { loaders }) => (await basesOf(loaders, manifestId, 1))[0]?.image ?? null,
    baseCandidates: ({ manifestId }, { first }, { loaders }) => basesOf(loaders, manifestId, lengthOf(first, 5)),
    async lineage({ manifestId: imageId }, { first }, { loaders }) {
      return (await loaders.lineageByImage.load({ imageId, first: lengthOf(first, DEFAULT_PAGE) })) ?? [];
    },
    derivedImages: ({ manifestId }, args, { loaders }) => loaders.derivedImagesByImage.connection(manifestId, args),
    impact: (image) => image,
    containers: ({ manifestId }, args, { loaders }) => loaders.containersByImage.connection(manifestId, args),
    containerCount: ({ manifestId }, _, { loaders }) => containerCountOf(manifestId, loaders),
    isInUse: async ({ manifestId }, _, { loaders }) => (await containerCountOf(manifestId, loaders)) > 0,
    committedFrom: ({ manifestId }, _, { loaders }) => loaders.containerCommitted.load(manifestId),
    contents: ({ manifestId }, _, { loaders }) => loaders.contentsByImage.load(manifestId),
    contentsStatus: async ({ manifestId }, _, { loaders }) =>
      (await loaders.inspectionByImage.load(manifestId))?.status ?? 'NOT_REQUESTED',
    contentsReason: async ({ manifestId }, _, { loaders }) =>
      (await loaders.inspectionByImage.load(manifestId))?.reason ?? null,
    diff: (image, { to, platform }, { loaders }) => diffFrom(loaders, image, to, platform),
  },
  HistoryEntry: {
    async layer({ imageId, layerPosition }, _, { loaders }) {
      if (layerPosition === null) return null;
      return (await loaders.layersByImage.load(imageId))[layerPosition] ?? null;
    },
  },
  ImageLayer: {
    createdBy: async ({ imageId, position }, _, { loaders }) =>
      (await loaders.historyByImage.load(imageId))?.createdBy[position] ?? null,
  },
  ImageConnection: connectionFields,
};

async function containerCountOf(manifestId: number, loaders: Loaders): Promise<number> {
  return (await loaders.containerCountByImage.load(manifestId)) ?? 0;
}
