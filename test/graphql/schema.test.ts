import { readFileSync } from 'node:fs';
import { CriticalityLevel, diff, DiffRule } from '@graphql-inspector/core';
import {
  buildSchema,
  defaultFieldResolver,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  validateSchema,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLUnionType,
} from 'graphql';
import { HEAVY_FIELDS, LIST_SIZES } from '../../src/graphql/cost.ts';
import { createSubgraphSchema } from '../../src/graphql/federation.ts';
import { referenceOf } from '../../src/graphql/reference.ts';
import { scalarResolvers } from '../../src/graphql/scalars/index.ts';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import { ANONYMOUS, type Viewer } from '../../src/graphql/viewer.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const sdl = read('schema.graphql');
const schema = createSchema(sdl, typeResolvers);
const types = Object.values(schema.getTypeMap()).filter(
  (type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type),
);

test('the schema builds, and its resolvers fit it', () => {
  expect(validateSchema(schema)).toEqual([]);
  expect(types.length).toBeGreaterThan(50);
});

test('everything that a reader meets in it is described, in a sentence', () => {
  const described: Record<string, string | null | undefined> = {};
  for (const type of types) {
    described[type.name] = type.description;
    if (isEnumType(type)) {
      for (const value of type.getValues()) described[`${type.name}.${value.name}`] = value.description;
    } else if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) described[`${type.name}.${field.name}`] = field.description;
    } else if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        described[`${type.name}.${field.name}`] = field.description;
        for (const argument of field.args) {
          described[`${type.name}.${field.name}(${argument.name}:)`] = argument.description;
        }
      }
    }
  }
  const wanting = Object.entries(described).filter(([, text]) => !text || !/[.?!]( https:\/\/\S+)?$/.test(text));
  expect(wanting).toEqual([]);
});

test('every field of a connection has a resolver, since its members are functions', () => {
  const connections = types
    .filter(isObjectType)
    .filter((type) => type.getInterfaces().some(({ name }) => name === 'Connection'));
  const without = connections.flatMap((type) =>
    Object.values(type.getFields())
      .filter(({ resolve }) => resolve === undefined || resolve === defaultFieldResolver)
      .map(({ name }) => `${type.name}.${name}`),
  );
  expect(connections.length).toBeGreaterThan(10);
  expect(without).toEqual([]);
});

test('every scalar of ours is read and written by code of ours', () => {
  const scalars = types.filter(isScalarType);
  expect(scalars.map(({ name }) => name).sort()).toEqual(Object.keys(scalarResolvers).sort());
  for (const { name, parseValue } of scalars) expect(parseValue).toBe(scalarResolvers[name]?.parseValue);
});

test('every type with an id has its resolvers in one place', () => {
  const homes = typeResolvers.flatMap((resolvers) => Object.keys(resolvers));
  const nodes = types.filter(isObjectType).filter((type) => type.getInterfaces().some(({ name }) => name === 'Node'));
  expect(nodes.length).toBeGreaterThan(5);
  expect(
    nodes.filter((type) => homes.filter((home) => home === type.name).length !== 1).map(({ name }) => name),
  ).toEqual([]);
});

test('every root field, and every field that takes arguments, has a resolver', () => {
  const roots = [schema.getQueryType(), schema.getMutationType()];
  const missing = types.filter(isObjectType).flatMap((type) =>
    Object.values(type.getFields())
      .filter((field) => roots.includes(type) || field.args.length > 0)
      .filter((field) => !field.resolve || field.resolve === defaultFieldResolver)
      .map((field) => `${type.name}.${field.name}`),
  );
  expect(missing).toEqual([]);
});

