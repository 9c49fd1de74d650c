import {
  containerKey,
  type CatalogReads,
  type ContainerDetails,
  type ContainerRecord,
  type ImageRecord,
} from '../../catalog/read/index.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import type { GraphQLContext } from '../context.ts';
import { batchOne, batchPages } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';
import { existing } from './existing.ts';
import type { Loaders } from './index.ts';

export const containerLoaders = (reads: CatalogReads) => ({
  containerById: batchOne(reads.containersById),
  containerByKey: batchOne(reads.containersByKey, containerKey),
  detailsByContainer: batchOne(reads.detailsByContainer),
  containersByImage: batchPages(reads.containersByImage),
  containersByLayer: batchPages(reads.containersByLayer),
  containersByRepository: batchPages(reads.containersByRepository),
  containersByTag: batchPages(reads.containersByTag),
  containerCountByImage: batchOne(reads.containerCountsByImage),
  containerCommitted: batchOne(reads.containersCommitted),
  committedImagesByContainer: batchPages(reads.committedImages),
});

export const containerResolvers: Resolvers = {
  Query: {
    container: (_, key, { loaders }) => loaders.containerByKey.load(key),
    containers: (_, args, { reads }) => rootConnection(reads.containers, args),
  },
  Container: {
    id: (container) => formatNodeId('Container', container.id),
    runtime: ({ runtimeId }, _, { loaders }) => existing(loaders.runtimeById.load(runtimeId)),
    image: async ({ imageId }, _, { loaders }) =>
      imageId === null ? null : ((await loaders.manifestById.load(imageId)) as ImageRecord | null),
    imageDigests: detail('imageDigests'),
    tag: (container, _, { loaders }) => tagOf(container, loaders),
    command: detail('command'),
    ports: detail('ports'),
    mounts: detail('mounts'),
    labels: detail('labels'),
    async label({ id }, { name }, { loaders }) {
      const { labels } = await existing(loaders.detailsByContainer.load(id));
      return labels.find((label) => label.name === name)?.value ?? null;
    },
    async newerTags(container, args, { loaders }) {
      const tag = await tagOf(container, loaders);
      return tag === null ? [] : loaders.newerTagsByTag.list(tag.id, args);
    },
    committedImages: ({ id }, args, { loaders }) => loaders.committedImagesByContainer.connection(id, args),
  },
  ContainerConnection: connectionFields,
};

/** Of all details, which are read at once. */
function detail<K extends keyof ContainerDetails>(name: K) {
  return async ({ id }: ContainerRecord, _: unknown, { loaders }: GraphQLContext) =>
    (await existing(loaders.detailsByContainer.load(id)))[name];
}

async function tagOf({ tagReference }: ContainerRecord, loaders: Loaders) {
  return tagReference === null ? null : loaders.tagByReference.load(tagReference);
}
