import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { RegistryError } from '../domain/errors.ts';
import { isWildcard, literalPrefix, parsePattern } from '../domain/pattern.ts';
import { parseRepositoryName, type RepositoryName } from '../domain/reference.ts';
import type { OpenRegistry } from '../registries/registry.ts';

const MAX_REPOSITORIES = 50_000;

/**
 * The repositories that a run has to look at: those that the registry lists, and those that the catalog has from it and
 * the registry lists no more, so that their end is noticed. A name without wildcards is taken as it is.
 */
export async function listRepositories(
  database: Database,
  registry: OpenRegistry,
  scope: catalog.SyncScope,
  signal: AbortSignal,
): Promise<RepositoryName[]> {
  if (!isWildcard(scope.repositories)) return [parseRepositoryName(scope.repositories)];
  if (registry.listRepositories === undefined) throw cannotList(registry.host, scope.repositories);

  const pattern = parsePattern(scope.repositories, 'repositories');
  const names = new Set<RepositoryName>();
  for await (const page of registry.listRepositories(literalPrefix(scope.repositories), signal)) {
    for (const name of page) if (pattern.matches(name)) names.add(name);
    if (names.size > MAX_REPOSITORIES)
      throw new RegistryError('TOO_LARGE', `more than ${MAX_REPOSITORIES} repositories`);
  }
  for (const name of await catalog.knownRepositories(database, scope.registryId)) {
    if (pattern.matches(name)) names.add(name);
  }
  return [...names];
}

function cannotList(host: string, pattern: string): RegistryError {
  return new RegistryError(
    'UNSUPPORTED',
    `${host} does not list its repositories, so "${pattern}" can't be expanded; name each repository in a source of its own`,
  );
}
