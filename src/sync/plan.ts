import type { Digest } from '../domain/digest.ts';
import type { TagName } from '../domain/reference.ts';
import type { Pattern } from '../domain/pattern.ts';
import { sortedByVersion } from '../domain/version.ts';
import type { ListedTag } from '../registries/registry.ts';

/** What a complete listing means for what the catalog knows. */
export interface TagPlan {
  /** To be looked at, in the order of the listing. */
  readonly wanted: readonly ListedTag[];
  /** Known, and not in the listing: deleted if the registry says so when it is asked for each. */
  readonly missing: readonly TagName[];
}

export interface TagSelection {
  /** Null means all. */
  readonly tags: Pattern | null;
  /** The newest so many by version; null means all. */
  readonly maxTags: number | null;
}

/** Tags that the selection leaves out are neither wanted nor missing: what the catalog knows of them stays. */
export function planTags(
  listed: readonly ListedTag[],
  known: ReadonlyMap<TagName, Digest | null>,
  selection: TagSelection,
): TagPlan {
  const byName = new Map(listed.map((tag) => [tag.name, tag]));
  const matching = [...byName.values()].filter((tag) => selection.tags?.matches(tag.name) ?? true);
  const missing = [...known].filter(([name, digest]) => digest !== null && !byName.has(name)).map(([name]) => name);
  return { wanted: newest(matching, selection.maxTags), missing };
}

/**
 * The tag under which a registry without a referrers API keeps what refers to a digest.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
 */
export function referrersTagOf(subject: Digest): TagName {
  const [algorithm = '', hex = ''] = subject.split(':');
  return `${algorithm}-${hex.slice(0, 64)}` as TagName;
}

export function isReferrersTag(tag: ListedTag): boolean {
  return /^sha(256|512)-[0-9a-f]{64}$/.test(tag.name);
}

/**
 * Whether a source wants platforms of which members of known indexes may have been left out. Empty means all; null that
 * the repository was never looked at to the end.
 */
export function isWidened(followed: readonly string[] | null, wanted: readonly string[]): boolean {
  if (followed === null) return true;
  if (followed.length === 0) return false;
  return wanted.length === 0 || wanted.some((platform) => !followed.includes(platform));
}

/** The platforms that are followed when a source has been looked at, besides those of others. */
export function followedPlatforms(followed: readonly string[] | null, wanted: readonly string[]): string[] {
  if (wanted.length === 0 || followed?.length === 0) return [];
  return [...new Set([...(followed ?? []), ...wanted])].sort();
}

function newest(tags: readonly ListedTag[], count: number | null): readonly ListedTag[] {
  if (count === null || tags.length <= count) return tags;
  const chosen = new Set(sortedByVersion(tags).slice(0, count));
  return tags.filter((tag) => chosen.has(tag));
}
