import {
  tagEventCursor,
  type CatalogReads,
  type ManifestRecord,
  type TagEventRecord,
  type Told,
} from '../../catalog/read/index.ts';
import type { Digest } from '../../domain/digest.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import { batchOne } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';
import { existing } from './existing.ts';
import { diffOfManifests } from './image-diff.ts';
import type { Loaders } from './index.ts';

export const tagEventLoaders = (reads: CatalogReads) => ({
  tagEventById: batchOne(reads.tagEventsById),
});

export const tagEventResolvers: Resolvers = {
  Query: {
    tagEvents: (_, args, { reads }) => rootConnection(reads.tagEvents, args),
  },
  Subscription: {
    tagEvents: {
      subscribe: (_, args, { reads, live }) => reads.followTagEvents(args, () => live?.client.drop()),
      resolve: ({ value }: Told<TagEventRecord>) => value,
    },
  },
  TagEvent: {
    id: (event) => formatNodeId('TagEvent', event.id),
    cursor: tagEventCursor,
    repository: (event, _, { loaders }) => existing(loaders.repositoryById.load(event.repositoryId)),
    tag: (event, _, { loaders }) => loaders.tagById.load(event.tagId),
    from: ({ fromId, fromDigest }, _, { loaders }) => manifestOf(loaders, fromId, fromDigest),
    fromDigest: async ({ fromId, fromDigest }, _, { loaders }) =>
      fromDigest ?? (await manifestOf(loaders, fromId, null))?.digest ?? null,
    to: ({ toId, toDigest }, _, { loaders }) => manifestOf(loaders, toId, toDigest),
    toDigest: async ({ toId, toDigest }, _, { loaders }) =>
      toDigest ?? (await manifestOf(loaders, toId, null))?.digest ?? null,
    diff: ({ fromId, toId }, { platform }, { loaders }) =>
      fromId === null || toId === null ? null : diffOfManifests(loaders, fromId, toId, platform),
  },
  TagEventConnection: connectionFields,
};

/** An event has the id of what the catalog has, and the digest of what it had: that may have come again. */
function manifestOf(loaders: Loaders, id: number | null, digest: Digest | null): Promise<ManifestRecord | null> | null {
  if (id !== null) return loaders.manifestById.load(id);
  return digest === null ? null : loaders.manifestByDigest.load(digest);
}
