import {
  containerEventCursor,
  type CatalogReads,
  type ContainerEventRecord,
  type Told,
} from '../../catalog/read/index.ts';
import { CatalogError } from '../../domain/errors.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import { batchPages } from '../loader.ts';
import { existing } from './existing.ts';
import type { Loaders } from './index.ts';

export const containerEventLoaders = (reads: CatalogReads) => ({
  eventsByContainer: batchPages(reads.eventsByContainer),
});

export const containerEventResolvers: Resolvers = {
  Query: {
    containerEvents: async (_, { runtime, ...args }, { reads, loaders }) =>
      rootConnection(reads.containerEvents, { ...args, runtimeId: await runtimeIdOf(runtime, loaders) }),
  },
  Subscription: {
    containerEvents: {
      subscribe: async (_, { runtime, after }, { reads, loaders, live }) => {
        const runtimeId = await runtimeIdOf(runtime, loaders);
        return reads.followContainerEvents({ runtimeId, after }, () => live?.client.drop());
      },
      resolve: ({ value }: Told<ContainerEventRecord>) => value,
    },
  },
  ContainerEvent: {
    cursor: containerEventCursor,
    container: ({ containerId }, _, { loaders }) => existing(loaders.containerById.load(containerId)),
  },
  ContainerEventConnection: connectionFields,
};

/** Null where none is named. Throws NOT_FOUND. */
async function runtimeIdOf(name: string | null | undefined, loaders: Loaders): Promise<number | null> {
  if (name == null) return null;
  const runtime = await loaders.runtimeByName.load(name);
  if (runtime !== null) return runtime.id;
  throw new CatalogError(
    'NOT_FOUND',
    `runtime "${name.slice(0, 200)}" is not in the catalog: name one of runtimes, exactly, or leave it out for all.`,
  );
}
