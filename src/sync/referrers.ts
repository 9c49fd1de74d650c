import type { Digest } from '../domain/digest.ts';
import type { RepositoryName, TagName } from '../domain/reference.ts';
import type { ListedTag, OpenRegistry } from '../registries/registry.ts';
import { inParallel } from './in-parallel.ts';
import { isReferrersTag, referrersTagOf } from './plan.ts';

export interface ReferrersSettings {
  readonly registry: OpenRegistry;
  readonly repository: RepositoryName;
  readonly parallel: number;
  readonly signal: AbortSignal;
}

/**
 * Finds the signatures, SBOMs and attestations of manifests: by the referrers API, or, where the registry has none, by
 * the tags that stand in for it.
 */
export class Referrers {
  readonly #settings: ReferrersSettings;
  /** Tags that stand in for the API, by name; null when the tags were not listed. */
  #tags: ReadonlyMap<TagName, ListedTag> | null = null;
  #isRefused = false;

  constructor(settings: ReferrersSettings) {
    this.#settings = settings;
  }

  /** Spares requests for tags that a complete listing lacks. */
  learn(listed: readonly ListedTag[]): void {
    this.#tags = new Map(listed.filter(isReferrersTag).map((tag) => [tag.name, tag]));
  }

  /** Rejects when the registry refuses to tell, once; from then on there are none. */
  async of(subjects: readonly Digest[]): Promise<Set<Digest>> {
    const found = new Set<Digest>();
    if (this.#isRefused) return found;
    try {
      await inParallel(subjects, this.#settings.parallel, async (subject) => {
        for (const digest of await this.#ofOne(subject)) found.add(digest);
      });
    } catch (error) {
      this.#isRefused = true;
      throw error;
    }
    return found;
  }

  async #ofOne(subject: Digest): Promise<readonly Digest[]> {
    const { registry, repository, signal } = this.#settings;
    const listed = await registry.listReferrers?.(repository, subject, signal);
    if (listed) return listed;
    const name = referrersTagOf(subject);
    const tag: ListedTag | undefined = this.#tags === null ? { name } : this.#tags.get(name);
    if (tag === undefined) return [];
    const digest = tag.digest ?? (await registry.resolveManifest(repository, tag.name, signal));
    return digest === null ? [] : [digest];
  }
}
