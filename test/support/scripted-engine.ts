import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Document = Record<string, unknown>;
type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** What an engine has. Tests change it while it answers. */
export interface EngineState {
  version: Document;
  info: Document;
  /** Entries of /containers/json. */
  containers: Document[];
  /** By id, what /containers/{id}/json has, or the status that it is answered with; 404 for others. */
  inspected: Record<string, Document | number>;
  /** Entries of /images/json. */
  images: Document[];
  /** By id, what /images/{id}/json has, and the history of it. */
  inspectedImages: Record<string, Document>;
  histories: Record<string, Document[]>;
  /** Paths that a proxy before the engine does not let through. */
  refused: RegExp | null;
  /** Paths that are answered by hand. */
  byHand: Record<string, Answer>;
}

export interface ScriptedEngine {
  readonly endpoint: string;
  readonly state: EngineState;
  /** Every request that came, as path and query: /v1.47/containers/json?all=1 */
  readonly requests: string[];
  /** Sends to all who listen, as it is where it is text. */
  tell(...events: (Document | string)[]): void;
  /** Resolves when nobody listens any more. */
  deserted(): Promise<void>;
  /** Ends what it tells to those who listen. */
  hangUp(): void;
  close(): Promise<void>;
}

export interface EngineOptions extends Partial<EngineState> {
  /** On loopback with TLS rather than on a socket; null: without. */
  readonly tcp?: ServerOptions | null;
}

/** An engine that has what it is told to have. */
export async function startScriptedEngine({ tcp, ...given }: EngineOptions = {}): Promise<ScriptedEngine> {
  const state: EngineState = {
    version: { Version: '27.5.1', ApiVersion: '1.47', MinAPIVersion: '1.24', Os: 'linux', Arch: 'amd64' },
    info: { Driver: 'overlay2', DriverStatus: [['Backing Filesystem', 'extfs']] },
    containers: [],
    inspected: {},
    images: [],
    inspectedImages: {},
    histories: {},
    refused: null,
    byHand: {},
    ...given,
  };
  const requests: string[] = [];
  const listeners = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  const handle: RequestListener = (request, response) => {
    requests.push(request.url ?? '');
    answer(state, listeners, request, response);
  };
  const server = tcp ? createTlsServer(tcp, handle) : createServer(handle);
  server.on(tcp ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
  });
  const folder = await mkdtemp(join(tmpdir(), 'stowage-engine-'));
  if (tcp === undefined) server.listen(join(folder, 'engine.sock'));
  else server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    endpoint:
      tcp === undefined
        ? `unix://${join(folder, 'engine.sock')}`
        : `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    requests,
    tell(...events) {
      const text = events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event))).join('');
      for (const listener of listeners) listener.write(text);
    },
    async deserted() {
      for (const listener of listeners) await once(listener, 'close');
    },
    hangUp() {
      for (const listener of listeners) listener.end();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function answer(
  state: EngineState,
  listeners: Set<ServerResponse>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const url = new URL(request.url ?? '', 'http://engine');
  const path = url.pathname.replace(/^\/v[\d.]+/, '');
  const send = (status: number, document: unknown) => {
    response.writeHead(status, {
      'content-type': 'application/json',
      'api-version': String(state.version['ApiVersion']),
    });
    response.end(JSON.stringify(document));
  };
  const found = (document: unknown) =>
    document === undefined ? send(404, { message: `No such thing: ${path}` }) : send(200, document);
  if (state.refused?.test(path)) return void response.writeHead(403).end('<html>Forbidden by a proxy</html>');
  const byHand = state.byHand[path];
  if (byHand) return byHand(response, request);

  const [, noun, id = ''] = path.split('/');
  if (path === '/version') return send(200, state.version);
  if (path === '/info') return send(200, state.info);
  if (path === '/_ping') return send(200, 'OK');
  if (path === '/containers/json') return send(200, containersOf(state, url));
  if (path === '/images/json') return send(200, state.images);
  if (path === '/events') {
    listeners.add(response.on('close', () => listeners.delete(response)));
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    return;
  }
  if (noun === 'containers' && path.endsWith('/json')) {
    const inspected = state.inspected[id];
    return typeof inspected === 'number' ? send(inspected, { message: 'it is on its way out' }) : found(inspected);
  }
  if (noun === 'images') return found((path.endsWith('/history') ? state.histories : state.inspectedImages)[id]);
  found(undefined);
}

function containersOf({ containers }: EngineState, { searchParams }: URL): Document[] {
  const { id } = JSON.parse(searchParams.get('filters') ?? '{}') as { id?: string[] };
  const listed = searchParams.get('all') === '1' ? containers : containers.filter(({ State }) => State === 'running');
  return id ? listed.filter(({ Id }) => id.includes(Id as string)) : listed;
}
