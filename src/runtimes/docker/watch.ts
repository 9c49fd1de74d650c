import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../../domain/json.ts';
import { RuntimeFault, type ContainerChange } from '../runtime.ts';
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
    // Of one that does not show whether it listens, what has happened since it answered last.
    const query = { filters: FILTERS, ...(dialect.isSilent && client.time !== null && { since: client.time }) };
    const events = client.follow('/events', query, MAX_EVENT, either);
    await begun(events, client, dialect, either);
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

const FILTERS = JSON.stringify({ type: ['container', 'image'] });
const MAX_EVENT = 1024 * 1024;
/** Milliseconds. */
const BURST = 100;
const TIMEOUT = 30_000;
/** A refusal comes at once. */
const PATIENCE = 500;

/** Resolves when the engine listens, as far as that can be told; rejects where it does not. */
async function begun(
  events: Promise<unknown>,
  { endpoint }: EngineClient,
  { isSilent }: Dialect,
  signal: AbortSignal,
): Promise<void> {
  const late = delay(isSilent ? PATIENCE : TIMEOUT, 'late', { signal, ref: false });
  if ((await Promise.race([events, late])) !== 'late' || isSilent) return;
  throw new RuntimeFault('UNREACHABLE', `${endpoint}/events took longer than ${TIMEOUT / 1000} s.`);
}

async function gather(events: Promise<AsyncIterable<Json>>, pending: Pending): Promise<void> {
  try {
    for await (const value of await events) {
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
