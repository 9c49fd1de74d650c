import { readFileSync } from 'node:fs';
import {
  defaultFieldResolver,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  validateSchema,
  type GraphQLField,
  type GraphQLResolveInfo,
} from 'graphql';
import { scalarResolvers } from '../../src/graphql/scalars/index.ts';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import { ANONYMOUS, type Viewer } from '../../src/graphql/viewer.ts';

const sdl = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');
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
      const message = expect.stringMatching(/needs the scope catalog:admin.*Authorization: Bearer <token>/) as string;
      expect(refused(ANONYMOUS)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED', message }));
      expect(refused(reader)).toThrow(expect.objectContaining({ code: 'FORBIDDEN', message }));
    });
  }
});
