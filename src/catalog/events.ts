import type pg from 'pg';
import type { Connection } from './database.ts';

/** What processes tell each other through the database; the payload is the id of the run, the registry, the manifest. */
export type Channel = 'stowage_sync_cancelled' | 'stowage_registry_changed' | 'stowage_manifest_deleted';

/** Sent when the transaction commits. */
export async function notify(connection: Connection, channel: Channel, id: number): Promise<void> {
  await connection.run(`/* catalog.notify */ select pg_notify($1, $2::text)`, [channel, String(id)]);
}

/** As `notify`, once for each id. */
export async function notifyEach(connection: Connection, channel: Channel, ids: readonly number[]): Promise<void> {
  await connection.run(`/* catalog.notifyEach */ select pg_notify($1, id::text) from unnest($2::int[]) as id`, [
    channel,
    ids,
  ]);
}

/** Hears a channel on a connection that is kept for it. */
export async function listen(client: pg.ClientBase, channel: Channel, onId: (id: number) => void): Promise<void> {
  client.on('notification', (message) => {
    if (message.channel === channel) onId(Number(message.payload));
  });
  await client.query(`listen ${channel}`);
}
