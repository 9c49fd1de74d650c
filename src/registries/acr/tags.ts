import { isDigest } from '../../domain/digest.ts';
import { isObject, textOf } from '../../domain/json.ts';
import { isTagName, type RepositoryName, type TagName } from '../../domain/reference.ts';
import { parseTimestamp } from '../../domain/timestamp.ts';
import { MAX_TAGS, type Listing } from '../oci/listing.ts';
import type { ListedTag } from '../registry.ts';

/** https://learn.microsoft.com/en-us/rest/api/containerregistry/container-registry/get-tags */
export function tagsOf(repository: RepositoryName): Listing<ListedTag> {
  return {
    path: `/acr/v1/${repository}/_tags`,
    scope: `repository:${repository}:metadata_read`,
    member: 'tags',
    read: tagIn,
    maxNames: MAX_TAGS,
  };
}

export function tagPath(repository: RepositoryName, tag: TagName): string {
  return `/acr/v1/${repository}/_tags/${tag}`;
}

function tagIn(entry: unknown): { name: string; item: ListedTag } | null {
  if (!isObject(entry)) return null;
  const name = textOf(entry['name']);
  const digest = textOf(entry['digest']);
  if (name === null || !isTagName(name)) return null;
  const pushedAt = parseTimestamp(entry['lastUpdateTime']);
  return {
    name,
    item: { name, ...(digest !== null && isDigest(digest) && { digest }), ...(pushedAt && { pushedAt }) },
  };
}
