import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { RegistryError } from '../../domain/errors.ts';
import { isObject, parseJson, textOf, type Json, type JsonObject } from '../../domain/json.ts';
import { RuntimeFault, type RuntimeDescription } from '../runtime.ts';
import { faultOf, faultOfStatus } from './fault.ts';
import { readJsonStream } from './json-stream.ts';
import type { Transport } from './transport.ts';
import { chooseVersion, type ApiVersion } from './version.ts';

export type Query = Readonly<Record<string, string | number>>;

/** A whole answer, whatever its status. Null where its body is no JSON. */
export interface Answer {
  readonly status: number;
  readonly document: Json;
}

/**
 * Asks one engine, and waits no longer than 30 seconds for an answer that has an end. Only reads. Rejects with a RuntimeFault. Paths are
 * those of the Engine API without the version: /containers/json.
 */
export class EngineClient {
  /** As people wrote it. */
  readonly endpoint: string;
  readonly #transport: Transport;
  /** Undefined as long as nobody asked for it. */
  #version: ApiVersion | null | undefined;
  #time: number | null = null;

  constructor(endpoint: string, transport: Transport) {
    this.endpoint = endpoint;
    this.#transport = transport;
  }

  /** Looks anew at which versions it speaks, too, for it may be another engine since. */
  async describe(signal: AbortSignal): Promise<RuntimeDescription> {
    const { status, document } = await this.#read('/version', {}, signal);
    if (status === 200 && isObject(document)) {
      this.#version = chooseVersion(document['ApiVersion'], document['MinAPIVersion']);
      return {
        version: textOf(document['Version']),
        os: textOf(document['Os']),
        architecture: textOf(document['Arch']),
      };
    }
    if (!isRefusal(status)) throw faultOfStatus(status, document, this.#what('/version'));
    const headers = await this.#within('/_ping', signal, async (within) => {
      const response = await this.#send('/_ping', {}, within);
      response.destroy();
      return response.headers;
    });
    this.#version = chooseVersion(headers['api-version'], null);
    return { version: null, os: null, architecture: null };
  }

  async ask(path: string, query: Query, signal: AbortSignal): Promise<Answer> {
    return this.#read(await this.#versioned(path, signal), query, signal);
  }

  /** Null for what is not there; every other status but 200 is a fault. */
  async find(path: string, query: Query, signal: AbortSignal): Promise<Json> {
    const { status, document } = await this.ask(path, query, signal);
    if (status === 200) return document;
    if (status === 404) return null;
    throw faultOfStatus(status, document, this.#what(path));
  }

  /** What `read` makes of each entry of a list. Rejects with TOO_LARGE beyond so many, or 64 MiB. */
  async list<T>(
    path: string,
    query: Query,
    maxEntries: number,
    read: (entry: JsonObject, what: string) => T,
    signal: AbortSignal,
  ): Promise<T[]> {
    const what = this.#what(path);
    const versioned = await this.#versioned(path, signal);
    return this.#within(path, signal, async (within) => {
      const entries: T[] = [];
      const chunks = upTo(MAX_LIST, await this.#open(versioned, query, within), what);
      for await (const entry of readJsonStream(chunks, 'list', MAX_DOCUMENT, what)) {
        if (!isObject(entry)) throw new RuntimeFault('MALFORMED', `${what} lists what is no object.`);
        entries.push(read(entry, what));
        if (entries.length > maxEntries) {
          throw new RuntimeFault('TOO_LARGE', `${what} lists more than ${maxEntries} entries.`);
        }
      }
      return entries;
    });
  }

  /** Values of an answer that has no end, each of at most so many bytes. Resolves when it has begun, however late. */
  async follow(path: string, query: Query, maxLength: number, signal: AbortSignal): Promise<AsyncIterable<Json>> {
    const versioned = await this.#versioned(path, signal);
    const response = await this.#open(versioned, query, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw faultOf(error, this.endpoint);
    });
    return this.#told(readJsonStream(response, 'sequence', maxLength, this.#what(path)), signal);
  }

  /** The engine's own time when it answered last, in seconds since 1970; null where it did not tell. */
  get time(): number | null {
    return this.#time;
  }

  close(): void {
    this.#transport.agent.destroy();
  }

  #what(path: string): string {
    return `${this.endpoint}${path}`;
  }

  async #versioned(path: string, signal: AbortSignal): Promise<string> {
    if (this.#version === undefined) await this.describe(signal);
    return this.#version ? `/v${this.#version}${path}` : path;
  }

  #read(path: string, query: Query, signal: AbortSignal): Promise<Answer> {
    return this.#within(path, signal, async (within) => this.#answer(path, await this.#send(path, query, within)));
  }

  async #answer(path: string, response: IncomingMessage): Promise<Answer> {
    const parts: Uint8Array[] = [];
    for await (const part of upTo(MAX_DOCUMENT, response, this.#what(path))) parts.push(part);
    return { status: response.statusCode ?? 0, document: documentOf(Buffer.concat(parts), response, this.#what(path)) };
  }

  /** An answer of 200 whose body is still to come. */
  async #open(path: string, query: Query, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#send(path, query, signal);
    if (response.statusCode === 200) return response;
    const { status, document } = await this.#answer(path, response);
    throw faultOfStatus(status, document, this.#what(path));
  }

  #send(path: string, query: Query, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      this.#transport.modem.dial(
        {
          // The mark is where dockerode puts the query.
          path: `${path}?`,
          method: 'GET',
          options: { ...query },
          isStream: true,
          statusCodes: EVERY_STATUS,
          abortSignal: signal,
        },
        (error, response) => {
          if (error) return reject(error);
          const { headers } = response as IncomingMessage;
          const time = Date.parse(headers.date ?? '');
          this.#time = Number.isNaN(time) ? null : time / 1000;
          resolve(response as IncomingMessage);
        },
      );
    });
  }

  /** The signal that the work gets outlives it, without the time limit. */
  async #within<T>(path: string, signal: AbortSignal, work: (within: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), TIMEOUT);
    try {
      return await work(AbortSignal.any([signal, limit.signal]));
    } catch (error) {
      signal.throwIfAborted();
      if (!limit.signal.aborted) throw faultOf(error, this.endpoint);
      throw new RuntimeFault('UNREACHABLE', `${this.#what(path)} took longer than ${TIMEOUT / 1000} s.`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async *#told(values: AsyncIterable<Json>, signal: AbortSignal): AsyncGenerator<Json> {
    try {
      yield* values;
    } catch (error) {
      signal.throwIfAborted();
      throw faultOf(error, this.endpoint);
    }
  }
}

/** An engine, or what stands before it, does not want to be asked this. */
export function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

const TIMEOUT = 30_000;
const MAX_LIST = 64 * 1024 * 1024;
const MAX_DOCUMENT = 4 * 1024 * 1024;
/** dockerode reads the body of any other without a limit. */
const EVERY_STATUS = Object.fromEntries(Object.keys(STATUS_CODES).map((status) => [status, true]));

async function* upTo(limit: number, chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > limit) throw new RuntimeFault('TOO_LARGE', `${what} was answered with more than ${limit} bytes.`);
    yield chunk;
  }
}

/** A refusal may be a page for people. */
function documentOf(bytes: Uint8Array, { statusCode }: IncomingMessage, what: string): Json {
  try {
    return parseJson(bytes, what);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    if (statusCode !== 200) return null;
    throw new RuntimeFault('MALFORMED', error.message, { cause: error });
  }
}
