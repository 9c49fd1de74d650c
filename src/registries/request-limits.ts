import { RegistryError } from '../domain/errors.ts';
import type { Headers } from '../http/index.ts';
import { rateLimitOf } from './rate-limit.ts';
import type { RateLimit } from './registry.ts';

/** What one service said of its limits. Where it wants to be left alone, it is: the limit is the account's. */
export class RequestLimits {
  /** What it said last; null where it never did. */
  rateLimit: RateLimit | null = null;
  readonly #host: string;
  #limitedUntil = 0;

  constructor(host: string) {
    this.#host = host;
  }

  observe(headers: Headers): void {
    this.rateLimit = rateLimitOf(headers, Date.now()) ?? this.rateLimit;
  }

  /** Keeps to what a refusal said, for all requests. */
  obey({ retryAt }: RegistryError): void {
    if (retryAt !== null) this.#limitedUntil = retryAt.getTime();
  }

  /** Throws RATE_LIMITED until the service may be asked again. `isCounted`: the request takes from what is left. */
  refuse(isCounted: boolean): void {
    const now = Date.now();
    const until = Math.max(this.#limitedUntil, isCounted ? this.#spentUntil(now) : 0);
    if (until <= now) return;
    throw new RegistryError('RATE_LIMITED', `${this.#host} limits requests`, { retryAt: new Date(until) });
  }

  /** A service that says that nothing is left is not asked once more. */
  #spentUntil(now: number): number {
    const { remaining, resetsAt, observedAt } = this.rateLimit ?? {};
    if (remaining !== 0 || observedAt === undefined) return 0;
    const until = resetsAt?.getTime() ?? observedAt.getTime() + PAUSE_WHEN_SPENT;
    return Math.min(until, now + LONGEST_PAUSE);
  }
}

const PAUSE_WHEN_SPENT = 60_000;
const LONGEST_PAUSE = 15 * 60_000;
