import { RegistryError } from '../../domain/errors.ts';

/** Reads the files of a layout, whether it is unpacked or a tar. */
export interface LayoutFiles {
  /** Null where there is no such file. Rejects where the path, or a link at it, leads out of the layout. */
  find(path: string): Promise<LayoutFile | null>;
  close(): Promise<void>;
}

export interface LayoutFile {
  readonly size: number;
  /** Its bytes from the first one, each time that it is called. */
  chunks(): AsyncIterable<Uint8Array>;
}

/** Manifests, indexes and configurations are smaller; registries refuse greater ones. */
export const MAX_DOCUMENT = 4 * 1024 * 1024;

/** A document as a whole. `what` is its name in errors. */
export async function readDocument(file: LayoutFile, what: string, signal?: AbortSignal): Promise<Buffer> {
  if (file.size > MAX_DOCUMENT) {
    throw new RegistryError('TOO_LARGE', `${what} has ${file.size} bytes, more than ${MAX_DOCUMENT}`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.chunks()) {
    signal?.throwIfAborted();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `./a//b` is `a/b`; null where the path leads out of the layout. */
export function pathWithin(path: string): string | null {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return path.startsWith('/') || path.includes('\0') ? null : parts.join('/');
}

export function leavesTheLayout(path: string): RegistryError {
  return new RegistryError('MALFORMED', `${JSON.stringify(path.slice(0, 200))} leads out of the layout`);
}
