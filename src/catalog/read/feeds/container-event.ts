import type { Ear } from '../../events.ts';
import {
  containerEventCursor,
  idOfContainerEventCursor,
  type ContainerEventRecord,
  type containerEventReads,
} from '../container-event.ts';
import { eventFeed } from './event.ts';
import type { Following } from './followers.ts';

export interface ContainerEventFollowing {
  /** Row id; of all runtimes where null. */
  readonly runtimeId: number | null;
  /** Cursor of the last event that the follower knows; only what comes from now on where null. */
  readonly after?: string | null;
}

export interface ContainerEventFeed {
  /** Throws INVALID_CURSOR and CATALOG_UNAVAILABLE. `onDrop` as Followers have it. */
  readonly followContainerEvents: (
    args: ContainerEventFollowing,
    onDrop: () => void,
  ) => Promise<Following<ContainerEventRecord>>;
  readonly containerEventEar: Ear;
}

type ContainerEventReads = Pick<
  ReturnType<typeof containerEventReads>,
  'lastContainerEventId' | 'containerEventsBehind' | 'containerEvents'
>;

export function containerEventFeed(reads: ContainerEventReads): ContainerEventFeed {
  const feed = eventFeed<ContainerEventRecord>({
    lastId: reads.lastContainerEventId,
    eventsBehind: reads.containerEventsBehind,
  });
  return {
    containerEventEar: { channel: 'stowage_container_event', hear: feed.hear },
    followContainerEvents: async ({ runtimeId, after }, onDrop) =>
      feed.follow({
        isWanted: (event) => runtimeId === null || event.runtimeId === runtimeId,
        after: after == null ? null : idOfContainerEventCursor(after, 'after'),
        missed: (id, first) =>
          reads.containerEvents.page({ runtimeId, direction: 'ASC', after: containerEventCursor({ id }), first }),
        onDrop,
      }),
  };
}
