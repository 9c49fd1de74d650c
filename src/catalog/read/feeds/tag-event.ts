import { CatalogError } from '../../../domain/errors.ts';
import type { Ear } from '../../events.ts';
import { DONE, Followers, type Following, type Told } from './followers.ts';
import type { Page, RootList } from '../page.ts';
import { tagEventMatcher, type PlacedTagEvent, type TagEventFilter } from '../tag-event-filter.ts';
import {
  idOfTagEventCursor,
  tagEventCursor,
  type TagEventListArguments,
  type TagEventRecord,
  type tagEventReads,
} from '../tag-event.ts';

export interface TagEventFollowing {
  readonly filter?: TagEventFilter | null;
  /** Cursor of the last event that the follower knows; only what comes from now on where null. */
  readonly after?: string | null;
}

/** Events as they are committed: read once for all who follow them, in order, none left out and none twice. */
export interface TagEventFeed {
  /** Throws what the list of events throws for its arguments, and CATALOG_UNAVAILABLE. `onDrop` as Followers have it. */
  readonly followTagEvents: (args: TagEventFollowing, onDrop: () => void) => Promise<Following<TagEventRecord>>;
  readonly tagEventEar: Ear;
}

type TagEventReads = Pick<ReturnType<typeof tagEventReads>, 'lastTagEventId' | 'tagEventsBehind' | 'tagEvents'>;

export function tagEventFeed(reads: TagEventReads): TagEventFeed {
  const followers = new Followers<PlacedTagEvent>();
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
        const last = await reads.lastTagEventId();
        // A crash of PostgreSQL loses the last commits of a worker, and gives their ids again.
        position = position === null || followers.size === 0 ? last : Math.min(position, last);
        isDeaf = false;
        begun.resolve();
      }
      let isLast = followers.size === 0;
      while (!isLast) {
        await followers.room(BATCH);
        const events = await reads.tagEventsBehind(position, BATCH);
        position = events.at(-1)?.id ?? position;
        followers.tell(events);
        isLast = events.length < BATCH;
        if (!isLast && followers.size === 0) isBehind = isLast = true;
      }
    }
  }

  /** From now on, and where the follower begins: it is told of everything behind that. */
  function attach(isWanted: (event: PlacedTagEvent) => boolean, onDrop: () => void) {
    return { live: followers.follow({ isWanted, onDrop }), from: position ?? 0 };
  }

  return {
    tagEventEar: {
      channel: 'stowage_tag_event',
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
    },
    async followTagEvents({ filter, after }, onDrop) {
      const isWanted = tagEventMatcher(filter);
      const cursor = after == null ? null : idOfTagEventCursor(after, 'after');
      await inTime(begun.promise);
      // Not the position: what was committed before may be on its way here.
      const known = cursor ?? (await reads.lastTagEventId());
      const attachBehind = (last: number) => attach((event) => event.id > last && isWanted(event), onDrop);
      if (position !== null && position <= known) return attachBehind(known).live;
      return new Resumed(reads.tagEvents, { filter }, known, attachBehind);
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

interface Attached {
  readonly live: Following<TagEventRecord>;
  readonly from: number;
}

/**
 * First the events that the follower missed, page by page as it takes them; when there are no more, it is attached, and
 * gets those that came in between.
 */
class Resumed implements Following<TagEventRecord> {
  readonly #list: RootList<TagEventListArguments, TagEventRecord>;
  readonly #args: TagEventListArguments;
  readonly #attach: (last: number) => Attached;
  #missed: Told<TagEventRecord>[] = [];
  #last: number;
  #attached: Attached | null = null;
  #isLive = false;
  #hasEnded = false;

  constructor(
    list: RootList<TagEventListArguments, TagEventRecord>,
    args: TagEventListArguments,
    last: number,
    attach: (last: number) => Attached,
  ) {
    this.#list = list;
    this.#args = { ...args, direction: 'ASC' };
    this.#last = last;
    this.#attach = attach;
  }

  async next(): Promise<IteratorResult<Told<TagEventRecord>, undefined>> {
    while (!this.#hasEnded) {
      const value = this.#missed.shift();
      if (value !== undefined) return { value, done: false };
      if (this.#isLive && this.#attached !== null) return this.#attached.live.next();
      await this.#readOn();
    }
    return DONE;
  }

  async return(): Promise<IteratorResult<Told<TagEventRecord>, undefined>> {
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
    const page = await this.#page();
    if (this.#hasEnded) return;
    const nodes = page.nodes.filter(({ id }) => id <= end);
    this.#missed = nodes.map((value) => ({ value, at }));
    this.#last = nodes.at(-1)?.id ?? this.#last;
    const isWhole = !page.hasNextPage || nodes.length < page.nodes.length;
    if (!isWhole) return;
    if (this.#attached === null) this.#attached = this.#attach(this.#last);
    else this.#isLive = true;
  }

  #page(): Promise<Page<TagEventRecord>> {
    const after = tagEventCursor({ id: this.#last });
    return this.#list.page({ ...this.#args, after, first: PAGE });
  }
}

const PAGE = 100;
