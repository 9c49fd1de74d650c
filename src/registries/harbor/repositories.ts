import { isObject } from '../../domain/json.ts';
import { isRepositoryName, type RepositoryName } from '../../domain/reference.ts';
import type { RegistryApi } from '../api.ts';
import { countOf } from '../members.ts';
import type { RepositoryDescription } from '../registry.ts';
import { PAGE, pathOf, projectPath } from './path.ts';

/** Those of the project that the prefix names; else all that may be seen. */
export async function* listRepositories(
  api: RegistryApi,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<readonly RepositoryName[]> {
  const slash = prefix.indexOf('/');
  const where = slash > 0 ? projectPath(prefix.slice(0, slash)) : '';
  for await (const page of api.list({ path: `${where}/repositories?${PAGE}`, member: null }, signal)) {
    yield page.flatMap(({ name }) => (typeof name === 'string' && isRepositoryName(name) ? name : []));
  }
}

/** Whether it is private is said of its project. */
export async function describeRepository(
  api: RegistryApi,
  repository: RepositoryName,
  signal: AbortSignal,
): Promise<RepositoryDescription | null> {
  const found = await api.find(pathOf(repository), signal);
  if (found === null) return null;
  const project = await api.find(projectPath(repository.split('/')[0] ?? ''), signal);
  const { description, pull_count: pulls } = found;
  const metadata = project?.['metadata'];
  const isPublic = isObject(metadata) ? metadata['public'] : undefined;
  return {
    description: typeof description === 'string' ? description : null,
    isPrivate: typeof isPublic === 'string' ? isPublic !== 'true' : null,
    starCount: null,
    pullCount: countOf(pulls),
  };
}
