import type { RepositoryName } from '../../domain/reference.ts';

/**
 * Where Harbor's API has a repository: below the project that its name begins with. A slash in the rest is encoded
 * twice, as Harbor's own proxy decodes it once.
 */
export function pathOf(repository: RepositoryName): string {
  const slash = repository.indexOf('/');
  const project = repository.slice(0, Math.max(slash, 0));
  const rest = encodeURIComponent(repository.slice(slash + 1));
  return `${projectPath(project)}/repositories/${encodeURIComponent(rest)}`;
}

export function projectPath(project: string): string {
  return `/projects/${encodeURIComponent(project)}`;
}

export const PAGE = 'page=1&page_size=100';
