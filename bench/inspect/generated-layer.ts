import { createHash } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Digest } from '../../src/domain/digest.ts';
import type { LayerClaim } from '../../src/inspect/index.ts';
import { tarEntry } from '../../test/support/tar.ts';

/** A layer that is one gzip member again and again, and an end, so that nobody has to hold it or to write it to a disk. */
export interface GeneratedLayer {
  readonly claim: LayerClaim;
  /** Where the member is. */
  readonly path: string;
  readonly times: number;
}

/**
 * A layer of at least so many bytes as it is stored, of texts, programs and what can't be packed, in files of 1 to 64 KB
 * and a few large ones. Its member is written to the path.
 */
export function generateLayer(size: number, path: string): GeneratedLayer {
  const member = gzipSync(Buffer.concat(Array.from({ length: FILES }, (_, at) => generateFile(at))));
  writeFileSync(path, member);
  const times = Math.ceil(size / member.length);
  const hash = createHash('sha256');
  for (let time = 0; time < times; time++) hash.update(member);
  const digest = `sha256:${hash.update(END).digest('hex')}` as Digest;
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
  const claim = { digest, mediaType, size: times * member.length + END.length, diffId: null };
  return { claim, path, times };
}

/** Its bytes from the first one, in chunks as a socket gives them. */
export async function* layerChunks({ path, times }: GeneratedLayer): AsyncGenerator<Uint8Array> {
  for (let time = 0; time < times; time++) yield* createReadStream(path) as AsyncIterable<Buffer>;
  yield END;
}

const END = gzipSync(Buffer.alloc(1024));

/** Of a member, which has some 8 MB packed. */
const FILES = 800;

function generateFile(at: number): Buffer {
  const size = at % 200 === 0 ? 2_000_000 : 1000 + ((at * 7919) % 63_000);
  const mode = at % 3 === 1 ? 0o755 : 0o644;
  return tarEntry({ name: `opt/part-${at % 40}/file-${at}`, body: CONTENTS[at % 3]?.(at, size), mode });
}

const CONTENTS: readonly ((seed: number, size: number) => Buffer)[] = [generateText, generateProgram, generateNoise];

const WORDS = 'image layer of and to the tag manifest digest const return export function import registry'.split(' ');

function generateText(seed: number, size: number): Buffer {
  let text = '';
  for (let state = seed + 1; text.length < size; state = next(state)) {
    text += `${WORDS[state % WORDS.length]}${state % 7 === 0 ? state.toString(36) : ''}${state % 11 === 0 ? '\n' : ' '}`;
  }
  return Buffer.from(text.slice(0, size));
}

/** Half of it zeros and small numbers, as in tables and addresses. */
function generateProgram(seed: number, size: number): Buffer {
  const bytes = generateNoise(seed, size);
  for (let at = 0; at < size; at++) if (at % 8 >= 3) bytes[at] = at % 8 === 3 ? (bytes[at] ?? 0) % 16 : 0;
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  return bytes;
}

function generateNoise(seed: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0, state = seed + 1; at < size; at++, state = next(state)) bytes[at] = state >>> 8;
  return bytes;
}

/** https://www.jstatsoft.org/v08/i14/ */
function next(state: number): number {
  let value = state;
  value ^= value << 13;
  value ^= value >>> 17;
  value ^= value << 5;
  return value >>> 0;
}
