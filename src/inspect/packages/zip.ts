import { inflateRawSync } from 'node:zlib';
import { RegistryError } from '../../domain/errors.ts';

/** A file of a zip archive, as the directory at the end lists it. */
export interface ZipEntry {
  readonly name: string;
  /** As the directory says; reading stops there, whatever comes out. */
  readonly size: number;
  readonly packedSize: number;
  read(): Uint8Array;
}

const MAX_ENTRIES = 1_000_000;

/**
 * Lists the files of a zip archive that is held whole; bytes before it are skipped, as a script before an archive that
 * can be run is. Throws MALFORMED or TOO_LARGE. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function* zipEntries(bytes: Uint8Array, what: string): Generator<ZipEntry> {
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const directory = findDirectory(zip, what);
  let at = directory.start;
  for (let count = 0; at + ENTRY_SIZE <= directory.end && zip.readUInt32LE(at) === ENTRY; count++) {
    if (count === MAX_ENTRIES) throw new RegistryError('TOO_LARGE', `${what} has more than ${MAX_ENTRIES} files`);
    const nameEnd = at + ENTRY_SIZE + zip.readUInt16LE(at + 28);
    const extraEnd = nameEnd + zip.readUInt16LE(at + 30);
    if (extraEnd > directory.end)
      throw new RegistryError('MALFORMED', `${what} has a directory that ends within a name`);
    const [size, packedSize, start] = placeOf(zip, at, nameEnd, extraEnd);
    const method = zip.readUInt16LE(at + 10);
    yield {
      name: zip.toString('utf8', at + ENTRY_SIZE, nameEnd),
      size,
      packedSize,
      read: () => unpack(zip, { start: directory.base + start, packedSize, size, method }, what),
    };
    at = extraEnd + zip.readUInt16LE(at + 32);
  }
}

const END = 0x06054b50;
const END_SIZE = 22;
const MAX_COMMENT = 0xffff;
const LOCATOR = 0x07064b50;
const LOCATOR_SIZE = 20;
const END_64_SIZE = 56;
const ENTRY = 0x02014b50;
const ENTRY_SIZE = 46;
const LOCAL = 0x04034b50;
const LOCAL_SIZE = 30;
const STORED = 0;
const DEFLATED = 8;
/** What stands in a field of 4 bytes that is too small for its number. */
const ELSEWHERE = 0xffffffff;

interface Directory {
  readonly start: number;
  readonly end: number;
  /** How far everything is behind the place that the archive says. */
  readonly base: number;
}

function findDirectory(zip: Buffer, what: string): Directory {
  const first = Math.max(0, zip.length - END_SIZE - MAX_COMMENT);
  for (let at = zip.length - END_SIZE; at >= first; at--) {
    if (zip.readUInt32LE(at) !== END) continue;
    let [end, size, start] = [at, zip.readUInt32LE(at + 12), zip.readUInt32LE(at + 16)];
    const locator = at - LOCATOR_SIZE;
    if (
      (size === ELSEWHERE || start === ELSEWHERE) &&
      locator >= END_64_SIZE &&
      zip.readUInt32LE(locator) === LOCATOR
    ) {
      end = locator - END_64_SIZE;
      [size, start] = [longAt(zip, end + 40), longAt(zip, end + 48)];
    }
    const base = end - size - start;
    if (base >= 0 && size >= 0) return { start: end - size, end, base };
  }
  throw new RegistryError('MALFORMED', `${what} is no zip archive`);
}

/** Size, packed size and place of a file; those that need 8 bytes are in the extra field, in this order. */
function placeOf(zip: Buffer, entry: number, extra: number, end: number): [number, number, number] {
  const short = [24, 20, 42].map((offset) => zip.readUInt32LE(entry + offset));
  let at = extra;
  while (at + 4 <= end && zip.readUInt16LE(at) !== 1) at += 4 + zip.readUInt16LE(at + 2);
  let long = at + 4;
  const [size = 0, packedSize = 0, start = 0] = short.map((number) => {
    if (number !== ELSEWHERE || long + 8 > end) return number;
    long += 8;
    return longAt(zip, long - 8);
  });
  return [size, packedSize, start];
}

function longAt(zip: Buffer, at: number): number {
  return Number(zip.readBigUInt64LE(at));
}

interface Packed {
  readonly start: number;
  readonly packedSize: number;
  readonly size: number;
  readonly method: number;
}

function unpack(zip: Buffer, { start, packedSize, size, method }: Packed, what: string): Uint8Array {
  if (start + LOCAL_SIZE > zip.length || zip.readUInt32LE(start) !== LOCAL) {
    throw new RegistryError('MALFORMED', `${what} has a file at byte ${start}, which is not there`);
  }
  const data = start + LOCAL_SIZE + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28);
  const packed = zip.subarray(data, data + packedSize);
  if (method === STORED) return packed.subarray(0, size);
  if (method === DEFLATED) return inflateRawSync(packed, { maxOutputLength: Math.max(size, 1) });
  throw new RegistryError('MALFORMED', `${what} has a file that is packed by method ${method}: only 0 and 8 are known`);
}
