import { HeaderMap, type ApolloServerPlugin } from '@apollo/server';
import { GraphQLError, type DocumentNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { isCompilable } from './compilable.ts';
import { resultFormatter } from './errors.ts';

/** Who asks the same so often will go on asking: compiling takes as long as some twenty executions. */
const USES_BEFORE = 20;

/** How many operations are remembered. */
const REMEMBERED = 500;

/**
 * Executes queries that are asked again and again by code that was made for each of them. All others, those that are not
 * compilable, and those whose variables don't fit are left to graphql-js.
 */
export function compiledOperations(log: Logger): ApolloServerPlugin {
  // By operation: Apollo parses a text once, and gives the same nodes for it again.
  const known = new LRUCache<OperationDefinitionNode, Known>({ max: REMEMBERED });
  const format = resultFormatter(log);

  function compiledFor(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) {
    let entry = known.get(operation);
    if (entry === undefined) known.set(operation, (entry = { uses: 0, query: null }));
    if (entry.uses++ === USES_BEFORE && isCompilable(schema, document, operation)) {
      const compiled = compileQuery(schema, document, operation.name?.value);
      if (isCompiledQuery(compiled)) entry.query = compiled.query;
    }
    return entry.query;
  }

  return {
    requestDidStart() {
      return Promise.resolve({
        async responseForOperation({ schema, document, operation, request, contextValue }) {
          // Without an operation of the name that was asked for, the refusal is Apollo's.
          if ((operation as OperationDefinitionNode | undefined) === undefined) return null;
          const query = compiledFor(schema, document, operation);
          if (query === null) return null;
          const { data, errors } = await query(undefined, contextValue, request.variables ?? {});
          // The variables don't fit, which graphql-js tells in better words.
          if (data === undefined) return null;
          const result = errors === undefined ? { data } : format({ errors: errors.map(proper), data });
          return { http: { headers: new HeaderMap() }, body: { kind: 'single', singleResult: result } };
        },
      });
    },
  };
}

interface Known {
  uses: number;
  query: CompiledQuery['query'] | null;
}

/** The compiled code has errors of its own, which lack what graphql-js promises. */
function proper({ message, locations, path, originalError, extensions }: GraphQLError): GraphQLError {
  return Object.assign(new GraphQLError(message, { path, originalError, extensions }), { locations });
}
