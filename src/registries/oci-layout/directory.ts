import { constants } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { leavesTheLayout, pathWithin, type LayoutFile, type LayoutFiles } from './files.ts';

/** An unpacked layout. Links within it are followed, links out of it refused. */
export async function openDirectory(folder: string): Promise<LayoutFiles> {
  const root = await realpath(folder);
  return { find: (path) => findFile(root, path), close: async () => undefined };
}

const CHUNK = 64 * 1024;

async function findFile(root: string, path: string): Promise<LayoutFile | null> {
  const within = pathWithin(path);
  if (within === null) throw leavesTheLayout(path);
  const real = await realpath(join(root, within)).catch(nullIfMissing);
  if (real === null) return null;
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) throw leavesTheLayout(path);
  const found = await stat(real);
  return found.isFile() ? { size: found.size, chunks: () => readFile(real) } : null;
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
}
