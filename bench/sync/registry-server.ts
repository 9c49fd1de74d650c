import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerCalls } from '../part.ts';
import { generateRegistry, moveTags, type RegistrySize, type ServedDocument } from './generated-registry.ts';

/** A request that was answered, so that it can be sent again. */
export interface SentRequest {
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Of a connection, not of a request. */
const HOP_HEADERS = new Set(['host', 'connection', 'keep-alive']);

let size: RegistrySize;
let documents = new Map<string, ServedDocument>();
let sent: SentRequest[] | null = null;

const NOT_FOUND = Buffer.from('{"errors":[{"code":"NOT_FOUND","message":"not found"}]}');

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { method, url = '' } = request;
  if (sent !== null && (method === 'GET' || method === 'HEAD'))
    sent.push({ method, path: url, headers: kept(request) });
  const document = documents.get(url.split('?')[0] ?? '');
  const body = document?.body ?? NOT_FOUND;
  response.writeHead(document ? 200 : 404, {
    'content-type': document?.contentType ?? 'application/json',
    'content-length': body.length,
    'docker-distribution-api-version': 'registry/2.0',
    ...(document?.digest && { 'docker-content-digest': document.digest }),
  });
  response.end(method === 'HEAD' ? undefined : body);
}

/** Most requests have the same headers, which are kept once. */
const headersByText = new Map<string, Record<string, string>>();

function kept(request: IncomingMessage): Record<string, string> {
  const headers = Object.entries(request.headers).filter(([name]) => !HOP_HEADERS.has(name));
  const text = JSON.stringify(headers);
  const known = headersByText.get(text) ?? Object.fromEntries(headers.map(([name, value]) => [name, String(value)]));
  headersByText.set(text, known);
  return known;
}

answerCalls({
  /** Answers with the server's address. */
  async start(wanted: RegistrySize) {
    size = wanted;
    documents = generateRegistry(size);
    const server = createServer({ keepAliveTimeout: 60_000 }, answer);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  /** Lets one in a hundred tags name a new image. */
  moveTags() {
    moveTags(documents, size);
  },
  record() {
    sent = [];
  },
  /** The requests since record, in the order in which they came. */
  takeRecord() {
    const taken = sent ?? [];
    sent = null;
    return taken;
  },
});
