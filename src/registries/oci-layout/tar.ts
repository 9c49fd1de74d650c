import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path/posix';
import { RegistryError } from '../../domain/errors.ts';
import { TAR_BLOCK, isZeroBlock, parsePaxRecords, parseTarHeader, tarText } from '../../domain/tar-header.ts';
import { leavesTheLayout, pathWithin, type LayoutFile, type LayoutFiles } from './files.ts';

/** A layout as a tar: its headers are read once, its files where they lie, so that nothing is unpacked. */
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
  const header = Buffer.alloc(TAR_BLOCK);
  let extended: Extension = {};
  let count = 0;
  for (let at = 0; at + TAR_BLOCK <= end;) {
    await file.read(header, 0, TAR_BLOCK, at);
    if (isZeroBlock(header)) break;
    const parsed = parseTarHeader(header);
    if (parsed === null) throw notATar(path, header, at);
    if (++count > MAX_ENTRIES) throw new RegistryError('TOO_LARGE', `${path} has more than ${MAX_ENTRIES} entries`);

    const { type } = parsed;
    const start = at + TAR_BLOCK;
    const isExtension = 'xgLK'.includes(type);
    const size = (isExtension ? undefined : extended.size) ?? parsed.size;
    if (!Number.isSafeInteger(size) || size < 0 || start + size > end) {
      throw new RegistryError('MALFORMED', `${path} is cut short, or its entry at byte ${at} has a wrong size`);
    }
    at = start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;

    if (isExtension) {
      if (size > MAX_EXTENSION) throw new RegistryError('TOO_LARGE', `${path} has a header of ${size} bytes`);
      const { buffer } = await file.read(Buffer.alloc(size), 0, size, start);
      if (type === 'g') continue;
      const extension = readExtension(type, buffer);
      if (extension === null) throw new RegistryError('MALFORMED', `${path} has a broken header before byte ${at}`);
      extended = { ...extended, ...extension };
      continue;
    }
    record(entries, type, extended.path ?? parsed.name, extended.linkPath ?? parsed.linkName, start, size);
    extended = {};
  }
  if (count === 0) throw notATar(path, header, 0);
  return entries;
}

/** Folders and devices are of no use here. A later entry of the same name replaces the one before it, as in tar. */
function record(entries: Map<string, Entry>, type: string, name: string, link: string, start: number, size: number) {
  const path = pathWithin(name);
  if (path === null) return;
  if (type === '0') entries.set(path, { start, size });
  if (type === '1') entries.set(path, { linkTo: link });
  if (type === '2') entries.set(path, { linkTo: link.startsWith('/') ? link : `${dirname(path)}/${link}` });
}

/** What the headers before an entry say of it, because its own has no room. */
interface Extension {
  readonly path?: string;
  readonly linkPath?: string;
  readonly size?: number;
}

/** Null for records that are none. */
function readExtension(type: string, bytes: Buffer): Extension | null {
  if (type === 'L') return { path: tarText(bytes, 0, bytes.length) };
  if (type === 'K') return { linkPath: tarText(bytes, 0, bytes.length) };
  const records = parsePaxRecords(bytes);
  if (records === null) return null;
  const path = records.get('path');
  const linkPath = records.get('linkpath');
  const size = records.get('size');
  return {
    ...(path !== undefined && { path }),
    ...(linkPath !== undefined && { linkPath }),
    ...(size !== undefined && { size: Number(size) }),
  };
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
