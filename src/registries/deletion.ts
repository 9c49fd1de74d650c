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

/**
 * After a deletion by a registry's own API: rejects where the distribution API says that it is still there. `wasAccepted`
 * is false where the own API said that there is no such thing, as some do to those who may not delete it.
 */
export async function confirmGone(
  registry: Registry,
  repository: RepositoryName,
  target: TagName | Digest,
  signal: AbortSignal,
  wasAccepted = true,
): Promise<void> {
  if (await isGone(() => registry.resolveManifest(repository, target, signal), wasAccepted, signal)) return;
  const what = `${target} of ${repository}`;
  throw wasAccepted
    ? new RegistryError('UNAVAILABLE', `${registry.host} says that it deleted ${what}, and it is still there`)
    : new RegistryError('FORBIDDEN', `${registry.host} does not let this account delete ${what}`);
}

/** Before each look. */
const PAUSES = [0, 200, 800, 2_000];
