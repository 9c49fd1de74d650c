import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Content } from './content.ts';
import { createGenerator, type Generator } from './generated.ts';

/** A registry on loopback, which behaves while `seed` is null, and else goes wrong with one request in five. */
export interface ChaoticRegistry {
  readonly url: URL;
  seed: number | null;
  /** Requests so far, and those of them that went wrong, by how. */
  readonly faults: Map<string, number>;
  requests: number;
  push(repository: string, tag: string, content: Content): void;
  removeTag(repository: string, tag: string): void;
  /** Takes away what no tag leads to. */
  collectGarbage(): void;
  close(): Promise<void>;
}

interface Document {
  readonly contentType: string;
  readonly digest?: string;
  readonly body: Buffer;
}

const FAULTS = ['dropped', 'late', 'truncated', 'garbled', 500, 502, 503] as const;
type Fault = (typeof FAULTS)[number];

export async function startChaoticRegistry(): Promise<ChaoticRegistry> {
  const repositories = new Map<string, { tags: Map<string, Content>; contents: Map<string, Content> }>();
  /** How often each was asked for: what goes wrong depends on that and the seed, not on the order of requests. */
  const asked = new Map<string, number>();

  function find(path: string): Document | null {
    if (path === '/v2/_catalog') return json({ repositories: [...repositories.keys()] });
    const [, name = '', kind = '', target = ''] = /^\/v2\/(.+)\/(tags|manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
    const repository = repositories.get(name);
    if (kind === 'tags') return repository ? json({ name, tags: [...repository.tags.keys()] }) : null;
    const content = repository?.tags.get(target) ?? repository?.contents.get(target);
    return content ? { contentType: content.mediaType, digest: content.digest, body: content.raw } : null;
  }

  function chance(line: string): Generator | null {
    if (registry.seed === null) return null;
    const time = (asked.get(line) ?? 0) + 1;
    asked.set(line, time);
    const hash = createHash('sha256').update(`${registry.seed} ${time} ${line}`).digest();
    return createGenerator(hash.readUInt32BE());
  }

  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    const generator = chance(`${request.method} ${path}`);
    registry.requests++;
    const fault = generator !== null && generator.below(5) === 0 ? generator.oneOf(FAULTS) : null;
    if (fault !== null) registry.faults.set(String(fault), (registry.faults.get(String(fault)) ?? 0) + 1);
    answer(request, response, find(path), fault, generator);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const registry: ChaoticRegistry = {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    seed: null,
    faults: new Map(),
    requests: 0,
    push(name, tag, content) {
      const held = repositories.get(name) ?? { tags: new Map(), contents: new Map() };
      repositories.set(name, held);
      held.tags.set(tag, content);
      const queue = [content];
      for (const part of queue) {
        held.contents.set(part.digest, part);
        queue.push(...part.parts);
      }
    },
    removeTag(name, tag) {
      repositories.get(name)?.tags.delete(tag);
    },
    collectGarbage() {
      for (const { tags, contents } of repositories.values()) {
        const queue = [...tags.values()];
        for (const content of queue) queue.push(...content.parts);
        const kept = new Set(queue.map(({ digest }) => digest));
        for (const digest of contents.keys()) if (!kept.has(digest as Content['digest'])) contents.delete(digest);
      }
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return registry;
}

function json(value: object): Document {
  return { contentType: 'application/json', body: Buffer.from(JSON.stringify(value)) };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  document: Document | null,
  fault: Fault | null,
  generator: Generator | null,
): void {
  if (fault === 'dropped') {
    request.socket.destroy();
    return;
  }
  if (fault === 'late') {
    setTimeout(() => answer(request, response, document, null, generator), 30);
    return;
  }
  if (typeof fault === 'number') {
    response.writeHead(fault).end();
    return;
  }
  const body = document?.body ?? Buffer.from('{"errors":[{"code":"NAME_UNKNOWN"}]}');
  response.writeHead(document ? 200 : 404, {
    'content-type': document?.contentType ?? 'application/json',
    'content-length': body.length,
    ...(document?.digest && { 'docker-content-digest': document.digest }),
  });
  if (request.method === 'HEAD') {
    response.end();
  } else if (fault === 'truncated') {
    response.write(body.subarray(0, body.length / 2), () => request.socket.destroy());
  } else {
    response.end(fault === 'garbled' && generator ? garbled(body, generator) : body);
  }
}

/** Of the same length, with three other bytes somewhere. */
function garbled(body: Buffer, generator: Generator): Buffer {
  const wrong = Buffer.from(body);
  for (let at = 0; at < 3; at++) wrong[generator.below(wrong.length)] = 32 + generator.below(95);
  return wrong;
}
