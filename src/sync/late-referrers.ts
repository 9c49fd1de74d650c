import * as catalog from '../catalog/write/index.ts';
import type { Digest } from '../domain/digest.ts';
import { subjectOfTag, subjectPrefixOf } from '../domain/referrers-tag.ts';
import type { ListedTag } from '../registries/registry.ts';
import { soundDigests } from './collect-manifests.ts';
import { inParallel } from '../domain/in-parallel.ts';
import { BATCH, PARALLEL, type Look } from './look.ts';
import type { Referrers } from './referrers.ts';
import { writeContent } from './write-content.ts';

/**
 * Catalogs what refers to manifests of the repository and came after them: a signature mostly does, and the tag of its
 * image does not move by it. These are the tags that hold such; each costs what an unchanged tag does, and nothing where
 * it was looked at as a tag already.
 */
export async function catalogReferrersTags(look: Look, listed: readonly ListedTag[]): Promise<void> {
  const { sync, place } = look;
  const tags = listed.filter(({ name }) => !look.known.get(name));
  for (let from = 0; from < tags.length; from += CHUNK) {
    const named = tags.slice(from, from + CHUNK).map((tag) => ({ tag, prefix: subjectOfTag(tag.name) ?? '' }));
    const subjects = await catalog.manifestsBeginning(
      sync.database,
      place,
      named.map(({ prefix }) => prefix),
    );
    const byPrefix = new Map(subjects.map((subject) => [subjectPrefixOf(subject), subject]));
    const found = new Map<Digest, Digest>();
    await inParallel(named, PARALLEL, async ({ tag, prefix }) => {
      const subject = byPrefix.get(prefix);
      const digest = subject && (tag.digest ?? (await look.resolve(tag.name)));
      if (subject && digest) found.set(digest, subject);
    });
    await catalogReferrers(look, found);
  }
}

/** The same of all that the tags of the repository name, by the registry's list of referrers: a request for each. */
export async function catalogListedReferrers(look: Look, referrers: Referrers): Promise<void> {
  const subjects = [...new Set([...look.known.values()].filter((digest) => digest !== null))];
  for (let from = 0; from < subjects.length; from += CHUNK) {
    await catalogReferrers(look, await referrers.of(subjects.slice(from, from + CHUNK)));
  }
}

const CHUNK = 500;

/** Each with its subject. What the repository is known to have is not looked at again. */
async function catalogReferrers(look: Look, found: ReadonlyMap<Digest, Digest>): Promise<void> {
  const { sync, place } = look;
  const held = await catalog.heldManifests(sync.database, place, [...found.keys()]);
  const fresh = [...found.keys()].filter((digest) => !held.has(digest));
  for (let from = 0; from < fresh.length; from += BATCH) {
    sync.signal.throwIfAborted();
    await catalogBatch(look, fresh.slice(from, from + BATCH), found);
  }
}

async function catalogBatch(look: Look, digests: readonly Digest[], subjects: ReadonlyMap<Digest, Digest>) {
  const collected = await look.collect(digests, subjects);
  for (const { digest, error } of collected.flaws) look.blame(`@${digest}`, error);
  for (const [digest, { fault }] of collected.outcomes) if (fault) look.blame(`@${digest}`, fault);
  const roots = soundDigests(collected);
  if (roots.length === 0) return;
  look.needsRecount = true;
  await writeContent(look, collected, (transaction, at) =>
    Promise.all([
      catalog.touchRepository(transaction, look.place, at),
      catalog.recordPresence(transaction, look.place, roots, at),
    ]),
  );
}
