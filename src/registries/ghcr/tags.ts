import { arrayOf, isObject, textOf, type JsonObject } from '../../domain/json.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import { listedTag } from '../listed-tag.ts';
import type { ListedTag } from '../registry.ts';
import type { RestApi } from './rest-api.ts';

/**
 * Every manifest is a version of the package, with its tags: those that indexes list, and attestations, without any.
 * https://docs.github.com/en/rest/packages/packages#list-package-versions-for-a-package-owned-by-an-organization
 */
export async function* listVersions(
  api: RestApi,
  repository: RepositoryName,
  signal: AbortSignal,
): AsyncGenerator<readonly JsonObject[]> {
  const path = `${await api.pathOfPackage(repository, signal)}/versions?state=active&per_page=100`;
  yield* api.list({ path, member: null }, signal);
}

export async function* listTags(
  api: RestApi,
  repository: RepositoryName,
  signal: AbortSignal,
): AsyncGenerator<readonly ListedTag[]> {
  for await (const versions of listVersions(api, repository, signal)) yield versions.flatMap(tagsOf);
}

/** A version is updated when a tag comes to name it, or leaves it. */
function tagsOf(version: JsonObject): ListedTag[] {
  const metadata = version['metadata'];
  const container = isObject(metadata) && isObject(metadata['container']) ? metadata['container'] : {};
  const names = arrayOf(container['tags'], `the tags of version ${textOf(version['name'])}`, MAX_TAGS);
  return names.flatMap((name) => listedTag(name, version['name'], version['updated_at']) ?? []);
}

const MAX_TAGS = 10_000;
