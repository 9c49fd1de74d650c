import { isObject, textOf } from '../../domain/json.ts';
import { isRepositoryName, type RepositoryName } from '../../domain/reference.ts';
import { ownerIn } from '../owner.ts';
import type { RepositoryDescription } from '../registry.ts';
import type { RestApi } from './rest-api.ts';

/** https://docs.github.com/en/rest/packages/packages#list-packages-for-an-organization */
export async function* listRepositories(
  api: RestApi,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<readonly RepositoryName[]> {
  const owner = ownerIn(prefix, 'GitHub', 'github/*');
  const path = `${await api.pathOfOwner(owner, signal)}?package_type=container&per_page=100`;
  for await (const packages of api.list({ path, member: null }, signal)) {
    // The registry takes small letters only, whatever an owner or a package is called.
    yield packages.map(({ name }) => `${owner}/${textOf(name) ?? ''}`.toLowerCase()).filter(isRepositoryName);
  }
}

/** What the package's source repository says; internal is private. */
export async function describeRepository(
  api: RestApi,
  repository: RepositoryName,
  signal: AbortSignal,
): Promise<RepositoryDescription | null> {
  const found = await api.find(await api.pathOfPackage(repository, signal), signal);
  if (found === null) return null;
  const source = found['repository'];
  const visibility = textOf(found['visibility']);
  return {
    description: isObject(source) ? (textOf(source['description']) ?? '') : null,
    isPrivate: visibility === null ? null : visibility !== 'public',
    starCount: null,
    pullCount: null,
  };
}
