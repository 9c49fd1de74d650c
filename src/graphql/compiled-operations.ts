import { HeaderMap, type ApolloServerPlugin } from '@apollo/server';
import {
  GraphQLError,
  isInputObjectType,
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type TypeNode,
} from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { resultFormatter } from './errors.ts';

/** Who asks the same so often will go on asking: compiling takes as long as some twenty executions. */
const USES_BEFORE = 20;

/** Fields of an operation that is compiled, once its fragments are spread: each takes up to half a millisecond. */
const MAX_FIELDS = 100;

/** How many operations are remembered. */
const REMEMBERED = 500;

/**
 * Executes queries that are asked again and again by code that was made for each of them. All others, what changes
 * something, has variables that are objects, or has some that don't fit, are left to graphql-js.
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

/** The code that reads a filter from variables would grow without end: filters hold filters. */
function isCompilable(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): boolean {
  const hasPlainVariables = (operation.variableDefinitions ?? []).every(
    ({ type }) => !isInputObjectType(schema.getType(nameIn(type))),
  );
  return (
    operation.operation === OperationTypeNode.QUERY &&
    hasPlainVariables &&
    fieldsOf(document, operation.selectionSet) <= MAX_FIELDS
  );
}

function nameIn(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : nameIn(type.type);
}

/** Infinite where an answer has a name that objects know in another sense. */
function fieldsOf(document: DocumentNode, set: SelectionSetNode): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const counted = new Map<string, number>();

  function count({ selections }: SelectionSetNode): number {
    let fields = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) fields += countFragment(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) fields += count(selection.selectionSet);
      else if ((selection.alias ?? selection.name).value === '__proto__') return Infinity;
      else fields += 1 + (selection.selectionSet ? count(selection.selectionSet) : 0);
    }
    return fields;
  }

  function countFragment(name: string): number {
    let fields = counted.get(name);
    if (fields === undefined) {
      const fragment = fragments.get(name);
      counted.set(name, (fields = fragment === undefined ? 0 : count(fragment.selectionSet)));
    }
    return fields;
  }

  return count(set);
}

/** The compiled code has errors of its own, which lack what graphql-js promises. */
function proper({ message, locations, path, originalError, extensions }: GraphQLError): GraphQLError {
  return Object.assign(new GraphQLError(message, { path, originalError, extensions }), { locations });
}
