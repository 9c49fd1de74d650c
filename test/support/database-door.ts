import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A door to the test server that can be shut and opened again, as if the server had gone and come back. */
export interface DatabaseDoor {
  /** The given database, by way of the door. */
  readonly url: string;
  /** Ends every connection and refuses new ones. */
  shut(): Promise<void>;
  open(): Promise<void>;
  /** Shuts it for good. */
  remove(): Promise<void>;
}

/** The test server listens on a Unix socket, so the door is another such socket. */
export async function createDatabaseDoor(databaseUrl: string): Promise<DatabaseDoor> {
  const url = new URL(databaseUrl);
  const name = `.s.PGSQL.${url.port || '5432'}`;
  const target = join(url.searchParams.get('host') ?? '', name);
  const directory = await mkdtemp(join(tmpdir(), 'stowage-door-'));
  url.searchParams.set('host', directory);

  const sockets = new Set<Socket>();
  const server = createServer((client) => link(client, connect(target), sockets));
  const open = async () => void (await once(server.listen(join(directory, name)), 'listening'));
  const shut = async () => {
    const closed = once(server.close(), 'close');
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await open();
  return {
    url: url.href,
    shut,
    open,
    async remove() {
      if (server.listening) await shut();
      await rm(directory, { recursive: true });
    },
  };
}

function link(client: Socket, target: Socket, sockets: Set<Socket>): void {
  for (const socket of [client, target]) {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      client.destroy();
      target.destroy();
    });
  }
  client.pipe(target).pipe(client);
}
