import type { Connection } from '../database.ts';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import { LOCKS } from '../lock.ts';

/**
 * Opens a transaction in which a sync writes of its repository: beside any number of others, and never beside one that
 * holds the content alone. False where some of these manifests, which the sync has found in the catalog before, are in
 * it no more: then nothing may be written that refers to them.
 */
export async function shareContent(connection: Connection, relied: ReadonlySet<Digest> = new Set()): Promise<boolean> {
  const shared = connection.run('/* catalog.shareContent */ select pg_advisory_xact_lock_shared($1::bigint)', [
    LOCKS.content,
  ]);
  if (relied.size === 0) {
    await shared;
    return true;
  }
  const [[found]] = await Promise.all([
    connection.run<{ count: number }>(
      '/* catalog.countRelied */ select count(*) as count from manifest where digest = any($1::bytea[])',
      [[...relied].map(digestBytes)],
    ),
    shared,
  ]);
  return found?.count === relied.size;
}

/**
 * Opens a transaction that deletes, or writes names beside a sync of their repository: it locks rows and counters in
 * whatever order, for it waits for the syncs that write, and they for it.
 */
export async function holdContent(connection: Connection): Promise<void> {
  await connection.run('/* catalog.holdContent */ select pg_advisory_xact_lock($1::bigint)', [LOCKS.content]);
}
