import type { Dispatcher } from 'undici';
import { RegistryError } from '../domain/errors.ts';
import { ChunkQueue } from './chunk-queue.ts';
import { decode, encodingOf, type Encoding } from './encoding.ts';
import { translateFault } from './fault.ts';
import type { HttpLimits } from './limits.ts';

export type Headers = Record<string, string | string[] | undefined>;

/** Where an exchange tells what became of it, once. */
export interface Outcome {
  answered(status: number, headers: Headers, body: Buffer, chunks: AsyncIterable<Uint8Array> | null): void;
  failed(error: Error): void;
  /** No more bytes will come; called after either of the others, for a stream when it has ended. */
  ended(): void;
}

export interface Expectation {
  readonly what: string;
  readonly maxBytes: number;
  readonly isHead: boolean;
  /** A body with status 200 is handed on as it comes. */
  readonly isStream: boolean;
}

/**
 * One request and its answer, on undici's lowest level: a body is collected without a stream in between, which is half
 * of what a small request costs.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Wire bytes of the body so far. */
  bytes = 0;
  readonly #expectation: Expectation;
  readonly #limits: HttpLimits;
  readonly #outcome: Outcome;
  #controller: Dispatcher.DispatchController | null = null;
  #status = 0;
  #headers: Headers = {};
  #encoding: Encoding | null = null;
  #chunks: Buffer[] = [];
  #queue: ChunkQueue | null = null;
  #isSettled = false;
  #failure: Error | null = null;
  #deadline = Infinity;
  #windowEnd = 0;
  #windowBytes = 0;

  constructor(expectation: Expectation, limits: HttpLimits, outcome: Outcome) {
    this.#expectation = expectation;
    this.#limits = limits;
    this.#outcome = outcome;
  }

  /** Ends it, whatever it is doing. */
  fail(error: Error): void {
    if (this.#queue) this.#queue.fail(error);
    else if (!this.#isSettled) this.#outcome.failed(error);
    this.#end(error);
  }

  /** Called now and then: total time and throughput are watched for all exchanges by one timer. */
  watch(now: number): void {
    if (this.#controller === null || this.#windowEnd === 0) return;
    if (now > this.#deadline) {
      this.fail(new RegistryError('TIMEOUT', `${this.#expectation.what} took longer than ${this.#limits.total} ms`));
    } else if (this.#status === 200 && now >= this.#windowEnd) {
      this.#watchThroughput(now);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure !== null) {
      controller.abort(this.#failure);
      return;
    }
    this.#windowEnd = Date.now() + this.#limits.throughputWindow;
    if (!this.#expectation.isStream) this.#deadline = Date.now() + this.#limits.total;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    const { what, isHead, isStream } = this.#expectation;
    if ((controller.rawHeaders as unknown[]).length > 2 * MAX_HEADERS) {
      this.fail(new RegistryError('MALFORMED', `${what} was answered with more than ${MAX_HEADERS} headers`));
      return;
    }
    if (status !== 200 || isHead) return;
    this.#windowEnd = Date.now() + this.#limits.throughputWindow;
    try {
      this.#encoding = encodingOf(headers['content-encoding'], what);
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    if (isStream) this.#startStream(controller);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.#isSettled && this.#queue === null) return;
    if (this.#queue !== null) {
      this.#queue.push(chunk);
    } else if (this.#status !== 200) {
      this.#chunks.push(chunk);
      if (this.bytes > this.#limits.errorBytes) this.#answerCut();
    } else if (this.bytes > this.#expectation.maxBytes) {
      this.fail(tooLarge(this.#expectation));
    } else {
      this.#chunks.push(chunk);
    }
  }

  onResponseEnd(): void {
    if (this.#queue !== null) {
      this.#queue.finish();
      this.#end(null);
    } else if (this.#encoding === null || this.bytes === 0) {
      this.#answer();
    } else {
      void this.#answerDecoded(this.#encoding);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(translateFault(error, this.#expectation.what));
  }

  #answer(): void {
    if (!this.#isSettled) this.#outcome.answered(this.#status, this.#headers, joined(this.#chunks, this.bytes), null);
    this.#end(null);
  }

  /** A body that explains an error is read this far only. */
  #answerCut(): void {
    this.#chunks = [Buffer.concat(this.#chunks).subarray(0, this.#limits.errorBytes)];
    this.#outcome.answered(this.#status, this.#headers, Buffer.concat(this.#chunks), null);
    this.#end(new RegistryError('TOO_LARGE', 'the rest of the error is not read'));
  }

  async #answerDecoded(encoding: Encoding): Promise<void> {
    const { maxBytes } = this.#expectation;
    const decoded: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of decode([Buffer.concat(this.#chunks)], encoding, this.#expectation.what)) {
        length += chunk.length;
        if (length > maxBytes) throw tooLarge(this.#expectation);
        decoded.push(chunk);
      }
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    this.#chunks = decoded;
    if (!this.#isSettled) this.#outcome.answered(this.#status, this.#headers, Buffer.concat(decoded), null);
    this.#end(null);
  }

  #startStream(controller: Dispatcher.DispatchController): void {
    const queue = new ChunkQueue(controller, () => this.#end(new Error('the rest of the body is not wanted')));
    this.#queue = queue;
    const chunks = this.#encoding === null ? queue : decode(queue, this.#encoding, this.#expectation.what);
    this.#outcome.answered(this.#status, this.#headers, EMPTY, capped(chunks, this.#expectation));
  }

  #watchThroughput(now: number): void {
    const least = (this.#limits.throughput * this.#limits.throughputWindow) / 1000;
    const isHeldBack = this.#controller?.paused === true;
    if (!isHeldBack && this.bytes - this.#windowBytes < least) {
      this.fail(
        new RegistryError('TIMEOUT', `${this.#expectation.what} came slower than ${this.#limits.throughput} bytes/s`),
      );
      return;
    }
    this.#windowBytes = this.bytes;
    this.#windowEnd = now + this.#limits.throughputWindow;
  }

  #end(error: Error | null): void {
    if (this.#failure === null && error !== null) {
      this.#failure = error;
      this.#controller?.abort(error);
    }
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#chunks = [];
    this.#outcome.ended();
  }
}

const MAX_HEADERS = 100;
const EMPTY = Buffer.alloc(0);

/** Copies: a chunk is a part of a larger buffer of the socket, which it would keep. */
function joined(chunks: readonly Buffer[], length: number): Buffer {
  return chunks.length === 0 ? EMPTY : Buffer.concat(chunks, length);
}

async function* capped(chunks: AsyncIterable<Buffer>, expectation: Expectation): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > expectation.maxBytes) throw tooLarge(expectation);
    yield chunk;
  }
}

function tooLarge({ what, maxBytes }: Expectation): RegistryError {
  return new RegistryError('TOO_LARGE', `${what} was answered with more than ${maxBytes} bytes`);
}
