import { RegistryError } from '../domain/errors.ts';
import { subjectOfTag } from '../domain/referrers-tag.ts';
import type { TagName } from '../domain/reference.ts';
import type { NewestBy, Selection } from '../domain/selection.ts';
import { sortedByVersion } from '../domain/version.ts';
import type { ListedTag } from '../registries/registry.ts';

export interface TagChoice {
  /** Null means all. */
  readonly tags: Selection | null;
  /** The newest so many; null means all. */
  readonly maxTags: number | null;
  readonly newestBy: NewestBy;
}

/**
 * What a listing means, told page by page. Of the whole listing it keeps the names, and what it takes to know the
 * newest. Tags that the choice leaves out are neither looked at nor missing: what the catalog knows of them stays.
 */
export class TagPlan {
  readonly #choice: TagChoice;
  readonly #seen = new Set<TagName>();
  readonly #referrersTags: ListedTag[] = [];
  #candidates: ListedTag[] = [];

  constructor(choice: TagChoice) {
    this.#choice = choice;
  }

  get seen(): number {
    return this.#seen.size;
  }

  /** Tags that hold what refers to a manifest, of the pages so far. */
  get referrersTags(): readonly ListedTag[] {
    return this.#referrersTags;
  }

  /** Answers with what is to be looked at already: nothing while the newest are not known. */
  add(page: readonly ListedTag[]): ListedTag[] {
    const { tags, maxTags } = this.#choice;
    const matching: ListedTag[] = [];
    for (const tag of page) {
      // A listing that changes while it is read may tell of a tag twice.
      if (this.#seen.has(tag.name)) continue;
      this.#seen.add(tag.name);
      const isReferrers = subjectOfTag(tag.name) !== null;
      if (isReferrers) this.#referrersTags.push(tag);
      // They are the newest of nothing.
      if (isReferrers && maxTags !== null) continue;
      if (tags === null || tags.matches(tag.name)) matching.push(tag);
    }
    if (maxTags === null) return matching;
    this.#candidates.push(...matching);
    if (this.#candidates.length > 2 * maxTags + MANY) this.#candidates = this.#newestOf(maxTags);
    return [];
  }

  /** What is to be looked at once the listing is complete. Throws UNSUPPORTED where it has no dates to go by. */
  newest(): ListedTag[] {
    const { maxTags, newestBy } = this.#choice;
    if (maxTags === null) return [];
    if (newestBy === 'PUSHED_AT' && this.#candidates.length > 0 && !this.#candidates.some(isDated))
      throw undated(maxTags);
    return this.#newestOf(maxTags);
  }

  /** Of these names, those that the listing lacks: deleted if the registry says so when it is asked for each. */
  missing(known: Iterable<TagName>): TagName[] {
    return [...known].filter((name) => !this.#seen.has(name));
  }

  /** In the order of the listing. */
  #newestOf(count: number): ListedTag[] {
    if (this.#candidates.length <= count) return this.#candidates;
    const sorted = sortedByVersion(this.#candidates);
    if (this.#choice.newestBy === 'PUSHED_AT') sorted.sort((a, b) => timeOf(b) - timeOf(a));
    const chosen = new Set(sorted.slice(0, count));
    return this.#candidates.filter((tag) => chosen.has(tag));
  }
}

/** So many more than twice what is wanted are kept before the older ones are let go of. */
const MANY = 1000;

function isDated(tag: ListedTag): boolean {
  return tag.pushedAt !== undefined;
}

/** A tag without a date is older than all that have one; of the same date, the higher version is the newer. */
function timeOf({ pushedAt }: ListedTag): number {
  return pushedAt?.getTime() ?? 0;
}

function undated(count: number): RegistryError {
  return new RegistryError(
    'UNSUPPORTED',
    `the registry does not list when tags were pushed, so its newest ${count} can't be told by date; let the source take them by version (newestBy)`,
  );
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
