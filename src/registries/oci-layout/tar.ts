import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path/posix';
import { RegistryError } from '../../domain/errors.ts';
import { leavesTheLayout, pathWithin, type LayoutFile, type LayoutFiles } from './files.ts';

/**
 * A layout as a tar: its headers are read once, its files where they lie, so that nothing is unpacked.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */
export async function openTar(path: string): Promise<LayoutFiles> {
  const file = await open(path);
  try {
    const entries = await indexEntries(file, path);
    return { find: async (name) => findEntry(file, entries, name), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Where an entry's bytes lie, or the entry that it is a link to. */
type Entry = { readonly start: number; readonly size: number } | { readonly linkTo: string };

const BLOCK = 512;
const CHUNK = 64 * 1024;
const MAX_ENTRIES = 100_000;
const MAX_EXTENSION = 64 * 1024;
const MAX_LINKS = 8;

function findEntry(file: FileHandle, entries: ReadonlyMap<string, Entry>, path: string): LayoutFile | null {
  let name = pathWithin(path);
  for (let links = 0; links <= MAX_LINKS; links++) {
    if (name === null) throw leavesTheLayout(path);
    const entry = entries.get(name);
    if (entry === undefined) return null;
    if ('size' in entry) return { size: entry.size, chunks: () => readRange(file, entry.start, entry.size) };
    name = pathWithin(entry.linkTo);
  }
  return null;
}

async function* readRange(file: FileHandle, start: number, size: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < size;) {
    const length = Math.min(CHUNK, size - done);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, start + done);
    if (bytesRead === 0) return;
    done += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function indexEntries(file: FileHandle, path: string): Promise<Map<string, Entry>> {
  const { size: end } = await file.stat();
  const entries = new Map<string, Entry>();
  const header = Buffer.alloc(BLOCK);
  let extended: Extension = {};
  let count = 0;
  for (let at = 0; at + BLOCK <= end;) {
    await file.read(header, 0, BLOCK, at);
    if (header.every((byte) => byte === 0)) break;
    if (!hasChecksum(header)) throw notATar(path, header, at);
    if (++count > MAX_ENTRIES) throw new RegistryError('TOO_LARGE', `${path} has more than ${MAX_ENTRIES} entries`);

    const type = String.fromCharCode(header[156] ?? 0);
    const start = at + BLOCK;
    const isExtension = 'xgLK'.includes(type);
    const size = (isExtension ? undefined : extended.size) ?? numberAt(header, 124, 12);
    if (!Number.isSafeInteger(size) || size < 0 || start + size > end) {
      throw new RegistryError('MALFORMED', `${path} is cut short, or its entry at byte ${at} has a wrong size`);
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;

    if (isExtension) {
      if (size > MAX_EXTENSION) throw new RegistryError('TOO_LARGE', `${path} has a header of ${size} bytes`);
      const { buffer } = await file.read(Buffer.alloc(size), 0, size, start);
      if (type !== 'g') extended = { ...extended, ...readExtension(type, buffer) };
      continue;
    }
    record(entries, type, extended.path ?? nameOf(header), extended.linkPath ?? textAt(header, 157, 100), start, size);
    extended = {};
  }
  if (count === 0) throw notATar(path, header, 0);
  return entries;
}

/** Folders and devices are of no use here. A later entry of the same name replaces the one before it, as in tar. */
function record(entries: Map<string, Entry>, type: string, name: string, link: string, start: number, size: number) {
  const path = pathWithin(name);
  if (path === null) return;
  if (type === '0' || type === '\0' || type === '7') entries.set(path, { start, size });
  if (type === '1') entries.set(path, { linkTo: link });
  if (type === '2') entries.set(path, { linkTo: link.startsWith('/') ? link : `${dirname(path)}/${link}` });
}

/** What the headers before an entry say of it, because its own has no room. */
interface Extension {
  readonly path?: string;
  readonly linkPath?: string;
  readonly size?: number;
}

function readExtension(type: string, bytes: Buffer): Extension {
  if (type === 'L') return { path: textAt(bytes, 0, bytes.length) };
  if (type === 'K') return { linkPath: textAt(bytes, 0, bytes.length) };
  const records = paxRecords(bytes);
  const path = records.get('path');
  const linkPath = records.get('linkpath');
  const size = records.get('size');
  return {
    ...(path !== undefined && { path }),
    ...(linkPath !== undefined && { linkPath }),
    ...(size !== undefined && { size: Number(size) }),
  };
}

/** Lines of `length name=value`, where the length counts itself and the line's end. */
function paxRecords(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, Math.max(blank, at)));
    if (blank < 0 || !(length > 0)) break;
    const line = bytes.toString('utf8', blank + 1, at + length - 1);
    const equals = line.indexOf('=');
    if (equals > 0) records.set(line.slice(0, equals), line.slice(equals + 1));
    at += length;
  }
  return records;
}

function nameOf(header: Buffer): string {
  const prefix = header.toString('latin1', 257, 262) === 'ustar' ? textAt(header, 345, 155) : '';
  const name = textAt(header, 0, 100);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function textAt(bytes: Buffer, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

/** Octal, or, with the first bit set, big-endian bytes. */
function numberAt(header: Buffer, start: number, length: number): number {
  const field = header.subarray(start, start + length);
  if (((field[0] ?? 0) & 0x80) === 0) return Number.parseInt(textAt(header, start, length).trim() || '0', 8);
  return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, (field[0] ?? 0) & 0x7f);
}

/** The sum of the header's bytes, with the eight of the sum itself as blanks. */
function hasChecksum(header: Buffer): boolean {
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += header[at] ?? 0;
  return sum === numberAt(header, 148, 8);
}

function notATar(path: string, header: Buffer, at: number): RegistryError {
  const isPacked = header.readUInt16BE(0) === 0x1f8b || header.readUInt32BE(0) === 0x28b52ffd;
  if (at === 0 && isPacked) {
    return new RegistryError(
      'UNSUPPORTED',
      `${path} is a compressed tar: decompress it, the files in it are read in place`,
    );
  }
  if (at > 0) return new RegistryError('MALFORMED', `${path} is a broken tar: there is no header at byte ${at}`);
  return new RegistryError(
    'NOT_A_REGISTRY',
    `${path} is no tar: give a folder or a tar in the OCI layout or docker-archive form`,
  );
}
