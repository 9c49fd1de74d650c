import { constants, createGunzip, createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { Gunzip, ZstdDecompress } from 'node:zlib';
import type { ByteReader } from './byte-reader.ts';
import { LayerStop } from './limits.ts';
import { contentSize, isFrame, isSkippable, readFrame, skipFrame, type FramePiece } from './zstd-frame.ts';

/**
 * The tar of a layer, in chunks of some size. Whether it is packed, and how, is told by its first bytes: media types are
 * wrong often enough. The source is read to its end. Rejects with a LayerStop, or the source's own error.
 */
export async function* unpack(source: ByteReader): AsyncGenerator<Buffer> {
  const head = await source.peek(4);
  if (isGzip(head)) yield* unpackWith(createGunzip(ENGINE), source.rest());
  else if (isFrame(head) || isSkippable(head)) yield* unpackZstd(source);
  else yield* source.rest();
}

/** Large, for each chunk goes to another thread and back. */
const CHUNK = 256 * 1024;
const ENGINE = { chunkSize: CHUNK, writableHighWaterMark: CHUNK, readableHighWaterMark: CHUNK };

/** 128 MiB, as zstd itself has it: what a frame refers back to is held in memory. */
const ZSTD_ENGINE = { ...ENGINE, params: { [constants.ZSTD_d_windowLogMax]: 27 } };

function isGzip(head: Buffer): boolean {
  return head.length >= 2 && head.readUInt16BE(0) === 0x1f8b;
}

async function* unpackZstd(source: ByteReader): AsyncGenerator<Buffer> {
  for (;;) {
    const head = await source.peek(4);
    if (head.length === 0) return;
    if (isSkippable(head)) await skipFrame(source);
    else if (isFrame(head)) yield* unpackFrame(readFrame(source));
    else throw new LayerStop('FAILED', 'The layer has bytes after its last zstd frame that are no frame.');
  }
}

/** A small one at once: an engine for each of 30,000 files would take longer than what it does. */
async function* unpackFrame(pieces: AsyncGenerator<FramePiece>): AsyncGenerator<Buffer> {
  const next = await pieces.next();
  if (next.done === true) return;
  const first = next.value;
  if (first.isLast && (contentSize(first.bytes) ?? Infinity) <= CHUNK) {
    try {
      yield zstdDecompressSync(first.bytes, { maxOutputLength: CHUNK });
    } catch (error) {
      throw faultOf(error);
    }
  } else yield* unpackWith(createZstdDecompress(ZSTD_ENGINE), bytesOf(first, pieces));
}

async function* bytesOf(first: FramePiece, others: AsyncIterable<FramePiece>): AsyncGenerator<Buffer> {
  yield first.bytes;
  for await (const { bytes } of others) yield bytes;
}

async function* unpackWith(engine: Gunzip | ZstdDecompress, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const feeding = feed(engine, source);
  feeding.catch((error: Error) => engine.destroy(error));
  try {
    for await (const chunk of engine) yield chunk as Buffer;
    await feeding;
  } catch (error) {
    throw faultOf(error);
  } finally {
    engine.destroy();
  }
}

/** An engine ends by itself where what follows is nothing for it: padding. The source is read on all the same. */
async function feed(engine: Gunzip | ZstdDecompress, source: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of source) {
    if (engine.destroyed && !engine.readableEnded) return;
    if (engine.writable && !engine.write(chunk)) await roomIn(engine);
  }
  if (engine.writable) engine.end();
}

function roomIn(engine: Gunzip | ZstdDecompress): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      engine.off('drain', done).off('close', done);
      resolve();
    };
    engine.once('drain', done).once('close', done);
  });
}

function faultOf(error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ZSTD_error_frameParameter_windowTooLarge') {
    return new LayerStop('TOO_LARGE', 'The layer is packed with a zstd window of more than 128 MiB.');
  }
  if (/^(Z_|ZSTD_|ERR_BUFFER_TOO_LARGE)/.test(code))
    return new LayerStop('FAILED', `The layer can't be unpacked: ${message}.`);
  return error;
}
