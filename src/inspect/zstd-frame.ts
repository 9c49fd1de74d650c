import type { ByteReader } from './byte-reader.ts';

/** A part of a frame that is handed to a decompressor. */
export interface FramePiece {
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

/**
 * Layers in zstd:chunked have a frame for each file, and frames with a table of them that decompressors are to skip.
 * node:zlib stops after the first, so the frames are told apart here.
 * https://github.com/facebook/zstd/blob/dev/doc/zstd_compression_format.md
 */
export function isFrame(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528;
}

export function isSkippable(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32LE(0) >>> 4 === 0x184d2a5;
}

export async function skipFrame(source: ByteReader): Promise<void> {
  const head = await source.take(8);
  if (head.length === 8) await source.skip(head.readUInt32LE(4));
}

/** The bytes of the frame that comes next, in pieces of whole blocks. Of one that is cut short, what there is. */
export async function* readFrame(source: ByteReader): AsyncGenerator<FramePiece> {
  const head = await source.peek(MAX_HEADER);
  const descriptor = head[4] ?? 0;
  let parts = [await source.take(headerSize(descriptor))];
  let size = 0;
  for (let isLast = false; !isLast;) {
    const block = await source.take(3);
    const header = block.length === 3 ? block.readUIntLE(0, 3) : 1;
    isLast = (header & 1) === 1;
    const isRepeatedByte = ((header >>> 1) & 3) === 1;
    const content = await source.take(isRepeatedByte ? 1 : header >>> 3);
    parts.push(block, content);
    size += content.length;
    if (isLast || size < PIECE) continue;
    yield { bytes: Buffer.concat(parts), isLast: false };
    parts = [];
    size = 0;
  }
  if ((descriptor & HAS_CHECKSUM) !== 0) parts.push(await source.take(4));
  yield { bytes: Buffer.concat(parts), isLast: true };
}

/** What a frame unpacks to, as its header says; null where that says nothing. */
export function contentSize(frame: Buffer): number | null {
  const descriptor = frame[4] ?? 0;
  const size = contentSizeBytes(descriptor);
  const start = headerSize(descriptor) - size;
  if (size === 0 || frame.length < start + size) return null;
  if (size === 8) return Number(frame.readBigUInt64LE(start));
  return frame.readUIntLE(start, size) + (size === 2 ? 256 : 0);
}

const MAX_HEADER = 18;
const HAS_CHECKSUM = 0x04;
const IS_SINGLE_SEGMENT = 0x20;

/** How much of a frame is handed on at a time. */
const PIECE = 256 * 1024;

function headerSize(descriptor: number): number {
  const window = (descriptor & IS_SINGLE_SEGMENT) === 0 ? 1 : 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return 5 + window + dictionary + contentSizeBytes(descriptor);
}

function contentSizeBytes(descriptor: number): number {
  const flag = descriptor >>> 6;
  if (flag === 0) return (descriptor & IS_SINGLE_SEGMENT) === 0 ? 0 : 1;
  return 1 << flag;
}