test('every list whose length is declared for the cost is a list of the schema without pages', () => {
  for (const coordinate of Object.keys(LIST_SIZES)) {
    const [type = '', name = ''] = coordinate.split('.');
    const field = (schema.getType(type) as GraphQLObjectType | undefined)?.getFields()[name];
    expect([coordinate, String(field?.type)]).toEqual([coordinate, expect.stringMatching(/^\[/)]);
    expect(field?.args.map((argument) => argument.name)).not.toContain('first');
  }
});

test('every field that is declared to read much is a field of the schema', () => {
  const isField = (coordinate: string) => {
    const [type = '', name = ''] = coordinate.split('.');
    return (schema.getType(type) as GraphQLObjectType | undefined)?.getFields()[name] !== undefined;
  };
  expect(Object.keys(HEAVY_FIELDS).filter((coordinate) => !isField(coordinate))).toEqual([]);
});

test('every type with an id of its own can be referred to from other subgraphs by it', () => {
  const subgraph = createSubgraphSchema(sdl, read('federation.graphql'));
  expect(validateSchema(subgraph)).toEqual([]);
  const nodes = schema.getPossibleTypes(schema.getType('Node') as GraphQLInterfaceType).map(({ name }) => name);
  const entities = subgraph.getPossibleTypes(subgraph.getType('_Entity') as GraphQLUnionType).map(({ name }) => name);
  expect(entities.toSorted()).toEqual(nodes.toSorted());
});

describe('the reference', () => {
  const reference = referenceOf(sdl);
  const described = reference.flatMap((section) => section.types);

  test('has every type once, the roots first', () => {
    const names = Object.keys(schema.getTypeMap()).filter((name) => !name.startsWith('__'));
    expect(described.map(({ name }) => name).sort()).toEqual(names.sort());
    expect(described[0]?.name).toBe('Query');
  });

  test('tells defaults, arguments, scopes, and what is deprecated', () => {
    const [query, mutation] =
      referenceOf(`
      "What can be asked." type Query { old(first: Int = 5): [Int!]! @deprecated(reason: "Use new.") new: Int }
      type Mutation { addRegistry: Int }
    `)[0]?.types ?? [];
    expect(query).toMatchObject({
      description: 'What can be asked.',
      members: [
        {
          name: 'old',
          type: { before: '[', name: 'Int', after: '!]!' },
          deprecated: 'Use new.',
          arguments: [{ name: 'first', defaultValue: '5' }],
        },
        { name: 'new', deprecated: null, scope: null },
      ],
    });
    expect(mutation?.members).toMatchObject([{ name: 'addRegistry', scope: 'catalog:admin' }]);
  });
});

describe('since the last release', () => {
  const released = read('releases/schema.graphql');
  const TAG_COUNT = '  "How many tags it has now."\n  tagCount: SafeInt!\n';

  async function breaking(before: string, after: string): Promise<string[]> {
    const changes = await diff(buildSchema(before), buildSchema(after), [DiffRule.suppressRemovalOfDeprecatedField]);
    return changes
      .filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
      .map(({ message }) => message);
  }

  test('nothing was broken that clients may rely on', async () => {
    expect(await breaking(released, sdl)).toEqual([]);
  });

  test.each([
    [TAG_COUNT, '', "Field 'tagCount' was removed from object type 'Repository'"],
    [TAG_COUNT, TAG_COUNT.replace('!', ''), "Field 'Repository.tagCount' changed type from 'SafeInt!' to 'SafeInt'"],
    ['registry("The', 'registry(kind: Int! "The', "Argument 'kind: Int!' added to field 'Query.registry'"],
    ['  "Mutations."\n  API\n', '', "Enum value 'API' was removed from enum 'ManagedBy'"],
  ])('"%s" made "%s" would be told as broken', async (part, changed, message) => {
    expect(released).toContain(part);
    const found = await breaking(released, released.replace(part, changed));
    expect(found).toContainEqual(expect.stringContaining(message));
  });

  test('what that release had deprecated may be removed, and things may be added', async () => {
    const deprecated = released.replace('tagCount: SafeInt!', 'tagCount: SafeInt! @deprecated(reason: "Use tags.")');
    const without = released.replace(TAG_COUNT, 'count: SafeInt!');
    expect(await breaking(deprecated, without)).toEqual([]);
    expect(await breaking(released, without)).not.toEqual([]);
  });
});

describe('without its scope', () => {
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {}) as GraphQLField<
    unknown,
    { readonly viewer: Viewer }
  >[];
  const reader: Viewer = { name: 'reader', scopes: ['catalog:read'] };

  test('there are mutations to refuse', () => expect(mutations.length).toBeGreaterThanOrEqual(8));

  for (const { name, resolve } of mutations) {
    test(`${name} is refused before it begins`, () => {
      const refused = (viewer: Viewer) => () => resolve?.(undefined, {}, { viewer }, {} as GraphQLResolveInfo);
      const message = expect.stringMatching(
        /needs the scope (catalog:admin|containers:report).*Authorization: Bearer <token>/,
      ) as string;
      expect(refused(ANONYMOUS)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED', message }));
      expect(refused(reader)).toThrow(expect.objectContaining({ code: 'FORBIDDEN', message }));
    });
  }
});
