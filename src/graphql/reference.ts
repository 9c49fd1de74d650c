import {
  astFromValue,
  buildSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isUnionType,
  print,
  type GraphQLArgument,
  type GraphQLEnumValue,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import { scopeOf } from './viewer.ts';

/** The schema as people read it: roots first, then what they lead to, by kind and name. */
export type Reference = readonly ReferenceSection[];

export interface ReferenceSection {
  readonly title: string;
  readonly types: readonly ReferenceType[];
}

export interface ReferenceType {
  readonly name: string;
  readonly description: string;
  /** Interfaces of a type. */
  readonly implemented: readonly string[];
  /** Members of a union, and what implements an interface. */
  readonly possible: readonly string[];
  /** Where a scalar is specified. */
  readonly specifiedBy: string | null;
  /** Fields, or the values of an enum. */
  readonly members: readonly ReferenceMember[];
}

export interface ReferenceMember {
  readonly name: string;
  readonly description: string;
  /** Null for the value of an enum. */
  readonly type: ReferenceLink | null;
  /** As it would be written; null where there is none. */
  readonly defaultValue: string | null;
  /** Why, and what to use instead; null where it is not deprecated. */
  readonly deprecated: string | null;
  /** What a mutation needs; null where everyone may ask. */
  readonly scope: string | null;
  readonly arguments: readonly ReferenceMember[];
}

/** A type as it stands at a field: `[Tag!]!` is `Tag` between `[` and `!]!`. */
export interface ReferenceLink {
  readonly before: string;
  readonly name: string;
  readonly after: string;
}

export function referenceOf(sdl: string): Reference {
  const schema = buildSchema(sdl);
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter(
    (root) => !!root,
  );
  const others = Object.values(schema.getTypeMap())
    .filter((type) => !type.name.startsWith('__') && !roots.some((root) => root === type))
    .sort((a, b) => a.name.localeCompare(b.name, 'en'));
  const sections: [string, GraphQLNamedType[]][] = [
    ['Roots', roots],
    ['Types', others.filter(isObjectType)],
    ['Interfaces', others.filter(isInterfaceType)],
    ['Unions', others.filter(isUnionType)],
    ['Inputs', others.filter(isInputObjectType)],
    ['Enums', others.filter(isEnumType)],
    ['Scalars', others.filter(isScalarType)],
  ];
  return sections
    .filter(([, types]) => types.length > 0)
    .map(([title, types]) => ({ title, types: types.map((type) => describeType(type, schema)) }));
}

function describeType(type: GraphQLNamedType, schema: GraphQLSchema): ReferenceType {
  return {
    name: type.name,
    description: type.description ?? '',
    implemented: isObjectType(type) || isInterfaceType(type) ? type.getInterfaces().map(({ name }) => name) : [],
    possible: isAbstractType(type) ? schema.getPossibleTypes(type).map(({ name }) => name) : [],
    specifiedBy: isScalarType(type) ? (type.specifiedByURL ?? null) : null,
    members: membersOf(type).map((member) => ({
      ...describeMember(member),
      scope: type === schema.getMutationType() ? scopeOf(member.name) : null,
    })),
  };
}

type Member = GraphQLField<unknown, unknown> | GraphQLInputField | GraphQLArgument | GraphQLEnumValue;

function membersOf(type: GraphQLNamedType): readonly Member[] {
  if (isEnumType(type)) return type.getValues();
  if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) return [];
  return Object.values<Member>(type.getFields());
}

function describeMember(member: Member): ReferenceMember {
  return {
    name: member.name,
    description: member.description ?? '',
    type: 'type' in member ? linkTo(member) : null,
    defaultValue: defaultOf(member),
    deprecated: member.deprecationReason ?? null,
    scope: null,
    arguments: 'args' in member ? member.args.map(describeMember) : [],
  };
}

function linkTo({ type }: Exclude<Member, GraphQLEnumValue>): ReferenceLink {
  const { name } = getNamedType(type);
  const [before = '', after = ''] = String(type).split(name);
  return { before, name, after };
}

function defaultOf(member: Member): string | null {
  if (!('defaultValue' in member) || member.defaultValue === undefined) return null;
  const value = astFromValue(member.defaultValue, member.type);
  return value ? print(value) : null;
}
