import {
  getNamedType,
  getNullableType,
  GraphQLError,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
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
import { MAX_COST } from './limits.ts';

export interface CostedOperation {
  readonly schema: GraphQLSchema;
  /** Valid: its fragments exist, and don't spread each other in a circle. */
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** As the client sent them. */
  readonly variables: Readonly<Record<string, unknown>>;
}

export interface Cost {
  /** Entries of lists in the answer if every page is full, and what the statements behind dear fields weigh. */
  readonly requested: number;
  /** Where most of it comes from, such as `repositories(first: 100).nodes.tags(last: 50)`. */
  readonly path: string;
}

/**
 * How many entries of lists each of these fields has, as a rule. A list that is neither here nor has `first`, `last`
 * or `ids` counts as `LIST_SIZE`.
 */
export const LIST_SIZES: Readonly<Record<string, number>> = {
  'Container.labels': 10,
  'Image.history': 20,
  'Image.labels': 10,
  'Image.layers': 10,
  // Introspection is read from memory, and written to the client like all else.
  '__Schema.types': 200,
  '__Type.fields': 10,
};
const LIST_SIZE = 5;

/** What a root field weighs beside its entries: a statement that looks something up, or begins a page. */
const STATEMENT = 100;

/**
 * Fields whose statement reads much to answer little, with what it weighs wherever it stands, in entries of a list: fifty
 * at the root are an operation. Those of a simulation, an image and a layer stand within a page, which multiplies them.
 */
export const HEAVY_FIELDS: Readonly<Record<string, number>> = {
  'Query.annotations': 20_000,
  'Query.breakdown': 20_000,
  'Query.diff': 20_000,
  'Query.options': 20_000,
  'Query.search': 20_000,
  'Query.simulateDeletion': 20_000,
  'Query.statistics': 20_000,
  'Query.timeline': 20_000,
  'DeletionSimulation.blocked': 1_000,
  'DeletionSimulation.deletable': 1_000,
  'DeletionSimulation.indexes': 1_000,
  'DeletionSimulation.warned': 1_000,
  'ImageContents.files': 2_000,
  'ImageDiff.packageChanges': 1_000,
  'ImageImpact.breakdown': 2_000,
  'ImageImpact.rebuildPlan': 2_000,
  'ImageImpact.runningContainers': 2_000,
  'Layer.containerCount': 500,
  'Layer.containers': 500,
};

/** What an operation may cost at most. Each part of the document is looked at once, however often it is spread. */
export function costOf({ schema, document, operation, variables }: CostedOperation): Cost {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const known = new Map<string, Weight>();
  const read = argumentReader(operation, variables);
  const root = schema.getRootType(operation.operation) ?? undefined;

  function ofSet(set: SelectionSetNode, parent: GraphQLNamedType | undefined): Weight {
    let cost = 0;
    let heaviest: Weight | null = null;
    for (const selection of set.selections) {
      if (isLeftOut(selection, read)) continue;
      const weight =
        selection.kind === Kind.FIELD
          ? ofField(selection, parent)
          : selection.kind === Kind.FRAGMENT_SPREAD
            ? ofFragment(selection.name.value)
            : ofSet(
                selection.selectionSet,
                selection.typeCondition ? schema.getType(selection.typeCondition.name.value) : parent,
              );
      cost += weight.cost;
      if (heaviest === null || weight.cost > heaviest.cost) heaviest = weight;
    }
    return { cost, step: heaviest?.step ?? '', next: heaviest?.next ?? null };
  }

  function ofFragment(name: string): Weight {
    const fragment = fragments.get(name);
    if (fragment === undefined) return NOTHING;
    let weight = known.get(name);
    if (weight === undefined) {
      weight = ofSet(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value));
      known.set(name, weight);
    }
    return weight;
  }

  function ofField(node: FieldNode, parent: GraphQLNamedType | undefined): Weight {
    const field = fieldOf(parent, node);
    // __typename, which costs nothing.
    if (field === undefined) return NOTHING;
    const statement = HEAVY_FIELDS[`${parent?.name}.${field.name}`] ?? (parent === root ? statementOf(field) : 0);
    if (node.selectionSet === undefined) return { cost: statement, step: node.name.value, next: null };
    const within = ofSet(node.selectionSet, getNamedType(field.type));
    const size = sizeOf(field, parent, node, read);
    return {
      cost: statement + (size === null ? within.cost : size.entries * (1 + within.cost)),
      step: `${node.name.value}${size === null ? '' : `(${size.origin})`}`,
      next: within.cost > 0 ? within : null,
    };
  }

  const whole = ofSet(operation.selectionSet, root);
  return { requested: Math.min(whole.cost, Number.MAX_SAFE_INTEGER), path: pathOf(whole) };
}

