import { RegistryError } from '../../domain/errors.ts';
import { isObject } from '../../domain/json.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import { nextLink, type HttpAnswer } from '../../http/index.ts';
import { errorOf, jsonListOf } from '../answer.ts';
import { listedTag } from '../listed-tag.ts';
import { pullScope, type Session } from '../oci/session.ts';
import type { ListedTag } from '../registry.ts';

/**
 * Tags with their digests and the moments when they were pushed, a thousand a request. Returns false, having given none,
 * where the registry has no such list, or no such repository.
 * https://gitlab.com/gitlab-org/container-registry/-/blob/master/docs/spec/gitlab/api.md#list-repository-tags
 */
export async function* listTags(
  session: Session,
  repository: RepositoryName,
  signal: AbortSignal,
): AsyncGenerator<readonly ListedTag[], boolean> {
  const visited = new Set<string>();
  let path: string | null = `/gitlab/v1/repositories/${repository}/tags/list/?n=${PAGE}`;
  const what = `GET ${session.addressOf(`/gitlab/v1/repositories/${repository}/tags/list/`)}`;
  while (path !== null) {
    if (visited.size === MAX_PAGES) throw new RegistryError('TOO_LARGE', `${what} has more than ${MAX_PAGES} pages`);
    if (visited.has(path)) throw new RegistryError('MALFORMED', `${what}: the pages lead in a circle`);
    visited.add(path);
    const ask = { path, headers: ACCEPT_JSON, scope: pullScope(repository), maxBytes: MAX_PAGE_BYTES };
    const answer: HttpAnswer = await session.send({ method: 'GET', ...ask }, signal);
    if (answer.status === 404 && visited.size === 1) return false;
    if (answer.status !== 200) throw errorOf(answer, what);
    const entries = jsonListOf(answer, what).filter(isObject);
    yield entries.flatMap(
      (tag) =>
        listedTag(tag['name'], tag['digest'], tag['published_at'] ?? tag['updated_at'] ?? tag['created_at']) ?? [],
    );
    const next = nextLink(answer.headers['link'], session.addressOf(path));
    path = next === null ? null : session.pathOf(next);
  }
  return true;
}

const PAGE = 1000;
const MAX_PAGES = 1000;
const MAX_PAGE_BYTES = 16 * 1024 * 1024;
const ACCEPT_JSON = ['accept', 'application/json'];
