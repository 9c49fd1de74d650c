import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** One request that is expected, and what it is answered with. */
export interface Entry {
  /** `GET /v2/a/tags/list?n=1000` */
  readonly request: string;
  /** Headers that the request must have; null: must not have. */
  readonly having?: Readonly<Record<string, string | null>>;
  /** Text that the request's body must be. */
  readonly sending?: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Objects are sent as JSON. */
  readonly body?: string | Uint8Array | object;
  /** Answers by hand instead. */
  readonly answer?: (response: ServerResponse, request: IncomingMessage) => void;
  /** How many such requests are expected; `any` may also be none. */
  readonly times?: number | 'any';
}

export interface ScriptedServer {
  readonly url: URL;
  /** Every request that came, as `METHOD path`. */
  readonly requests: string[];
  /** Expects more. */
  script(...entries: Entry[]): void;
  /** Throws for what was not expected and for what did not come. */
  verify(): void;
  close(): Promise<void>;
}

/** A server on loopback that knows what it will be asked. An entry is used up in the order of the table. */
export async function startScriptedServer(...entries: Entry[]): Promise<ScriptedServer> {
  const table: { entry: Entry; left: number }[] = [];
  const requests: string[] = [];
  const faults: string[] = [];
  const script = (...more: Entry[]) => {
    for (const entry of more) table.push({ entry, left: entry.times === 'any' ? Infinity : (entry.times ?? 1) });
  };
  script(...entries);

  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    requests.push(line);
    const line0 = table.find(({ entry, left }) => left > 0 && entry.request === line);
    if (!line0) {
      faults.push(`unexpected: ${line}`);
      response.writeHead(599).end();
      return;
    }
    line0.left--;
    void answer(line0.entry, request, response, (fault) => faults.push(`${line}: ${fault}`));
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: new URL(`http://127.0.0.1:${port}`),
    requests,
    script,
    verify() {
      const missing = table.filter(({ entry, left }) => entry.times !== 'any' && left > 0);
      const all = [...faults, ...missing.map(({ entry }) => `never came: ${entry.request}`)];
      if (all.length > 0) throw new Error(`the script was not kept\n${all.join('\n')}`);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(
  entry: Entry,
  request: IncomingMessage,
  response: ServerResponse,
  fault: (text: string) => void,
): Promise<void> {
  for (const [name, value] of Object.entries(entry.having ?? {})) {
    const sent = request.headers[name] ?? null;
    if (sent !== value) fault(`header ${name} is ${String(sent)}, expected ${String(value)}`);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  if (entry.sending !== undefined && text !== entry.sending) fault(`body is ${text}, expected ${entry.sending}`);
  if (entry.answer) {
    entry.answer(response, request);
    return;
  }
  const { status = 200, headers = {}, body = '' } = entry;
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  response.writeHead(status, { ...(isRaw ? {} : { 'content-type': 'application/json' }), ...headers });
  response.end(isRaw ? body : JSON.stringify(body));
}
