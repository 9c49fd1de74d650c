import type { Headers } from './exchange.ts';

/**
 * Milliseconds from now until a moment as servers name it: in seconds from now, as a Unix time, as an HTTP date. The last
 * two are by the server's clock, which its Date tells. Null where it can't be read; below 0 where it has passed.
 */
export function millisecondsUntil(text: string, headers: Headers, now: number): number | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  const seconds = Number(trimmed);
  if (Number.isFinite(seconds) && seconds <= FIRST_UNIX_TIME) return seconds * 1_000;
  const moment = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(trimmed);
  const serverNow = Date.parse(firstOf(headers['date']));
  return Number.isNaN(moment) ? null : moment - (Number.isNaN(serverNow) ? now : serverNow);
}

export function firstOf(header: string | string[] | undefined): string {
  return Array.isArray(header) ? (header[0] ?? '') : (header ?? '');
}

/** Numbers above it are moments, below it pauses. */
const FIRST_UNIX_TIME = 1e9;
