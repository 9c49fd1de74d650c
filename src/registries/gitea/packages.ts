import { isObject, textOf, type JsonObject } from '../../domain/json.ts';
import { isRepositoryName, type RepositoryName } from '../../domain/reference.ts';
import type { RegistryApi } from '../api.ts';
import { listedTag } from '../listed-tag.ts';
import { countOf, flagOf } from '../members.ts';
import { isAbsence } from '../own-list.ts';
import type { ListedTag, RepositoryDescription } from '../registry.ts';

/** Of one owner. The API lists versions, each tag one, so a name comes as often as it has tags. */
export async function* listRepositories(
  api: RegistryApi,
  owner: string,
  signal: AbortSignal,
): AsyncGenerator<readonly RepositoryName[]> {
  const given = new Set<string>();
  for await (const page of api.list({ path: listOf(owner), member: null }, signal)) {
    const names = new Set(page.map(({ name }) => `${owner}/${textOf(name) ?? ''}`));
    const fresh = [...names].filter((name) => !given.has(name)).filter(isRepositoryName);
    for (const name of fresh) given.add(name);
    yield fresh;
  }
}

/**
 * Tags with the moments when they were pushed, by name. Empty where the API does not tell, or would need many requests
 * to tell: manifests without a tag are versions, too.
 */
export async function datedTags(
  api: RegistryApi,
  repository: RepositoryName,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ListedTag>> {
  const tags = new Map<string, ListedTag>();
  let pages = 0;
  try {
    for await (const versions of versionsOf(api, repository, signal)) {
      if (++pages > MAX_DATE_PAGES) return new Map();
      for (const { version, created_at: created } of versions) {
        const tag = listedTag(version, undefined, created);
        if (tag !== null) tags.set(tag.name, tag);
      }
    }
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
  return tags;
}

/** What is told of the source repository that the package was linked with; of one that was not, nothing. */
export async function describeRepository(
  api: RegistryApi,
  repository: RepositoryName,
  signal: AbortSignal,
): Promise<RepositoryDescription | null> {
  const version = await firstVersionOf(api, repository, signal);
  if (version === null) return null;
  const source = isObject(version['repository']) ? version['repository'] : {};
  return {
    description: typeof source['description'] === 'string' ? source['description'] : null,
    isPrivate: flagOf(source['private']),
    starCount: countOf(source['stars_count']),
    pullCount: null,
  };
}

const MAX_DATE_PAGES = 10;

/** The query finds names that contain it. */
async function* versionsOf(
  api: RegistryApi,
  repository: RepositoryName,
  signal: AbortSignal,
): AsyncGenerator<readonly JsonObject[]> {
  const slash = repository.indexOf('/');
  const wanted = repository.slice(slash + 1);
  const path = `${listOf(repository.slice(0, Math.max(slash, 0)))}&q=${encodeURIComponent(wanted)}`;
  for await (const page of api.list({ path, member: null }, signal)) yield page.filter(({ name }) => name === wanted);
}

async function firstVersionOf(
  api: RegistryApi,
  repository: RepositoryName,
  signal: AbortSignal,
): Promise<JsonObject | null> {
  for await (const [version] of versionsOf(api, repository, signal)) if (version !== undefined) return version;
  return null;
}

function listOf(owner: string): string {
  return `/packages/${encodeURIComponent(owner)}?type=container&page=1&limit=50`;
}
