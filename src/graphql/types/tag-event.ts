import type { CatalogReads } from '../../catalog/read/index.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { rootConnection } from '../connection.ts';
import { batchOne } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';
import { existing } from './existing.ts';
import { diffOfManifests } from './image-diff.ts';

export const tagEventLoaders = (reads: CatalogReads) => ({
  tagEventById: batchOne(reads.tagEventsById),
});

export const tagEventResolvers: Resolvers = {
  Query: {
    tagEvents: (_, args, { reads }) => rootConnection(reads.tagEvents, args),
  },
  TagEvent: {
    id: (event) => formatNodeId('TagEvent', event.id),
    repository: (event, _, { loaders }) => existing(loaders.repositoryById.load(event.repositoryId)),
    tag: (event, _, { loaders }) => loaders.tagById.load(event.tagId),
    from: ({ fromId }, _, { loaders }) => (fromId === null ? null : loaders.manifestById.load(fromId)),
    to: ({ toId }, _, { loaders }) => (toId === null ? null : loaders.manifestById.load(toId)),
    diff: ({ fromId, toId }, { platform }, { loaders }) =>
      fromId === null || toId === null ? null : diffOfManifests(loaders, fromId, toId, platform),
  },
};
