import {
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isObjectType,
  isSpecifiedScalarType,
  Kind,
  OperationTypeNode,
  visit,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  type InlineFragmentNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type TypeNode,
  type VariableDefinitionNode,
} from 'graphql';
import { fieldOf } from './cost.ts';

/**
 * What is selected by an operation that is compiled, with its fragments spread, and what is selected of an interface or
 * a union once for each type that there may be: so much code is made, at up to half a millisecond each.
 */
const MAX_SELECTIONS = 100;

/**
 * Whether graphql-jit makes code for a valid operation that answers as graphql-js does, of a bounded size, and with
 * nothing in it that the client wrote. Whatever it does not do so is named here.
 */
export function isCompilable(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): boolean {
  return (
    operation.operation === OperationTypeNode.QUERY &&
    (operation.variableDefinitions ?? []).every((variable) => isReadRightly(schema, variable)) &&
    hasPlainTextOnly(document) &&
    isSmall(schema, document, operation)
  );
}

/**
 * The code that reads a filter would grow without end: filters hold filters. A default value is written into the code as
 * JSON, which is not what our own scalars make of it.
 */
function isReadRightly(schema: GraphQLSchema, { type, defaultValue }: VariableDefinitionNode): boolean {
  const named = schema.getType(nameIn(type));
  if (named === undefined || isInputObjectType(named)) return false;
  return defaultValue === undefined || isEnumType(named) || isSpecifiedScalarType(named);
}

function nameIn(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : nameIn(type.type);
}

/**
 * Text in a document is written into the code, and the library finds dates and the like in there again by marks that
 * begin with two underscores: behind a mark, a client could write code of its own.
 */
function hasPlainTextOnly(document: DocumentNode): boolean {
  let isPlain = true;
  visit(document, { StringValue: ({ value }) => void (isPlain &&= PLAIN_TEXT.test(value)) });
  return isPlain;
}

/** What digests, names, patterns, versions and dates are made of. */
const PLAIN_TEXT = /^(?!.*__)[\w .:/@*+-]*$/;

/** Looks no further than it takes to know, for types within types multiply. */
function isSmall(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): boolean {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  let left = MAX_SELECTIONS;

  function fits({ selections }: SelectionSetNode, type: GraphQLObjectType): boolean {
    return selections.every((selection) => {
      if (--left < 0) return false;
      if (selection.kind === Kind.FIELD) return fieldFits(selection, type);
      // Where a fragment is spread twice, its conditions are taken for both.
      if (selection.directives?.length) return false;
      const part = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      return part === undefined || !isAbout(part, type) || fits(part.selectionSet, type);
    });
  }

  function fieldFits(node: FieldNode, parent: GraphQLObjectType): boolean {
    // To objects, it is not the name of a member.
    if ((node.alias ?? node.name).value === '__proto__') return false;
    const type = getNamedType(fieldOf(parent, node)?.type);
    const { selectionSet } = node;
    if (type === undefined || selectionSet === undefined) return true;
    const possible = isAbstractType(type) ? schema.getPossibleTypes(type) : isObjectType(type) ? [type] : [];
    return possible.every((each) => fits(selectionSet, each));
  }

  function isAbout({ typeCondition }: FragmentDefinitionNode | InlineFragmentNode, type: GraphQLObjectType): boolean {
    const wanted = typeCondition && schema.getType(typeCondition.name.value);
    return wanted === undefined || wanted === type || (isAbstractType(wanted) && schema.isSubType(wanted, type));
  }

  const root = schema.getQueryType();
  return root != null && fits(operation.selectionSet, root);
}
