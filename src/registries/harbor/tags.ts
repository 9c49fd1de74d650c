import { isObject } from '../../domain/json.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import type { RegistryApi } from '../api.ts';
import { listedTag } from '../listed-tag.ts';
import type { ListedTag } from '../registry.ts';
import { PAGE, pathOf } from './path.ts';

/**
 * Tags by their manifests, those with tags alone, the oldest first so that what is pushed meanwhile comes at the end.
 * What an index lists, and what is about another manifest, is not among them. A proxy cache lists what it holds.
 */
export async function* listTags(
  api: RegistryApi,
  repository: RepositoryName,
  signal: AbortSignal,
): AsyncGenerator<readonly ListedTag[]> {
  const query = `with_tag=true&q=${encodeURIComponent('tags=*')}&sort=push_time&${PAGE}`;
  for await (const artifacts of api.list({ path: `${pathOf(repository)}/artifacts?${query}`, member: null }, signal)) {
    yield artifacts.flatMap(({ digest, tags }) =>
      (Array.isArray(tags) ? tags : []).flatMap((tag) => {
        const listed = isObject(tag) ? listedTag(tag['name'], digest, tag['push_time']) : null;
        return listed ?? [];
      }),
    );
  }
}
