import type { Connection } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { isDigest, type Digest } from '../domain/digest.ts';
import { isUnavailable, type RegistryError } from '../domain/errors.ts';
import type { TagName } from '../domain/reference.ts';
import { subjectOfTag } from '../domain/referrers-tag.ts';
import type { ListedTag } from '../registries/registry.ts';
import { soundDigests, type Collection } from './collect-manifests.ts';
import { checkLeft } from './forget-tags.ts';
import { inParallel } from '../domain/in-parallel.ts';
import { BATCH, PARALLEL, type Look } from './look.ts';
import type { Referrers } from './referrers.ts';
import { writeContent } from './write-content.ts';

/**
 * Asks what each of these tags names, fetches what is unknown, and writes it batch by batch. Answers with those that the
 * registry says are not there.
 */
export async function moveTags(
  look: Look,
  referrers: Referrers,
  wanted: readonly ListedTag[],
  isWidened: boolean,
): Promise<TagName[]> {
  look.tagsSeen += wanted.length;
  for (const { name } of wanted) look.wanted.push(name);
  const absent: TagName[] = [];
  const changed: ResolvedTag[] = [];
  await inParallel(wanted, PARALLEL, async (tag, place) => {
    const digest = tag.digest ?? (await look.resolve(tag.name));
    if (digest === undefined) return;
    if (digest === null) absent.push(tag.name);
    else if (digest !== look.known.get(tag.name) || isWidened) changed.push({ ...tag, digest, place });
  });
  changed.sort((a, b) => a.place - b.place);
  const move = new Move(look, referrers, absent);
  for (let from = 0; from < changed.length; from += BATCH) {
    look.sync.signal.throwIfAborted();
    await move.each(changed.slice(from, from + BATCH));
  }
  for (const tag of move.movedOn) await move.each([tag]);
  return absent;
}

type ResolvedTag = ListedTag & { readonly digest: Digest; readonly place: number };

class Move {
  /** Tags that named something else by the time that what they had named was fetched, each once. */
  readonly movedOn: ResolvedTag[] = [];

  readonly #look: Look;
  readonly #referrers: Referrers;
  readonly #absent: TagName[];

  constructor(look: Look, referrers: Referrers, absent: TagName[]) {
    this.#look = look;
    this.#referrers = referrers;
    this.#absent = absent;
  }

  /** What one tag of a batch does wrong is not the fault of the others: they are then moved one by one. */
  async each(tags: readonly ResolvedTag[]): Promise<void> {
    const { sync } = this.#look;
    try {
      if (await this.#batch(tags)) return;
    } catch (error) {
      sync.signal.throwIfAborted();
      if (tags.length === 1) return this.#look.blame(`:${tags[0]?.name}`, error);
      if (isUnavailable(error)) throw error;
    }
    for (const tag of tags) await this.each([tag]);
  }

  /** False, and nothing done, when the batch is too large and may be cut. */
  async #batch(tags: readonly ResolvedTag[]): Promise<boolean> {
    const { known } = this.#look;
    const collected = await this.#look.collect([...new Set(tags.flatMap(digestsOf))], subjectsOf(tags));
    const isTooLarge = [...collected.outcomes.values()].some(({ fault }) => fault?.code === 'TOO_LARGE');
    if (isTooLarge && tags.length > 1) return false;
    const sound: ResolvedTag[] = [];
    for (const tag of tags) if (await this.#isSound(tag, collected)) sound.push(tag);
    const referring = await this.#collectReferrers(collected, sound);
    for (const { digest, error } of [...collected.flaws, ...(referring?.flaws ?? [])])
      this.#look.blame(`@${digest}`, error);

    const contents = distinct([...collected.contents, ...(referring?.contents ?? [])]);
    const roots = [...new Set([...soundDigests(collected), ...(referring ? soundDigests(referring) : [])])];
    const relied = new Set([...collected.relied, ...(referring?.relied ?? [])]);
    this.#look.tagsChanged += await writeContent(this.#look, { contents, relied }, async (transaction, at) =>
      sound.length === 0 ? 0 : this.#name(transaction, sound, roots, at),
    );
    const left = sound.flatMap((tag) => known.get(tag.name) ?? []);
    for (const tag of sound) known.set(tag.name, tag.digest);
    await checkLeft(this.#look, left);
    return true;
  }

  /** Their events make all others who write such wait for the commit, so nothing comes behind them. */
  async #name(
    connection: Connection,
    tags: readonly ResolvedTag[],
    roots: readonly Digest[],
    at: Date,
  ): Promise<number> {
    const { place, known } = this.#look;
    this.#look.needsRecount = true;
    const counts = await Promise.all([
      catalog.touchRepository(connection, place, at),
      catalog.recordPresence(connection, place, roots, at),
      ...stepsOf(tags, known).map((step) => catalog.moveTags(connection, place, step, at)),
    ]);
    return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  }

