import { textOf } from '../../domain/json.ts';
import { isRepositoryName, type RepositoryName } from '../../domain/reference.ts';
import type { RegistryApi } from '../api.ts';
import { countOf, flagOf } from '../members.ts';
import { ownerIn } from '../owner.ts';
import type { RepositoryDescription } from '../registry.ts';

/** https://docs.docker.com/reference/api/hub/latest/#tag/repositories/operation/listNamespaceRepositories */
export async function* listRepositories(
  api: RegistryApi,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<readonly RepositoryName[]> {
  const namespace = ownerIn(prefix, 'Docker Hub', 'library/*');
  const path = `/v2/namespaces/${encodeURIComponent(namespace)}/repositories?page_size=100&ordering=name`;
  for await (const entries of api.list({ path, member: 'results', next: (page) => textOf(page['next']) }, signal)) {
    yield entries.map((entry) => `${namespace}/${textOf(entry['name']) ?? ''}`).filter(isRepositoryName);
  }
}

export async function describeRepository(
  api: RegistryApi,
  repository: RepositoryName,
  signal: AbortSignal,
): Promise<RepositoryDescription | null> {
  const found = await api.find(pathOf(repository), signal);
  return (
    found && {
      description: textOf(found['description']) ?? '',
      isPrivate: flagOf(found['is_private']),
      starCount: countOf(found['star_count']),
      pullCount: countOf(found['pull_count']),
    }
  );
}

/** Of a repository in the Hub API. */
export function pathOf(repository: RepositoryName): string {
  const [namespace = '', ...name] = repository.split('/');
  return `/v2/namespaces/${namespace}/repositories/${encodeURIComponent(name.join('/'))}`;
}
