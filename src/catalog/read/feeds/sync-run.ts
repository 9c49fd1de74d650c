import { setTimeout as pause } from 'node:timers/promises';
import { CatalogError } from '../../../domain/errors.ts';
import type { Ear } from '../../events.ts';
import { DONE, Followers, type Following, type Told } from './followers.ts';
import type { SyncRunRecord } from '../sync.ts';

/** Runs as they go on. */
export interface SyncRunFeed {
  /** The run as it is, again at each change, and at last as it ended. Throws NOT_FOUND. */
  readonly followSyncRun: (id: number, onDrop: () => void) => Promise<Following<SyncRunRecord>>;
  readonly syncRunEar: Ear;
}

/** A change may come with every repository: all runs that are followed are read at most this often. */
const PAUSE_MS = 500;

export function syncRunFeed(
  syncRunsById: (ids: readonly number[]) => Promise<Map<number, SyncRunRecord>>,
): SyncRunFeed {
  const followed = new Map<number, Followers<SyncRunRecord>>();
  const changed = new Set<number>();
  /** When the last reading of what has changed began. */
  let readAt = -Infinity;
  let reading: Promise<void> | null = null;

  async function readChanged(): Promise<void> {
    while (changed.size > 0) {
      await pause(Math.max(0, readAt + PAUSE_MS - performance.now()), undefined, { ref: false });
      readAt = performance.now();
      const ids = [...changed];
      changed.clear();
      const runs = await syncRunsById(ids);
      for (const id of ids) await tell(id, runs.get(id));
    }
  }

  async function tell(id: number, run: SyncRunRecord | undefined): Promise<void> {
    const followers = followed.get(id);
    await followers?.room(1);
    if (run !== undefined) followers?.tell([run]);
    // Finished, or forgotten with its source or registry. Whom it was not for is told by the next reading.
    if ((run === undefined || run.finishedAt !== null) && !changed.has(id)) followers?.end();
  }

  function follow(id: number, isWanted: () => boolean, onDrop: () => void): Following<SyncRunRecord> {
    let followers = followed.get(id);
    if (followers === undefined) {
      followers = new Followers<SyncRunRecord>(() => void followed.delete(id));
      followed.set(id, followers);
    }
    return followers.follow({ isWanted, onDrop });
  }

  return {
    syncRunEar: {
      channel: 'stowage_sync_run',
      hear(id) {
        for (const each of id === null ? followed.keys() : [id]) if (followed.has(each)) changed.add(each);
        if (changed.size === 0) return Promise.resolve();
        return (reading ??= readChanged().finally(() => (reading = null)));
      },
    },
    async followSyncRun(id, onDrop) {
      let knownAt = Infinity;
      // A reading that began before may be older than what the follower knows, or newer: it is read again for it.
      const isWanted = () => {
        if (readAt <= knownAt) changed.add(id);
        return readAt > knownAt;
      };
      // Before it is read, so that no change falls between the two.
      const changes = follow(id, isWanted, onDrop);
      try {
        const at = performance.now();
        const run = (await syncRunsById([id])).get(id);
        knownAt = performance.now();
        if (run === undefined) throw new CatalogError('NOT_FOUND', 'There is no such sync run.');
        if (run.finishedAt !== null) await changes.return?.();
        return new Begun({ value: run, at }, changes);
      } catch (error) {
        await changes.return?.();
        throw error;
      }
    },
  };
}

/** One value, and then what follows. */
class Begun<T> implements Following<T> {
  #first: Told<T> | null;
  readonly #rest: Following<T>;

  constructor(first: Told<T>, rest: Following<T>) {
    this.#first = first;
    this.#rest = rest;
  }

  next(): Promise<IteratorResult<Told<T>, undefined>> {
    const value = this.#first;
    this.#first = null;
    return value === null ? this.#rest.next() : Promise.resolve({ value, done: false });
  }

  async return(): Promise<IteratorResult<Told<T>, undefined>> {
    this.#first = null;
    await this.#rest.return?.();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
