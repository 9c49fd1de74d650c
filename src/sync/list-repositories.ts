import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { RegistryError } from '../domain/errors.ts';
import { parseRepositoryName, type RepositoryName } from '../domain/reference.ts';
import { parseRepositorySelection } from '../domain/selection.ts';
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
  const selection = parseRepositorySelection(scope.repositories);
  const names = new Set<RepositoryName>(selection.names.map(parseRepositoryName));
  if (selection.prefixes.length === 0) return [...names];
  if (registry.listRepositories === undefined) throw cannotList(registry.host, scope.repositories);

  for (const prefix of selection.prefixes) {
    for await (const page of registry.listRepositories(prefix, signal)) {
      for (const name of page) if (selection.matches(name)) names.add(name);
      if (names.size > MAX_REPOSITORIES)
        throw new RegistryError('TOO_LARGE', `more than ${MAX_REPOSITORIES} repositories`);
    }
  }
  for (const name of await catalog.taggedRepositories(database, scope.registryId)) {
    if (selection.matches(name)) names.add(name);
  }
  return [...names];
}

function cannotList(host: string, selection: string): RegistryError {
  return new RegistryError(
    'UNSUPPORTED',
    `${host} does not list its repositories, so "${selection}" can't be expanded; name each repository, with commas between them`,
  );
}
