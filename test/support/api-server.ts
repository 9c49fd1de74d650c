import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AUTHORITY, LOOPBACK } from './certificates.ts';

/** What is asked of a cluster, in the words of RBAC. */
export interface ApiCall {
  readonly verb: 'get' | 'list' | 'watch';
  /** With its group: pods, replicasets.apps; or a path that is no resource. */
  readonly resource: string;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly query: URLSearchParams;
}

/** Objects are sent as JSON; functions answer by hand; what is undefined is not there. */
export type ApiAnswer = object | ((response: ServerResponse) => void) | undefined;

export interface ApiServer {
  readonly url: string;
  /** A kubeconfig with the contexts test, untrusted and plain, whose token is in a file. */
  readonly kubeconfig: string;
  readonly calls: readonly ApiCall[];
  /** The only token that is taken; the file is another matter. */
  token: string;
  writeToken(token: string): Promise<void>;
  /** Breaks what is connected. */
  breakConnections(): void;
  close(): Promise<void>;
}

/** The API server of a cluster on loopback, over TLS, that knows nothing but what `answer` says. */
export async function startApiServer(answer: (call: ApiCall) => ApiAnswer): Promise<ApiServer> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-cluster-'));
  const calls: ApiCall[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(LOOPBACK, (request, response) => {
    const call = callOf(request.url ?? '');
    calls.push(call);
    const answered =
      request.headers.authorization === `Bearer ${api.token}` ? answer(call) : refusal(401, 'Unauthorized');
    if (typeof answered === 'function') answered(response);
    else if (answered === undefined) refusal(404, `${call.resource} "${call.name}" not found`)(response);
    else response.writeHead(200, JSON_TYPE).end(JSON.stringify(answered));
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const api: ApiServer = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    kubeconfig: join(folder, 'config'),
    calls,
    token: 'first-token',
    writeToken: (token) => writeFile(join(folder, 'token'), `${token}\n`),
    breakConnections() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      this.breakConnections();
      server.close();
      await once(server, 'close');
      await rm(folder, { recursive: true });
    },
  };
  await api.writeToken(api.token);
  await writeFile(api.kubeconfig, JSON.stringify(kubeconfigOf(api.url, join(folder, 'token'))));
  return api;
}

/** An answer that is no success. */
export function refusal(code: number, message: string, headers: Record<string, string> = {}) {
  return (response: ServerResponse) => {
    response.writeHead(code, { ...JSON_TYPE, ...headers });
    response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code }));
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };

function callOf(address: string): ApiCall {
  const { pathname, searchParams: query } = new URL(address, 'https://localhost');
  const parts = /^\/(?:api|apis\/([^/]+))\/v1(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?$/.exec(pathname);
  if (parts === null) return { verb: 'get', resource: pathname, namespace: null, name: null, query };
  const [, group, namespace = null, plural = '', name = null] = parts;
  const verb = query.has('watch') ? 'watch' : name === null ? 'list' : 'get';
  return { verb, resource: group === undefined ? plural : `${plural}.${group}`, namespace, name, query };
}

function kubeconfigOf(server: string, tokenFile: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'loopback',
        cluster: { server, 'certificate-authority-data': Buffer.from(AUTHORITY).toString('base64') },
      },
      { name: 'untrusted', cluster: { server } },
      { name: 'plain', cluster: { server: server.replace('https', 'http') } },
    ],
    // As the library writes it for a pod.
    users: [{ name: 'reader', user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } } }],
    contexts: ['loopback', 'untrusted', 'plain'].map((cluster) => ({
      name: cluster === 'loopback' ? 'test' : cluster,
      context: { cluster, user: 'reader' },
    })),
    'current-context': 'untrusted',
  };
}
