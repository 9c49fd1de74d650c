import { Readable, pipeline } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { RegistryError } from '../domain/errors.ts';

export type Encoding = keyof typeof DECODERS;

/**
 * What a body is packed in although we asked for none; null for a plain one. Several packings in one another are only
 * good for bombs, and refused.
 */
export function encodingOf(header: string | string[] | undefined, what: string): Encoding | null {
  if (header === undefined) return null;
  const written = String(header).toLowerCase();
  const encodings = written.split(',').flatMap((text) => (isPlain(text.trim()) ? [] : [text.trim()]));
  const [encoding, ...more] = encodings;
  if (encoding === undefined) return null;
  if (more.length > 0 || !(encoding in DECODERS)) {
    throw new RegistryError(
      'MALFORMED',
      `${what} was answered in the encoding "${written.slice(0, 100)}"; one of gzip, br, zstd, deflate or none can be read`,
    );
  }
  return encoding as Encoding;
}

/** The plain bytes; whoever reads them counts them. */
export async function* decode(
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
  encoding: Encoding,
  what: string,
): AsyncGenerator<Buffer> {
  const decoder = pipeline(Readable.from(chunks), DECODERS[encoding](), () => undefined);
  try {
    for await (const chunk of decoder) yield chunk as Buffer;
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    throw new RegistryError('MALFORMED', `${what} was answered with broken ${encoding} data`, { cause: error });
  }
}

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

function isPlain(encoding: string): boolean {
  return encoding === '' || encoding === 'identity';
}
