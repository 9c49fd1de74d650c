import { GraphQLScalarType } from 'graphql';
import { CatalogError } from '../../domain/errors.ts';
import { shown } from './shown.ts';

/** A whole number that JSON carries exactly: up to 2^53 - 1 on either side of zero. Always a number, never text. */
export const SafeInt = new GraphQLScalarType<number, number>({
  name: 'SafeInt',
  parseValue(value) {
    if (isSafe(value)) return value;
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `${shown(value)} is not a SafeInt: write a whole number without quotes, at most 9007199254740991.`,
    );
  },
  serialize(value) {
    if (isSafe(value)) return value;
    throw new TypeError(`SafeInt can't show ${shown(value)}: a resolver has to give a safe integer`);
  },
});

function isSafe(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
