import { RegistryError } from '../../domain/errors.ts';
import { arrayOf, isObject } from '../../domain/json.ts';
import type { RegistryApi } from '../api.ts';
import { listedTag } from '../listed-tag.ts';
import { isAbsence } from '../own-list.ts';
import type { ListedTag } from '../registry.ts';
import type { Place } from './keys.ts';

/**
 * The tags of a repository by name, with digests and dates, by one query: the folder of a tag holds its manifest as a
 * file. A tag that has several, such as the index and what it was before, is left out: it must be asked for. So must what
 * is beyond the number of results that the operator has set. Empty where the query is refused, as it is to anonymous users,
 * and where its answer is too large: what tells more than names must not keep the names from being read.
 * https://jfrog.com/help/r/jfrog-rest-apis/artifactory-query-language
 */
export async function storedTags(
  api: RegistryApi,
  { key, image }: Place,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ListedTag>> {
  const criteria = { repo: key, path: { $match: `${image}/*` }, name: { $match: '*manifest.json' } };
  const query = `items.find(${JSON.stringify(criteria)}).include("repo","path","name","sha256","updated")`;
  const tags = new Map<string, ListedTag>();
  const doubtful = new Set<string>();
  try {
    const { results = null } = await api.post('/api/search/aql', query, signal);
    for (const { path, name, sha256, updated } of arrayOf(results, 'what the query found', Infinity).filter(isObject)) {
      const tag = listedTag(tagIn(path, image), typeof sha256 === 'string' ? `sha256:${sha256}` : null, updated);
      if (tag === null || typeof name !== 'string' || !MANIFESTS.has(name)) continue;
      if (tags.has(tag.name)) doubtful.add(tag.name);
      tags.set(tag.name, tag);
    }
  } catch (error) {
    const isTooLarge = error instanceof RegistryError && error.code === 'TOO_LARGE';
    if (!isTooLarge && !isAbsence(error)) throw error;
  }
  for (const name of doubtful) tags.delete(name);
  return tags;
}

const MANIFESTS = new Set(['manifest.json', 'list.manifest.json']);

/** What follows the image's own path; other images lie below it, too. */
function tagIn(path: unknown, image: string): string | null {
  return typeof path === 'string' && path.startsWith(`${image}/`) ? path.slice(image.length + 1) : null;
}
