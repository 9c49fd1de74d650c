import type { Ear } from '../../events.ts';
import { eventFeed } from './event.ts';
import type { Following } from './followers.ts';
import { tagEventMatcher, type PlacedTagEvent, type TagEventFilter } from '../tag-event-filter.ts';
import { idOfTagEventCursor, tagEventCursor, type TagEventRecord, type tagEventReads } from '../tag-event.ts';

export interface TagEventFollowing {
  readonly filter?: TagEventFilter | null;
  /** Cursor of the last event that the follower knows; only what comes from now on where null. */
  readonly after?: string | null;
}

export interface TagEventFeed {
  /** Throws what the list of events throws for its arguments, and CATALOG_UNAVAILABLE. `onDrop` as Followers have it. */
  readonly followTagEvents: (args: TagEventFollowing, onDrop: () => void) => Promise<Following<TagEventRecord>>;
  readonly tagEventEar: Ear;
}

type TagEventReads = Pick<ReturnType<typeof tagEventReads>, 'lastTagEventId' | 'tagEventsBehind' | 'tagEvents'>;

export function tagEventFeed(reads: TagEventReads): TagEventFeed {
  const feed = eventFeed<TagEventRecord, PlacedTagEvent>({
    lastId: reads.lastTagEventId,
    eventsBehind: reads.tagEventsBehind,
  });
  return {
    tagEventEar: { channel: 'stowage_tag_event', hear: feed.hear },
    followTagEvents: async ({ filter, after }, onDrop) =>
      feed.follow({
        isWanted: tagEventMatcher(filter),
        after: after == null ? null : idOfTagEventCursor(after, 'after'),
        missed: (id, first) => reads.tagEvents.page({ filter, direction: 'ASC', after: tagEventCursor({ id }), first }),
        onDrop,
      }),
  };
}
