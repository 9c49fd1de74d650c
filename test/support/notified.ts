import { setTimeout as pause } from 'node:timers/promises';
import { listen, type Channel } from '../../src/catalog/events.ts';
import type { Database } from '../../src/catalog/database.ts';

/** Hears a channel from now on. */
export async function notifiedIds(database: Database, channel: Channel) {
  const ids: number[] = [];
  const client = database.client();
  // A test that fails drops the database under it.
  client.on('error', () => undefined);
  await client.connect();
  await listen(client, channel, (id) => ids.push(id));
  return {
    /** Waits until that many were heard; the test's time is the limit. */
    async until(count: number): Promise<void> {
      while (ids.length < count) await pause(5);
    },
    close: () => client.end(),
  };
}
