/** Headers and bodies of a tar come in blocks of this size. */
export const TAR_BLOCK = 512;

/**
 * What the header of an entry says.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */
export interface TarHeader {
  /** With its prefix; bytes that are no UTF-8 are written as \xff. */
  readonly name: string;
  readonly linkName: string;
  /** The letter of its kind; 0 for files, also where old writers left it out. */
  readonly type: string;
  /** NaN where it is no number, or one that can't be counted to. */
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Null where the checksum is not that of the block: it is no header. */
export function parseTarHeader(block: Buffer): TarHeader | null {
  if (!hasChecksum(block)) return null;
  const type = String.fromCharCode(block[156] ?? 0);
  return {
    name: nameOf(block),
    linkName: tarText(block, 157, 100),
    type: type === '\0' || type === '7' ? '0' : type,
    size: tarNumber(block, 124, 12),
    mode: tarNumber(block, 100, 8),
    uid: tarNumber(block, 108, 8),
    gid: tarNumber(block, 116, 8),
  };
}

/** Two blocks of zeros end a tar. */
export function isZeroBlock(block: Buffer): boolean {
  return ZEROS.equals(block);
}

/** Lines of `length name=value`, where the length counts itself and the line's end; null where they are not that. */
export function parsePaxRecords(bytes: Buffer): Map<string, string> | null {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, Math.max(blank, at)));
    const equals = bytes.indexOf(0x3d, blank + 1);
    const end = at + length - 1;
    if (blank < 0 || !(length > 0) || !(equals > blank && equals < end) || bytes[end] !== 0x0a) return null;
    records.set(bytes.toString('utf8', blank + 1, equals), textOf(bytes.subarray(equals + 1, end)));
    at = end + 1;
  }
  return records;
}

/** A text that ends at a zero, or where its field does. */
export function tarText(bytes: Buffer, start: number, length: number): string {
  if (bytes[start] === 0) return '';
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return textOf(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits, or, with the first bit set, big-endian bytes; NaN for anything else. */
export function tarNumber(bytes: Buffer, start: number, length: number): number {
  const first = bytes[start] ?? 0;
  if ((first & 0x80) === 0) return octalNumber(bytes, start, start + length);
  let value = first & 0x7f;
  for (let at = start + 1; at < start + length; at++) value = value * 256 + (bytes[at] ?? 0);
  return Number.isSafeInteger(value) ? value : NaN;
}

const ZEROS = Buffer.alloc(TAR_BLOCK);

/** Digits between blanks and zeros; 0 where there is none. */
function octalNumber(bytes: Buffer, start: number, end: number): number {
  let at = start;
  let value = 0;
  while (at < end && isBlank(bytes[at])) at++;
  for (; at < end && !isBlank(bytes[at]); at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return NaN;
    value = value * 8 + digit;
  }
  while (at < end && isBlank(bytes[at])) at++;
  return at === end ? value : NaN;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0 || byte === 0x20;
}

function nameOf(block: Buffer): string {
  const name = tarText(block, 0, 100);
  if (block[345] === 0 || block.toString('latin1', 257, 263) !== 'ustar\0') return name;
  return `${tarText(block, 345, 155)}/${name}`;
}

/** The sum of the block's bytes, with the eight of the sum itself as blanks. */
function hasChecksum(block: Buffer): boolean {
  let sum = 8 * 0x20;
  for (let at = 0; at < TAR_BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  return sum === tarNumber(block, 148, 8);
}

/** Names are bytes; those that are no UTF-8 stay different from one another. */
function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd')) return text;
  return bytes
    .toString('latin1')
    .replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
