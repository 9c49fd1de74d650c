/** Whether a file that begins like this is a program: ELF, Mach-O for one architecture, or PE. */
export function isExecutable(head: Uint8Array): boolean {
  return formatOf(head) !== null;
}

/** The bytes of the first section of that name; null where there is none, or where the file does not hold it. */
export function sectionOf(program: Uint8Array, name: string): Uint8Array | null {
  const format = formatOf(program);
  if (format === null) return null;
  try {
    for (const section of format.sections(new Fields(program, format.isLittleEndian))) {
      if (section.name !== name) continue;
      const bytes = program.subarray(section.start, section.start + section.size);
      return bytes.length === section.size ? bytes : null;
    }
  } catch (error) {
    // A place outside of the file, in a program that was cut or made up.
    if (!(error instanceof RangeError)) throw error;
  }
  return null;
}

interface Section {
  readonly name: string;
  readonly start: number;
  readonly size: number;
}

interface Format {
  readonly isLittleEndian: boolean;
  sections(fields: Fields): Iterable<Section>;
}

function formatOf(bytes: Uint8Array): Format | null {
  if (bytes.length < 64) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = view.getUint32(0);
  if (magic === 0x7f454c46) {
    const is64 = bytes[4] === 2;
    return { isLittleEndian: bytes[5] !== 2, sections: (fields) => sectionsOfElf(fields, is64) };
  }
  if (magic === 0xcffaedfe || magic === 0xcefaedfe) {
    return { isLittleEndian: true, sections: (fields) => sectionsOfMachO(fields, magic === 0xcffaedfe) };
  }
  return magic >>> 16 === 0x4d5a ? { isLittleEndian: true, sections: sectionsOfPe } : null;
}

/** Numbers and names at their places; a RangeError where there is no such place. */
class Fields {
  readonly #view: DataView;
  readonly #isLittleEndian: boolean;

  constructor(bytes: Uint8Array, isLittleEndian: boolean) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#isLittleEndian = isLittleEndian;
  }

  short(at: number): number {
    return this.#view.getUint16(at, this.#isLittleEndian);
  }

  int(at: number): number {
    return this.#view.getUint32(at, this.#isLittleEndian);
  }

  /** Of 8 bytes or 4. Places beyond 2^53 are rounded, and nowhere in a file. */
  word(at: number, is64: boolean): number {
    return is64 ? Number(this.#view.getBigUint64(at, this.#isLittleEndian)) : this.int(at);
  }

  /** Up to a zero, or the length. */
  name(at: number, length = MAX_NAME): string {
    let text = '';
    for (let byte = this.#view.getUint8(at); byte !== 0; byte = this.#view.getUint8(at + text.length)) {
      text += String.fromCharCode(byte);
      if (text.length === length) break;
    }
    return text;
  }
}

/** Longer than the names that are looked for. */
const MAX_NAME = 16;

/** https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.sheader.html */
function* sectionsOfElf(fields: Fields, is64: boolean): Generator<Section> {
  const table = fields.word(is64 ? 0x28 : 0x20, is64);
  const counts = is64 ? 0x3a : 0x2e;
  const size = fields.short(counts);
  const count = fields.short(counts + 2);
  const wordSize = is64 ? 8 : 4;
  const place = (index: number) => fields.word(table + index * size + 8 + 2 * wordSize, is64);
  const names = place(fields.short(counts + 4));
  for (let index = 0; index < count; index++) {
    yield {
      name: fields.name(names + fields.int(table + index * size)),
      start: place(index),
      size: fields.word(table + index * size + 8 + 3 * wordSize, is64),
    };
  }
}

/** https://learn.microsoft.com/windows/win32/debug/pe-format#section-table-section-headers */
function* sectionsOfPe(fields: Fields): Generator<Section> {
  const header = fields.int(0x3c);
  const count = fields.short(header + 6);
  const table = header + 24 + fields.short(header + 20);
  for (let at = table; at < table + count * 40; at += 40) {
    // What is in the file is padded, and may be more than what is loaded.
    const size = Math.min(fields.int(at + 8), fields.int(at + 16));
    yield { name: fields.name(at, 8), start: fields.int(at + 20), size };
  }
}

const SEGMENT_32 = 0x1;
const SEGMENT_64 = 0x19;

/** https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h */
function* sectionsOfMachO(fields: Fields, is64: boolean): Generator<Section> {
  const count = fields.int(16);
  let at = is64 ? 32 : 28;
  for (let command = 0; command < count; command++) {
    if (fields.int(at) === (is64 ? SEGMENT_64 : SEGMENT_32)) yield* sectionsOfSegment(fields, at, is64);
    at += Math.max(fields.int(at + 4), 8);
  }
}

function* sectionsOfSegment(fields: Fields, segment: number, is64: boolean): Generator<Section> {
  const [headerSize, size] = is64 ? [72, 80] : [56, 68];
  const end = segment + fields.int(segment + 4);
  for (let at = segment + headerSize; at + size <= end; at += size) {
    yield {
      name: fields.name(at, 16),
      start: fields.int(at + (is64 ? 48 : 40)),
      size: fields.word(at + (is64 ? 40 : 36), is64),
    };
  }
}
