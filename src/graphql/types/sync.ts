import type { CatalogReads, SyncRunRecord, Told } from '../../catalog/read/index.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import { batchOne, batchPages } from '../loader.ts';
import { formatNodeId, parseRowId } from '../node-id.ts';
import { existing } from './existing.ts';
import { idIn } from './input-id.ts';

export const syncLoaders = (reads: CatalogReads) => ({
  syncSourceById: batchOne(reads.syncSourcesById),
  syncRunById: batchOne(reads.syncRunsById),
  lastRunBySource: batchOne(reads.lastRunsBySource),
  syncErrorsByRun: batchPages(reads.syncErrorsByRun),
});

export const syncResolvers: Resolvers = {
  Query: {
    syncSources: (_, args, { reads }) => rootConnection(reads.syncSources, args),
    syncRun: (_, { id }, { loaders }) => loaders.syncRunById.load(parseRowId('SyncRun', id, 'id')),
  },
  Mutation: {
    async addSyncSource(_, { input }, { commands, reads }) {
      const { sourceId, userErrors } = await commands.addSyncSource(input);
      return { source: await sourceOf(reads, sourceId), userErrors };
    },
    async updateSyncSource(_, { input }, { commands, reads }) {
      const id = idIn('SyncSource', input.id, 'id');
      if (typeof id !== 'number') return { source: null, userErrors: [id] };
      const { sourceId, userErrors } = await commands.updateSyncSource({ ...input, id });
      return { source: await sourceOf(reads, sourceId), userErrors };
    },
    async removeSyncSource(_, { input }, { commands }) {
      const id = idIn('SyncSource', input.id, 'id');
      if (typeof id !== 'number') return { removedId: null, userErrors: [id] };
      const { removedId, userErrors } = await commands.removeSyncSource({ id });
      return { removedId: removedId === null ? null : formatNodeId('SyncSource', removedId), userErrors };
    },
    async requestSync(_, { input }, { commands, reads }) {
      const source = input.source == null ? null : idIn('SyncSource', input.source, 'source');
      if (source !== null && typeof source !== 'number') return { run: null, userErrors: [source] };
      const { runId, userErrors } = await commands.requestSync({ ...input, source });
      return { run: await runOf(reads, runId), userErrors };
    },
    async cancelSync(_, { input }, { commands, reads }) {
      const id = idIn('SyncRun', input.id, 'id');
      if (typeof id !== 'number') return { run: null, userErrors: [id] };
      const { runId, userErrors } = await commands.cancelSync({ id });
      return { run: await runOf(reads, runId), userErrors };
    },
  },
  Subscription: {
    syncRun: {
      subscribe: (_, { id }, { reads, live }) =>
        reads.followSyncRun(parseRowId('SyncRun', id, 'id'), () => live?.client.drop()),
      resolve: ({ value }: Told<SyncRunRecord>) => value,
    },
  },
  SyncSource: {
    id: (source) => formatNodeId('SyncSource', source.id),
    registry: (source, _, { loaders }) => existing(loaders.registryById.load(source.registryId)),
    lastRun: (source, _, { loaders }) => loaders.lastRunBySource.load(source.id),
  },
  SyncRun: {
    id: (run) => formatNodeId('SyncRun', run.id),
    source: ({ sourceId }, _, { loaders }) => (sourceId === null ? null : loaders.syncSourceById.load(sourceId)),
    registry: (run, _, { loaders }) => loaders.registryById.load(run.registryId),
    errors: (run, args, { loaders }) => loaders.syncErrorsByRun.connection(run.id, args),
  },
  UserError: {
    __resolveType: (error) => error.type,
  },
  SyncSourceConnection: connectionFields,
  SyncRunConnection: connectionFields,
  SyncErrorConnection: connectionFields,
};

/** As it is after the change, past the request's loaders; so too below. */
async function sourceOf(reads: CatalogReads, id: number | null) {
  return id === null ? null : ((await reads.syncSourcesById([id])).get(id) ?? null);
}

async function runOf(reads: CatalogReads, id: number | null) {
  return id === null ? null : ((await reads.syncRunsById([id])).get(id) ?? null);
}
