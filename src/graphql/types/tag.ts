import type { CatalogReads } from '../../catalog/read/index.ts';
import { CatalogError } from '../../domain/errors.ts';
import { formatReference, type Reference } from '../../domain/reference.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import type { GraphQLContext } from '../context.ts';
import { batchLists, batchOne, batchPages } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';
import { existing } from './existing.ts';
import { imageFor, imagesOf } from './image.ts';

export const tagLoaders = (reads: CatalogReads) => ({
  tagById: batchOne(reads.tagsById),
  tagByReference: batchOne(reads.tagsByReference, formatReference),
  newerTagsByTag: batchLists(reads.newerTagsByTag),
  tagEventsByTag: batchPages(reads.tagEventsByTag),
});

export const tagResolvers: Resolvers = {
  Query: {
    tag: (_, { reference }, { loaders }) => loaders.tagByReference.load(withTag(reference)),
    tags: (_, args, { reads }) => rootConnection(reads.tags, args),
  },
  Tag: {
    id: (tag) => formatNodeId('Tag', tag.id),
    repository: ({ repositoryId }, _, context) => repositoryOf(repositoryId, context),
    async reference({ name, repositoryId }, _, context) {
      const { host, name: path } = await repositoryOf(repositoryId, context);
      return `${host}/${path}:${name}`;
    },
    manifest: ({ manifestId }, _, { loaders }) => (manifestId === null ? null : loaders.manifestById.load(manifestId)),
    image: ({ manifestId }, { platform }, { loaders }) =>
      manifestId === null ? null : imageFor(loaders, manifestId, platform),
    images: ({ manifestId }, _, { loaders }) => (manifestId === null ? [] : imagesOf(loaders, manifestId)),
    newerTags: (tag, args, { loaders }) => loaders.newerTagsByTag.list(tag.id, args),
    containers: ({ id }, args, { loaders }) => loaders.containersByTag.connection(id, args),
    containerCount: ({ id }, _, { loaders }) => loaders.containersByTag.connection(id, {}).totalCount(),
    history: (tag, args, { loaders }) => loaders.tagEventsByTag.connection(tag.id, args),
  },
  TagConnection: connectionFields,
};

function repositoryOf(id: number, { reads, loaders }: GraphQLContext) {
  return reads.knownPlace(id) ?? existing(loaders.placeById.load(id));
}

/** Latest is what a reference without a tag means, but not one that has a digest in its place. */
function withTag(reference: Reference): Reference {
  if (reference.tag !== null || reference.digest === null) return reference;
  throw new CatalogError(
    'INVALID_REFERENCE',
    `reference "${formatReference(reference)}" names a digest: name a tag, such as nginx:1.27, or ask for image or manifest.`,
  );
}
