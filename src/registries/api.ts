import { RegistryError } from '../domain/errors.ts';
import { isObject, type Json, type JsonObject } from '../domain/json.ts';
import { nextLink, nextPage, type HttpAnswer, type HttpClient, type HttpRequest } from '../http/index.ts';
import { errorOf, jsonListOf, jsonOf } from './answer.ts';
import { pagesFrom, type Page } from './pages.ts';

export interface ApiSettings {
  /** Where the API is: https://hub.docker.com. Paths are below it. */
  readonly url: URL;
  /** Sent with every request in place of `accept: application/json`, names and values in turn. */
  readonly headers?: readonly string[];
  /** Null asks as anybody. */
  readonly signIn: SignIn | null;
}

/** What to send as Authorization, at once or when it has been asked for. A `KeptToken` is one. */
export interface SignIn {
  /** `refused` was answered with 401: give another, or the same where there is none. */
  authorization(signal: AbortSignal, refused?: string): string | Promise<string>;
}

/** A list that an API gives page by page. */
export interface ApiListing {
  /** Of the first page. */
  readonly path: string;
  /** The member of a page that holds the entries; null where the page is the list itself. */
  readonly member: string | null;
  /** The address of the next page, as a page with members tells it; null at the end. Else the header Link tells. */
  next?(page: JsonObject, address: URL): string | null;
}

/**
 * A registry's own API beside the distribution API: JSON of bounded size, errors as the distribution API's. Every call
 * rejects with a RegistryError, and with the signal's reason when it is aborted.
 */
export class RegistryApi {
  readonly #http: HttpClient;
  readonly #settings: ApiSettings;
  readonly #prefix: string;

  constructor(http: HttpClient, settings: ApiSettings) {
    this.#http = http;
    this.#settings = settings;
    this.#prefix = settings.url.pathname.replace(/\/+$/, '');
  }

  /** A document; null where the API says that there is none. */
  async find(path: string, signal: AbortSignal): Promise<JsonObject | null> {
    const answer = await this.#send({ method: 'GET', path: this.#prefix + path }, signal);
    const what = this.#nameOf('GET', this.#prefix + path);
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw errorOf(answer, what);
    return jsonOf(answer, what);
  }

  /**
   * The entries of each page as it comes; what is no object is dropped. Ends without an error at the end of the list
   * only, which is also where a page beyond the first is not there. The list itself not being there is NOT_FOUND.
   */
  list(listing: ApiListing, signal: AbortSignal): AsyncGenerator<readonly JsonObject[]> {
    const first = this.#prefix + listing.path;
    const what = this.#nameOf('GET', first);
    const { origin } = this.#settings.url;
    return pagesFrom(what, first, async (path) => {
      const answer = await this.#send({ method: 'GET', path }, signal);
      if (answer.status === 404 && path !== first) return { content: [], next: null };
      if (answer.status !== 200) throw errorOf(answer, what);
      const { content, next } = pageOf(answer, listing, origin + path, what);
      return { content, next: next === null ? null : next.slice(origin.length) };
    });
  }

  /** Asks by a document, or a plain text: nothing is changed by it, so it may be sent again. */
  async post(path: string, document: object | string, signal: AbortSignal): Promise<JsonObject> {
    const content =
      typeof document === 'string'
        ? { body: document, contentType: 'text/plain' }
        : { body: JSON.stringify(document), contentType: 'application/json' };
    const question = { method: 'POST', isQuestion: true, path: this.#prefix + path, ...content } as const;
    const answer = await this.#send(question, signal);
    const what = this.#nameOf('POST', this.#prefix + path);
    if (answer.status !== 200 && answer.status !== 201) throw errorOf(answer, what);
    return jsonOf(answer, what);
  }

  /** False where the API says that there is no such thing; it may also mean that it does not let us delete it. */
  async delete(path: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.#send({ method: 'DELETE', path: this.#prefix + path }, signal);
    if (answer.status === 404) return false;
    if (answer.status >= 300) throw errorOf(answer, this.#nameOf('DELETE', this.#prefix + path));
    return true;
  }

  async #send(request: ApiRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { signIn } = this.#settings;
    const authorization = signIn === null ? null : await signIn.authorization(signal);
    const answer = await this.#sendOnce(request, authorization, signal);
    if (answer.status !== 401 || signIn === null || authorization === null) return answer;
    const other = await signIn.authorization(signal, authorization);
    return other === authorization ? answer : this.#sendOnce(request, other, signal);
  }

  async #sendOnce(request: ApiRequest, authorization: string | null, signal: AbortSignal): Promise<HttpAnswer> {
    const { url, headers = ACCEPT } = this.#settings;
    const { contentType, ...rest } = request;
    const sent = contentType === undefined ? headers : [...headers, 'content-type', contentType];
    return this.#http.send(
      { ...rest, origin: url.origin, headers: sent, authorization, maxBytes: MAX_PAGE_BYTES },
      signal,
    );
  }

  #nameOf(method: string, path: string): string {
    return `${method} ${this.#settings.url.origin}${path.split('?')[0]}`;
  }
}

type ApiRequest = Pick<HttpRequest, 'method' | 'isQuestion' | 'path' | 'body'> & { readonly contentType?: string };

const MAX_PAGE_BYTES = 16 * 1024 * 1024;
const ACCEPT = ['accept', 'application/json'];

/** With the whole address of the next. */
function pageOf(answer: HttpAnswer, listing: ApiListing, address: string, what: string): Page<JsonObject[]> {
  if (listing.member === null) {
    const list = jsonListOf(answer, what);
    return { content: list.filter(isObject), next: nextLink(answer.headers['link'], address) };
  }
  const page = jsonOf(answer, what);
  const told = listing.next?.(page, new URL(address));
  return {
    content: listIn(page, listing.member, what).filter(isObject),
    next: told === undefined ? nextLink(answer.headers['link'], address) : told && nextPage(told, address),
  };
}

/** Null is an empty list, as some servers write one; a page that lacks it is none of this list. */
function listIn(page: JsonObject, member: string, what: string): Json[] {
  const list = page[member];
  if (Array.isArray(list)) return list;
  if (list === null) return [];
  throw new RegistryError('MALFORMED', `${what} was answered without a list of ${member}`);
}
