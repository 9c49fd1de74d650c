import { parentPort } from 'node:worker_threads';
import { encodeInspection } from './encoding.ts';
import { inspectLayer } from './layer.ts';
import type { LayerOrder, ThreadAnswer, ThreadOrder } from './layer-thread.ts';
import { packageReaders } from './packages/index.ts';

/** Runs in a thread of its own, which is stopped from outside: nothing in it is aborted. */
const { signal } = new AbortController();

/** The layer at hand; null in between. Bytes that come then are of a layer that was not read to its end. */
let blocks: Blocks | null = null;

parentPort?.on('message', (order: ThreadOrder) => {
  if (order === null || order instanceof Uint8Array) blocks?.push(order);
  else void inspect(order);
});

async function inspect({ claim, limits }: LayerOrder): Promise<void> {
  blocks = new Blocks();
  const inspection = await inspectLayer(blocks, claim, { readers: packageReaders, limits, signal });
  blocks = null;
  const encoded = new Uint8Array(encodeInspection(inspection));
  const { status, reason, diffId, uncompressedSize, notes } = inspection;
  const answer: ThreadAnswer = { status, reason, diffId, uncompressedSize, notes, encoded };
  parentPort?.postMessage(answer, [encoded.buffer]);
}

/** What was sent of a layer, to be read. */
class Blocks implements AsyncIterable<Uint8Array> {
  readonly #waiting: (Uint8Array | null)[] = [];
  #wake: (() => void) | null = null;

  push(block: Uint8Array | null): void {
    this.#waiting.push(block);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const block = this.#waiting.shift();
      if (block === null) return;
      if (block === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      parentPort?.postMessage('TAKEN' satisfies ThreadAnswer);
      yield block;
    }
  }
}
