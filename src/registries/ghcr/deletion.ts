import type { Digest } from '../../domain/digest.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import { confirmGone } from '../deletion.ts';
import type { Registry } from '../registry.ts';
import type { RestApi } from './rest-api.ts';
import { listVersions } from './tags.ts';

/**
 * Deletes a manifest, with every tag that names it. GitHub refuses the last tagged version of a package, and versions of
 * public packages that were downloaded often.
 * https://docs.github.com/en/rest/packages/packages#delete-package-version-for-an-organization
 */
export async function deleteVersion(
  api: RestApi,
  registry: Registry,
  repository: RepositoryName,
  digest: Digest,
  signal: AbortSignal,
): Promise<void> {
  const id = await idOf(api, repository, digest, signal);
  const packagePath = await api.pathOfPackage(repository, signal);
  const wasAccepted = id !== null && (await api.delete(`${packagePath}/versions/${id}`, signal));
  await confirmGone(registry, repository, digest, signal, wasAccepted);
}

/** Null where GitHub shows no such version. */
async function idOf(
  api: RestApi,
  repository: RepositoryName,
  digest: Digest,
  signal: AbortSignal,
): Promise<number | null> {
  for await (const versions of listVersions(api, repository, signal)) {
    const id = versions.find(({ name }) => name === digest)?.['id'];
    if (Number.isSafeInteger(id)) return id as number;
  }
  return null;
}
