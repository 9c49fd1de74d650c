import type { SearchHit } from '../../catalog/read/index.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { connectionFields, rootConnection } from '../connection.ts';
import { existing } from './existing.ts';
import type { Loaders } from './index.ts';

/** A place in the list; what was found there is looked up when it is asked for. */
export interface SearchEdge {
  readonly cursor: string;
  readonly node: SearchHit;
}

export const searchResolvers: Resolvers = {
  Query: {
    search: (_, args, { reads }) => rootConnection(reads.search, args),
  },
  SearchResultConnection: {
    ...connectionFields,
    nodes: async (found, _, { loaders }) => Promise.all((await found.nodes()).map((hit) => foundBy(hit, loaders))),
  },
  SearchResultEdge: {
    node: ({ node }, _, { loaders }) => foundBy(node, loaders),
    score: ({ node }) => node.score,
    matchedOn: ({ node }) => node.matchedOn,
  },
};

async function foundBy({ type, id }: SearchHit, loaders: Loaders) {
  switch (type) {
    case 'REPOSITORY':
      return existing(loaders.repositoryById.load(id));
    case 'IMAGE':
      return imageOf(id, loaders);
    case 'LAYER':
      return existing(loaders.layerById.load(id));
    case 'PACKAGE':
      return existing(loaders.packageById.load(id));
    case 'CONTAINER':
      return existing(loaders.containerById.load(id));
  }
}

async function imageOf(id: number, loaders: Loaders) {
  const manifest = await existing(loaders.manifestById.load(id));
  if (manifest.__typename !== 'Image') throw new Error(`manifest ${id} was found as an image, and is none`);
  return manifest;
}
