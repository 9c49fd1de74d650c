import { TAR_BLOCK, isZeroBlock, parsePaxRecords, parseTarHeader, tarNumber, tarText } from '../domain/tar-header.ts';
import type { TarHeader } from '../domain/tar-header.ts';
import type { ByteReader } from './byte-reader.ts';
import { LayerStop, type LayerLimits } from './limits.ts';

/** An entry as it stands in a tar; its body is to be read before the next one is asked for. */
export interface TarEntry {
  readonly name: string;
  readonly linkName: string;
  /** The letter of its kind; 0 for a file. */
  readonly type: string;
  /** Of the file: with its holes, if it is sparse. */
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** What of the file lies in the tar is not the file itself. */
  readonly isSparse: boolean;
  readonly body: TarBody;
}

/** The bytes of an entry. */
export interface TarBody {
  /** The first ones, which stay to be read. */
  peek(size: number): Promise<Buffer>;
  /** All of them, good until the next entry. */
  read(): Promise<Buffer>;
}

/**
 * The entries of a tar: ustar, with the extensions of POSIX and GNU. Leaves what follows the end of the tar to be read.
 * Rejects with a LayerStop: FAILED for what is no tar or cut short, PARTIAL for headers that are too large.
 */
export async function* readTar(source: ByteReader, limits: LayerLimits): AsyncGenerator<TarEntry> {
  let extension: Extension = {};
  let extensions = 0;
  for (;;) {
    const block = await source.take(TAR_BLOCK);
    if (block.length === 0 || isZeroBlock(block)) return;
    if (block.length < TAR_BLOCK) throw cutShort();
    const header = parseTarHeader(block);
    if (header === null) throw new LayerStop('FAILED', 'The layer is no tar, or a broken one: an entry has no header.');

    if (EXTENSIONS.has(header.type)) {
      if (++extensions > MAX_EXTENSIONS) {
        throw new LayerStop('PARTIAL', `The layer has an entry with more than ${MAX_EXTENSIONS} headers.`);
      }
      const bytes = await readWhole(source, extensionSize(header, limits));
      extension = { ...extension, ...readExtension(header.type, bytes) };
      continue;
    }
    const { isSparse, size } = isOldSparse(header)
      ? { isSparse: true, size: await readSparseHeaders(source, block) }
      : { isSparse: extension.sparseSize !== undefined, size: extension.sparseSize ?? storedSize(header, extension) };
    const body = new Body(source, storedSize(header, extension));
    yield {
      name: extension.name ?? header.name,
      linkName: extension.linkName ?? header.linkName,
      type: isOldSparse(header) ? '0' : header.type,
      size: checkedSize(size),
      mode: whole(header.mode) & 0o7777,
      uid: whole(extension.uid ?? header.uid),
      gid: whole(extension.gid ?? header.gid),
      isSparse,
      body,
    };
    await body.end();
    extension = {};
    extensions = 0;
  }
}

/** What the headers before an entry say of it, because its own has no room. */
interface Extension {
  readonly name?: string;
  readonly linkName?: string;
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly sparseSize?: number;
}

/** Of POSIX for the next entry and for all, of GNU for the name and for the link. */
const EXTENSIONS = new Set(['x', 'g', 'L', 'K']);

/** Types that have no body, whatever their size says, as the tar reader of Go has it: that is what unpacks layers. */
const BODILESS = new Set(['1', '2', '3', '4', '5', '6']);

/** Extended attributes and all: Go's reader takes no more either. */
const MAX_EXTENSION = 1024 * 1024;

/** Before one entry: tools write two or three. */
const MAX_EXTENSIONS = 16;

/** Of sparse files in the form of old GNU: the size with holes, and whether more headers follow. */
const SPARSE_SIZE = 483;
const SPARSE_GOES_ON = 482;
const SPARSE_GOES_ON_AGAIN = 504;

class Body implements TarBody {
  readonly #source: ByteReader;
  readonly #size: number;
  #left: number;

  constructor(source: ByteReader, size: number) {
    this.#source = source;
    this.#size = size;
    this.#left = size;
  }

  peek(size: number): Promise<Buffer> {
    return this.#source.peek(Math.min(size, this.#left));
  }

  async read(): Promise<Buffer> {
    const bytes = await this.#source.borrow(this.#left);
    if (bytes.length < this.#left) throw cutShort();
    this.#left = 0;
    return bytes;
  }

  /** Goes to the next header. */
  async end(): Promise<void> {
    const rest = this.#left + paddingOf(this.#size);
    if ((await this.#source.skip(rest)) < rest) throw cutShort();
  }
}

/** With what fills the last block. */
async function readWhole(source: ByteReader, size: number): Promise<Buffer> {
  const bytes = await source.take(size);
  const padding = paddingOf(size);
  if (bytes.length < size || (await source.skip(padding)) < padding) throw cutShort();
  return bytes;
}

function paddingOf(size: number): number {
  return (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
}

function storedSize(header: TarHeader, extension: Extension): number {
  return BODILESS.has(header.type) ? 0 : checkedSize(extension.size ?? header.size);
}

function checkedSize(size: number): number {
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new LayerStop('FAILED', 'The layer is a broken tar: an entry has no size.');
}

function extensionSize({ type, size }: TarHeader, { nameLength }: LayerLimits): number {
  const most = type === 'L' || type === 'K' ? 4 * nameLength : MAX_EXTENSION;
  if (checkedSize(size) <= most) return size;
  throw new LayerStop('PARTIAL', `The layer has an entry with a header of ${size} bytes; ${most} are read at most.`);
}

function readExtension(type: string, bytes: Buffer): Extension {
  if (type === 'L') return { name: tarText(bytes, 0, bytes.length) };
  if (type === 'K') return { linkName: tarText(bytes, 0, bytes.length) };
  // What is said of all entries is not heeded by those that unpack layers.
  if (type === 'g') return {};
  const records = parsePaxRecords(bytes);
  if (records === null) throw new LayerStop('FAILED', 'The layer is a broken tar: an entry has a broken header.');
  const name = records.get('GNU.sparse.name') ?? records.get('path');
  const linkName = records.get('linkpath');
  const sparseSize = records.get('GNU.sparse.realsize') ?? records.get('GNU.sparse.size');
  return {
    ...(name !== undefined && { name }),
    ...(linkName !== undefined && { linkName }),
    ...numberIn(records, 'size'),
    ...numberIn(records, 'uid'),
    ...numberIn(records, 'gid'),
    ...(sparseSize !== undefined && { sparseSize: Number(sparseSize) }),
  };
}

function numberIn(records: ReadonlyMap<string, string>, key: 'size' | 'uid' | 'gid'): Extension {
  const text = records.get(key);
  return text === undefined ? {} : { [key]: Number(text) };
}

function isOldSparse(header: TarHeader): boolean {
  return header.type === 'S';
}

/** Goes past the headers that say where the holes are. */
async function readSparseHeaders(source: ByteReader, block: Buffer): Promise<number> {
  for (let goesOn = block[SPARSE_GOES_ON] !== 0; goesOn;) {
    const more = await source.take(TAR_BLOCK);
    if (more.length < TAR_BLOCK) throw cutShort();
    goesOn = more[SPARSE_GOES_ON_AGAIN] !== 0;
  }
  return tarNumber(block, SPARSE_SIZE, 12);
}

/** An owner that is no number is root, and no mode is none. */
function whole(value: number): number {
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function cutShort(): LayerStop {
  return new LayerStop('FAILED', 'The layer is cut short: its tar ends in the midst of an entry.');
}
