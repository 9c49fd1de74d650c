import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { digestOf } from '../../src/domain/digest.ts';
import { LayerPool } from '../../src/inspect/index.ts';
import { answerCalls } from '../part.ts';
import { layerChunks, type GeneratedLayer } from './generated-layer.ts';

export interface LayerPartStart {
  readonly layer: GeneratedLayer;
  readonly threads: number;
}

export interface Measured {
  readonly milliseconds: number;
  /** Of all threads. */
  readonly processorMilliseconds: number;
}

const { signal } = new AbortController();
let layer: GeneratedLayer;
let pool: LayerPool;

/** Starts the threads. */
async function start(given: LayerPartStart): Promise<void> {
  ({ layer } = given);
  pool = new LayerPool({ size: given.threads });
  const empty = Buffer.alloc(1024);
  const claim = { ...layer.claim, digest: digestOf(empty), size: empty.length };
  await Promise.all(
    Array.from({ length: given.threads }, () => pool.inspect(Readable.from([empty]), claim, { signal })),
  );
}

/** So many layers at once. */
function inspect(times: number): Promise<Measured> {
  return measure(times, async () => {
    const { status, reason } = await pool.inspect(layerChunks(layer), layer.claim, { signal });
    if (status !== 'INSPECTED') throw new Error(`the generated layer is ${status}: ${reason}`);
  });
}

/** Unpacks it and hashes what is stored and what is unpacked, and no more. */
function bare(chunkSize: number): Promise<Measured> {
  return measure(1, async () => {
    const [stored, unpacked] = [createHash('sha256'), createHash('sha256')];
    await pipeline(
      Readable.from(layerChunks(layer)),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          stored.update(chunk);
          yield chunk;
        }
      },
      createGunzip({ chunkSize }),
      async (chunks: AsyncIterable<Uint8Array>) => {
        for await (const chunk of chunks) unpacked.update(chunk);
      },
    );
    if (stored.digest('hex') !== layer.claim.digest.slice('sha256:'.length))
      throw new Error('it was not read to its end');
  });
}

async function measure(times: number, action: () => Promise<void>): Promise<Measured> {
  const processor = process.cpuUsage();
  const began = performance.now();
  await Promise.all(Array.from({ length: times }, action));
  const milliseconds = performance.now() - began;
  const { user, system } = process.cpuUsage(processor);
  return { milliseconds, processorMilliseconds: (user + system) / 1000 };
}

/** The most that was resident since the part began, in bytes. */
function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}

answerCalls({ start, inspect, bare, peakMemory, memory: () => process.memoryUsage.rss() });
