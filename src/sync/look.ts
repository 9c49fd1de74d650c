import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import type { Digest } from '../domain/digest.ts';
import { isUnavailable, RegistryError } from '../domain/errors.ts';
import { parsePlatform, type WantedPlatform } from '../domain/platform.ts';
import type { RepositoryName, TagName } from '../domain/reference.ts';
import type { OpenRegistry } from '../registries/registry.ts';
import { collectManifests, type Collection } from './collect-manifests.ts';

export interface RepositorySync {
  readonly database: Database;
  readonly registry: OpenRegistry;
  readonly scope: catalog.SyncScope;
  readonly name: RepositoryName;
  /** What the catalog has of it, read when nobody else was at it any more; null where it has no such repository. */
  readonly before: catalog.KnownRepository | null;
  /** Whether it is asked what the images hold; not when not given. */
  readonly inspectContents?: boolean;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

export interface RepositoryReport {
  readonly tagsSeen: number;
  readonly tagsChanged: number;
  readonly manifestsFetched: number;
  /** Its counters are not those of what was written. */
  readonly needsRecount: boolean;
  /** What is to be written down of it; null unless its tags were listed and all looked at, well or badly. */
  readonly synced: catalog.SyncedRepository | null;
  /** Each with the reference that it happened to. */
  readonly faults: readonly { readonly reference: string; readonly error: Error }[];
}

/** Requests to one registry at a time, of one repository. */
export const PARALLEL = 16;
/** Tags whose content is fetched, and then written, together: what a killed worker has to fetch again at most. */
export const BATCH = 16;
/** Faults of one repository that are told one by one: as many tags as there are may be put off by one limit. */
const MAX_FAULTS = 1000;

/** One look at a repository: what was known before, and what has come of it so far. Its parts share it. */
export class Look implements RepositoryReport {
  tagsSeen = 0;
  tagsChanged = 0;
  manifestsFetched = 0;
  needsRecount: boolean;
  synced: catalog.SyncedRepository | null = null;
  readonly #faults: { reference: string; error: Error }[] = [];
  /** Of faults beyond those, how many there were, and the last. */
  #untold: { count: number; error: Error } | null = null;

  readonly sync: RepositorySync;
  readonly place: catalog.RepositoryPlace;
  /** Null where the catalog has no such repository. */
  readonly before: catalog.KnownRepository | null;
  /** What tags name, as the catalog has it now; a deleted one is there with null. */
  readonly known: Map<TagName, Digest | null>;
  /** Tags that were looked at. */
  readonly wanted: TagName[] = [];
  readonly #platforms: readonly WantedPlatform[];
  readonly #blamed = new Set<string>();

  constructor(sync: RepositorySync) {
    const { before, name, scope } = sync;
    this.sync = sync;
    this.before = before;
    this.place = { registryId: scope.registryId, name };
    this.known = before?.tags ?? new Map<TagName, Digest | null>();
    this.needsRecount = before?.needsRecount ?? false;
    this.#platforms = sync.scope.platforms.map(parsePlatform);
  }

  /** Tags that the catalog has and that are not deleted. */
  get present(): TagName[] {
    return [...this.known].flatMap(([name, digest]) => (digest === null ? [] : [name]));
  }

  get faults(): RepositoryReport['faults'] {
    if (this.#untold === null) return this.#faults;
    const { count, error } = this.#untold;
    const message = `${count.toLocaleString('en')} faults more are not told one by one; the last of them: ${error.message}`;
    const { code, retryAt } = error instanceof RegistryError ? error : { code: null, retryAt: null };
    const last =
      code === null ? new Error(message) : new RegistryError(code, message, retryAt === null ? {} : { retryAt });
    return [...this.#faults, { reference: this.#referenceOf(''), error: last }];
  }

  /** Said once of each. What makes all further work futile is thrown on. */
  blame(suffix: string | null, error: unknown): void {
    this.sync.signal.throwIfAborted();
    if (!(error instanceof Error) || isUnavailable(error)) throw error;
    const reference = this.#referenceOf(suffix ?? '');
    if (this.#blamed.has(reference)) return;
    this.#blamed.add(reference);
    if (this.#faults.length < MAX_FAULTS) this.#faults.push({ reference, error });
    else this.#untold = { count: (this.#untold?.count ?? 0) + 1, error };
  }

  /** Undefined when it could not be found out; null when the registry says that it is not there. */
  async resolve(target: TagName | Digest): Promise<Digest | null | undefined> {
    const { registry, name, signal } = this.sync;
    try {
      return await registry.resolveManifest(name, target, signal);
    } catch (error) {
      this.blame(target.includes(':') ? `@${target}` : `:${target}`, error);
      return undefined;
    }
  }

  /** `subjects` tells what digests are about whose documents may not say it themselves. */
  collect(digests: readonly Digest[], subjects?: ReadonlyMap<Digest, Digest>): Promise<Collection> {
    const { database, registry, name, signal } = this.sync;
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
      subjects,
    );
  }

  #referenceOf(suffix: string): string {
    const { registry, name } = this.sync;
    return `${registry.host}/${name}${suffix}`;
  }
}
