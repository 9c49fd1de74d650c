import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesLimits } from './limits.ts';

/**
 * The events of several watches, those that come in a burst together. Each watch tells first, by null, that it is
 * connected: when all have, an empty list is yielded. Ends when one of them does, after what was told until then; rejects
 * as soon as one of them does. The others end with it.
 */
export async function* gather<T extends { readonly bytes: number }>(
  watches: readonly ((signal: AbortSignal) => AsyncIterable<T | null>)[],
  { burst, burstBytes }: Pick<KubernetesLimits, 'burst' | 'burstBytes'>,
  signal: AbortSignal,
): AsyncIterable<readonly T[]> {
  const ending = new AbortController();
  const gathered = new Gathered<T>(burstBytes, watches.length);
  const reads = watches.map((watch) => gathered.read(watch(AbortSignal.any([signal, ending.signal]))));
  try {
    if (!(await gathered.connected())) return;
    yield [];
    while (await gathered.some()) {
      await sleep(burst);
      yield gathered.take();
    }
  } finally {
    ending.abort();
    gathered.take();
    await Promise.all(reads);
  }
}

/** What the watches told and nobody has taken yet. */
class Gathered<T extends { readonly bytes: number }> {
  readonly #maxBytes: number;
  readonly #news = new Bell();
  readonly #room = new Bell();
  #unconnected: number;
  #events: T[] = [];
  #bytes = 0;
  #hasEnded = false;
  #failure: { readonly error: unknown } | null = null;

  constructor(maxBytes: number, watches: number) {
    this.#maxBytes = maxBytes;
    this.#unconnected = watches;
  }

  /** To its end; how it ended is told to whoever waits. */
  async read(watch: AsyncIterable<T | null>): Promise<void> {
    try {
      for await (const event of watch) {
        if (event === null) this.#unconnected--;
        else await this.#add(event);
        this.#news.ring();
      }
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#hasEnded = true;
    this.#news.ring();
  }

  /** False when a watch ended before all were connected. Rejects as the first that failed, and so does `some`. */
  async connected(): Promise<boolean> {
    while (this.#unconnected > 0 && !this.#hasEnded) await this.#news.rung;
    return this.#isOpen();
  }

  /** Waits until there are events; false when there are none and a watch has ended. */
  async some(): Promise<boolean> {
    while (this.#events.length === 0 && !this.#hasEnded) await this.#news.rung;
    return this.#isOpen() || this.#events.length > 0;
  }

  take(): readonly T[] {
    const events = this.#events;
    this.#events = [];
    this.#bytes = 0;
    this.#room.ring();
    return events;
  }

  async #add(event: T): Promise<void> {
    while (this.#bytes > this.#maxBytes) await this.#room.rung;
    this.#events.push(event);
    this.#bytes += event.bytes;
  }

  #isOpen(): boolean {
    if (this.#failure !== null) throw this.#failure.error;
    return !this.#hasEnded;
  }
}

/** Wakes all that wait at the moment. */
class Bell {
  #next = Promise.withResolvers<void>();

  get rung(): Promise<void> {
    return this.#next.promise;
  }

  ring(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }
}
