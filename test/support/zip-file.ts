import { crc32, deflateRawSync } from 'node:zlib';
import { pack } from './pack.ts';

export interface ZipFile {
  readonly name: string;
  readonly bytes: Uint8Array | string;
  /** Not packed where true. */
  readonly isStored?: boolean;
  /** What the directory says of the size, where that is not the truth. */
  readonly claimedSize?: number;
}

export interface ZipOptions {
  /** What stands before the archive. */
  readonly before?: string;
  /** Sizes and places with 8 bytes. */
  readonly isZip64?: boolean;
}

/** An archive of these files, well-formed but for what they claim. */
export function zip(files: readonly ZipFile[], { before = '', isZip64 = false }: ZipOptions = {}): Buffer {
  const short = (value: number) => (isZip64 ? 0xffffffff : value);
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let place = 0;
  for (const { name, bytes, isStored = false, claimedSize } of files) {
    const data = Buffer.from(bytes as string);
    const packed = isStored ? data : deflateRawSync(data);
    const method = isStored ? 0 : 8;
    const size = claimedSize ?? data.length;
    const start = Buffer.concat([
      pack('4222444422', [0x04034b50, 20, 0, method, 0, crc32(data), packed.length, size, name.length, 0]),
      Buffer.from(name),
      packed,
    ]);
    local.push(start);
    const extra = isZip64 ? pack('22888', [1, 24, size, packed.length, place]) : Buffer.alloc(0);
    central.push(
      pack('422224444', [0x02014b50, 20, 20, 0, method, 0, crc32(data), short(packed.length), short(size)]),
      pack('2222244', [name.length, extra.length, 0, 0, 0, 0, short(place)]),
      Buffer.from(name),
      extra,
    );
    place += start.length;
  }
  const directory = Buffer.concat(central);
  const count = files.length;
  const end64 = isZip64
    ? Buffer.concat([
        pack('4822448888', [0x06064b50, 44, 45, 45, 0, 0, count, count, directory.length, place]),
        pack('4484', [0x07064b50, 0, place + directory.length, 1]),
      ])
    : Buffer.alloc(0);
  const listed = count % 65536;
  const end = pack('42222442', [0x06054b50, 0, 0, listed, listed, short(directory.length), short(place), 0]);
  return Buffer.concat([Buffer.from(before), ...local, directory, end64, end]);
}
