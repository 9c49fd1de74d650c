import type { RepositoryName, TagName } from '../../domain/reference.ts';
import { confirmGone } from '../deletion.ts';
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
  await confirmGone(registry, repository, tag, signal, wasAccepted);
}
