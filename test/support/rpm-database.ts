import { DatabaseSync } from 'node:sqlite';
import { pack } from './pack.ts';

/** Tags of RPM with a text, or a number. */
export function rpmHeader(tags: Readonly<Record<number, string | number>>): Buffer {
  const index: Buffer[] = [];
  const data: Buffer[] = [];
  let place = 0;
  for (const [tag, value] of Object.entries(tags)) {
    const bytes = typeof value === 'number' ? pack('4', [value], true) : Buffer.from(`${value}\0`);
    index.push(pack('4444', [Number(tag), typeof value === 'number' ? 4 : 6, place, 1], true));
    data.push(bytes);
    place += bytes.length;
  }
  return Buffer.concat([pack('44', [index.length, place], true), ...index, ...data]);
}

/** The form of SUSE. */
export function ndb(headers: readonly Uint8Array[]): Buffer {
  const database = Buffer.alloc(4096);
  pack('44444', [0x506d7052, 0, 1, 1, headers.length + 1]).copy(database);
  const blobs: Buffer[] = [];
  let block = 4096 / 16;
  headers.forEach((header, at) => {
    const blob = Buffer.concat([
      pack('4444', [0x53626c42, at + 1, 1, header.length]),
      header,
      pack('444', [0, 0, 0x45626c42]),
    ]);
    const blocks = Math.ceil(blob.length / 16);
    pack('4444', [0x746f6c53, at + 1, block, blocks]).copy(database, 32 + 16 * at);
    blobs.push(blob, Buffer.alloc(blocks * 16 - blob.length));
    block += blocks;
  });
  return Buffer.concat([database, ...blobs]);
}

/** Pages of 512 bytes: one of the database, one of the hash, and those of the headers, the last of which is on the page. */
export function berkeleyDb(headers: readonly Uint8Array[], { isBig = false } = {}): Buffer {
  const size = 512;
  const page = (number: number, next: number, entries: number, offset: number, type: number, body: Buffer) => {
    const head = pack('444442211', [0, 0, number, 0, next, entries, offset, 0, type], isBig);
    return Buffer.concat([head, body, Buffer.alloc(size - head.length - body.length)]);
  };
  const meta = Buffer.alloc(size);
  pack('44444411', [0, 0, 0, 0x061561, 9, size, 0, 8], isBig).copy(meta);
  const long: Buffer[] = [];
  const items: Buffer[] = [Buffer.from([1, 0, 0, 0, 0]), Buffer.from([1, 9, 0, 0, 0])];
  headers.forEach((header, at) => {
    items.push(Buffer.concat([Buffer.from([1]), pack('4', [at + 1], isBig)]));
    if (at === headers.length - 1 && header.length < 200) return items.push(Buffer.concat([Buffer.from([1]), header]));
    const first = 2 + long.length;
    const pages = Math.ceil(header.length / (size - 26));
    for (let part = 0; part < pages; part++) {
      const bytes = Buffer.from(header.subarray(part * (size - 26), (part + 1) * (size - 26)));
      const next = part === pages - 1 ? 0 : first + part + 1;
      long.push(page(first + part, next, 1, bytes.length, 7, bytes));
    }
    return items.push(pack('444', [isBig ? 0x03000000 : 3, first, header.length], isBig));
  });
  const body = Buffer.alloc(size - 26);
  let end = size;
  items.forEach((item, at) => {
    end -= item.length;
    item.copy(body, end - 26);
    pack('2', [end], isBig).copy(body, 2 * at);
  });
  return Buffer.concat([meta, page(1, 0, items.length, end, 13, body), ...long]);
}

/** A database that these statements make. */
export function sqlite(statements: string, headers: readonly Uint8Array[] = []): Uint8Array {
  const database = new DatabaseSync(':memory:');
  try {
    database.exec(statements);
    for (const header of headers) database.prepare('INSERT INTO Packages (blob) VALUES (?)').run(header);
    return database.serialize();
  } finally {
    database.close();
  }
}
