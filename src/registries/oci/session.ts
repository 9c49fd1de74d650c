import { RegistryError } from '../../domain/errors.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import { openHttpClient, type HttpAnswer, type HttpClient, type HttpLimits } from '../../http/index.ts';
import { rateLimitOf } from '../rate-limit.ts';
import type { RateLimit, RegistrySettings, Traffic } from '../registry.ts';
import { errorOf } from './answer.ts';
import { Authorizer } from './authorizer.ts';

export interface Ask {
  readonly method: 'GET' | 'HEAD' | 'DELETE';
  /** Below the registry's address: /v2/library/alpine/tags/list?n=1000 */
  readonly path: string;
  readonly headers: readonly string[];
  /** What the token must allow, such as repository:library/alpine:pull. */
  readonly scope: string;
  readonly maxBytes: number;
  readonly stream?: boolean;
  /** What registries count when they limit pulls. */
  readonly isPull?: boolean;
}

/** What a token must allow for reading a repository. */
export function pullScope(repository: RepositoryName): string {
  return `repository:${repository}:pull`;
}

/** What a token must allow for deleting in a repository. */
export function deleteScope(repository: RepositoryName): string {
  return `repository:${repository}:delete`;
}

/** Requests to one registry: signed in, paced, counted. */
export class Session {
  readonly #settings: RegistrySettings;
  readonly #http: HttpClient;
  readonly #authorizer: Authorizer;
  readonly #origin: string;
  readonly #prefix: string;
  #rateLimit: RateLimit | null = null;
  /** Until then nothing is sent, for the whole registry: the limit is the account's, not the request's. */
  #limitedUntil = 0;

  constructor(settings: RegistrySettings, limits: Partial<HttpLimits>) {
    const policy = { trustedHostname: settings.url.hostname, allowedNetworks: settings.allowedNetworks ?? [] };
    this.#settings = settings;
    this.#http = openHttpClient({ ...policy, limits, ...(settings.gate && { gate: settings.gate }) });
    this.#authorizer = new Authorizer(settings, policy, this.#http);
    this.#origin = settings.url.origin;
    this.#prefix = settings.url.pathname.replace(/\/+$/, '');
  }

  get traffic(): Traffic {
    return { ...this.#http.traffic, rateLimit: this.#rateLimit };
  }

  /** The full address of a path, for messages and for links that stand in an answer to it. */
  addressOf(path: string): string {
    return this.#origin + this.#prefix + path;
  }

  /** The path of an address of this registry, as `send` takes it. Proxies forget their own prefix in links. */
  pathOf(address: string): string {
    const path = address.slice(this.#origin.length);
    return path.startsWith(`${this.#prefix}/`) ? path.slice(this.#prefix.length) : path;
  }

  /** The answer, of any status but those that mean that nothing else can be had now: 401 and 429. */
  async send(ask: Ask, signal: AbortSignal): Promise<HttpAnswer> {
    this.#refuseWhileLimited(ask);
    const known = this.#authorizer.current(ask.scope, signal);
    let authorization = known === null || typeof known === 'string' ? known : await known;
    let answer = await this.#sendOnce(ask, authorization, signal);
    for (let attempt = 0; answer.status === 401 && attempt < 2; attempt++) {
      authorization = await this.#authorizer.answerTo(answer.headers, ask.scope, authorization, signal);
      answer = await this.#sendOnce(ask, authorization, signal);
    }
    if (answer.status !== 200) this.#refuse(answer, ask);
    return answer;
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async #sendOnce(ask: Ask, authorization: string | null, signal: AbortSignal): Promise<HttpAnswer> {
    const { method, headers, maxBytes, stream = false, isPull = false } = ask;
    const path = this.#prefix + ask.path;
    const answer = await this.#http.send(
      { method, origin: this.#origin, path, headers, authorization, maxBytes, stream, isPull },
      signal,
    );
    this.#rateLimit = rateLimitOf(answer.headers, Date.now()) ?? this.#rateLimit;
    return answer;
  }

  #refuse(answer: HttpAnswer, ask: Ask): void {
    if (answer.status !== 401 && answer.status !== 429) return;
    const error = errorOf(answer, `${ask.method} ${this.addressOf(ask.path.split('?')[0] ?? '')}`);
    if (error.retryAt !== null) this.#limitedUntil = error.retryAt.getTime();
    throw error;
  }

  #refuseWhileLimited(ask: Ask): void {
    const now = Date.now();
    const until = Math.max(this.#limitedUntil, ask.isPull ? this.#spentUntil(now) : 0);
    if (until <= now) return;
    throw new RegistryError('RATE_LIMITED', `${this.#settings.host} limits requests`, { retryAt: new Date(until) });
  }

  /** A registry that says that no pull is left is not asked for one more. */
  #spentUntil(now: number): number {
    const { remaining, resetsAt, observedAt } = this.#rateLimit ?? {};
    if (remaining !== 0 || observedAt === undefined) return 0;
    const until = resetsAt?.getTime() ?? observedAt.getTime() + PAUSE_WHEN_SPENT;
    return Math.min(until, now + LONGEST_PAUSE);
  }
}

const PAUSE_WHEN_SPENT = 60_000;
const LONGEST_PAUSE = 15 * 60_000;
