import { RegistryError } from '../../domain/errors.ts';
import type { RepositoryName, TagName } from '../../domain/reference.ts';
import { isGone } from '../absence.ts';
import type { RegistryApi } from '../api.ts';
import type { Registry } from '../registry.ts';
import { pathOf } from './path.ts';

/** A tag by its name, which Harbor's distribution API does not delete. One that is immutable is refused with 412. */
export async function deleteTag(
  api: RegistryApi,
  registry: Registry,
  repository: RepositoryName,
  tag: TagName,
  signal: AbortSignal,
): Promise<void> {
  const wasAccepted = await api.delete(`${pathOf(repository)}/artifacts/${tag}/tags/${tag}`, signal);
  if (await isGone(() => registry.resolveManifest(repository, tag, signal), wasAccepted, signal)) return;
  const said = wasAccepted ? 'that it deleted' : 'that it does not know';
  throw new RegistryError('UNSUPPORTED', `Harbor says ${said} the tag ${tag} of ${repository}, and it is still there`);
}
