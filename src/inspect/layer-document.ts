import { messageOf } from '../domain/errors.ts';
import type { FoundPackage } from '../domain/package.ts';
import { HEAD_SIZE, MAX_DOCUMENT_BYTES, type DocumentReader } from './document.ts';
import type { LayerLimits } from './limits.ts';
import type { Notes } from './notes.ts';
import { isOperatingSystemText } from './operating-system.ts';
import type { TarEntry } from './tar.ts';

/** A file of a layer that was read: for its packages, or for what it says of the operating system. */
export type LayerDocument =
  | { readonly path: string; readonly packages: readonly FoundPackage[] }
  | { readonly path: string; readonly text: string };

/** Reads the files of one layer that tell of something. */
export class LayerDocuments {
  readonly #readers: readonly DocumentReader[];
  readonly #limits: LayerLimits;
  readonly #notes: Notes;
  readonly #found = new Map<string, LayerDocument>();
  #read = 0;
  #bytes = 0;
  #packages = 0;
  #characters = 0;
  #reason: string | null = null;

  constructor(readers: readonly DocumentReader[], limits: LayerLimits, notes: Notes) {
    this.#readers = readers;
    this.#limits = limits;
    this.#notes = notes;
  }

  /** Why not all were read; null when they were. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Reads the file, where it tells of something. What the layer had there before is forgotten. */
  async take(path: string, entry: TarEntry): Promise<void> {
    this.forget(path);
    if (isOperatingSystemText(path)) return this.#takeText(path, entry);
    const reader = await this.#readerOf(path, entry);
    if (reader === null || !this.#hasRoomFor(path, entry, reader.maxBytes ?? MAX_DOCUMENT_BYTES)) return;
    const bytes = await entry.body.read();
    try {
      const packages = reader.read(path, bytes);
      if (packages.length > 0) this.#keep({ path, packages });
    } catch (error) {
      this.#notes.add(`${path} can't be read: ${messageOf(error)}`);
    }
  }

  /** Something else is at the path. */
  forget(path: string): void {
    this.#found.delete(path);
  }

  list(): LayerDocument[] {
    return [...this.#found.values()];
  }

  async #takeText(path: string, entry: TarEntry): Promise<void> {
    if (!this.#hasRoomFor(path, entry, MAX_TEXT_BYTES)) return;
    const bytes = await entry.body.read();
    this.#keep({ path, text: bytes.toString('utf8').replaceAll('\0', '') });
  }

  #keep(document: LayerDocument): void {
    const { packages, foundCharacters } = this.#limits;
    if ('packages' in document) this.#packages += document.packages.length;
    this.#characters += charactersOf(document);
    if (this.#packages > packages) this.#reason = `The layer has more than ${packages} packages.`;
    else if (this.#characters > foundCharacters) {
      this.#reason = `What is found in the layer has more than ${foundCharacters} characters.`;
    } else this.#found.set(document.path, document);
  }

  async #readerOf(path: string, { body, mode, size }: TarEntry): Promise<DocumentReader | null> {
    const byPath = this.#readers.find((reader) => reader.recognises(path));
    if (byPath !== undefined) return byPath;
    if ((mode & 0o111) === 0 || size === 0) return null;
    const head = await body.peek(HEAD_SIZE);
    return this.#readers.find((reader) => reader.recognisesContent?.(head) === true) ?? null;
  }

  #hasRoomFor(path: string, { size, isSparse }: TarEntry, maxBytes: number): boolean {
    if (this.#reason !== null) return false;
    if (isSparse) this.#notes.add(`${path} is not read: it is stored as a sparse file.`);
    else if (size > maxBytes)
      this.#notes.add(`${path} is not read: it has ${size} bytes, and ${maxBytes} are read at most.`);
    if (isSparse || size > maxBytes) return false;
    this.#read++;
    this.#bytes += size;
    const { documents, documentsBytes } = this.#limits;
    if (this.#read > documents) this.#reason = `The layer has more than ${documents} files that may tell of packages.`;
    else if (this.#bytes > documentsBytes) {
      this.#reason = `The layer has files that may tell of packages of more than ${documentsBytes} bytes together.`;
    }
    return this.#reason === null;
  }
}

const MAX_TEXT_BYTES = 64 * 1024;

function charactersOf(document: LayerDocument): number {
  if ('text' in document) return document.text.length;
  return document.packages.reduce(
    (sum, { name, version, purl, licenses }) => sum + [name, version, purl, ...licenses].join('').length,
    0,
  );
}
