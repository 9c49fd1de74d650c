import { Worker } from 'node:worker_threads';
import { encodeInspection } from './encoding.ts';
import { LayerEntriesWriter } from './layer-entry.ts';
import type { LayerClaim, LayerInspection } from './layer.ts';
import type { LayerLimits } from './limits.ts';

/** What a thread found; what is to be kept is encoded already. */
export type InspectedLayer = Omit<LayerInspection, 'entries' | 'documents'> & {
  /** The whole, for `decodeInspection`. */
  readonly encoded: Uint8Array;
};

/** To the thread, in this order: a layer, its bytes, and null at their end. */
export type ThreadOrder = LayerOrder | Uint8Array<ArrayBuffer> | null;

export interface LayerOrder {
  readonly claim: LayerClaim;
  readonly limits: LayerLimits;
}

/** From the thread: that it has taken a block of bytes, or what it found. */
export type ThreadAnswer = 'TAKEN' | InspectedLayer;

/** A thread that inspects one layer at a time. */
export class LayerThread {
  readonly #worker = new Worker(new URL('./inspecting-thread.ts', import.meta.url), { resourceLimits: RESOURCES });
  #isSpent = false;

  constructor() {
    this.#worker.unref();
    this.#worker.on('error', () => (this.#isSpent = true));
  }

  /** It was stopped in the midst of a layer, and takes no further one. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  /**
   * As `inspectLayer`. What takes too much time or memory is stopped from here, whatever the thread is at. Rejects with
   * the error of the blob, and with the signal's reason.
   */
  async inspect(blob: AsyncIterable<Uint8Array>, order: LayerOrder, signal: AbortSignal): Promise<InspectedLayer> {
    const { promise, resolve, reject } = Promise.withResolvers<InspectedLayer | null>();
    const feed = new Feed(this.#worker);
    const onAnswer = (answer: ThreadAnswer) => (answer === 'TAKEN' ? feed.goOn() : resolve(answer));
    const onError = (error: NodeJS.ErrnoException) =>
      error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? resolve(null) : reject(error);
    const onAbort = () => reject(signal.reason as Error);
    const timer = setTimeout(() => resolve(null), order.limits.milliseconds + GRACE);
    this.#worker.ref();
    this.#worker.on('message', onAnswer).on('error', onError);
    signal.addEventListener('abort', onAbort);
    try {
      this.#worker.postMessage(order satisfies ThreadOrder);
      feed.send(blob).catch(reject);
      const inspected = await promise;
      this.#isSpent = inspected === null;
      return inspected ?? stoppedLayer(order);
    } catch (error) {
      this.#isSpent = true;
      throw error;
    } finally {
      feed.stop();
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#worker.off('message', onAnswer).off('error', onError);
      this.#worker.unref();
      if (this.#isSpent) await this.end();
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Of a thread, in MiB, buffers not counted. A small young generation lets go of unpacked bytes sooner. */
const RESOURCES = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 4 };

/** The thread keeps the time itself, as long as it can. */
const GRACE = 1_000;

/** Bytes that are sent at a time, and how many such blocks may be under way. Larger ones are faster, and stay for longer. */
const BLOCK = 64 * 1024;
const BLOCKS_AHEAD = 16;

/** Sends a blob to the thread, no faster than that takes it. */
class Feed {
  readonly #worker: Worker;
  #room = BLOCKS_AHEAD;
  #isStopped = false;
  #wake: (() => void) | null = null;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  async send(blob: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const block of blocksOf(blob)) {
      while (this.#room === 0 && !this.#isStopped) await new Promise<void>((resolve) => (this.#wake = resolve));
      if (this.#isStopped) return;
      this.#room--;
      this.#worker.postMessage(block satisfies ThreadOrder, [block.buffer]);
    }
    if (!this.#isStopped) this.#worker.postMessage(null satisfies ThreadOrder);
  }

  goOn(): void {
    this.#room++;
    this.#wake?.();
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }
}

/** In buffers of their own, which can be given away. */
async function* blocksOf(blob: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let block = new Uint8Array(BLOCK);
  let filled = 0;
  for await (const chunk of blob) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + BLOCK - filled);
      block.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < BLOCK) continue;
      yield block;
      block = new Uint8Array(BLOCK);
      filled = 0;
    }
  }
  if (filled > 0) yield block.slice(0, filled);
}

function stoppedLayer({ limits }: LayerOrder): InspectedLayer {
  const facts = {
    status: 'PARTIAL',
    reason: `The layer takes more memory than there is for it, or more than ${limits.milliseconds / 1000} seconds.`,
    diffId: null,
    uncompressedSize: 0,
    notes: [],
  } as const;
  return {
    ...facts,
    encoded: encodeInspection({ ...facts, entries: new LayerEntriesWriter().entries(), documents: [] }),
  };
}
