import type { Connection } from '../database.ts';
import { LOCK_SPACES } from '../lock.ts';

/** One writer of containers at a time: what it counts and the order of its events depend on no other. */
export async function lockContainers(connection: Connection): Promise<void> {
  await connection.run('/* catalog.lockContainers */ select pg_advisory_xact_lock($1::int, 0)', [
    LOCK_SPACES.containers,
  ]);
}
