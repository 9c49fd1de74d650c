import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import { RegistryError } from '../domain/errors.ts';
import { observeRequest } from '../telemetry/index.ts';
import { checkedConnector, type AddressPolicy } from './address.ts';
import { Exchange, type Headers } from './exchange.ts';
import { BrokenConnection } from './fault.ts';
import type { Gate, GatedRequest, Turn } from './gate.ts';
import { DEFAULT_LIMITS, type HttpLimits } from './limits.ts';
import { followRedirect } from './redirect.ts';
import { retryAtOf } from './retry-after.ts';
import { withoutSecrets } from './secrets.ts';

export interface HttpRequest extends GatedRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  /** A POST that asks and changes nothing: it may be sent again as a GET is. */
  readonly isQuestion?: boolean;
  /** Path and query. */
  readonly path: string;
  /** Names and values in turn; kept by the caller, so that they are not built for each request. */
  readonly headers: readonly string[];
  /** It goes where an answer pointed, be that anywhere: metrics don't name the host. */
  readonly isPointedTo?: boolean;
  /** Sent to `origin` only, wherever redirects lead. */
  readonly authorization: string | null;
  readonly body?: string;
  /** Whether an answer means that there were too many requests, where its status does not say so. */
  readonly isRefusal?: (answer: HttpAnswer) => boolean;
  /** Most bytes of a good answer, decoded. */
  readonly maxBytes: number;
  /** Hands on the body of a 200 as it comes, in `chunks`. */
  readonly stream?: boolean;
}

/** An answer of any status: what a status means is the caller's to say. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Of an answer that is no 200, the first 64 KiB, without the secrets that the request was sent with. */
  readonly body: Buffer;
  /** The body of a 200 that was asked for as a stream; else null. */
  readonly chunks: AsyncIterable<Uint8Array> | null;
}

/**
 * The one way out. Bounds every size and time, follows redirects under the address policy, repeats a GET or HEAD whose
 * connection broke or that a gateway failed. Rejects with a RegistryError where there is no whole answer, and with the
 * signal's reason when it is aborted.
 */
export interface HttpClient {
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
  readonly traffic: { readonly requests: number; readonly bytes: number };
  close(): Promise<void>;
}

export interface HttpSettings extends AddressPolicy {
  /** Without one, requests are held back by nothing but the number of connections. */
  readonly gate?: Gate;
  readonly limits?: Partial<HttpLimits>;
}

export function openHttpClient(settings: HttpSettings): HttpClient {
  return new UndiciClient(settings);
}

class UndiciClient implements HttpClient {
  readonly traffic = { requests: 0, bytes: 0 };
  readonly #settings: HttpSettings;
  readonly #limits: HttpLimits;
  readonly #agent: Agent;
  readonly #active = new Set<Exchange>();
  readonly #bySignal = new WeakMap<AbortSignal, Set<Exchange>>();
  #watch: NodeJS.Timeout | null = null;

