import { RegistryError } from '../../domain/errors.ts';
import { arrayOf, isObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import { errorOf, jsonOf } from '../answer.ts';
import { listedTag } from '../listed-tag.ts';
import { countOf } from '../members.ts';
import { pullScope, type Session } from '../oci/session.ts';
import { Once } from '../once.ts';
import { isAbsence } from '../own-list.ts';
import type { ListedTag, RepositoryDescription } from '../registry.ts';

/** The search of one zot. Where it is switched off, or does not know what is asked, it has nothing to tell. */
export class Search {
  readonly #session: Session;
  readonly #isThere = new Once((signal) => this.#discover(signal));
  /** Those that were not refused. */
  #tagQueries: readonly string[] = TAG_QUERIES;

  constructor(session: Session) {
    this.#session = session;
  }

  /** By name, with digests and dates; 500 a request. */
  async tagsOf(repository: RepositoryName, signal: AbortSignal): Promise<ReadonlyMap<string, ListedTag>> {
    for (const [at, query] of this.#tagQueries.entries()) {
      const tags = await this.#tagsBy(query, repository, signal);
      if (tags === null) continue;
      this.#tagQueries = this.#tagQueries.slice(at);
      return tags;
    }
    return new Map();
  }

  /** Counts alone; its descriptions are the images' own. */
  async describe(repository: RepositoryName, signal: AbortSignal): Promise<RepositoryDescription | null> {
    const data = await this.#ask(DESCRIBE, repository, 0, signal);
    const { Summary: summary } = memberOf(data, 'ExpandedRepoInfo');
    if (!isObject(summary) && (await this.#isThere.get(signal))) return null;
    const { StarCount: stars, DownloadCount: pulls } = isObject(summary) ? summary : {};
    return { description: null, isPrivate: null, starCount: countOf(stars), pullCount: countOf(pulls) };
  }

  async #tagsBy(
    query: string,
    repository: RepositoryName,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ListedTag> | null> {
    const tags = new Map<string, ListedTag>();
    for (let offset = 0; offset < MAX_TAGS; offset += PAGE) {
      const list = memberOf(await this.#ask(query, repository, offset, signal), 'ImageList');
      const images = arrayOf(list['Results'], 'the images that the search found', MAX_TAGS).filter(isObject);
      if (offset === 0 && !('Results' in list)) return null;
      for (const image of images) {
        const tag = listedTag(image['Tag'], image['Digest'], image['TaggedTimestamp'] ?? image['PushTimestamp']);
        if (tag !== null) tags.set(tag.name, tag);
      }
      const total = countOf(memberOf(list, 'Page')['TotalCount']) ?? 0;
      if (images.length === 0 || offset + PAGE >= total) break;
    }
    return tags;
  }

  /** The `data` of an answer; null where there is no search, or it answers with errors, which come with status 200. */
  async #ask(query: string, repository: RepositoryName, offset: number, signal: AbortSignal): Promise<Json> {
    if (!(await this.#isThere.get(signal))) return null;
    try {
      const document = await this.#get(searchPath(query, repository, offset), repository, signal);
      return document['data'] ?? null;
    } catch (error) {
      if (isAbsence(error) || (error instanceof RegistryError && error.code === 'MALFORMED')) return null;
      throw error;
    }
  }

  async #discover(signal: AbortSignal): Promise<boolean> {
    try {
      const extensions = extensionsIn(await this.#get('/v2/_oci/ext/discover', null, signal));
      return extensions.some(({ endpoints }) => Array.isArray(endpoints) && endpoints.includes(SEARCH));
    } catch (error) {
      if (!isAbsence(error)) throw error;
      return false;
    }
  }

  async #get(path: string, repository: RepositoryName | null, signal: AbortSignal): Promise<JsonObject> {
    const scope = repository === null ? 'registry:catalog:*' : pullScope(repository);
    const answer = await this.#session.send(
      { method: 'GET', path, headers: ACCEPT_JSON, scope, maxBytes: MAX_BYTES },
      signal,
    );
    const what = `GET ${this.#session.addressOf(path.split('?')[0] ?? '')}`;
    if (answer.status !== 200) throw errorOf(answer, what);
    return jsonOf(answer, what);
  }
}

/** https://github.com/opencontainers/distribution-spec/tree/main/extensions#discovering-extensions */
export function extensionsIn(document: JsonObject): JsonObject[] {
  const { extensions } = document;
  return Array.isArray(extensions) ? extensions.filter(isObject) : [];
}

/** The search takes a query in the address, which is all that a session sends. */
export function searchPath(query: string, repository: string, offset: number): string {
  const variables = JSON.stringify({ repository, offset });
  return `${SEARCH}?${String(new URLSearchParams({ query, variables }))}`;
}

const SEARCH = '/v2/_zot/ext/search';
const ACCEPT_JSON = ['accept', 'application/json'];
const MAX_BYTES = 16 * 1024 * 1024;
const PAGE = 500;
const MAX_TAGS = 200_000;
/** Older ones do not know when a tag was pushed. */
export const TAG_QUERIES = ['TaggedTimestamp PushTimestamp', ''].map(
  (dates) => `query ($repository: String!, $offset: Int!) {
  ImageList(repo: $repository, requestedPage: { limit: ${PAGE}, offset: $offset, sortBy: ALPHABETIC_ASC }) {
    Page { TotalCount }
    Results { Tag Digest ${dates} }
  }
}`,
);
export const DESCRIBE = `query ($repository: String!) {
  ExpandedRepoInfo(repo: $repository) { Summary { StarCount DownloadCount } }
}`;

function memberOf(value: Json | undefined, name: string): JsonObject {
  const member = isObject(value) ? value[name] : null;
  return isObject(member) ? member : {};
}
