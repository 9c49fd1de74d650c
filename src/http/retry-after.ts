import type { Headers } from './exchange.ts';
import { firstOf, millisecondsUntil } from './moment.ts';

/**
 * When a server that answered 429 or 503 wants to be asked again, as it says in one of the ways that are in use:
 * seconds, an HTTP date, a Unix time. Clamped to between a second and a quarter of an hour; null where it does not say.
 */
export function retryAtOf(headers: Headers, now: number): Date | null {
  const asked = pauseOf('retry-after', headers, now) ?? pauseOf('x-retry-after', headers, now);
  const isSpent = firstOf(headers['x-ratelimit-remaining']) === '0';
  const pause = asked ?? (isSpent ? pauseOf('x-ratelimit-reset', headers, now) : null);
  if (pause === null) return null;
  return new Date(now + Math.min(Math.max(pause, 1_000), MAX_PAUSE));
}

const MAX_PAUSE = 15 * 60_000;

function pauseOf(name: string, headers: Headers, now: number): number | null {
  return millisecondsUntil(firstOf(headers[name]), headers, now);
}
