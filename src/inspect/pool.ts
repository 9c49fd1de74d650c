import { availableParallelism } from 'node:os';
import { LayerThread, type InspectedLayer } from './layer-thread.ts';
import type { LayerClaim } from './layer.ts';
import { LAYER_LIMITS, type LayerLimits } from './limits.ts';

export interface LayerPoolOptions {
  /** Layers at a time; as many as there are cores, and four at most, when not given. */
  readonly size?: number;
}

export interface PoolInspectionOptions {
  readonly limits?: LayerLimits;
  readonly signal: AbortSignal;
}

/** Threads that inspect layers, one each at a time; further layers wait, and are not read before. */
export class LayerPool {
  readonly #size: number;
  readonly #idle: LayerThread[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor({ size = Math.min(availableParallelism(), MAX_SIZE) }: LayerPoolOptions = {}) {
    this.#size = size;
  }

  /** As `inspectLayer`, with all readers of packages. */
  async inspect(
    blob: AsyncIterable<Uint8Array>,
    claim: LayerClaim,
    { limits = LAYER_LIMITS, signal }: PoolInspectionOptions,
  ): Promise<InspectedLayer> {
    while (this.#busy >= this.#size) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (signal.aborted) {
      this.#waiting.shift()?.();
      throw signal.reason;
    }
    this.#busy++;
    const thread = this.#idle.pop() ?? new LayerThread();
    try {
      return await thread.inspect(blob, { claim, limits }, signal);
    } finally {
      this.#busy--;
      if (!thread.isSpent) this.#idle.push(thread);
      this.#waiting.shift()?.();
    }
  }

  /** Ends the threads that have nothing to do; those that have are to be aborted first. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((thread) => thread.end()));
  }
}

/** Each holds tens of megabytes. */
const MAX_SIZE = 4;
