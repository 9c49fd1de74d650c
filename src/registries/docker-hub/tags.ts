import { isDigest } from '../../domain/digest.ts';
import { RegistryError } from '../../domain/errors.ts';
import { textOf, type JsonObject } from '../../domain/json.ts';
import { isTagName, type RepositoryName, type TagName } from '../../domain/reference.ts';
import { parseTimestamp } from '../../domain/timestamp.ts';
import { isGone } from '../absence.ts';
import type { RegistryApi } from '../api.ts';
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
    if (!(error instanceof RegistryError) || !WITHHELD.has(error.code)) throw error;
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
  if (await isGone(() => registry.resolveManifest(repository, tag, signal), wasAccepted, signal)) return;
  const said = wasAccepted ? 'that it deleted' : 'that it does not know';
  throw new RegistryError(
    'UNSUPPORTED',
    `Docker Hub says ${said} the tag ${tag} of ${repository}, and it is still there`,
  );
}

const WITHHELD: ReadonlySet<string> = new Set(['FORBIDDEN', 'NOT_FOUND']);

/** `media_type` is that of the configuration where the tag is a single image, so it tells nothing of the manifest. */
function tagIn(entry: JsonObject): ListedTag[] {
  const name = textOf(entry['name']);
  if (name === null || !isTagName(name)) return [];
  const digest = textOf(entry['digest']);
  const pushedAt = parseTimestamp(entry['tag_last_pushed']) ?? parseTimestamp(entry['last_updated']);
  return [{ name, ...(digest !== null && isDigest(digest) && { digest }), ...(pushedAt && { pushedAt }) }];
}
