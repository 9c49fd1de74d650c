/** What a test says of an entry; the rest is as tools write it. */
export interface TarFields {
  readonly name: string;
  /** 0 (a file) when not given. */
  readonly type?: string;
  readonly body?: Uint8Array | string;
  /** That of the body when not given. */
  readonly size?: number;
  readonly linkName?: string;
  readonly mode?: number;
}

/** A tar of these entries, with what ends it. */
export function tarOf(entries: readonly TarFields[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(2 * BLOCK)]);
}

/** The header and the body of an entry. */
export function tarEntry({ name, type = '0', body = '', size, linkName = '', mode = 0o644 }: TarFields): Buffer {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size ?? bytes.length, 11), 124);
  header.write(type, 156);
  header.write(linkName, 157, 100);
  header.write('ustar\x0000', 257);
  return Buffer.concat([sealed(header), bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

/** With its checksum. */
export function sealed(header: Buffer): Buffer {
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}

/** An extended header, as POSIX has it, for the entry after it. */
export function paxEntry(records: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`);
    let length = rest + 1;
    while (length !== rest + String(length).length) length = rest + String(length).length;
    return `${length} ${key}=${value}\n`;
  });
  return tarEntry({ name: 'PaxHeaders/x', type: 'x', body: lines.join('') });
}

const BLOCK = 512;

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
