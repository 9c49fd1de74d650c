import type { ApolloServerPlugin } from '@apollo/server';
import {
  getNamedType,
  GraphQLError,
  isInterfaceType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { DEFAULT_PAGE, MAX_PAGE } from '../catalog/read/index.ts';
import type { ClientErrorCode } from './errors.ts';
import { MAX_ENTRIES } from './limits.ts';

export interface CostedOperation {
  readonly schema: GraphQLSchema;
  /** Valid: its fragments exist, and don't spread each other in a circle. */
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** As the client sent them. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * How many entries of connections the answer has if every page is full. Lists without pages count as one entry, ids
 * that are asked for as many as they are. Each part of the document is looked at once.
 */
export function entriesOf({ schema, document, operation, variables }: CostedOperation): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const known = new Map<string, number>();
  const read = argumentReader(operation, variables);

  function ofSet(set: SelectionSetNode, parent: GraphQLNamedType | undefined): number {
    let entries = 0;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) entries += ofField(selection, parent);
      else if (selection.kind === Kind.FRAGMENT_SPREAD) entries += ofFragment(selection.name.value);
      else {
        const condition = selection.typeCondition;
        entries += ofSet(selection.selectionSet, condition ? schema.getType(condition.name.value) : parent);
      }
    }
    return entries;
  }

  function ofFragment(name: string): number {
    const fragment = fragments.get(name);
    if (fragment === undefined) return 0;
    let entries = known.get(name);
    if (entries === undefined) {
      entries = ofSet(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value));
      known.set(name, entries);
    }
    return entries;
  }

  function ofField(node: FieldNode, parent: GraphQLNamedType | undefined): number {
    const field = fieldOf(parent, node);
    // What a type does not list is introspection, which has no pages.
    if (field === undefined || node.selectionSet === undefined) return 0;
    const within = ofSet(node.selectionSet, getNamedType(field.type));
    const size = sizeOf(field, node, read);
    return size === null ? within : size * (1 + within);
  }

  return ofSet(operation.selectionSet, schema.getRootType(operation.operation) ?? undefined);
}

/** Refuses an operation whose answer may have more entries than `MAX_ENTRIES`, before anything of it is resolved. */
export const costLimit: ApolloServerPlugin = {
  requestDidStart() {
    return Promise.resolve({
      didResolveOperation({ schema, document, operation, request }) {
        // Without an operation of the name that was asked for, the refusal is Apollo's.
        if (operation === undefined) return Promise.resolve();
        const entries = entriesOf({ schema, document, operation, variables: request.variables ?? {} });
        if (entries <= MAX_ENTRIES) return Promise.resolve();
        const error = new GraphQLError(
          `The operation may return ${entries.toLocaleString('en')} entries of lists: at most ${MAX_ENTRIES.toLocaleString('en')} are allowed. Ask for smaller pages with first or last, above all where lists stand within lists.`,
          { nodes: operation, extensions: { code: 'BAD_USER_INPUT' satisfies ClientErrorCode, http: { status: 400 } } },
        );
        return Promise.reject(error);
      },
    });
  },
};

type ReadArgument = (node: FieldNode, name: string) => unknown;

function fieldOf(parent: GraphQLNamedType | undefined, node: FieldNode): GraphQLField<unknown, unknown> | undefined {
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
}

/** Null for what is no list that a client sets the length of. */
function sizeOf(field: GraphQLField<unknown, unknown>, node: FieldNode, read: ReadArgument): number | null {
  const type = getNamedType(field.type);
  if (isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Connection')) {
    const size = read(node, 'first') ?? read(node, 'last');
    // A page that can not be is refused where it is read, in better words.
    return typeof size === 'number' ? Math.min(Math.max(size, 0), MAX_PAGE) : DEFAULT_PAGE;
  }
  if (!field.args.some(({ name }) => name === 'ids')) return null;
  const ids = read(node, 'ids');
  return Array.isArray(ids) ? ids.length : 1;
}

/** Whole numbers, and lists for their length, as they are written or as a variable has them. */
function argumentReader(
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): ReadArgument {
  const defaults = new Map(operation.variableDefinitions?.map((each) => [each.variable.name.value, each.defaultValue]));
  return (node, name) => {
    const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
    if (value?.kind !== Kind.VARIABLE) return written(value);
    const variable = value.name.value;
    return Object.hasOwn(variables, variable) ? variables[variable] : written(defaults.get(variable));
  };
}

function written(value: ValueNode | undefined): unknown {
  if (value?.kind === Kind.INT) return Number(value.value);
  return value?.kind === Kind.LIST ? value.values : null;
}
