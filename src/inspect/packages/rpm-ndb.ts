import { RegistryError } from '../../domain/errors.ts';

const DATABASE = magic('RpmP');
const SLOT = magic('Slot');
const BLOB = magic('BlbS');
const PAGE_SIZE = 4096;
const SLOT_SIZE = 16;
/** The first two slots are the header of the database. */
const FIRST_SLOT = 2;
const BLOCK_SIZE = 16;

/**
 * The headers of packages in RPM's own "new" database, as SUSE has it. Throws MALFORMED.
 * https://github.com/rpm-software-management/rpm/blob/master/lib/backend/ndb/rpmpkg.c
 */
export function* ndbHeaders(bytes: Uint8Array, path: string): Generator<Uint8Array> {
  const database = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (database.length < PAGE_SIZE || database.readUInt32LE(0) !== DATABASE) {
    throw new RegistryError('MALFORMED', `${path} is no database of RPM`);
  }
  const end = Math.min(database.readUInt32LE(12) * PAGE_SIZE, database.length);
  let left = database.length;
  for (let slot = FIRST_SLOT * SLOT_SIZE; slot + SLOT_SIZE <= end; slot += SLOT_SIZE) {
    const index = database.readUInt32LE(slot + 4);
    if (database.readUInt32LE(slot) !== SLOT || index === 0) continue;
    const header = blobAt(database, database.readUInt32LE(slot + 8) * BLOCK_SIZE, index);
    left -= header?.length ?? 0;
    if (header === null || left < 0)
      throw new RegistryError('MALFORMED', `${path} has no package ${index} in its place`);
    yield header;
  }
}

function blobAt(database: Buffer, at: number, index: number): Uint8Array | null {
  const start = at + BLOCK_SIZE;
  if (start > database.length || database.readUInt32LE(at) !== BLOB || database.readUInt32LE(at + 4) !== index)
    return null;
  const size = database.readUInt32LE(at + 12);
  return start + size > database.length ? null : database.subarray(start, start + size);
}

function magic(text: string): number {
  return Buffer.from(text).readUInt32LE();
}
