import { textOf, type JsonObject } from '../../domain/json.ts';
import type { RepositoryName, TagName } from '../../domain/reference.ts';
import { confirmGone } from '../deletion.ts';
import type { RegistryApi } from '../api.ts';
import { listedTag } from '../listed-tag.ts';
import { isAbsence } from '../own-list.ts';
import type { ListedTag, Registry } from '../registry.ts';
import { pathOf } from './repositories.ts';

/**
 * Newest first, with digests and dates. Docker Hub shows those who have not signed in a few pages only: then the rest
 * are names from the registry, which lists them all. What the Hub API does not know at all, a mirror may.
 */
export async function* listTags(
  api: RegistryApi,
  registry: Registry,
  repository: RepositoryName,
  signal: AbortSignal,
): AsyncGenerator<readonly ListedTag[]> {
  const given = new Set<TagName>();
  const fresh = (tags: readonly ListedTag[]) => tags.filter(({ name }) => !given.has(name) && given.add(name));
  const path = `${pathOf(repository)}/tags?page_size=100`;
  const pages = api.list({ path, member: 'results', next: (page) => textOf(page['next']) }, signal);
  try {
    for await (const entries of pages) yield fresh(entries.flatMap(tagIn));
  } catch (error) {
    if (!isAbsence(error)) throw error;
    for await (const tags of registry.listTags(repository, signal)) yield fresh(tags);
  }
}

/** The registry itself deletes nothing. https://docs.docker.com/reference/api/hub/deprecated/ */
export async function deleteTag(
  api: RegistryApi,
  registry: Registry,
  repository: RepositoryName,
  tag: TagName,
  signal: AbortSignal,
): Promise<void> {
  const wasAccepted = await api.delete(`/v2/repositories/${repository}/tags/${tag}/`, signal);
  await confirmGone(registry, repository, tag, signal, wasAccepted);
}

/** `media_type` is that of the configuration where the tag is a single image, so it tells nothing of the manifest. */
function tagIn({ name, digest, tag_last_pushed, last_updated }: JsonObject): ListedTag | [] {
  return listedTag(name, digest, tag_last_pushed ?? last_updated) ?? [];
}
