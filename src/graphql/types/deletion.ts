import {
  lengthOf,
  type BlockedImageRecord,
  type CatalogReads,
  type SimulationArguments,
  type SimulationRecord,
} from '../../catalog/read/index.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import { batchPages } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';

/** A simulation, with what was asked of it. */
export type Simulation = SimulationRecord &
  SimulationArguments & { readonly first?: number | null; readonly after?: string | null };

/** One kind of what a blocked image has. */
export interface Blocker {
  readonly __typename: 'UsedByContainers' | 'ReferencedByIndex' | 'NamedByTags' | 'BaseOfImages';
  readonly count: number;
  readonly blocked: BlockedImageRecord;
}

export const deletionLoaders = (reads: CatalogReads) => ({
  tagsNamingManifest: batchPages(reads.tagsNamingManifest),
});

export const deletionResolvers: Resolvers = {
  Query: {
    async simulateDeletion(_, args, { reads }) {
      reads.blockedImages.check(args);
      return { ...args, ...(await reads.simulateDeletion(args)) };
    },
  },
  Mutation: {
    deleteImage: (_, { input }, { commands }) => commands.deleteImage(input),
    async deleteTag(_, { input }, { commands }) {
      const { removedId, userErrors } = await commands.deleteTag(input);
      return { removedId: removedId === null ? null : formatNodeId('Tag', removedId), userErrors };
    },
  },
  ImageInUse: {
    containers: ({ imageIds = [] }, args, { reads }) => rootConnection(reads.containersOfImages, { ...args, imageIds }),
  },
  DeletionSimulation: {
    deletable: ({ filter }, args, { reads }) => rootConnection(reads.deletableImages, { ...args, filter }),
    indexes: ({ filter }, args, { reads }) => rootConnection(reads.deletableIndexes, { ...args, filter }),
    blocked: ({ filter, first, after }, args, { reads }) =>
      rootConnection(reads.blockedImages, { filter, first: args.first ?? first, after: args.after ?? after }),
    warned: ({ filter }, args, { reads }) => rootConnection(reads.warnedImages, { ...args, filter }),
  },
  BlockedImage: {
    reasons: (blocked) => {
      const counts = {
        UsedByContainers: blocked.containerCount,
        ReferencedByIndex: blocked.indexCount,
        NamedByTags: blocked.tagCount,
        BaseOfImages: blocked.derivedCount,
      };
      const kinds = Object.entries(counts) as [Blocker['__typename'], number][];
      return kinds.flatMap(([__typename, count]) => (count === 0 ? [] : [{ __typename, count, blocked }]));
    },
  },
  UsedByContainers: {
    containers: ({ blocked }, { first }, { loaders }) =>
      loaders.containersByImage.connection(blocked.image.manifestId, { first }).nodes(),
  },
  ReferencedByIndex: {
    async indexes({ blocked }, { first }, { loaders }) {
      const ids = blocked.indexIds.slice(0, lengthOf(first, 5));
      const found = await Promise.all(ids.map((id) => loaders.manifestById.load(id)));
      return found.filter((manifest) => manifest?.__typename === 'ImageIndex');
    },
  },
  NamedByTags: {
    tags: ({ blocked }, { first }, { loaders }) =>
      loaders.tagsNamingManifest.connection(blocked.image.manifestId, { first }).nodes(),
  },
  BaseOfImages: {
    images: ({ blocked }, { first }, { loaders }) =>
      loaders.derivedImagesByImage.connection(blocked.image.manifestId, { first }).nodes(),
  },
  BlockedImageConnection: connectionFields,
};
