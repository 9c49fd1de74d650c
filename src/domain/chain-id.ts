import { createHash } from 'node:crypto';
import type { Digest } from './digest.ts';

/**
 * The chain id of each layer: what identifies the stack up to and including it, however the layers are packed.
 * https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : hash(`${below} ${diffId}`));
  }
  return chain;
}

function hash(text: string): Digest {
  return `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest;
}