  constructor(settings: HttpSettings) {
    this.#settings = settings;
    this.#limits = { ...DEFAULT_LIMITS, ...settings.limits };
    this.#agent = new Agent({
      connect: checkedConnector(settings, this.#limits.connect),
      connections: this.#limits.connections,
      headersTimeout: this.#limits.firstByte,
      bodyTimeout: this.#limits.idle,
      maxHeaderSize: this.#limits.headerBytes,
    });
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    for (let attempt = 0; ; attempt++) {
      const pause = READS.has(request.method) || request.isQuestion ? this.#limits.retryPauses[attempt] : undefined;
      let asked: number;
      try {
        const answer = await this.#follow(request, signal);
        if (!GATEWAY_FAULTS.has(answer.status) || pause === undefined) return answer;
        const retryAt = retryAtOf(answer.headers, Date.now());
        if (answer.status === 429 && retryAt === null) return answer;
        asked = retryAt === null ? spread(pause) : retryAt.getTime() - Date.now();
        if (retryAt !== null && asked > this.#limits.longestAskedPause) return answer;
      } catch (error) {
        if (!(error instanceof BrokenConnection) || pause === undefined) throw error;
        asked = spread(pause);
      }
      await sleep(asked, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  async close(): Promise<void> {
    if (this.#watch) clearInterval(this.#watch);
    await this.#agent.destroy();
  }

  async #follow(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const answer = await this.#exchange(request, signal);
    if (!isRedirect(answer) || !READS.has(request.method)) return answer;

    let hop = request;
    let hopAnswer = answer;
    const visited = new Set([request.origin + request.path]);
    while (isRedirect(hopAnswer)) {
      if (visited.size > this.#limits.redirects) {
        throw new RegistryError(
          'MALFORMED',
          `${nameOf(request)} was redirected more than ${this.#limits.redirects} times`,
        );
      }
      hop = followRedirect(hop, hopAnswer.headers, this.#settings, nameOf(request));
      if (visited.has(hop.origin + hop.path)) {
        throw new RegistryError('MALFORMED', `${nameOf(request)} was redirected in a circle`);
      }
      visited.add(hop.origin + hop.path);
      hopAnswer = await this.#exchange(hop, signal);
    }
    return hopAnswer;
  }

  #exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const turn = this.#settings.gate?.enter(request, signal) ?? null;
    return turn instanceof Promise
      ? turn.then((given) => this.#dispatch(request, given, signal))
      : this.#dispatch(request, turn, signal);
  }

  #dispatch(request: HttpRequest, turn: Turn | null, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const observed = observeRequest(request.method, request.origin, request.isPointedTo !== true);
      const ofSignal = this.#exchangesOf(signal);
      const expectation = {
        what: nameOf(request),
        maxBytes: request.maxBytes,
        isHead: request.method === 'HEAD',
        isStream: request.stream === true,
      };
      const exchange = new Exchange(expectation, this.#limits, {
        answered: (status, headers, body, chunks) => {
          observed.answered(status);
          const shown = status === 200 ? body : withoutSecrets(body, request.authorization, request.body);
          const answer = { status, headers, body: shown, chunks };
          turn?.answered(request.isRefusal?.(answer) === true ? 429 : status, headers);
          resolve(answer);
        },
        failed: (error) => {
          turn?.failed(error);
          observed.failed(error instanceof RegistryError ? error.code : 'ABORTED');
          reject(error);
        },
        ended: () => {
          turn?.ended();
          observed.ended(exchange.bytes);
          this.traffic.bytes += exchange.bytes;
          this.#active.delete(exchange);
          ofSignal.delete(exchange);
        },
      });
      ofSignal.add(exchange);
      this.#active.add(exchange);
      this.traffic.requests++;
      this.#watch ??= this.#startWatch();
      this.#agent.dispatch(dispatchOptionsOf(request), exchange);
    });
  }

  /** One listener for each signal, however many requests it covers: a run has one signal and very many requests. */
  #exchangesOf(signal: AbortSignal): Set<Exchange> {
    let exchanges = this.#bySignal.get(signal);
    if (exchanges === undefined) {
      const known = new Set<Exchange>();
      signal.addEventListener('abort', () => {
        for (const exchange of [...known]) exchange.fail(signal.reason as Error);
      });
      this.#bySignal.set(signal, known);
      exchanges = known;
    }
    return exchanges;
  }

  #startWatch(): NodeJS.Timeout {
    const { total, throughputWindow } = this.#limits;
    const watch = () => {
      const now = Date.now();
      for (const exchange of this.#active) exchange.watch(now);
    };
    return setInterval(watch, Math.min(1_000, total / 4, throughputWindow / 4)).unref();
  }
}

/** Nothing else is sent twice, or to where an answer points. */
const READS: ReadonlySet<HttpRequest['method']> = new Set(['GET', 'HEAD'] as const);
const GATEWAY_FAULTS = new Set([429, 502, 503, 504]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Bytes are hashed as they are stored, so none may be packed on the way. */
const COMMON_HEADERS = ['user-agent', 'stowage', 'accept-encoding', 'identity'];

function dispatchOptionsOf(request: HttpRequest): Dispatcher.DispatchOptions {
  const { method, origin, path, headers, authorization, body } = request;
  const sent = [...COMMON_HEADERS, ...headers];
  if (authorization !== null) sent.push('authorization', authorization);
  // Undici closes the connection after a HEAD unless told otherwise, which makes each cost a connection.
  return { method, origin, path, headers: sent, body: body ?? null, reset: false };
}

function isRedirect(answer: HttpAnswer): boolean {
  return REDIRECTS.has(answer.status) && answer.headers['location'] !== undefined;
}

/** Half to one and a half of it, so that many do not come back together. */
function spread(pause: number): number {
  return pause * (0.5 + Math.random());
}

/** For messages; a query may hold a signature. */
function nameOf(request: HttpRequest): string {
  const query = request.path.indexOf('?');
  return `${request.method} ${request.origin}${query < 0 ? request.path : request.path.slice(0, query)}`;
}
