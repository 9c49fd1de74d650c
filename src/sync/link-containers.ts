import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';

/** Ties containers of unknown images to those that the catalog has by now. */
export async function linkContainers(database: Database): Promise<void> {
  let after: number | null = (await catalog.hasUnlinkedContainers(database)) ? 0 : null;
  while (after !== null) {
    const from: number = after;
    after = await database.transaction((connection) => catalog.linkContainers(connection, from));
  }
}
