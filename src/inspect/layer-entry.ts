import { PackedReader, PackedWriter } from './packed.ts';

/** In the words of the API. */
export const FILE_TYPES = ['FILE', 'DIRECTORY', 'SYMLINK', 'HARDLINK', 'DEVICE', 'FIFO'] as const;
export type FileType = (typeof FILE_TYPES)[number];

/** What one entry of a layer does to the files below it. */
export interface LayerEntry {
  /** Without a slash at its start; of a whiteout, what it takes away. */
  readonly path: string;
  readonly type: FileType;
  /** Of a file, in bytes; 0 of everything else. */
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a link, as it is written; of a hard link, the path of the file. Null for others. */
  readonly linkTarget: string | null;
  /**
   * FILE: what lower layers have at the path is gone. OPAQUE: what they have in that directory is. Null for everything
   * else. https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
   */
  readonly whiteout: Whiteout | null;
}

export type Whiteout = 'FILE' | 'OPAQUE';

/** Entries in their order, packed: some 40 bytes each where an object of each would take 300. */
export class LayerEntries implements Iterable<LayerEntry> {
  readonly count: number;
  readonly bytes: Buffer;

  constructor(count: number, bytes: Buffer) {
    this.count = count;
    this.bytes = bytes;
  }

  /** Throws a RangeError where the bytes are not what was packed. */
  *[Symbol.iterator](): Generator<LayerEntry> {
    const reader = new PackedReader(this.bytes);
    let before = '';
    for (let at = 0; at < this.count; at++) {
      const entry = readEntry(reader, before);
      before = entry.path;
      yield entry;
    }
  }
}

/** Packs entries one by one. */
export class LayerEntriesWriter {
  readonly #packed = new PackedWriter();
  #before = '';
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#packed.size;
  }

  add(entry: LayerEntry): void {
    const shared = sharedLength(this.#before, entry.path);
    const whiteout = WHITEOUTS.indexOf(entry.whiteout);
    this.#packed.number(FILE_TYPES.indexOf(entry.type) * WHITEOUTS.length + whiteout);
    this.#packed.number(shared);
    this.#packed.text(entry.path.slice(shared));
    if (entry.whiteout === null) {
      for (const value of [entry.size, entry.mode, entry.uid, entry.gid]) this.#packed.number(value);
      if (isLink(entry.type)) this.#packed.text(entry.linkTarget ?? '');
    }
    this.#before = entry.path;
    this.#count++;
  }

  entries(): LayerEntries {
    return new LayerEntries(this.#count, this.#packed.bytes());
  }
}

const WHITEOUTS: readonly (Whiteout | null)[] = [null, 'FILE', 'OPAQUE'];

function isLink(type: FileType): boolean {
  return type === 'SYMLINK' || type === 'HARDLINK';
}

function readEntry(reader: PackedReader, before: string): LayerEntry {
  const kind = reader.number();
  const type = FILE_TYPES[Math.floor(kind / WHITEOUTS.length)];
  const whiteout = WHITEOUTS[kind % WHITEOUTS.length] ?? null;
  if (type === undefined) throw new RangeError(`${kind} is no kind of an entry.`);
  const path = before.slice(0, reader.number()) + reader.text();
  if (whiteout !== null) return { path, type, size: 0, mode: 0, uid: 0, gid: 0, linkTarget: null, whiteout };
  const size = reader.number();
  const mode = reader.number();
  const uid = reader.number();
  const gid = reader.number();
  return { path, type, size, mode, uid, gid, linkTarget: isLink(type) ? reader.text() : null, whiteout };
}

function sharedLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  // Not in the midst of a character of two.
  return length > 0 && (a.charCodeAt(length - 1) & 0xfc00) === 0xd800 ? length - 1 : length;
}
