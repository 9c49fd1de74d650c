import { RegistryError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import { nextLink, type HttpAnswer } from '../../http/index.ts';
import { errorOf, isPageSizeRefusal, jsonOf } from '../answer.ts';
import type { Session } from './session.ts';

/** A list that a registry gives page by page. */
export interface Listing<Item> {
  /** Without a query. */
  readonly path: string;
  readonly scope: string;
  readonly member: 'tags' | 'repositories';
  /** What an entry of the list says, and its name; null where it is none. */
  read(entry: unknown): { readonly name: string; readonly item: Item } | null;
  readonly maxNames: number;
}

/** How many names to ask for at once; kept for a registry that has refused the larger number. */
export interface PageSize {
  names: number;
}

export const LARGE_PAGE = 1000;
/** Of one repository. */
export const MAX_TAGS = 200_000;

/**
 * Each page as it comes, without what can't be read and what was there before. Only `Link` leads on: a short page is not
 * the last, and a made-up offset makes old registries begin again. Its query alone is taken: proxies forget the path that
 * they are below, and Artifactory the key that its names begin with. Ends without an error only at the end of the list.
 */
export async function* listItems<Item>(
  session: Session,
  listing: Listing<Item>,
  pageSize: PageSize,
  signal: AbortSignal,
): AsyncGenerator<readonly Item[]> {
  const given = new Set<string>();
  const visited = new Set<string>();
  let ofThisPass = new Set<string>();
  let hasRestarted = false;
  let path: string | null = firstPage(listing, pageSize);

  for (let page = 0; path !== null; page++) {
    if (page === MAX_PAGES) throw tooMany(session, listing, `more than ${MAX_PAGES} pages`);
    if (visited.has(path)) {
      throw new RegistryError('MALFORMED', `${session.addressOf(listing.path)}: the pages lead in a circle`);
    }
    visited.add(path);
    const answer: HttpAnswer = await session.send(askFor(path, listing), signal);
    if (answer.status !== 200) {
      if (pageSize.names === LARGE_PAGE && isPageSizeRefusal(answer)) {
        pageSize.names = SMALL_PAGE;
      } else if (answer.status === 404 && page > 0 && !hasRestarted) {
        // The tag that the page begins after is gone: https://github.com/project-zot/zot answers so.
        hasRestarted = true;
        visited.clear();
        ofThisPass = new Set();
      } else {
        throw brokenOff(answer, session, listing, page);
      }
      path = firstPage(listing, pageSize);
      continue;
    }

    const entries = entriesOf(jsonOf(answer, session.addressOf(listing.path)), listing, session);
    const read = entries.flatMap((entry) => listing.read(entry) ?? []);
    const isRepeated = read.length > 0 && read.every(({ name }) => ofThisPass.has(name));
    if (entries.length === 0 || isRepeated) return;
    for (const { name } of read) ofThisPass.add(name);

    const fresh = read.filter(({ name }) => !given.has(name) && given.add(name));
    if (given.size > listing.maxNames)
      throw tooMany(session, listing, `more than ${listing.maxNames} ${listing.member}`);
    if (fresh.length > 0) yield fresh.map(({ item }) => item);

    const next = nextLink(answer.headers['link'], session.addressOf(path));
    path = next === null ? null : listing.path + new URL(next).search;
  }
}

const SMALL_PAGE = 100;
const MAX_PAGES = 1000;
const MAX_PAGE_BYTES = 16 * 1024 * 1024;
const ACCEPT_JSON = ['accept', 'application/json'];

function firstPage(listing: Listing<unknown>, pageSize: PageSize): string {
  return `${listing.path}?n=${pageSize.names}`;
}

function askFor(path: string, { scope }: Listing<unknown>) {
  return { method: 'GET', path, headers: ACCEPT_JSON, scope, maxBytes: MAX_PAGE_BYTES } as const;
}

/** Null and nothing at all are an empty list; old registries say so of a repository without tags. */
function entriesOf(document: JsonObject, listing: Listing<unknown>, session: Session): unknown[] {
  const entries = document[listing.member];
  if (Array.isArray(entries)) return entries;
  if (entries === null || (entries === undefined && ('name' in document || 'imageName' in document))) return [];
  throw new RegistryError(
    'MALFORMED',
    `${session.addressOf(listing.path)} was answered with no list of ${listing.member}`,
  );
}

/** A 404 on a later page does not say that there is no such repository. */
function brokenOff(answer: HttpAnswer, session: Session, listing: Listing<unknown>, page: number): RegistryError {
  const what = `GET ${session.addressOf(listing.path)}`;
  if (answer.status !== 404 || page === 0) return errorOf(answer, what);
  return new RegistryError('UNAVAILABLE', `${what} broke off: page ${page + 1} was answered with 404`, { status: 404 });
}

function tooMany(session: Session, listing: Listing<unknown>, what: string): RegistryError {
  return new RegistryError('TOO_LARGE', `${session.addressOf(listing.path)} has ${what}`);
}
