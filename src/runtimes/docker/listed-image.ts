import { isDigest, type Digest } from '../../domain/digest.ts';
import type { JsonObject } from '../../domain/json.ts';
import { RuntimeFault } from '../runtime.ts';
import { names } from './image.ts';

/** An image as the list of them tells it. */
export interface ListedImage {
  readonly id: Digest;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
}

/** Throws MALFORMED where the id is none. */
export function readListedImage(entry: JsonObject, what: string): ListedImage {
  const { Id: id } = entry;
  if (typeof id !== 'string' || !isDigest(id)) {
    throw new RuntimeFault('MALFORMED', `${what} lists ${JSON.stringify(id ?? null).slice(0, 100)}, which is no id.`);
  }
  return { id, repoTags: names(entry['RepoTags']), repoDigests: names(entry['RepoDigests']) };
}
