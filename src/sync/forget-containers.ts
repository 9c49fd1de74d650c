import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';

/** How long a container is remembered that is no more. */
const REMEMBERED_MS = 90 * 24 * 60 * 60_000;

/** Forgets what was removed long ago, a bounded part of it at a time, and images of engines that have them no more. */
export async function forgetContainers(database: Database, now: Date): Promise<void> {
  const before = new Date(now.getTime() - REMEMBERED_MS);
  await database.transaction((connection) => catalog.forgetContainers(connection, before));
  // Whoever holds the content keeps all others from writing.
  if ((await catalog.staleLocalImages(database)).length === 0) return;
  await database.transaction(async (connection) => {
    await catalog.holdContent(connection);
    await catalog.forgetLocalImages(connection, now);
  });
}
