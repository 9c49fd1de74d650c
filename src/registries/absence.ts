import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import type { RepositoryName, TagName } from '../domain/reference.ts';
import type { Registry } from './registry.ts';

/**
 * Whether the registry says that what was deleted is not there any more. Some delete a little later than they say, so
 * they are asked again when they have said that they did.
 */
export async function isGone(
  resolve: () => Promise<Digest | null>,
  wasAccepted: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  for (const pause of wasAccepted ? PAUSES : [0]) {
    if (pause > 0) await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    if ((await resolve()) === null) return true;
  }
  return false;
}

/** After a deletion that the registry has accepted: rejects with UNSUPPORTED where it is not done after all. */
export async function confirmGone(
  registry: Registry,
  repository: RepositoryName,
  target: TagName | Digest,
  signal: AbortSignal,
): Promise<void> {
  if (await isGone(() => registry.resolveManifest(repository, target, signal), true, signal)) return;
  throw new RegistryError(
    'UNSUPPORTED',
    `${registry.host} says that it deleted ${target} of ${repository}, and it is still there`,
  );
}

/** Before each look. */
const PAUSES = [0, 200, 800, 2_000];
