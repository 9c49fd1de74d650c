import type { Headers } from './exchange.ts';

/**
 * When a server that answered 429 or 503 wants to be asked again, as it says in one of the ways that are in use:
 * seconds, an HTTP date, a Unix time. Clamped to between a second and a quarter of an hour; null where it does not say.
 */
export function retryAtOf(headers: Headers, now: number): Date | null {
  const after = momentOf(headers['retry-after'], now) ?? momentOf(headers['x-retry-after'], now);
  const asked =
    after ?? (headers['x-ratelimit-remaining'] === '0' ? momentOf(headers['x-ratelimit-reset'], now) : null);
  if (asked === null) return null;
  return new Date(Math.min(Math.max(asked, now + 1_000), now + MAX_PAUSE));
}

const MAX_PAUSE = 15 * 60_000;
/** Numbers above it are moments, below it pauses. */
const FIRST_UNIX_TIME = 1e9;

function momentOf(header: string | string[] | undefined, now: number): number | null {
  const text = (Array.isArray(header) ? (header[0] ?? '') : (header ?? '')).trim();
  if (text === '') return null;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return seconds > FIRST_UNIX_TIME ? seconds * 1000 : now + seconds * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : date;
}
