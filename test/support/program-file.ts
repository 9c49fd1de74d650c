import { pack } from './pack.ts';

/** An ELF file with one section besides that of names. */
export function elf(section: string, bytes: Uint8Array, { is64 = true, isBig = false } = {}): Buffer {
  const names = Buffer.from(`\0.shstrtab\0${section}\0`);
  const word = is64 ? 8 : 4;
  const headerSize = is64 ? 64 : 52;
  const sectionSize = is64 ? 64 : 40;
  const table = headerSize + names.length + bytes.length;
  const ident = Buffer.from([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, isBig ? 2 : 1, 1, ...Array<number>(9).fill(0)]);
  const header = pack(
    `224${word}${word}${word}4222222`,
    [2, 62, 1, 0, 0, table, 0, headerSize, 0, 0, sectionSize, 3, 1],
    isBig,
  );
  const entry = (name: number, start: number, size: number) =>
    pack(`44${word}${word}${word}${word}44${word}${word}`, [name, 1, 0, 0, start, size, 0, 0, 0, 0], isBig);
  return Buffer.concat([
    ident,
    header,
    names,
    bytes,
    entry(0, 0, 0),
    entry(1, headerSize, names.length),
    entry(11, headerSize + names.length, bytes.length),
  ]);
}

/** A program of Windows with one section. */
export function pe(section: string, bytes: Uint8Array): Buffer {
  const stub = Buffer.alloc(0x40);
  stub.write('MZ');
  stub.writeUInt32LE(0x40, 0x3c);
  const start = 0x40 + 24 + 40;
  const padding = Buffer.alloc(512 - (bytes.length % 512));
  return Buffer.concat([
    stub,
    Buffer.from('PE\0\0'),
    pack('2244422', [0x8664, 1, 0, 0, 0, 0, 0]),
    Buffer.from(section.padEnd(8, '\0')),
    pack('44444444', [bytes.length, 0, bytes.length + padding.length, start, 0, 0, 0, 0]),
    bytes,
    padding,
  ]);
}

/** A program of macOS with one section. */
export function machO(section: string, bytes: Uint8Array): Buffer {
  const start = 32 + 8 + 72 + 80;
  return Buffer.concat([
    pack('44444444', [0xfeedfacf, 0, 0, 2, 2, 0, 0, 0]),
    pack('44', [0x32, 8]),
    pack('44', [0x19, 72 + 80]),
    Buffer.from('__DATA'.padEnd(16, '\0')),
    pack('88884444', [0, 0, start, bytes.length, 0, 0, 1, 0]),
    Buffer.from(section.padEnd(16, '\0')),
    Buffer.from('__DATA'.padEnd(16, '\0')),
    pack('8844444444', [0, bytes.length, start, 0, 0, 0, 0, 0, 0, 0]),
    bytes,
  ]);
}

/** What the linker of Go writes; the caller puts it at a multiple of 16. */
export function goBuildInfo(goVersion: string, modules: string): Buffer {
  const frame = 'f'.repeat(16);
  const text = (value: string) => {
    const length: number[] = [];
    for (let rest = Buffer.byteLength(value); ; rest >>>= 7) {
      length.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
      if (rest < 0x80) break;
    }
    return Buffer.concat([Buffer.from(length), Buffer.from(value)]);
  };
  const header = Buffer.concat([Buffer.from('\xff Go buildinf:', 'latin1'), Buffer.from([8, 2]), Buffer.alloc(16)]);
  return Buffer.concat([header, text(goVersion), text(`${frame}${modules}${frame}`)]);
}
