import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';

/** One request that is expected, and what it is answered with. */
export interface Entry {
  /** `GET /v2/a/tags/list?n=1000` */
  readonly request: string;
  /** Headers by which it is told from others with the same method and path. */
  readonly when?: Readonly<Record<string, string>>;
  /** Headers that the request must have, as they are or in this form; null: must not have. */
  readonly having?: Readonly<Record<string, string | RegExp | null>>;
  /** Text that the request's body must be, or an object that it must be as JSON, whatever the order of its members. */
  readonly sending?: string | object;
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
    const line0 = table.find(({ entry, left }) => left > 0 && entry.request === line && isMeant(entry, request));
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

function isMeant({ when = {} }: Entry, { headers }: IncomingMessage): boolean {
  return Object.entries(when).every(([name, value]) => headers[name] === value);
}

async function answer(
  entry: Entry,
  request: IncomingMessage,
  response: ServerResponse,
  fault: (text: string) => void,
): Promise<void> {
  for (const [name, value] of Object.entries(entry.having ?? {})) {
    const sent = request.headers[name] ?? null;
    const isRight = value instanceof RegExp ? value.test(String(sent)) : sent === value;
    if (!isRight) fault(`header ${name} is ${String(sent)}, expected ${String(value)}`);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const { sending } = entry;
  if (typeof sending === 'string' && text !== sending) fault(`body is ${text}, expected ${sending}`);
  if (typeof sending === 'object' && !isDeepStrictEqual(JSON.parse(text), sending)) {
    fault(`body is ${text}, expected ${JSON.stringify(sending)}`);
  }
  if (entry.answer) {
    entry.answer(response, request);
    return;
  }
  const { status = 200, headers = {}, body = '' } = entry;
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  response.writeHead(status, { ...(isRaw ? {} : { 'content-type': 'application/json' }), ...headers });
  response.end(isRaw ? body : JSON.stringify(body));
}
