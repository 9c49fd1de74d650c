import type { RegistryHost, RepositoryName } from '../../domain/reference.ts';
import type { HttpAnswer, HttpClient } from '../../http/index.ts';
import { errorOf } from '../answer.ts';
import type { RegistrySettings, Traffic } from '../registry.ts';
import { Authorizer } from './authorizer.ts';
import { givenCredential, type CredentialSource } from './credential-source.ts';

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

/** Requests to one registry, signed in. */
export class Session {
  readonly host: RegistryHost;
  readonly traffic: Traffic;
  readonly #http: HttpClient;
  readonly #authorizer: Authorizer;
  readonly #origin: string;
  readonly #prefix: string;

  constructor(settings: RegistrySettings, http: HttpClient, credentials: CredentialSource = givenCredential(settings)) {
    this.host = settings.host;
    this.#http = http;
    this.#authorizer = new Authorizer(settings, http, credentials);
    this.#origin = settings.url.origin;
    this.#prefix = settings.url.pathname.replace(/\/+$/, '');
    this.traffic = http.traffic;
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
    const request = { method, origin: this.#origin, path, headers, authorization, maxBytes, stream, isPull };
    return this.#http.send(request, signal);
  }

  #refuse(answer: HttpAnswer, ask: Ask): void {
    if (answer.status !== 401 && answer.status !== 429) return;
    throw errorOf(answer, `${ask.method} ${this.addressOf(ask.path.split('?')[0] ?? '')}`);
  }
}
