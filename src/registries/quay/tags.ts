import type { JsonObject } from '../../domain/json.ts';
import type { RepositoryName, TagName } from '../../domain/reference.ts';
import type { RegistryApi } from '../api.ts';
import { listedTag } from '../listed-tag.ts';
import type { ListedTag } from '../registry.ts';

/**
 * What each tag names now, newest first. Quay also tells what a tag named before, but deletes such manifests a while
 * after, and an older tag would be lost with them: that history is left to the catalog's own.
 * https://docs.quay.io/api/swagger/#!/tag/listRepoTags
 */
export async function* listTags(
  api: RegistryApi,
  repository: RepositoryName,
  signal: AbortSignal,
): AsyncGenerator<readonly ListedTag[]> {
  const given = new Set<TagName>();
  const path = `/repository/${repository}/tag/?limit=100&page=1&onlyActiveTags=true`;
  for await (const entries of api.list({ path, member: 'tags', next: nextOf }, signal)) {
    const tags = entries.filter(isAlive).flatMap(({ name, manifest_digest, start_ts }) => {
      return listedTag(name, manifest_digest, timestampOf(start_ts)) ?? [];
    });
    yield tags.filter(({ name }) => !given.has(name) && given.add(name));
  }
}

function nextOf(page: JsonObject, address: URL): string | null {
  if (page['has_additional'] !== true) return null;
  const next = new URL(address);
  next.searchParams.set('page', String(Number(address.searchParams.get('page')) + 1));
  return next.href;
}

/** A tag that has an end in the future will expire. Older servers tell ended ones, too, whatever they are asked. */
function isAlive({ end_ts: end }: JsonObject): boolean {
  return typeof end !== 'number' || end * 1000 > Date.now();
}

function timestampOf(seconds: JsonObject[string] | undefined): string | null {
  const date = new Date(Number(seconds ?? NaN) * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
