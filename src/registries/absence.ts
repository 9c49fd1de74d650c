import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../domain/digest.ts';

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

/** Before each look. */
const PAUSES = [0, 200, 800, 2_000];
