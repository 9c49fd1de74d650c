import { tagKey, type CatalogReads, type RepositoryKey } from '../../catalog/read/index.ts';
import { isTagName } from '../../domain/reference.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { rootConnection } from '../connection.ts';
import { batchOne, batchPages } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';
import { existing } from './existing.ts';

export const repositoryLoaders = (reads: CatalogReads) => ({
  repositoryById: batchOne(reads.repositoriesById),
  repositoryByReference: batchOne(
    reads.repositoriesByReference,
    ({ host, repository }: RepositoryKey) => `${host}/${repository}`,
  ),
  tagsByRepository: batchPages(reads.tagsByRepository),
  tagByName: batchOne(reads.tagsByName, tagKey),
  imagesByRepository: batchPages(reads.imagesByRepository),
  tagEventsByRepository: batchPages(reads.tagEventsByRepository),
});

export const repositoryResolvers: Resolvers = {
  Query: {
    repository: (_, { reference }, { loaders }) => loaders.repositoryByReference.load(reference),
    repositories: (_, args, { reads }) => rootConnection(reads.repositories, args),
  },
  Repository: {
    id: (repository) => formatNodeId('Repository', repository.id),
    registry: (repository, _, { loaders }) => existing(loaders.registryById.load(repository.registryId)),
    tags: (repository, args, { loaders }) => loaders.tagsByRepository.connection(repository.id, args),
    tag: ({ id }, { name }, { loaders }) =>
      isTagName(name) ? loaders.tagByName.load({ repositoryId: id, name }) : null,
    images: (repository, args, { loaders }) => loaders.imagesByRepository.connection(repository.id, args),
    history: (repository, args, { loaders }) => loaders.tagEventsByRepository.connection(repository.id, args),
  },
};
