import { once } from 'node:events';
import { fork, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { MemoryRegistry } from './memory-registry.ts';

export interface ServedRegistry {
  /** 127.0.0.1:port */
  readonly host: string;
  /** Most requests at a time that were not answered yet. */
  readonly mostInFlight: number;
  close(): void;
}

/** What is answered in place of what the registry holds, or, where it has no status, what is added to that. */
export interface Intervention {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The distribution API over a registry in memory, so that other processes can sync it. `intervene` is told of every
 * request as it comes, as `METHOD path`; each answer takes `delayMs`.
 */
export async function serveRegistry(
  registry: MemoryRegistry,
  intervene: (line: string) => Intervention | null,
  delayMs = 0,
): Promise<ServedRegistry> {
  let inFlight = 0;
  let mostInFlight = 0;
  const server = createServer((request, response) => {
    mostInFlight = Math.max(mostInFlight, ++inFlight);
    let isDone = false;
    const done = () => {
      if (!isDone) inFlight--;
      isDone = true;
    };
    response.once('close', done);
    const { method = 'GET', url = '/' } = request;
    const { status, headers = {} } = intervene(`${method} ${url}`) ?? {};
    const answering = status === undefined ? answer(registry, method, url) : Promise.resolve({ status, ...NOTHING });
    void Promise.all([answering, sleep(delayMs)]).then(([answered]) => {
      response.writeHead(answered.status, { ...answered.headers, ...headers });
      // Whoever has the answer may send the next request before the socket is done with this one.
      done();
      response.end(method === 'HEAD' ? undefined : answered.body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get mostInFlight() {
      return mostInFlight;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const NOTHING = { headers: {}, body: Buffer.alloc(0) };

/** A worker on the database, in a process of its own. */
export function startWorkerProcess(url: string): ChildProcess {
  return fork(fileURLToPath(new URL('./worker-process.ts', import.meta.url)), [url], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

async function answer(from: MemoryRegistry, method: string, url: string): Promise<Answer> {
  const json = (value: object): Answer => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value)),
  });
  const missing: Answer = { status: 404, headers: {}, body: Buffer.from('{"errors":[]}') };
  const [path = ''] = url.split('?');
  if (path === '/v2/_catalog') {
    for await (const repositories of from.listRepositories()) return json({ repositories });
  }
  const [, name = '', what, target = ''] = /^\/v2\/(.+)\/(tags|manifests|blobs|referrers)\/([^/]+)$/.exec(path) ?? [];
  if (what === 'tags') {
    for await (const page of from.listTags(name as never, new AbortController().signal))
      return json({ name, tags: page.map((tag) => tag.name) });
  }
  if (what === 'manifests') {
    const found = await from.fetchManifest(name as never, target as never).catch(() => null);
    if (!found) return missing;
    const headers = {
      'content-type': found.mediaType ?? '',
      'docker-content-digest': found.digest,
      'content-length': String(found.raw.length),
    };
    return { status: 200, headers, body: Buffer.from(found.raw) };
  }
  if (what === 'blobs' && method === 'GET') {
    for await (const body of from.fetchBlob(name as never, target as never)) {
      return { status: 200, headers: {}, body: Buffer.from(body) };
    }
  }
  return missing;
}
