import {
  defaultFieldResolver,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import type { Generator } from './generated.ts';

/** An operation that fits the schema; its arguments may well be refused. */
export interface RandomOperation {
  readonly text: string;
  readonly variables: Record<string, unknown>;
  /**
   * How many statements answer it at most. Each field that is not simply in its parent's record is one, however many
   * parents it has, and a root field one more, which finds what is named.
   */
  readonly statements: number;
}

/** Values that arguments of a type, or of a name, may have; a name goes before a type. */
export type Pool = Readonly<Record<string, readonly unknown[]>>;

const MAX_LEVELS = 7;
const MAX_FIELDS = 60;

export function randomOperation(schema: GraphQLSchema, root: GraphQLObjectType, pool: Pool, random: Generator) {
  const variables: Record<string, unknown> = {};
  const definitions: string[] = [];
  const fragments: string[] = [];
  let fields = 0;
  let statements = 0;

  const happens = (percent: number) => random.below(100) < percent;

  function selection(type: GraphQLCompositeType, level: number): string {
    if (isAbstractType(type)) {
      const possible = schema.getPossibleTypes(type);
      const parts = Array.from({ length: 1 + random.below(2) }, () => random.oneOf(possible)).map(
        (one) => `... on ${one.name} ${selection(one, level)}`,
      );
      return `{ __typename ${parts.join(' ')} }`;
    }
    const offered = Object.values(type.getFields()).filter(
      (field) => (level < MAX_LEVELS && fields < MAX_FIELDS) || !isCompositeType(getNamedType(field.type)),
    );
    // Pages are nothing without what is on them.
    const nodes = offered.find(({ name }) => name === 'nodes' || name === 'node' || name === 'edges');
    const chosen = Array.from({ length: 1 + random.below(3) }, () => random.oneOf(offered)).filter(Boolean);
    const parts = [...chosen, ...(nodes && happens(80) ? [nodes] : [])].map((each) => field(each, type, level));
    const text = `{ __typename ${parts.join(' ')} }`;
    if (!happens(10)) return text;
    fragments.push(`fragment F${fragments.length} on ${type.name} ${text}`);
    return `{ ...F${fragments.length - 1} }`;
  }

  function field(definition: GraphQLField<unknown, unknown>, parent: GraphQLCompositeType, level: number): string {
    fields += 1;
    if (parent === root) statements += 1;
    const isOfConnection = isObjectType(parent) && parent.getInterfaces().some(({ name }) => name === 'Connection');
    const type = getNamedType(definition.type);
    // A connection's own fields are worked out from what it is, and only a count needs a statement.
    const isWorkedOut = (definition.resolve ?? defaultFieldResolver) !== defaultFieldResolver;
    if (isOfConnection ? definition.name === 'totalCount' : isWorkedOut) statements += 1;
    // What both images hold, and the packages of both.
    if (definition.name === 'packageChanges') statements += 1;
    // Their ids are read, and then those that are not kept.
    if (type.name === 'ImageConnection') statements += 1;
    const given = definition.args.filter(({ type: wanted }) => isNonNullType(wanted) || happens(40));
    const args = given.map((argument) => `${argument.name}: ${written(argument)}`).join(', ');
    // Each is another field, so that none contradicts one of the same name.
    const head = `f${fields}: ${definition.name}${args === '' ? '' : `(${args})`}`;
    const unless = happens(5) ? ` @include(if: ${happens(50)})` : '';
    return `${head}${unless}${isCompositeType(type) ? ` ${selection(type, level + 1)}` : ''}`;
  }

  function written({ name, type }: GraphQLArgument): string {
    const value = valueFor(name, type, 0);
    if (!happens(40)) return literal(value, type);
    const variable = `v${definitions.length}`;
    definitions.push(`$${variable}: ${String(type)}`);
    variables[variable] = value;
    return `$${variable}`;
  }

  function valueFor(name: string, type: GraphQLInputType, level: number): unknown {
    if (isNonNullType(type)) return valueFor(name, type.ofType, level) ?? valueOf(name, type);
    if (happens(3)) return null;
    if (isListType(type)) return Array.from({ length: random.below(4) }, () => valueFor(name, type.ofType, level));
    if (!isInputObjectType(type)) return valueOf(name, type);
    // Which packages are meant is read first.
    if (type.name === 'PackageFilter') statements += 1;
    const all = Object.values(type.getFields());
    const some = type.isOneOf
      ? [random.oneOf(all)]
      : all.filter((each) => isNonNullType(each.type) || (level < 3 && random.below(all.length) < 2));
    return Object.fromEntries(some.map((each) => [each.name, valueFor(each.name, each.type, level + 1)]));
  }

  function valueOf(name: string, type: GraphQLInputType): unknown {
    const named = getNamedType(type);
    if (isEnumType(named)) return random.oneOf(named.getValues()).name;
    if (isInputObjectType(named) || isListType(type)) return valueFor(name, type, 3);
    const values = pool[name] ?? pool[named.name];
    if (values === undefined) throw new Error(`the pool has nothing for ${name}: ${named.name}`);
    return random.oneOf(values);
  }

  const body = selection(root, 0);
  const kind = root === schema.getMutationType() ? 'mutation' : 'query';
  const head = definitions.length === 0 ? kind : `${kind} (${definitions.join(', ')})`;
  return { text: [`${head} ${body}`, ...fragments].join('\n'), variables, statements } satisfies RandomOperation;
}

/** A value as it stands in a document. */
function literal(value: unknown, type: GraphQLInputType): string {
  if (isNonNullType(type)) return literal(value, type.ofType);
  if (value === null || value === undefined) return 'null';
  if (isListType(type) && Array.isArray(value))
    return `[${value.map((each) => literal(each, type.ofType)).join(', ')}]`;
  if (isInputObjectType(type)) {
    const fields = type.getFields();
    const members = Object.entries(value).map(([name, each]) => {
      const member = fields[name];
      return `${name}: ${member ? literal(each, member.type) : 'null'}`;
    });
    return `{ ${members.join(', ')} }`;
  }
  return isEnumType(type) && typeof value === 'string' ? value : JSON.stringify(value);
}
