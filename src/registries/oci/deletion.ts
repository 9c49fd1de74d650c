import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../domain/digest.ts';
import { RegistryError } from '../../domain/errors.ts';
import type { RepositoryName, TagName } from '../../domain/reference.ts';
import { errorOf } from './answer.ts';
import type { Manifests } from './manifests.ts';
import { deleteScope, type Session } from './session.ts';

/**
 * Deletes a manifest by digest, or a tag by name, and believes it when the registry says that it is not there any more.
 * A 404 is no more than a hint: some registries answer it for what they do not delete, or do not let us delete.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#deleting-manifests
 */
export async function deleteManifest(
  session: Session,
  manifests: Manifests,
  repository: RepositoryName,
  target: TagName | Digest,
  signal: AbortSignal,
): Promise<void> {
  const path = `/v2/${repository}/manifests/${target}`;
  const ask = { method: 'DELETE', path, headers: [], scope: deleteScope(repository), maxBytes: MAX_ANSWER } as const;
  const answer = await session.send(ask, signal);
  const what = `DELETE ${session.addressOf(path)}`;
  if (!ACCEPTED.has(answer.status) && answer.status !== 404) throw errorOf(answer, what);
  for (const pause of PAUSES) {
    if (pause > 0) await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    if ((await manifests.resolve(repository, target, signal)) === null) return;
    if (answer.status === 404) throw errorOf(answer, what);
  }
  const { status } = answer;
  throw new RegistryError('UNSUPPORTED', `${what} was answered with ${status}, and it is still there`, { status });
}

const MAX_ANSWER = 64 * 1024;
const ACCEPTED = new Set([200, 202, 204]);
/** Before each look whether it is gone: some registries delete a little later than they say. */
const PAUSES = [0, 200, 800, 2_000];