/** The refusal of an operation that may cost more than `MAX_COST`, before anything of it is resolved; null for others. */
export function costRefusal({ requested, path }: Cost, operation: OperationDefinitionNode): GraphQLError | null {
  if (requested <= MAX_COST) return null;
  return new GraphQLError(
    `The operation may cost ${requested.toLocaleString('en')}, and ${MAX_COST.toLocaleString('en')} is allowed. Most of it is in ${path}: ask for smaller pages there with first or last, or for less in one operation.`,
    { nodes: operation, extensions: { code: 'BAD_USER_INPUT' satisfies ClientErrorCode, http: { status: 400 } } },
  );
}

/** The part of a document: what it costs, and its own step towards the dearest field in it. */
interface Weight {
  readonly cost: number;
  readonly step: string;
  readonly next: Weight | null;
}

const NOTHING: Weight = { cost: 0, step: '', next: null };

function pathOf(weight: Weight): string {
  const steps: string[] = [];
  for (let at: Weight | null = weight; at !== null; at = at.next) steps.push(at.step);
  return steps.join('.');
}

type ReadValue = (value: ValueNode | undefined) => unknown;

/** What is asked for; undefined for __typename, which all have. */
export function fieldOf(
  parent: GraphQLNamedType | undefined,
  node: FieldNode,
): GraphQLField<unknown, unknown> | undefined {
  const name = node.name.value;
  // No type lists these two, which a valid document asks of the root alone.
  if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
  if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
}

/** Where a root field neither takes arguments nor has fields, nothing is looked up for it. */
function statementOf(field: GraphQLField<unknown, unknown>): number {
  return field.args.length > 0 ? STATEMENT : 0;
}

interface ListSize {
  readonly entries: number;
  /** Why so many, in words for the refusal. */
  readonly origin: string;
}

/** Null for what is no list, and for lists of plain values. */
function sizeOf(
  field: GraphQLField<unknown, unknown>,
  parent: GraphQLNamedType | undefined,
  node: FieldNode,
  read: ReadValue,
): ListSize | null {
  const argument = (name: string) => read(node.arguments?.find((each) => each.name.value === name)?.value);
  const first = field.args.find(({ name }) => name === 'first');
  if (first !== undefined) {
    const name = argument('first') == null && argument('last') != null ? 'last' : 'first';
    const size = argument(name) ?? first.defaultValue ?? DEFAULT_PAGE;
    // A page that can not be is refused where it is read, in better words.
    const entries = typeof size === 'number' ? Math.min(Math.max(size, 0), MAX_PAGE) : DEFAULT_PAGE;
    return { entries, origin: `${name}: ${entries}` };
  }
  for (const name of ['ids', 'representations']) {
    if (!field.args.some((each) => each.name === name)) continue;
    const ids = argument(name);
    const entries = Array.isArray(ids) ? ids.length : 1;
    return { entries, origin: `${name}: ${entries} of them` };
  }
  const isList = isListType(getNullableType(field.type)) && isCompositeType(getNamedType(field.type));
  // The entries of a page were counted with the page.
  if (!isList || (isObjectType(parent) && isPage(parent))) return null;
  const entries = LIST_SIZES[`${parent?.name}.${field.name}`] ?? LIST_SIZE;
  return { entries, origin: `about ${entries}` };
}

function isPage(type: GraphQLNamedType): boolean {
  return isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Connection');
}

function isLeftOut(selection: SelectionSetNode['selections'][number], read: ReadValue): boolean {
  return (selection.directives ?? []).some(({ name, arguments: given }) => {
    const unless = name.value === 'skip' ? true : name.value === 'include' ? false : null;
    return unless !== null && read(given?.[0]?.value) === unless;
  });
}

/** Numbers, switches, and lists for their length, as they are written or as a variable has them. */
function argumentReader(operation: OperationDefinitionNode, variables: Readonly<Record<string, unknown>>): ReadValue {
  const defaults = new Map(operation.variableDefinitions?.map((each) => [each.variable.name.value, each.defaultValue]));
  return (value) => {
    if (value?.kind !== Kind.VARIABLE) return written(value);
    const name = value.name.value;
    return Object.hasOwn(variables, name) ? variables[name] : written(defaults.get(name));
  };
}

function written(value: ValueNode | undefined): unknown {
  if (value?.kind === Kind.INT) return Number(value.value);
  if (value?.kind === Kind.BOOLEAN) return value.value;
  return value?.kind === Kind.LIST ? value.values : null;
}
