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
import { imageFor } from './image.ts';
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
  driftByContainer: batchOne(reads.driftsByContainer),
});

export const containerResolvers: Resolvers = {
  Query: {
    container: (_, key, { loaders }) => loaders.containerByKey.load(key),
    containers: (_, args, { reads }) => rootConnection(reads.containers, args),
  },
  Container: {
    id: (container) => formatNodeId('Container', container.id),
    runtime: ({ runtimeId }, _, { loaders }) => existing(loaders.runtimeById.load(runtimeId)),
    image: ({ imageId }, _, { loaders }) => (imageId === null ? null : imageOf(imageId, loaders)),
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
    drift: ({ id, isOutdated }, _, { loaders }) => (isOutdated === true ? loaders.driftByContainer.load(id) : null),
    async newerTags(container, args, { loaders }) {
      const tag = await tagOf(container, loaders);
      return tag === null ? [] : loaders.newerTagsByTag.list(tag.id, args);
    },
    committedImages: ({ id }, args, { loaders }) => loaders.committedImagesByContainer.connection(id, args),
    events: ({ id }, args, { loaders }) => loaders.eventsByContainer.connection(id, args),
  },
  ContainerDrift: {
    tag: ({ tagId }, _, { loaders }) => existing(loaders.tagById.load(tagId)),
    async current({ tagId, imageId }, _, { loaders }) {
      const [tag, image] = await Promise.all([loaders.tagById.load(tagId), imageOf(imageId, loaders)]);
      if (tag === null || tag.manifestId === null || image === null) return null;
      return imageFor(loaders, tag.manifestId, image.platform);
    },
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

async function imageOf(imageId: number, loaders: Loaders): Promise<ImageRecord | null> {
  return (await loaders.manifestById.load(imageId)) as ImageRecord | null;
}
