import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Connection, Database } from './database.ts';

/**
 * What processes tell each other through the database; the payload is the id of what the channel is named after. Those
 * named like a table are sent by its triggers, for every row that changes: the last id where many do.
 */
export type Channel =
  | 'stowage_sync_cancelled'
  | 'stowage_registry_changed'
  | 'stowage_host_pace'
  | 'stowage_manifest_deleted'
  | 'stowage_tag_event'
  | 'stowage_container_event'
  | 'stowage_runtime_changed'
  | 'stowage_inspection_queued'
  | 'stowage_sync_run';

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

/** Who hears a channel for as long as the process lives, though its connection may break. */
export interface Ear {
  readonly channel: Channel;
  /**
   * An id was sent; or null: the channel is heard from now on, and what was sent before may have been missed. Called
   * again with null after a while when it rejects.
   */
  hear(id: number | null): Promise<void>;
}

export interface Listener {
  close(): Promise<void>;
}

export interface ListenerSettings {
  readonly database: Database;
  readonly ears: readonly Ear[];
  /** Told what the connection broke of, and what an ear rejected with. */
  readonly onFault: (fault: unknown) => void;
}

/** Listens on one connection of its own, and on the next when that breaks. */
export function openListener({ database, ears, onFault }: ListenerSettings): Listener {
  const closing = new AbortController();
  const { signal } = closing;
  const mistaken = new Set<Ear>();

  /** One that rejected is told once that it may have missed something, however much comes meanwhile. */
  async function tell(ear: Ear, id: number | null): Promise<void> {
    try {
      await ear.hear(id);
    } catch (error) {
      if (signal.aborted || mistaken.has(ear)) return;
      onFault(error);
      mistaken.add(ear);
      await rest(RETRY_MS, signal);
      mistaken.delete(ear);
      if (!signal.aborted) await tell(ear, null);
    }
  }

  async function keepListening(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await listenOn(database.client(), ears, signal, async (ear, id) => {
          failures = 0;
          await tell(ear, id);
        });
      } catch (error) {
        if (!signal.aborted) onFault(error);
      }
      await rest(PAUSES_MS[Math.min(failures++, PAUSES_MS.length - 1)] ?? 0, signal);
    }
  }

  const ended = keepListening();
  return {
    async close() {
      closing.abort();
      await ended;
    },
  };
}

/** Until the connection breaks, which rejects, or the signal ends it. */
async function listenOn(
  client: pg.Client,
  ears: readonly Ear[],
  signal: AbortSignal,
  tell: (ear: Ear, id: number | null) => Promise<void>,
): Promise<void> {
  const over = Promise.withResolvers<void>();
  const stop = () => over.resolve();
  signal.addEventListener('abort', stop);
  client.on('error', over.reject).on('end', () => over.reject(new Error('The connection that listens has ended.')));
  // A peer that is gone without a word is not noticed by waiting.
  const beat = setInterval(() => void client.query(HEARTBEAT).catch(over.reject), HEARTBEAT_MS);

  async function begin(): Promise<void> {
    await client.connect();
    for (const ear of ears) await listen(client, ear.channel, (id) => void tell(ear, id));
    for (const ear of ears) void tell(ear, null);
  }
  try {
    begin().catch(over.reject);
    await over.promise;
  } finally {
    clearInterval(beat);
    signal.removeEventListener('abort', stop);
    // A server that is gone does not say goodbye.
    await Promise.race([client.end().catch(() => undefined), pause(FAREWELL_MS, undefined, { ref: false })]);
  }
}

const PAUSES_MS = [100, 500, 2_000, 5_000];
const FAREWELL_MS = 500;
const RETRY_MS = 1_000;
const HEARTBEAT_MS = 30_000;
const HEARTBEAT = { text: 'select', query_timeout: 10_000 };

/** Ends early when the signal does. */
async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  await pause(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
