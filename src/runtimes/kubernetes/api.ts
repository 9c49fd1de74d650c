import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../domain/json.ts';
import { RuntimeFault } from '../runtime.ts';
import type { Credentials } from './credentials.ts';
import { nameOf, parseObject, statusFault, transportFault } from './fault.ts';
import type { KubernetesLimits } from './limits.ts';
import { linesOf } from './lines.ts';

/** In the words of RBAC, so that a refusal can name the right that is missing. */
export interface ApiRequest {
  readonly verb: 'get' | 'list' | 'watch';
  /** With its group where it has one: pods, replicasets.apps. A path is that of what is no resource: /version. */
  readonly resource: string;
  /** Null for all namespaces, and for what is in none. */
  readonly namespace: string | null;
  readonly name?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Asks for the metadata alone, where that is all that is needed. */
  readonly metadataOnly?: boolean;
}

/**
 * How the cluster is asked. The library of Kubernetes knows who asks; what is read of the answers is bounded here, which
 * its own classes for lists and watches don't do. Rejects with a RuntimeFault, a StatusFault where there was an answer,
 * and with the signal's reason when it is aborted.
 */
export class KubernetesApi {
  readonly limits: KubernetesLimits;
  readonly endpoint: string;
  readonly #openCredentials: () => Promise<Credentials>;
  #credentials: Promise<Credentials> | null = null;
  readonly #closing = new AbortController();

  constructor(endpoint: string, credentials: () => Promise<Credentials>, limits: KubernetesLimits) {
    this.endpoint = endpoint;
    this.#openCredentials = credentials;
    this.limits = limits;
  }

  async get(request: ApiRequest, signal: AbortSignal): Promise<JsonObject> {
    try {
      const { body, bodyBytes } = this.limits;
      const { bytes, isCut } = await readBody(await this.#open(request, signal), bodyBytes, body);
      if (!isCut) return parseObject(bytes, request, this.endpoint);
      const what = nameOf(request, this.endpoint);
      throw new RuntimeFault('TOO_LARGE', `${what} was answered with more than ${bodyBytes} bytes.`);
    } catch (error) {
      signal.throwIfAborted();
      throw transportFault(error, request, this.endpoint);
    }
  }

  /** Resolves as soon as the watch is connected, to its events as they come. */
  async watch(request: ApiRequest, signal: AbortSignal): Promise<AsyncIterable<WatchLine>> {
    try {
      return this.#events(await this.#open(request, signal), request, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw transportFault(error, request, this.endpoint);
    }
  }

  close(): void {
    this.#closing.abort(new RuntimeFault('UNREACHABLE', `${this.endpoint} was closed.`));
  }

  async *#events(response: IncomingMessage, request: ApiRequest, signal: AbortSignal): AsyncIterable<WatchLine> {
    const { watch, watchMargin, lineBytes } = this.limits;
    const timer = cutOff(response, watch + watchMargin);
    try {
      for await (const line of linesOf(response, lineBytes, nameOf(request, this.endpoint))) {
        yield { event: parseObject(line, request, this.endpoint), bytes: line.length };
      }
    } catch (error) {
      signal.throwIfAborted();
      throw transportFault(error, request, this.endpoint);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The answer to a request that succeeded. Credentials that were refused are read again once: tokens rotate. */
  async #open(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const credentials = await this.#signIn();
    let isRenewed = false;
    for (let pauses = 0; ;) {
      const options = await credentials.requestOptions();
      const response = await this.#send(credentials.server + pathOf(request), request, options, signal);
      const { statusCode: status = 0 } = response;
      if (status === 200) return response;

      const explanation = await readBody(response, MAX_EXPLANATION, this.limits.body);
      const pause = PAUSING.has(status) ? Number(response.headers['retry-after']) : NaN;
      if (status === 401 && !isRenewed && (await credentials.renew(options))) {
        isRenewed = true;
      } else if (pause <= LONGEST_PAUSE && pauses < MAX_PAUSES) {
        pauses++;
        await sleep(pause * 1000, undefined, { signal });
      } else {
        throw statusFault(status, explanation.bytes, request, this.endpoint);
      }
    }
  }

  /** What can't be opened now may be there later. */
  async #signIn(): Promise<Credentials> {
    try {
      return await (this.#credentials ??= this.#openCredentials());
    } catch (error) {
      this.#credentials = null;
      throw error;
    }
  }

  #send(address: string, request: ApiRequest, options: RequestOptions, signal: AbortSignal): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const url = new URL(address);
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
    const sent = send(url, {
      ...options,
      headers: { ...options.headers, accept: request.metadataOnly ? METADATA : 'application/json', ...COMMON_HEADERS },
      signal: AbortSignal.any([signal, this.#closing.signal]),
    });
    const { firstByte } = this.limits;
    let timer: NodeJS.Timeout | undefined;
    sent.once('socket', (socket) => {
      socket.setKeepAlive(true, KEEP_ALIVE);
      timer = setTimeout(() => sent.destroy(new Error(`no answer within ${firstByte} ms`)), firstByte);
    });
    sent.once('response', resolve);
    sent.on('error', reject);
    sent.once('close', () => clearTimeout(timer));
    sent.once('response', () => clearTimeout(timer));
    sent.end();
    return promise;
  }
}

/** One line of a watch: the event, and how long it was. */
export interface WatchLine {
  readonly event: JsonObject;
  readonly bytes: number;
}

const COMMON_HEADERS = { 'user-agent': 'stowage', 'accept-encoding': 'identity' };
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
const MAX_EXPLANATION = 64 * 1024;
/** A connection that is dead is noticed though nothing is sent; in milliseconds. */
const KEEP_ALIVE = 30_000;
/** With these the server may say when to come back, in seconds. */
const PAUSING = new Set([429, 503]);
const LONGEST_PAUSE = 10;
const MAX_PAUSES = 3;

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris */
function pathOf({ verb, resource, namespace, name, query = {} }: ApiRequest): string {
  if (resource.startsWith('/')) return resource;
  const [plural = '', group] = resource.split('.');
  const base = group === undefined ? '/api/v1' : `/apis/${group}/v1`;
  const within = namespace === null ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  const search = new URLSearchParams({ ...(verb === 'watch' && { watch: '1' }), ...query }).toString();
  return `${base}${within}/${plural}${object}${search === '' ? '' : `?${search}`}`;
}

/** The beginning of a body, as far as it is read. */
async function readBody(
  response: IncomingMessage,
  maxBytes: number,
  milliseconds: number,
): Promise<{ readonly bytes: Buffer; readonly isCut: boolean }> {
  const timer = cutOff(response, milliseconds);
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes) break;
    }
    return { bytes: Buffer.concat(chunks), isCut: size > maxBytes };
  } finally {
    clearTimeout(timer);
  }
}

function cutOff(response: IncomingMessage, milliseconds: number): NodeJS.Timeout {
  const late = () => response.destroy(new Error(`the answer took longer than ${milliseconds} ms`));
  return setTimeout(late, milliseconds);
}
