/** Numbers and texts one after the other: numbers seven bits at a time, lowest first; texts in UTF-8 after their length. */
export class PackedWriter {
  #bytes = Buffer.allocUnsafe(16 * 1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** A whole one that is not negative. */
  number(value: number): void {
    this.#reserve(8);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#size++] = (rest % 0x80) | 0x80;
    this.#bytes[this.#size++] = rest;
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.number(length);
    this.#reserve(length);
    this.#bytes.write(value, this.#size);
    this.#size += length;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  #reserve(size: number): void {
    if (this.#size + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#size + size));
    larger.set(this.bytes());
    this.#bytes = larger;
  }
}

/** Reads what was packed; throws a RangeError at the end of the bytes. */
export class PackedReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; scale <= Number.MAX_SAFE_INTEGER; scale *= 0x80) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError(`There is no number at byte ${this.#at}.`);
  }

  text(): string {
    const length = this.number();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError(`The text at byte ${this.#at} is cut short.`);
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end;
    return text;
  }
}
