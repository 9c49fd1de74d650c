import { createHash, type Hash } from 'node:crypto';
import { algorithmOf, type Digest } from '../domain/digest.ts';
import type { LayerClaim } from './layer.ts';
import { LayerStop, type LayerLimits } from './limits.ts';
import type { TarEntry } from './tar.ts';

/** Counts and hashes what goes through, and stops it at the limits. */
export class Gauge {
  readonly #claim: LayerClaim;
  readonly #limits: LayerLimits;
  readonly #signal: AbortSignal;
  readonly #deadline: number;
  readonly #hash: Hash;
  readonly #diffHash: Hash;
  #storedSize = 0;
  #entryCount = 0;
  #fileBytes = 0;
  uncompressedSize = 0;
  diffId: Digest | null = null;

  constructor(claim: LayerClaim, limits: LayerLimits, signal: AbortSignal) {
    this.#claim = claim;
    this.#limits = limits;
    this.#signal = signal;
    this.#deadline = performance.now() + limits.milliseconds;
    this.#hash = createHash(algorithmOf(claim.digest));
    this.#diffHash = createHash(algorithmOf(claim.diffId ?? claim.digest));
  }

  async *stored(blob: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
    for await (const chunk of blob) {
      this.#checkTime();
      this.#storedSize += chunk.length;
      if (this.#storedSize > this.#claim.size) {
        throw new LayerStop('FAILED', `The layer has more than the ${this.#claim.size} bytes that its manifest says.`);
      }
      this.#hash.update(chunk);
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    }
  }

  async *unpacked(tar: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const { uncompressedBytes, ratio, ratioFrom } = this.#limits;
    for await (const chunk of tar) {
      this.#checkTime();
      this.uncompressedSize += chunk.length;
      if (this.uncompressedSize > uncompressedBytes) {
        throw new LayerStop('TOO_LARGE', `The layer unpacks to more than ${uncompressedBytes} bytes.`);
      }
      if (this.uncompressedSize > Math.max(ratioFrom, ratio * this.#storedSize)) {
        throw new LayerStop('TOO_LARGE', `The layer unpacks to more than ${ratio} times its size.`);
      }
      this.#diffHash.update(chunk);
      yield chunk;
    }
  }

  countEntry({ size, type }: TarEntry): void {
    const { entries, fileBytes } = this.#limits;
    if (++this.#entryCount > entries) throw new LayerStop('PARTIAL', `The layer has more than ${entries} entries.`);
    if (type === '0') this.#fileBytes += size;
    if (this.#fileBytes > fileBytes) {
      throw new LayerStop('TOO_LARGE', `The files of the layer have more than ${fileBytes} bytes, holes counted.`);
    }
  }

  /** At the end of both: that they are what was claimed. */
  verify(): void {
    const { digest, size, diffId } = this.#claim;
    if (this.#storedSize !== size) {
      throw new LayerStop('FAILED', `The layer has ${this.#storedSize} bytes where its manifest says ${size}.`);
    }
    const actual = digestOfHash(this.#hash, digest);
    if (actual !== digest) throw new LayerStop('FAILED', `The layer's digest is ${actual}, not ${digest}.`);
    this.diffId = digestOfHash(this.#diffHash, diffId ?? digest);
    if (diffId !== null && this.diffId !== diffId) {
      throw new LayerStop('FAILED', `The layer's diff id is ${this.diffId}, not ${diffId} as its configuration says.`);
    }
  }

  #checkTime(): void {
    this.#signal.throwIfAborted();
    if (performance.now() <= this.#deadline) return;
    const seconds = this.#limits.milliseconds / 1000;
    throw new LayerStop('PARTIAL', `The layer could not be read within ${seconds} seconds.`);
  }
}

function digestOfHash(hash: Hash, like: Digest): Digest {
  return `${algorithmOf(like)}:${hash.digest('hex')}` as Digest;
}
