import type { Connection, Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import type { Digest } from '../domain/digest.ts';
import { isUnavailable, RegistryError } from '../domain/errors.ts';
import { isWildcard, parsePattern } from '../domain/pattern.ts';
import { parsePlatform, type WantedPlatform } from '../domain/platform.ts';
import { parseTagName, type RepositoryName, type TagName } from '../domain/reference.ts';
import type { ListedTag, OpenRegistry } from '../registries/registry.ts';
import { collectManifests } from './collect-manifests.ts';
import { inParallel } from './in-parallel.ts';
import { followedPlatforms, isWidened, planTags } from './plan.ts';
import { Referrers } from './referrers.ts';

export interface RepositorySync {
  readonly database: Database;
  readonly registry: OpenRegistry;
  readonly scope: catalog.SyncScope;
  readonly name: RepositoryName;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

export interface RepositoryReport {
  readonly tagsSeen: number;
  readonly tagsChanged: number;
  readonly manifestsFetched: number;
  /** Its counters are not those of what was written. */
  readonly needsRecount: boolean;
  /** The platforms that are followed now; null unless its tags were listed and all looked at, well or badly. */
  readonly followed: readonly string[] | null;
  /** Each with the reference that it happened to. */
  readonly faults: readonly { readonly reference: string; readonly error: Error }[];
}

/** Requests to one registry at a time, of one repository. */
const PARALLEL = 16;
/** Tags whose content is fetched, and then written, together: what a killed worker has to fetch again at most. */
const BATCH = 16;
const MAX_LISTED = 200_000;

/**
 * Makes the catalog say what the registry says of one repository: asks what is there, compares, fetches only what is
 * unknown, writes it batch by batch. Running it twice changes nothing; running it after it was cut short does the rest.
 * A fault of one tag is reported and the others go on; only what stops everything (no listing) is the whole
 * repository's. Rejects with the signal's reason when aborted.
 */
export async function syncRepository(sync: RepositorySync): Promise<RepositoryReport> {
  const run = new RepositoryRun(sync);
  await run.recall();
  try {
    await run.listAndApply();
  } catch (error) {
    sync.signal.throwIfAborted();
    run.blame(null, error);
  }
  return run;
}

class RepositoryRun implements RepositoryReport {
  tagsSeen = 0;
  tagsChanged = 0;
  manifestsFetched = 0;
  needsRecount = false;
  followed: string[] | null = null;
  readonly faults: { reference: string; error: Error }[] = [];

  readonly #sync: RepositorySync;
  readonly #platforms: readonly WantedPlatform[];
  readonly #place: catalog.RepositoryPlace;
  readonly #blamed = new Set<string>();
  #isKnown = false;
  #isListed = false;
  #followed: readonly string[] | null = null;
  #known = new Map<TagName, Digest | null>();
  readonly #referrers: Referrers;
  /** The source wants platforms that were not followed before. */
  #isWidened = false;

  constructor(sync: RepositorySync) {
    this.#sync = sync;
    this.#place = { registryId: sync.scope.registryId, name: sync.name };
    this.#platforms = sync.scope.platforms.map(parsePlatform);
    const { registry, name: repository, signal } = sync;
    this.#referrers = new Referrers({ registry, repository, parallel: PARALLEL, signal });
  }

  async recall(): Promise<void> {
    const known = await catalog.knownRepository(this.#sync.database, this.#place);
    if (known === null) return;
    this.#isKnown = true;
    this.needsRecount = known.needsRecount;
    this.#known = known.tags;
    this.#followed = known.platforms;
    this.#isWidened = isWidened(known.platforms, this.#sync.scope.platforms);
  }

  async listAndApply(): Promise<void> {
    const { tags, maxTags } = this.#sync.scope;
    if (tags !== null && !isWildcard(tags)) {
      await this.#apply([{ name: parseTagName(tags) }], []);
      return;
    }
    const listed = await this.#list();
    this.#isListed = true;
    this.#referrers.learn(listed);
    const selection = { tags: tags === null ? null : parsePattern(tags, 'tags'), maxTags };
    const { wanted, missing } = planTags(listed, this.#known, selection);
    await this.#apply(wanted, missing);
    this.followed = followedPlatforms(this.#followed, this.#sync.scope.platforms);
  }

  /** Said once of each. What makes all further work futile is thrown on. */
  blame(suffix: string | null, error: unknown): void {
    if (!(error instanceof Error) || isUnavailable(error)) throw error;
    const { registry, name } = this.#sync;
    const reference = `${registry.host}/${name}${suffix ?? ''}`;
    if (this.#blamed.has(reference)) return;
    this.#blamed.add(reference);
    this.faults.push({ reference, error });
  }

  /**
   * A repository that is not there any more has no tags; whether those that the catalog knows are gone is asked one by
   * one. One that was asked for by name and never was there is a fault.
   */
  async #list(): Promise<ListedTag[]> {
    const { registry, name, signal } = this.#sync;
    const listed: ListedTag[] = [];
    try {
      for await (const page of registry.listTags(name, signal)) {
        listed.push(...page);
        if (listed.length > MAX_LISTED) throw new RegistryError('TOO_LARGE', `more than ${MAX_LISTED} tags`);
      }
    } catch (error) {
      const isGone = error instanceof RegistryError && error.code === 'NOT_FOUND' && listed.length === 0;
      if (isGone && (this.#isKnown || isWildcard(this.#sync.scope.repositories))) return [];
      throw error;
    }
    return listed;
  }

  async #apply(wanted: readonly ListedTag[], missing: readonly TagName[]): Promise<void> {
    this.tagsSeen = wanted.length;
    const deleted = await this.#goneAmong(missing);
    const changed: ResolvedTag[] = [];
    await inParallel(wanted, PARALLEL, async (tag, place) => {
      const digest = await this.#resolve(tag);
      if (digest === undefined) return;
      const isSame = digest === this.#known.get(tag.name) && !this.#isWidened;
      if (digest !== null && !isSame) changed.push({ ...tag, digest, place });
      if (digest === null && this.#known.get(tag.name)) deleted.push(tag.name);
      if (digest === null && !this.#isListed && !this.#known.has(tag.name)) this.blame(`:${tag.name}`, noSuchTag());
    });
    changed.sort((a, b) => a.place - b.place);
    for (let from = 0; from < changed.length; from += BATCH) {
      this.#sync.signal.throwIfAborted();
      await this.#moveEach(changed.slice(from, from + BATCH));
    }
    if (deleted.length > 0) await this.#forget(deleted);
  }

  /** Undefined when it could not be found out; null when the registry says that there is no such tag. */
  async #resolve(tag: ListedTag): Promise<Digest | null | undefined> {
    if (tag.digest !== undefined) return tag.digest;
    const { registry, name, signal } = this.#sync;
    try {
      return await registry.resolveManifest(name, tag.name, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.blame(`:${tag.name}`, error);
      return undefined;
    }
  }

  /** A listing that lacks a tag is a reason to ask, not proof: it may be short, or of another moment. */
  async #goneAmong(missing: readonly TagName[]): Promise<TagName[]> {
    const gone = await inParallel(missing, PARALLEL, async (name) => (await this.#resolve({ name })) === null);
    return missing.filter((_, at) => gone[at]);
  }

  /** What one tag of a batch does wrong is not the fault of the others: they are then moved one by one. */
  async #moveEach(tags: readonly ResolvedTag[]): Promise<void> {
    const { signal } = this.#sync;
    try {
      if (await this.#moveBatch(tags)) return;
    } catch (error) {
      signal.throwIfAborted();
      if (tags.length === 1) return this.blame(`:${tags[0]?.name}`, error);
      if (isUnavailable(error)) throw error;
    }
    for (const tag of tags) await this.#moveEach([tag]);
  }

  /** False, and nothing done, when the batch is too large and may be cut. */
  async #moveBatch(tags: readonly ResolvedTag[]): Promise<boolean> {
    const { database, now } = this.#sync;
    const digests = [...new Set(tags.flatMap((tag) => [...(tag.previous ?? []), tag.digest]))];
    const collected = await this.#collect(digests);
    const isTooLarge = [...collected.outcomes.values()].some(({ fault }) => fault?.code === 'TOO_LARGE');
    if (isTooLarge && tags.length > 1) return false;
    const sound = tags.filter((tag) => !this.#isFaulty(tag, collected.outcomes));
    const referrers = await this.#collectReferrers(collected, sound);
    for (const { digest, error } of [...collected.flaws, ...(referrers?.flaws ?? [])]) this.blame(`@${digest}`, error);

    const contents = distinct([...collected.contents, ...(referrers?.contents ?? [])]);
    const roots = [...new Set([...collected.outcomes, ...(referrers?.outcomes ?? [])].flatMap(soundDigest))];
    this.manifestsFetched += contents.length;
    const at = now();
    this.tagsChanged += await database.transaction(async (transaction) => {
      const [isWhole, { written, images }] = await Promise.all([
        catalog.shareContent(transaction, new Set([...collected.relied, ...(referrers?.relied ?? [])])),
        catalog.recordManifests(transaction, contents, at),
      ]);
      if (!isWhole) throw deletedMeanwhile();
      const counted = catalog.countImages(transaction, images);
      const moved = sound.length === 0 ? 0 : this.#move(transaction, sound, roots, at);
      const [changed] = await Promise.all([moved, written, counted, transaction.commit()]);
      return changed;
    });
    const left = sound.flatMap((tag) => this.#known.get(tag.name) ?? []);
    for (const tag of sound) this.#known.set(tag.name, tag.digest);
    await this.#checkLeft(left);
    return true;
  }

  /**
   * Names last: the content that they reach is written before, in the same transaction. Their events make all others
   * who write such wait for the commit, so nothing comes behind them.
   */
  async #move(
    connection: Connection,
    tags: readonly ResolvedTag[],
    roots: readonly Digest[],
    at: Date,
  ): Promise<number> {
    this.needsRecount = true;
    const counts = await Promise.all([
      catalog.touchRepository(connection, this.#place, at),
      catalog.recordPresence(connection, this.#place, roots, at),
      ...stepsOf(tags, this.#known).map((step) => catalog.moveTags(connection, this.#place, step, at)),
    ]);
    return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  }

  #collect(digests: readonly Digest[]): ReturnType<typeof collectManifests> {
    const { database, registry, name, signal } = this.#sync;
    return collectManifests(
      {
        registry,
        repository: name,
        platforms: this.#platforms,
        known: (wanted) => catalog.knownManifests(database, wanted),
        parallel: PARALLEL,
        signal,
      },
      digests,
    );
  }

  #isFaulty(tag: ResolvedTag, outcomes: Outcomes): boolean {
    const fault = [...(tag.previous ?? []), tag.digest].map((digest) => outcomes.get(digest)?.fault).find(Boolean);
    if (fault) this.blame(`:${tag.name}`, fault);
    return fault !== undefined;
  }

  /** What refers to that which has just come; null when nothing does. */
  async #collectReferrers(collected: Collected, sound: readonly ResolvedTag[]): Promise<Collected | null> {
    const subjects = new Set(sound.flatMap((tag) => collected.outcomes.get(tag.digest)?.reached ?? []));
    const found = await this.#referrers.of([...subjects]).catch((error: unknown) => {
      this.#sync.signal.throwIfAborted();
      // Not a fault of the whole repository: its tags are as they should be.
      this.blame(' (referrers)', error);
      return new Set<Digest>();
    });
    for (const digest of collected.outcomes.keys()) found.delete(digest);
    if (found.size === 0) return null;
    const referrers = await this.#collect([...found]);
    for (const [digest, { fault }] of referrers.outcomes) if (fault) this.blame(`@${digest}`, fault);
    return referrers;
  }

  async #forget(names: readonly TagName[]): Promise<void> {
    const { database, now } = this.#sync;
    const at = now();
    this.needsRecount = true;
    this.tagsChanged += await database.transaction(async (transaction) => {
      const shared = catalog.shareContent(transaction);
      const touched = catalog.touchRepository(transaction, this.#place, at);
      const forgotten = catalog.forgetTags(transaction, this.#place, names, at);
      const [count] = await Promise.all([forgotten, touched, shared, transaction.commit()]);
      return count;
    });
    await this.#checkLeft(names.flatMap((tag) => this.#known.get(tag) ?? []));
  }

  /** A manifest that lost its last tag is mostly still there, under its digest; where it is not, it can't be pulled. */
  async #checkLeft(digests: readonly Digest[]): Promise<void> {
    if (digests.length === 0) return;
    const { database, registry, name, signal, now } = this.#sync;
    const untagged = await catalog.untaggedManifests(database, this.#place, digests);
    const gone: Digest[] = [];
    await inParallel(untagged, PARALLEL, async (digest) => {
      const found = await registry.resolveManifest(name, digest, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        this.blame(`@${digest}`, error);
        return digest;
      });
      if (found === null) gone.push(digest);
    });
    if (gone.length === 0) return;
    await database.transaction(async (connection) => {
      await Promise.all([
        catalog.shareContent(connection),
        catalog.recordAbsence(connection, this.#place, gone, now()),
      ]);
    });
  }
}

type ResolvedTag = ListedTag & { readonly digest: Digest; readonly place: number };
type Collected = Awaited<ReturnType<typeof collectManifests>>;
type Outcomes = Collected['outcomes'];

/** What the catalog had when it was looked at: the next look fetches it. */
function deletedMeanwhile(): RegistryError {
  return new RegistryError('UNAVAILABLE', 'what it consists of was deleted from the catalog while it was read');
}

function noSuchTag(): RegistryError {
  return new RegistryError('NOT_FOUND', 'the registry has no such tag');
}

function soundDigest([digest, { fault }]: [Digest, { fault: RegistryError | null }]): Digest[] {
  return fault === null ? [digest] : [];
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
