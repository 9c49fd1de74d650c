import { addResolversToSchema, buildSubgraphSchema } from '@apollo/subgraph';
import { parse, type GraphQLSchema } from 'graphql';
import { CatalogError } from '../domain/errors.ts';
import type { GraphQLContext } from './context.ts';
import { parseNodeId, type NodeKey } from './node-id.ts';
import { scalarResolvers } from './scalars/index.ts';
import { nodeOf } from './types/node.ts';
import { typeResolvers } from './types/index.ts';
import { guardMutations } from './viewer.ts';

/**
 * The schema as a subgraph, which a gateway joins with others: what `federation` adds to the SDL, and what other
 * subgraphs refer to, by its id.
 */
export function createSubgraphSchema(sdl: string, federation: string): GraphQLSchema {
  const schema = buildSubgraphSchema(parse(`${sdl}\n${federation}`));
  for (const resolvers of [...typeResolvers, scalarResolvers, entityResolvers]) {
    addResolversToSchema(schema, resolvers as Parameters<typeof addResolversToSchema>[1]);
  }
  guardMutations(schema);
  return schema;
}

/** Each answers for itself; the loaders make one statement of all that have a type. */
const entityResolvers = {
  Query: {
    // In place of the library's, to which a representation that can't be is a fault of the server.
    _entities: (
      _: unknown,
      { representations }: { representations: readonly unknown[] },
      { loaders }: GraphQLContext,
    ) => representations.map(async (each, place) => nodeOf(keyOf(each, `representations[${place}]`), loaders)),
  },
};

function keyOf(representation: unknown, argument: string): NodeKey {
  const { __typename: type, id } = Object(representation) as { readonly __typename?: unknown; readonly id?: unknown };
  if (typeof id !== 'string') {
    throw new CatalogError('INVALID_ARGUMENT', `${argument} has no id: send { "__typename": "Image", "id": "…" }.`);
  }
  const key = parseNodeId(id, `${argument}.id`);
  if (key.type === type) return key;
  throw new CatalogError('INVALID_ARGUMENT', `${argument}.id is that of a ${key.type}, and __typename another type's.`);
}
