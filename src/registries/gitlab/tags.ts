import { isObject, type JsonObject } from '../../domain/json.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import { nextLink } from '../../http/index.ts';
import { errorOf, jsonListOf } from '../answer.ts';
import { listedTag } from '../listed-tag.ts';
import { pullScope, type Session } from '../oci/session.ts';
import { pagesFrom } from '../pages.ts';
import type { ListedTag } from '../registry.ts';

/**
 * Tags with their digests and the moments when they were pushed, a thousand a request. NOT_FOUND where the registry has
 * no such list, or no such repository.
 * https://gitlab.com/gitlab-org/container-registry/-/blob/master/docs/spec/gitlab/api.md#list-repository-tags
 */
export async function* listTags(
  session: Session,
  repository: RepositoryName,
  signal: AbortSignal,
): AsyncGenerator<readonly ListedTag[]> {
  const first = `/gitlab/v1/repositories/${repository}/tags/list/`;
  const what = `GET ${session.addressOf(first)}`;
  const ask = { method: 'GET', headers: ACCEPT_JSON, scope: pullScope(repository), maxBytes: MAX_PAGE_BYTES } as const;
  yield* pagesFrom(what, `${first}?n=${PAGE}`, async (path) => {
    const answer = await session.send({ ...ask, path }, signal);
    if (answer.status !== 200) throw errorOf(answer, what);
    const next = nextLink(answer.headers['link'], session.addressOf(path));
    const content = jsonListOf(answer, what).filter(isObject).flatMap(tagIn);
    return { content, next: next === null ? null : session.pathOf(next) };
  });
}

const PAGE = 1000;
const MAX_PAGE_BYTES = 16 * 1024 * 1024;
const ACCEPT_JSON = ['accept', 'application/json'];

function tagIn({ name, digest, published_at, updated_at, created_at }: JsonObject): ListedTag | [] {
  return listedTag(name, digest, published_at ?? updated_at ?? created_at) ?? [];
}
