import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../../domain/json.ts';
import type { ContainerChange } from '../runtime.ts';
import type { EngineClient } from './client.ts';
import { openContainers, type EngineContainers } from './containers.ts';
import type { Dialect } from './dialect.ts';
import { readEvent } from './event.ts';
import { Pending } from './pending.ts';

/** As `WatchesContainers` wants it. An event only tells where to look; what is told is what is seen there. */
export async function* watchContainers(
  client: EngineClient,
  dialect: Dialect,
  signal: AbortSignal,
): AsyncGenerator<ContainerChange> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  try {
    const containers = await openContainers(client, dialect, either);
    const events = dialect.isSilent
      ? followSince(client, either)
      : await client.follow(EVENTS, QUERY, MAX_EVENT, either);
    yield { seen: [], removed: [], commits: [], hasOtherImages: false };

    const pending = new Pending(client.endpoint);
    void gather(events, pending);
    while (await pending.any()) {
      // Starting a container alone is four events.
      await delay(BURST, undefined, { signal: either });
      yield await changeOf(pending, containers, either);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    stop.abort();
  }
}

const EVENTS = '/events';
const QUERY = { filters: JSON.stringify({ type: ['container', 'image'] }) };
const MAX_EVENT = 1024 * 1024;
/** Milliseconds. */
const BURST = 100;

/** Whether it listens yet can't be seen, so it tells what has happened since it answered last. */
function followSince(client: EngineClient, signal: AbortSignal): AsyncIterable<Json> {
  const query = { ...QUERY, ...(client.time !== null && { since: client.time }) };
  return client.followSilent(EVENTS, query, MAX_EVENT, signal);
}

async function gather(events: AsyncIterable<Json>, pending: Pending): Promise<void> {
  try {
    for await (const value of events) {
      const event = readEvent(value);
      if (event) pending.add(event);
    }
    pending.end(null);
  } catch (error) {
    pending.end(error as Error);
  }
}

async function changeOf(pending: Pending, containers: EngineContainers, signal: AbortSignal): Promise<ContainerChange> {
  const { changed, removed, commits, hasOtherImages } = pending.take();
  if (hasOtherImages) containers.images.forget();
  const seen = await containers.some(changed, signal);
  const there = new Set(seen.map(({ containerId }) => containerId));
  return { seen, removed: [...removed, ...changed.filter((id) => !there.has(id))], commits, hasOtherImages };
}
