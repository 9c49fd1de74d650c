import { CatalogError } from '../../../domain/errors.ts';
import { DONE, Followers, type Following, type Told } from './followers.ts';
import type { Page } from '../page.ts';

/** Something that happened. Ids are in the order of commits. */
interface Event {
  readonly id: number;
}

/** How events are read for all who follow them. */
export interface EventReads<E extends Event> {
  /** 0 where there is none. */
  lastId(): Promise<number>;
  /** All of them behind this id, oldest first. */
  eventsBehind(id: number, limit: number): Promise<E[]>;
}

export interface EventFollowing<T extends Event, E extends T> {
  readonly isWanted: (event: E) => boolean;
  /** Id of the last event that the follower knows; only what comes from now on where null. */
  readonly after: number | null;
  /** Those behind an id that it wants, oldest first. */
  readonly missed: (id: number, first: number) => Promise<Page<T>>;
  /** As Followers have it. */
  readonly onDrop: () => void;
}

/** Events as they are committed: read once for all who follow them, in order, none left out and none twice. */
export interface EventFeed<T extends Event, E extends T> {
  /** Throws CATALOG_UNAVAILABLE. */
  readonly follow: (following: EventFollowing<T, E>) => Promise<Following<T>>;
  /** As an Ear does. */
  readonly hear: (id: number | null) => Promise<void>;
}

/** Followers get T; they choose by E, which may have more to look at. */
export function eventFeed<T extends Event, E extends T = T>(reads: EventReads<E>): EventFeed<T, E> {
  const followers = new Followers<E>();
  const begun = Promise.withResolvers<void>();
  /** Followers were told of everything up to this id; null before anything was heard. */
  let position: number | null = null;
  let isDeaf = true;
  let isBehind = false;
  let reading: Promise<void> | null = null;

  async function catchUp(): Promise<void> {
    while (isBehind) {
      isBehind = false;
      if (isDeaf || position === null || followers.size === 0) {
        const last = await reads.lastId();
        // A crash of PostgreSQL loses the last commits of a worker, and gives their ids again.
        position = position === null || followers.size === 0 ? last : Math.min(position, last);
        isDeaf = false;
        begun.resolve();
      }
      let isLast = followers.size === 0;
      while (!isLast) {
        await followers.room(BATCH);
        const events = await reads.eventsBehind(position, BATCH);
        position = events.at(-1)?.id ?? position;
        followers.tell(events);
        isLast = events.length < BATCH;
        if (!isLast && followers.size === 0) isBehind = isLast = true;
      }
    }
  }

  /** From now on, and where the follower begins: it is told of everything behind that. */
  function attach(isWanted: (event: E) => boolean, onDrop: () => void) {
    return { live: followers.follow({ isWanted, onDrop }), from: position ?? 0 };
  }

  return {
    hear(id) {
      if (id === null) isDeaf = true;
      if (id !== null && position !== null && !isDeaf) {
        if (id <= position) return Promise.resolve();
        if (followers.size === 0 && reading === null) {
          position = id;
          return Promise.resolve();
        }
      }
      isBehind = true;
      return (reading ??= catchUp().finally(() => (reading = null)));
    },
    async follow({ isWanted, after, missed, onDrop }) {
      await inTime(begun.promise);
      // Not the position: what was committed before may be on its way here.
      const known = after ?? (await reads.lastId());
      const attachBehind = (last: number) => attach((event) => event.id > last && isWanted(event), onDrop);
      if (position !== null && position <= known) return attachBehind(known).live;
      return new Resumed<T>(missed, known, attachBehind);
    },
  };
}

/** Events that are read, and told, at once. */
const BATCH = 500;
const PATIENCE_MS = 10_000;

async function inTime(begun: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new CatalogError('CATALOG_UNAVAILABLE', 'The database does not answer; try again.');
    timer = setTimeout(reject, PATIENCE_MS, error);
  });
  await Promise.race([begun, late]).finally(() => clearTimeout(timer));
}

interface Attached<T> {
  readonly live: Following<T>;
  readonly from: number;
}

/**
 * First the events that the follower missed, page by page as it takes them; when there are no more, it is attached, and
 * gets those that came in between.
 */
class Resumed<T extends Event> implements Following<T> {
  readonly #missedBehind: (id: number, first: number) => Promise<Page<T>>;
  readonly #attach: (last: number) => Attached<T>;
  #missed: Told<T>[] = [];
  #last: number;
  #attached: Attached<T> | null = null;
  #isLive = false;
  #hasEnded = false;

  constructor(
    missedBehind: (id: number, first: number) => Promise<Page<T>>,
    last: number,
    attach: (last: number) => Attached<T>,
  ) {
    this.#missedBehind = missedBehind;
    this.#last = last;
    this.#attach = attach;
  }

  async next(): Promise<IteratorResult<Told<T>, undefined>> {
    while (!this.#hasEnded) {
      const value = this.#missed.shift();
      if (value !== undefined) return { value, done: false };
      if (this.#isLive && this.#attached !== null) return this.#attached.live.next();
      await this.#readOn();
    }
    return DONE;
  }

  async return(): Promise<IteratorResult<Told<T>, undefined>> {
    this.#hasEnded = true;
    this.#missed = [];
    await this.#attached?.live.return?.();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #readOn(): Promise<void> {
    const at = performance.now();
    const end = this.#attached?.from ?? Number.MAX_SAFE_INTEGER;
    const page = await this.#missedBehind(this.#last, PAGE);
    if (this.#hasEnded) return;
    const nodes = page.nodes.filter(({ id }) => id <= end);
    this.#missed = nodes.map((value) => ({ value, at }));
    this.#last = nodes.at(-1)?.id ?? this.#last;
    const isWhole = !page.hasNextPage || nodes.length < page.nodes.length;
    if (!isWhole) return;
    if (this.#attached === null) this.#attached = this.#attach(this.#last);
    else this.#isLive = true;
  }
}

const PAGE = 100;
