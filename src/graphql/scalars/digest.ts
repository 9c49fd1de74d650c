import { GraphQLScalarType } from 'graphql';
import { parseDigest, type Digest as DigestText } from '../../domain/digest.ts';
import { CatalogError } from '../../domain/errors.ts';
import { shown } from './shown.ts';

/** A content digest, checked on the way in, so that a resolver never sees a bad one. */
export const Digest = new GraphQLScalarType<DigestText, string>({
  name: 'Digest',
  parseValue(value) {
    if (typeof value === 'string') return parseDigest(value.trim());
    throw new CatalogError(
      'INVALID_DIGEST',
      `${shown(value)} is not a digest: write text, such as "sha256:" and 64 hex digits.`,
    );
  },
  serialize(value) {
    if (typeof value === 'string') return value;
    throw new TypeError(`Digest can't show ${shown(value)}: a resolver has to give text`);
  },
});
