import { createHash } from 'node:crypto';
import { CatalogError } from './errors.ts';

/** A content digest that we can verify: `sha256:` or `sha512:` and lower-case hex. */
export type Digest = string & { readonly __brand: 'Digest' };

export type DigestAlgorithm = 'sha256' | 'sha512';

const HEX_LENGTH: Record<DigestAlgorithm, number> = { sha256: 64, sha512: 128 };
const LOWER_HEX = /^[0-9a-f]+$/;

export function isDigest(text: string): text is Digest {
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, colon);
  return (
    (algorithm === 'sha256' || algorithm === 'sha512') &&
    text.length === colon + 1 + HEX_LENGTH[algorithm] &&
    LOWER_HEX.test(text.slice(colon + 1))
  );
}

/** Upper-case hex is refused rather than folded: two spellings of one key would be two cache entries. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new CatalogError(
    'INVALID_DIGEST',
    `"${text.slice(0, 200)}" is not a digest: write sha256: and 64 lower-case hex digits, or sha512: and 128.`,
  );
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** True when the bytes are what the digest names. */
export function verifies(digest: Digest, bytes: Uint8Array): boolean {
  return digestOf(bytes, algorithmOf(digest)) === digest;
}

/** The hash alone, as the catalog stores it: 32 bytes are sha256, 64 are sha512. */
export function digestBytes(digest: Digest): Buffer {
  return Buffer.from(digest.slice(digest.indexOf(':') + 1), 'hex');
}
