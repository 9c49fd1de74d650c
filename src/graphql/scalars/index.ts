import { DateTime } from './date-time.ts';
import { Digest } from './digest.ts';
import { ImageReference } from './image-reference.ts';
import { SafeInt } from './safe-int.ts';

const scalars = [DateTime, Digest, ImageReference, SafeInt];

/**
 * Every scalar of the schema that GraphQL itself does not have. What they do and nothing else: a whole scalar would put
 * its missing description over that of the schema.
 */
export const scalarResolvers = Object.fromEntries(
  scalars.map(({ name, serialize, parseValue, parseLiteral }) => [name, { serialize, parseValue, parseLiteral }]),
);
