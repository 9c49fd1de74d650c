import {
  tagKey,
  type CatalogReads,
  type RepositoryDetails,
  type RepositoryKey,
  type RepositoryRecord,
} from '../../catalog/read/index.ts';
import { DOCKER_HUB, familiarName, isTagName } from '../../domain/reference.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import type { GraphQLContext } from '../context.ts';
import { batchOne, batchPages } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';
import { existing } from './existing.ts';

export const repositoryLoaders = (reads: CatalogReads) => ({
  repositoryById: batchOne(reads.repositoriesById),
  placeById: batchOne(reads.placesById),
  repositoryByReference: batchOne(
    reads.repositoriesByReference,
    ({ host, repository }: RepositoryKey) => `${host}/${repository}`,
  ),
  claimsByRepository: batchOne(reads.claimsByRepository),
  tagsByRepository: batchPages(reads.tagsByRepository),
  tagByName: batchOne(reads.tagsByName, tagKey),
  imagesByRepository: batchPages(reads.imagesByRepository),
  tagEventsByRepository: batchPages(reads.tagEventsByRepository),
});

/** Reads what a record does not have that came with a tag. */
function detail<K extends keyof RepositoryDetails>(name: K) {
  return ({ id, details }: RepositoryRecord, _: unknown, { loaders }: GraphQLContext) => {
    if (details !== null) return details[name];
    return existing(loaders.repositoryById.load(id)).then(({ details }) => (details as RepositoryDetails)[name]);
  };
}

/** Every one of them: a field without its resolver would be null where a repository came with a tag. */
const detailFields: { [K in keyof RepositoryDetails]: ReturnType<typeof detail<K>> } = {
  description: detail('description'),
  isPrivate: detail('isPrivate'),
  starCount: detail('starCount'),
  pullCount: detail('pullCount'),
  metadata: detail('metadata'),
  tagCount: detail('tagCount'),
  storedSize: detail('storedSize'),
  firstSeenAt: detail('firstSeenAt'),
  updatedAt: detail('updatedAt'),
  lastSyncedAt: detail('lastSyncedAt'),
  unavailableSince: detail('unavailableSince'),
};

export const repositoryResolvers: Resolvers = {
  Query: {
    repository: (_, { reference }, { loaders }) => loaders.repositoryByReference.load(reference),
    repositories: (_, args, { reads }) => rootConnection(reads.repositories, args),
  },
  Mutation: {
    async setMetadata(_, { input }, { commands, reads }) {
      const { repositoryId, userErrors } = await commands.setMetadata(input);
      return { repository: await repositoryOf(reads, repositoryId), userErrors };
    },
  },
  Repository: {
    id: (repository) => formatNodeId('Repository', repository.id),
    registry: ({ host }, _, { loaders }) => existing(loaders.registryByHost.load(host)),
    reference: ({ host, name }) => `${host}/${name}`,
    familiarName: ({ host, name }) => familiarName(host, name),
    isOfficial: ({ host, name }) => host === DOCKER_HUB && name.startsWith('library/'),
    ...detailFields,
    tags: (repository, args, { loaders }) => loaders.tagsByRepository.connection(repository.id, args),
    tag: ({ id }, { name }, { loaders }) =>
      isTagName(name) ? loaders.tagByName.load({ repositoryId: id, name }) : null,
    images: (repository, args, { loaders }) => loaders.imagesByRepository.connection(repository.id, args),
    containers: ({ id }, args, { loaders }) => loaders.containersByRepository.connection(id, args),
    containerCount: ({ id }, _, { loaders }) => loaders.containersByRepository.connection(id, {}).totalCount(),
    history: (repository, args, { loaders }) => loaders.tagEventsByRepository.connection(repository.id, args),
  },
  CatalogMetadata: {
    owner: async ({ owner, repositoryId }, _, { loaders }) =>
      owner ?? (await loaders.claimsByRepository.load(repositoryId))?.owner ?? null,
    documentationUrl: async ({ documentationUrl, repositoryId }, _, { loaders }) =>
      documentationUrl ?? (await loaders.claimsByRepository.load(repositoryId))?.documentationUrl ?? null,
    sourceUrl: async ({ sourceUrl, repositoryId }, _, { loaders }) =>
      sourceUrl ?? (await loaders.claimsByRepository.load(repositoryId))?.sourceUrl ?? null,
  },
  RepositoryConnection: connectionFields,
};

/** As it is after the change, past the request's loaders. */
async function repositoryOf(reads: CatalogReads, id: number | null) {
  return id === null ? null : ((await reads.repositoriesById([id])).get(id) ?? null);
}
