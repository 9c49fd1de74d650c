import { isObject } from '../../domain/json.ts';
import type { RepositoryName, TagName } from '../../domain/reference.ts';
import { listedTag } from '../listed-tag.ts';
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
  const item = isObject(entry) ? listedTag(entry['name'], entry['digest'], entry['lastUpdateTime']) : null;
  return item && { name: item.name, item };
}
