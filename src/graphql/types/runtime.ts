import type { CatalogReads } from '../../catalog/read/index.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import { batchOne, batchPages } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';
import { idIn } from './input-id.ts';

export const runtimeLoaders = (reads: CatalogReads) => ({
  runtimeById: batchOne(reads.runtimesById),
  runtimeByName: batchOne(reads.runtimesByName),
  containersByRuntime: batchPages(reads.containersByRuntime),
});

export const runtimeResolvers: Resolvers = {
  Query: {
    runtime: (_, { name }, { loaders }) => loaders.runtimeByName.load(name),
    runtimes: (_, args, { reads }) => rootConnection(reads.runtimes, args),
  },
  Mutation: {
    async addRuntime(_, { input }, { commands, reads }) {
      const { runtimeId, userErrors } = await commands.addRuntime(input);
      return { runtime: await runtimeOf(reads, runtimeId), userErrors };
    },
    async removeRuntime(_, { input }, { commands }) {
      const id = idIn('Runtime', input.id, 'id');
      if (typeof id !== 'number') return { removedId: null, userErrors: [id] };
      const { removedId, userErrors } = await commands.removeRuntime({ id });
      return { removedId: removedId === null ? null : formatNodeId('Runtime', removedId), userErrors };
    },
    async reportContainers(_, { input }, { commands, reads }) {
      const { runtimeId, ...outcome } = await commands.reportContainers(input);
      return { runtime: await runtimeOf(reads, runtimeId), ...outcome };
    },
  },
  Runtime: {
    id: (runtime) => formatNodeId('Runtime', runtime.id),
    containers: ({ id }, args, { loaders }) => loaders.containersByRuntime.connection(id, args),
    containerCount: ({ id }, _, { loaders }) => loaders.containersByRuntime.connection(id, {}).totalCount(),
  },
  RuntimeConnection: connectionFields,
};

/** As it is after the change, past the request's loaders. */
async function runtimeOf(reads: CatalogReads, id: number | null) {
  return id === null ? null : ((await reads.runtimesById([id])).get(id) ?? null);
}