  /** A tag whose manifest was gone when it was fetched may be gone or moved itself by now, which is no fault. */
  async #isSound(tag: ResolvedTag, { outcomes }: Collection): Promise<boolean> {
    const fault = digestsOf(tag)
      .map((digest) => outcomes.get(digest)?.fault)
      .find(isFault);
    if (fault === undefined) return true;
    if (fault.code === 'NOT_FOUND' && !this.movedOn.some(({ name }) => name === tag.name)) {
      const now = await this.#look.resolve(tag.name);
      if (now === null) this.#absent.push(tag.name);
      else if (now !== undefined && now !== tag.digest) this.movedOn.push({ ...tag, digest: now });
      if (now !== tag.digest) return false;
    }
    this.#look.blame(`:${tag.name}`, fault);
    return false;
  }

  /** What refers to that which has just come; null when nothing does. */
  async #collectReferrers(collected: Collection, sound: readonly ResolvedTag[]): Promise<Collection | null> {
    const subjects = new Set(sound.flatMap((tag) => collected.outcomes.get(tag.digest)?.reached ?? []));
    const found = await this.#referrers.of([...subjects]);
    for (const digest of collected.outcomes.keys()) found.delete(digest);
    if (found.size === 0) return null;
    const referring = await this.#look.collect([...found.keys()], found);
    for (const [digest, { fault }] of referring.outcomes) if (fault) this.#look.blame(`@${digest}`, fault);
    return referring;
  }
}

/** All that a tag names and, as the registry remembers, has named. */
function digestsOf(tag: ResolvedTag): Digest[] {
  return [...(tag.previous ?? []), tag.digest];
}

/** What tags that are named after a manifest hold is about that one. */
function subjectsOf(tags: readonly ResolvedTag[]): Map<Digest, Digest> {
  const named = tags.map((tag) => [tag.digest, subjectOfTag(tag.name)] as const);
  return new Map(named.flatMap(([digest, subject]) => (subject && isDigest(subject) ? [[digest, subject]] : [])));
}

function isFault(fault: RegistryError | null | undefined): fault is RegistryError {
  return fault != null;
}

function distinct(contents: readonly catalog.ManifestContent[]): catalog.ManifestContent[] {
  return [...new Map(contents.map((content) => [content.digest, content])).values()];
}

/** One step, or for tags that the catalog has never seen, one for each manifest that the registry remembers. */
function stepsOf(
  tags: readonly ResolvedTag[],
  known: ReadonlyMap<TagName, Digest | null>,
): ReadonlyMap<TagName, Digest>[] {
  const paths = tags.map((tag) => [...(known.has(tag.name) ? [] : (tag.previous ?? [])), tag.digest]);
  const longest = Math.max(...paths.map((path) => path.length));
  return Array.from({ length: longest }, (_, step) => {
    const moves = tags.flatMap((tag, at): [TagName, Digest][] => {
      const digest = paths[at]?.[step];
      return digest === undefined ? [] : [[tag.name, digest]];
    });
    return new Map(moves);
  });
}
