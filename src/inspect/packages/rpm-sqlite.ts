import { constants, DatabaseSync } from 'node:sqlite';
import { RegistryError, messageOf } from '../../domain/errors.ts';

const HEADER_SIZE = 100;
/** Where the file says by which form of journal it is written, and read. */
const JOURNAL_VERSIONS = [18, 19];
const ROLLBACK = 1;

/**
 * The headers of packages in RPM's SQLite database. It is opened in memory, and may be asked for the one table alone:
 * what else its schema says, a view or a computed column, is never run. Throws MALFORMED.
 */
export function* sqliteHeaders(bytes: Uint8Array, path: string): Generator<Uint8Array> {
  if (bytes.length < HEADER_SIZE) throw malformed(path, 'it is too short');
  const copy = new Uint8Array(bytes);
  // In memory there can be no log beside it; a database that was closed has none.
  for (const at of JOURNAL_VERSIONS) copy[at] = ROLLBACK;
  const database = new DatabaseSync(':memory:', { limits: { length: bytes.length } });
  try {
    database.deserialize(copy);
    database.setAuthorizer((action, table) =>
      action === constants.SQLITE_SELECT || (action === constants.SQLITE_READ && READABLE.has(table ?? ''))
        ? constants.SQLITE_OK
        : constants.SQLITE_DENY,
    );
    const isTable = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'Packages'").get();
    if (!isTable) throw malformed(path, 'it has no table Packages');
    let left = bytes.length;
    for (const { blob } of database.prepare('SELECT blob FROM Packages').iterate()) {
      if (!(blob instanceof Uint8Array)) throw malformed(path, 'it has a package without a header');
      left -= blob.length;
      if (left < 0) throw malformed(path, 'its pages lead in a circle');
      yield blob;
    }
  } catch (error) {
    throw error instanceof RegistryError ? error : malformed(path, messageOf(error), error);
  } finally {
    database.close();
  }
}

const READABLE: ReadonlySet<string> = new Set(['sqlite_master', 'sqlite_schema', 'Packages']);

function malformed(path: string, what: string, cause?: unknown): RegistryError {
  return new RegistryError('MALFORMED', `${path} is no database that can be read: ${what}`, { cause });
}
