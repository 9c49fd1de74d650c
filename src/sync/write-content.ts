import type { Connection } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { RegistryError } from '../domain/errors.ts';
import type { Collection } from './collect-manifests.ts';
import type { Look } from './look.ts';

/**
 * Writes content, and behind it, in the same transaction, what `writeNames` writes that leads to it: names come last.
 * Rejects with UNAVAILABLE, and writes nothing, where some of what it relies on was deleted since it was collected.
 */
export async function writeContent<T>(
  look: Look,
  { contents, relied }: Pick<Collection, 'contents' | 'relied'>,
  writeNames: (connection: Connection, at: Date) => Promise<T>,
): Promise<T> {
  look.manifestsFetched += contents.length;
  const { database, now } = look.sync;
  const at = now();
  return database.transaction(async (transaction) => {
    const [isWhole, { written, images }] = await Promise.all([
      catalog.shareContent(transaction, relied),
      catalog.recordManifests(transaction, contents, at),
    ]);
    if (!isWhole) throw deletedMeanwhile();
    const counted = catalog.countImages(transaction, images);
    const named = writeNames(transaction, at);
    const [result] = await Promise.all([named, written, counted, transaction.commit()]);
    return result;
  });
}

/** What the catalog had when it was looked at: the next look fetches it. */
function deletedMeanwhile(): RegistryError {
  return new RegistryError('UNAVAILABLE', 'what it consists of was deleted from the catalog while it was read');
}
