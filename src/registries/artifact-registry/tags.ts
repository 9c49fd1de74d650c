import { RegistryError } from '../../domain/errors.ts';
import { isRepositoryName, type RepositoryName } from '../../domain/reference.ts';
import { nextLink } from '../../http/index.ts';
import { errorOf } from '../answer.ts';
import { withinTime } from '../deadline.ts';
import { pullScope, type Session } from '../oci/session.ts';
import { pagesFrom } from '../pages.ts';
import { readTagPage, type TagPage } from './tag-page.ts';

/** In practice one, with everything; a page that is linked to is followed all the same. */
export async function* listPages(
  session: Session,
  repository: RepositoryName,
  signal: AbortSignal,
): AsyncGenerator<TagPage> {
  const first = `/v2/${repository}/tags/list`;
  const what = `GET ${session.addressOf(first)}`;
  const ask = {
    method: 'GET',
    headers: ACCEPT,
    scope: pullScope(repository),
    maxBytes: MAX_BYTES,
    stream: true,
  } as const;
  yield* pagesFrom(what, `${first}?n=${NAMES}`, (path) =>
    withinTime(LONGEST, what, signal, async (within) => {
      const answer = await session.send({ ...ask, path }, within);
      if (answer.chunks === null) throw errorOf(answer, what);
      const next = nextLink(answer.headers['link'], session.addressOf(path));
      const content = await readTagPage(answer.chunks, what);
      return { content, next: next === null ? null : session.pathOf(next) };
    }),
  );
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
