import { GraphQLScalarType } from 'graphql';
import { CatalogError } from '../../domain/errors.ts';
import { parsePastedReference, type Reference } from '../../domain/reference.ts';
import { shown } from './shown.ts';

/** An image reference as people type or paste it. Resolvers see it parsed, and answer with text. */
export const ImageReference = new GraphQLScalarType<Reference, string>({
  name: 'ImageReference',
  parseValue(value) {
    if (typeof value === 'string') return parsePastedReference(value);
    throw new CatalogError(
      'INVALID_REFERENCE',
      `${shown(value)} is not an image reference: write text, such as "nginx:1.27" or "ghcr.io/org/app:v2".`,
    );
  },
  serialize(value) {
    if (typeof value === 'string') return value;
    throw new TypeError(`ImageReference can't show ${shown(value)}: a resolver has to give text`);
  },
});
