import type { Digest } from '../domain/digest.ts';
import { referrersTagsOf } from '../domain/referrers-tag.ts';
import { inParallel } from '../domain/in-parallel.ts';
import { PARALLEL, type Look } from './look.ts';

/**
 * Finds the signatures, SBOMs and attestations of manifests as they come: by the registry's list of referrers, or where
 * it has none, by the tags that stand in for it. Where tags are listed, those are looked at when the listing is complete.
 */
export class Referrers {
  readonly #look: Look;
  readonly #areTagsListed: boolean;
  #isRefused = false;

  constructor(look: Look, areTagsListed: boolean) {
    this.#look = look;
    this.#areTagsListed = areTagsListed;
  }

  /**
   * What refers to these, each with its subject. A refusal is not a fault of the whole repository, whose tags are as
   * they should be: it is told once, and from then on there are none.
   */
  async of(subjects: readonly Digest[]): Promise<Map<Digest, Digest>> {
    const found = new Map<Digest, Digest>();
    if (this.#isRefused) return found;
    try {
      await inParallel(subjects, PARALLEL, async (subject) => {
        for (const digest of await this.#ofOne(subject)) found.set(digest, subject);
      });
      return found;
    } catch (error) {
      this.#isRefused = true;
      this.#look.blame(' (referrers)', error);
      return new Map();
    }
  }

  async #ofOne(subject: Digest): Promise<readonly Digest[]> {
    const { registry, name, signal } = this.#look.sync;
    const listed = await registry.listReferrers?.(name, subject, signal);
    if (listed) return listed;
    if (this.#areTagsListed) return [];
    const tags = referrersTagsOf(subject);
    const digests = await Promise.all(tags.map((tag) => registry.resolveManifest(name, tag, signal)));
    return digests.filter((digest) => digest !== null);
  }
}
