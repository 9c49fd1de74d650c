import type { CatalogReads } from '../../catalog/read/index.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import { batchOne, batchPages } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';

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
  Runtime: {
    id: (runtime) => formatNodeId('Runtime', runtime.id),
    containers: ({ id }, args, { loaders }) => loaders.containersByRuntime.connection(id, args),
    containerCount: ({ id }, _, { loaders }) => loaders.containersByRuntime.connection(id, {}).totalCount(),
  },
  RuntimeConnection: connectionFields,
};
