/** Reads chunks by as many bytes as are asked for. What is handed out is no copy where one chunk has it all. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #chunk: Buffer = EMPTY;
  #lent: Buffer = EMPTY;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** A few bytes that come next, and stay to be read; fewer at the end. */
  async peek(size: number): Promise<Buffer> {
    while (this.#chunk.length < size) {
      const chunk = await this.#next();
      if (chunk === null) break;
      this.#chunk = this.#chunk.length === 0 ? chunk : Buffer.concat([this.#chunk, chunk]);
    }
    return this.#chunk.subarray(0, size);
  }

  /** The next bytes; fewer at the end. */
  async take(size: number): Promise<Buffer> {
    return size <= this.#chunk.length ? this.#cut(size) : this.#fill(Buffer.allocUnsafe(size));
  }

  /** The same, good until anything is read: large ones are read into the same memory again and again. */
  async borrow(size: number): Promise<Buffer> {
    if (size <= this.#chunk.length) return this.#cut(size);
    if (this.#lent.length < size) this.#lent = Buffer.allocUnsafeSlow(Math.ceil(size / LENT) * LENT);
    return this.#fill(this.#lent.subarray(0, size));
  }

  /** Goes past the next bytes, and tells past how many: fewer at the end. */
  async skip(size: number): Promise<number> {
    let left = size;
    while (left > this.#chunk.length) {
      left -= this.#chunk.length;
      this.#chunk = EMPTY;
      const chunk = await this.#next();
      if (chunk === null) return size - left;
      this.#chunk = chunk;
    }
    this.#chunk = this.#chunk.subarray(left);
    return size;
  }

  /** All that has not been read. */
  async *rest(): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#chunk.length > 0 ? this.#chunk : await this.#next();
      if (chunk === null) return;
      this.#chunk = EMPTY;
      yield chunk;
    }
  }

  /** Goes to the end. */
  async drain(): Promise<void> {
    this.#chunk = EMPTY;
    while ((await this.#next()) !== null);
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    this.#chunk = EMPTY;
    await this.#chunks.return?.();
  }

  async #fill(bytes: Buffer): Promise<Buffer> {
    for (let filled = 0; filled < bytes.length;) {
      if (this.#chunk.length === 0) {
        const chunk = await this.#next();
        if (chunk === null) return bytes.subarray(0, filled);
        this.#chunk = chunk;
      }
      const part = this.#cut(Math.min(bytes.length - filled, this.#chunk.length));
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  #cut(size: number): Buffer {
    const bytes = this.#chunk.subarray(0, size);
    this.#chunk = this.#chunk.subarray(size);
    return bytes;
  }

  async #next(): Promise<Buffer | null> {
    const next = await this.#chunks.next();
    return next.done === true ? null : next.value;
  }
}

const EMPTY = Buffer.alloc(0);

/** What is lent grows by this much. */
const LENT = 8 * 1024 * 1024;
