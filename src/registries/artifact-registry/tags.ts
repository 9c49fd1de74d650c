import { RegistryError } from '../../domain/errors.ts';
import { isRepositoryName, type RepositoryName } from '../../domain/reference.ts';
import { nextLink } from '../../http/index.ts';
import { errorOf } from '../answer.ts';
import { pullScope, type Session } from '../oci/session.ts';
import { readTagPage, type TagPage } from './tag-page.ts';

/** In practice one, with everything; a page that is linked to is followed all the same. */
export async function* listPages(
  session: Session,
  repository: RepositoryName,
  signal: AbortSignal,
): AsyncGenerator<TagPage> {
  const first = `/v2/${repository}/tags/list`;
  const what = `GET ${session.addressOf(first)}`;
  const visited = new Set<string>();
  let path: string | null = `${first}?n=${NAMES}`;
  while (path !== null) {
    if (visited.size === MAX_PAGES) throw new RegistryError('TOO_LARGE', `${what} has more than ${MAX_PAGES} pages`);
    if (visited.has(path)) throw new RegistryError('MALFORMED', `${what}: the pages lead in a circle`);
    visited.add(path);
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(LONGEST)]);
    const scope = pullScope(repository);
    const ask = { method: 'GET', path, headers: ACCEPT, scope, maxBytes: MAX_BYTES, stream: true } as const;
    const answer = await session.send(ask, deadline);
    if (answer.chunks === null) throw errorOf(answer, what);
    const next = nextLink(answer.headers['link'], session.addressOf(path));
    yield await readTagPage(answer.chunks, what);
    path = next === null ? null : session.pathOf(next);
  }
}

/**
 * What lies below the last "/" of the prefix, level by level: each repository names those one level below it. A name
 * that holds nothing itself is none.
 */
export async function* listRepositories(
  session: Session,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<readonly RepositoryName[]> {
  const root = prefix.slice(0, Math.max(prefix.lastIndexOf('/'), 0));
  if (!isRepositoryName(root)) throw listsBelow(session.host);
  const waiting = [root];
  const visited = new Set<string>(waiting);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    let holdsSome = false;
    for await (const page of pagesOf(session, name, name === root, signal)) {
      holdsSome ||= page.hasManifests || page.tags.length > 0;
      for (const child of page.children) {
        const below = `${name}/${child}`;
        const isOfPrefix = below.startsWith(prefix) || prefix.startsWith(`${below}/`);
        if (child.includes('/') || !isRepositoryName(below) || visited.has(below) || !isOfPrefix) continue;
        visited.add(below);
        waiting.push(below);
      }
      if (visited.size > MAX_REPOSITORIES) {
        throw new RegistryError(
          'TOO_LARGE',
          `${session.host}/${root} has more than ${MAX_REPOSITORIES} names below it`,
        );
      }
    }
    if (holdsSome) yield [name];
  }
}

const NAMES = 10_000;
const MAX_PAGES = 1000;
const MAX_BYTES = 64 * 1024 * 1024;
/** Of one answer, however it trickles. */
const LONGEST = 5 * 60_000;
const MAX_REPOSITORIES = 50_000;
const ACCEPT = ['accept', 'application/json'];

/** One that was named a moment ago and is gone holds nothing. */
async function* pagesOf(
  session: Session,
  name: RepositoryName,
  isRoot: boolean,
  signal: AbortSignal,
): AsyncGenerator<TagPage> {
  try {
    yield* listPages(session, name, signal);
  } catch (error) {
    if (isRoot || !(error instanceof RegistryError) || error.code !== 'NOT_FOUND') throw error;
  }
}

function listsBelow(host: string): RegistryError {
  return new RegistryError(
    'UNSUPPORTED',
    `${host} lists what is in a project: begin the pattern with it, as in "project/*" at gcr.io and "project/repository/*" at pkg.dev`,
  );
}
