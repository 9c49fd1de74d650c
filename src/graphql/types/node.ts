import { CatalogError } from '../../domain/errors.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { parseNodeId, type NodeKey } from '../node-id.ts';
import type { Loaders } from './index.ts';

const MAX_NODES = 100;

export const nodeResolvers: Resolvers = {
  Query: {
    node: (_, { id }, { loaders }) => nodeOf(parseNodeId(id, 'id'), loaders),
    nodes(_, { ids }, { loaders }) {
      if (ids.length > MAX_NODES) {
        throw new CatalogError(
          'INVALID_ARGUMENT',
          `ids has ${ids.length} entries: ask for at most ${MAX_NODES} at once.`,
        );
      }
      const keys = ids.map((id, place) => parseNodeId(id, `ids[${place}]`));
      return Promise.all(keys.map((key) => nodeOf(key, loaders)));
    },
    viewer: (_, _args, { viewer }) => viewer,
  },
};

/** Null where it does not exist (any more). */
export async function nodeOf(node: NodeKey, loaders: Loaders) {
  switch (node.type) {
    case 'Artifact':
    case 'Image':
    case 'ImageIndex': {
      const manifest = await loaders.manifestByDigest.load(node.key);
      return manifest?.__typename === node.type ? manifest : null;
    }
    case 'Container':
      return loaders.containerById.load(node.key);
    case 'Layer':
      return loaders.layerByDiffId.load(node.key);
    case 'Package':
      return loaders.packageById.load(node.key);
    case 'Registry':
      return loaders.registryById.load(node.key);
    case 'Repository':
      return loaders.repositoryById.load(node.key);
    case 'Runtime':
      return loaders.runtimeById.load(node.key);
    case 'SyncRun':
      return loaders.syncRunById.load(node.key);
    case 'SyncSource':
      return loaders.syncSourceById.load(node.key);
    case 'Tag':
      return loaders.tagById.load(node.key);
    case 'TagEvent':
      return loaders.tagEventById.load(node.key);
  }
}
