import { RegistryError } from '../../domain/errors.ts';

const META_SIZE = 72;
const PAGE_HEADER_SIZE = 26;
const HASH_MAGIC = 0x061561;
/** Types of pages. */
const HASH_UNSORTED = 2;
const OVERFLOW = 7;
const HASH = 13;
/** Types of items on a page. */
const ON_PAGE = 1;
const OFF_PAGE = 3;
const OFF_PAGE_SIZE = 12;

/**
 * The headers of packages in a Berkeley DB of hashes, as RPM had it up to 4.15. The pages are read one after the other,
 * whatever their order in the hash is. Throws MALFORMED.
 *
 * https://github.com/berkeleydb/libdb/blob/master/src/dbinc/db_page.h
 */
export function* berkeleyDbHeaders(bytes: Uint8Array, path: string): Generator<Uint8Array> {
  const database = openDatabase(bytes, path);
  for (let page = 1; page < database.pageCount; page++) {
    const type = database.bytes[page * database.pageSize + 25];
    if (type !== HASH && type !== HASH_UNSORTED) continue;
    for (const value of valuesOf(database, page)) if (value.length > 4) yield value;
  }
}

interface Database {
  readonly path: string;
  readonly bytes: Buffer;
  readonly pageSize: number;
  readonly pageCount: number;
  readonly short: (at: number) => number;
  readonly int: (at: number) => number;
  /** Bytes that may still be read from chains of pages; each page is in one of them. */
  left: number;
}

function openDatabase(raw: Uint8Array, path: string): Database {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  if (bytes.length < META_SIZE) throw malformed(path, 'it is too short');
  const isLittleEndian = bytes.readUInt32LE(12) === HASH_MAGIC;
  if (!isLittleEndian && bytes.readUInt32BE(12) !== HASH_MAGIC) throw malformed(path, 'it has no hash');
  const short = (at: number) => (isLittleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const int = (at: number) => (isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const pageSize = int(20);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) {
    throw malformed(path, `its pages are of ${pageSize} bytes`);
  }
  if (bytes[24] !== 0) throw malformed(path, 'it is encrypted');
  return { path, bytes, pageSize, pageCount: Math.floor(bytes.length / pageSize), short, int, left: bytes.length };
}

/** Items are from the end of the page on; keys and values by turns. */
function* valuesOf(database: Database, page: number): Generator<Uint8Array> {
  const { bytes, pageSize, short, int } = database;
  const start = page * pageSize;
  const count = Math.min(short(start + 20), (pageSize - PAGE_HEADER_SIZE) >>> 1);
  const placeOf = (item: number) => short(start + PAGE_HEADER_SIZE + 2 * item);
  for (let item = 1; item < count; item += 2) {
    const [at, end] = [placeOf(item), placeOf(item - 1)];
    if (at >= end || end > pageSize) throw malformed(database.path, `page ${page} has an item that is outside of it`);
    const type = bytes[start + at];
    if (type === ON_PAGE) yield bytes.subarray(start + at + 1, start + end);
    else if (type === OFF_PAGE && end - at >= OFF_PAGE_SIZE) {
      yield readChain(database, int(start + at + 4), int(start + at + 8));
    }
  }
}

function readChain(database: Database, first: number, size: number): Uint8Array {
  const { path, bytes, pageSize, pageCount, short, int } = database;
  const parts: Uint8Array[] = [];
  let read = 0;
  for (let page = first; page !== 0 && read < size; page = int(page * pageSize + 16)) {
    database.left -= pageSize;
    if (database.left < 0) throw malformed(path, 'its pages lead in a circle');
    const start = page * pageSize;
    if (page >= pageCount || bytes[start + 25] !== OVERFLOW)
      throw malformed(path, `page ${page} is none of a long value`);
    const length = Math.min(short(start + 22), pageSize - PAGE_HEADER_SIZE, size - read);
    parts.push(bytes.subarray(start + PAGE_HEADER_SIZE, start + PAGE_HEADER_SIZE + length));
    read += length;
  }
  if (read < size) throw malformed(path, `a value of ${size} bytes ends after ${read}`);
  return Buffer.concat(parts);
}

function malformed(path: string, what: string): RegistryError {
  return new RegistryError('MALFORMED', `${path} is no Berkeley DB that can be read: ${what}`);
}
