import { finished } from 'node:stream/promises';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { readBlob } from './shared-images.ts';

/** Files by their paths, without a slash at the start. */
export type Documents = ReadonlyMap<string, Buffer>;

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** Reads the files of stacks of layers, bottom first, of which `wants` says that they are wanted; each layer once. */
export function documentsOfLayers(wants: (path: string) => boolean): (layers: readonly string[]) => Promise<Documents> {
  const known = new Map<string, Promise<readonly Entry[]>>();
  return async (layers) => {
    const documents = new Map<string, Buffer>();
    for (const digest of layers) {
      const entries = known.get(digest) ?? entriesOf(digest, wants);
      known.set(digest, entries);
      putOn(documents, await entries);
    }
    return documents;
  };
}

function putOn(documents: Map<string, Buffer>, layer: readonly Entry[]): void {
  for (const { path } of layer) {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const name = path.slice(folder.length);
    if (name === OPAQUE) forget(documents, folder);
    else if (name.startsWith(WHITEOUT)) forget(documents, folder + name.slice(WHITEOUT.length));
  }
  for (const { path, bytes } of layer) if (bytes) documents.set(path, bytes);
}

function forget(documents: Map<string, Buffer>, path: string): void {
  for (const known of documents.keys()) {
    if (known === path || known.startsWith(path.endsWith('/') ? path : `${path}/`)) documents.delete(known);
  }
}

interface Entry {
  readonly path: string;
  /** Null where the file is not wanted. */
  readonly bytes: Buffer | null;
}

async function entriesOf(digest: string, wants: (path: string) => boolean): Promise<Entry[]> {
  const entries: Entry[] = [];
  const tar = extract();
  tar.on('entry', ({ name, type }, stream, next) => {
    const parts: Buffer[] = [];
    stream.on('data', (part) => parts.push(part as Buffer));
    stream.on('end', () => {
      const path = name.replace(/^(\.?\/)+/, '');
      if (type === 'file') entries.push({ path, bytes: wants(path) ? Buffer.concat(parts) : null });
      next();
    });
  });
  tar.end(unpacked(readBlob(digest)));
  await finished(tar);
  return entries;
}

function unpacked(blob: Buffer): Buffer {
  if (blob.readUInt16BE(0) === 0x1f8b) return gunzipSync(blob);
  return blob.readUInt32LE(0) === 0xfd2fb528 ? zstdDecompressSync(blob) : blob;
}
