import type { CatalogReads } from '../../catalog/read/index.ts';
import { parseRegistryHost } from '../../domain/reference.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import { batchOne, batchPages } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';

export const registryLoaders = (reads: CatalogReads) => ({
  registryById: batchOne(reads.registriesById),
  registryByHost: batchOne(reads.registriesByHost),
  repositoryCountByRegistry: batchOne(reads.repositoryCountsByRegistry),
  repositoriesByRegistry: batchPages(reads.repositoriesByRegistry),
  lastRunByRegistry: batchOne(reads.lastRunsByRegistry),
  syncRunsByRegistry: batchPages(reads.syncRunsByRegistry),
});

export const registryResolvers: Resolvers = {
  Query: {
    registry: (_, { host }, { loaders }) => loaders.registryByHost.load(parseRegistryHost(host)),
    registries: (_, args, { reads }) => rootConnection(reads.registries, args),
  },
  Mutation: {
    async addRegistry(_, { input }, { commands, reads }) {
      const { registryId, userErrors } = await commands.addRegistry(input);
      return { registry: await registryOf(reads, registryId), userErrors };
    },
    async updateRegistry(_, { input }, { commands, reads }) {
      const { registryId, userErrors } = await commands.updateRegistry(input);
      return { registry: await registryOf(reads, registryId), userErrors };
    },
    async removeRegistry(_, { input }, { commands }) {
      const { removedId, userErrors } = await commands.removeRegistry(input);
      return { removedId: removedId === null ? null : formatNodeId('Registry', removedId), userErrors };
    },
  },
  Registry: {
    id: (registry) => formatNodeId('Registry', registry.id),
    repositories: (registry, args, { loaders }) => loaders.repositoriesByRegistry.connection(registry.id, args),
    repositoryCount: async (registry, _, { loaders }) =>
      (await loaders.repositoryCountByRegistry.load(registry.id)) ?? 0,
    lastSync: (registry, _, { loaders }) => loaders.lastRunByRegistry.load(registry.id),
    syncRuns: (registry, args, { loaders }) => loaders.syncRunsByRegistry.connection(registry.id, args),
  },
  RegistryConnection: connectionFields,
};

/** As it is after the change, past the request's loaders. */
async function registryOf(reads: CatalogReads, id: number | null) {
  return id === null ? null : ((await reads.registriesById([id])).get(id) ?? null);
}
