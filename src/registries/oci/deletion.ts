import type { Digest } from '../../domain/digest.ts';
import { RegistryError } from '../../domain/errors.ts';
import type { RepositoryName, TagName } from '../../domain/reference.ts';
import { isGone } from '../deletion.ts';
import { errorOf } from '../answer.ts';
import type { Manifests } from './manifests.ts';
import { deleteScope, type Session } from './session.ts';

/**
 * Deletes a manifest by digest, or a tag by name, and believes it when the registry says that it is not there any more.
 * A 404 is no more than a hint: some registries answer it for what they do not delete, or do not let us delete.
 * `path` is where a registry deletes it that does so elsewhere.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#deleting-manifests
 */
export async function deleteManifest(
  session: Session,
  manifests: Pick<Manifests, 'resolve'>,
  repository: RepositoryName,
  target: TagName | Digest,
  signal: AbortSignal,
  path = `/v2/${repository}/manifests/${target}`,
): Promise<void> {
  const ask = { method: 'DELETE', path, headers: [], scope: deleteScope(repository), maxBytes: MAX_ANSWER } as const;
  const answer = await session.send(ask, signal);
  const { status } = answer;
  const what = `DELETE ${session.addressOf(path)}`;
  if (!ACCEPTED.has(status) && status !== 404) throw errorOf(answer, what);
  if (await isGone(() => manifests.resolve(repository, target, signal), status !== 404, signal)) return;
  if (status === 404) throw errorOf(answer, what);
  throw new RegistryError('UNSUPPORTED', `${what} was answered with ${status}, and it is still there`, { status });
}

const MAX_ANSWER = 64 * 1024;
const ACCEPTED = new Set([200, 202, 204]);
