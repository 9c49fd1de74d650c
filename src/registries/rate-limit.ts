import type { Headers } from '../http/index.ts';
import type { RateLimit } from './registry.ts';

/**
 * What an answer says of the registry's limits, in the forms `ratelimit-limit: 100;w=21600` and `X-RateLimit-Limit`;
 * null where it says nothing.
 */
export function rateLimitOf(headers: Headers, now: number): RateLimit | null {
  const limit = figure(headers['ratelimit-limit'] ?? headers['x-ratelimit-limit']);
  const remaining = figure(headers['ratelimit-remaining'] ?? headers['x-ratelimit-remaining']);
  if (limit === null && remaining === null) return null;
  const reset = figure(headers['ratelimit-reset'] ?? headers['x-ratelimit-reset']);
  return { limit, remaining, resetsAt: reset === null ? null : momentOf(reset, now), observedAt: new Date(now) };
}

/** Seconds from now, or a Unix time. */
function momentOf(reset: number, now: number): Date | null {
  const moment = new Date(reset > 1e9 ? reset * 1000 : now + reset * 1000);
  return Number.isNaN(moment.getTime()) ? null : moment;
}

/** The number before the parameters; a column of the catalog holds it, so it stays below 2^31. */
function figure(header: string | string[] | undefined): number | null {
  const found = /^\s*(\d{1,10})\s*(?:[;,]|$)/.exec(Array.isArray(header) ? (header[0] ?? '') : (header ?? ''));
  return found ? Math.min(Number(found[1]), 2 ** 31 - 1) : null;
}
