import type { Dispatcher } from 'undici';

/** Chunks between the connection and one reader; the sender waits while the reader is behind. */
export class ChunkQueue implements AsyncIterable<Buffer> {
  readonly #controller: Dispatcher.DispatchController;
  readonly #onLeft: () => void;
  #chunks: Buffer[] = [];
  #waiting = 0;
  #isFinished = false;
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(controller: Dispatcher.DispatchController, onLeft: () => void) {
    this.#controller = controller;
    this.#onLeft = onLeft;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    if (this.#waiting > HIGH_WATER) this.#controller.pause();
    this.#wake?.();
  }

  finish(): void {
    this.#isFinished = true;
    this.#wake?.();
  }

  fail(error: Error): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#error = error;
    this.#chunks = [];
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk) {
          this.#waiting -= chunk.length;
          if (this.#controller.paused && this.#waiting < HIGH_WATER / 2) this.#controller.resume();
          yield chunk;
        } else if (this.#isFinished) {
          if (this.#error !== null) throw this.#error;
          return;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      if (!this.#isFinished) this.#onLeft();
    }
  }
}

/** Bytes that wait for their reader before the sender is held back. */
const HIGH_WATER = 1024 * 1024;
