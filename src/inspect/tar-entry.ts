import type { FileType, LayerEntry } from './layer-entry.ts';
import type { Notes } from './notes.ts';
import { baseName, directoryOf, entryPath, join } from './path.ts';
import type { TarEntry } from './tar.ts';

/**
 * What an entry of a layer's tar means. Null for one that means nothing, and for one that leads out of the image, which
 * is noted. https://github.com/opencontainers/image-spec/blob/main/layer.md
 */
export function layerEntry(entry: TarEntry, notes: Notes): LayerEntry | null {
  const path = entryPath(entry.name);
  if (path === null) return leftOut(entry, 'its path leads out of the image', notes);
  if (path === '' || baseName(path).startsWith(META)) return path === '' ? null : metaEntry(path);
  if (baseName(path).startsWith(WHITEOUT)) {
    const name = baseName(path).slice(WHITEOUT.length);
    if (name === '' || name === '.' || name === '..')
      return leftOut(entry, 'it takes away nothing that has a name', notes);
    return whiteout(join(directoryOf(path), name), 'FILE');
  }
  const type = typeOf(entry);
  if (type === null) return leftOut(entry, `it is of the unknown type ${JSON.stringify(entry.type)}`, notes);
  const linkTarget = type === 'HARDLINK' ? entryPath(entry.linkName) : type === 'SYMLINK' ? entry.linkName : null;
  if (type === 'HARDLINK' && linkTarget === null) return leftOut(entry, 'it is a link out of the image', notes);
  const { mode, uid, gid } = entry;
  return { path, type, size: type === 'FILE' ? entry.size : 0, mode, uid, gid, linkTarget, whiteout: null };
}

const WHITEOUT = '.wh.';

/** What the driver of AUFS kept for itself; only the mark of an opaque directory has a meaning in images. */
const META = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

const TYPES: Readonly<Record<string, FileType>> = {
  '0': 'FILE',
  '1': 'HARDLINK',
  '2': 'SYMLINK',
  '3': 'DEVICE',
  '4': 'DEVICE',
  '5': 'DIRECTORY',
  '6': 'FIFO',
};

/** Tars older than the type of directories tell them by a slash at the end. */
function typeOf({ type, name }: TarEntry): FileType | null {
  return type === '0' && name.endsWith('/') ? 'DIRECTORY' : (TYPES[type] ?? null);
}

function metaEntry(path: string): LayerEntry | null {
  return baseName(path) === OPAQUE ? whiteout(directoryOf(path), 'OPAQUE') : null;
}

function whiteout(path: string, kind: 'FILE' | 'OPAQUE'): LayerEntry {
  return { path, type: 'FILE', size: 0, mode: 0, uid: 0, gid: 0, linkTarget: null, whiteout: kind };
}

function leftOut({ name }: TarEntry, why: string, notes: Notes): null {
  notes.add(`${JSON.stringify(name.slice(0, 200))} is left out: ${why}.`);
  return null;
}
