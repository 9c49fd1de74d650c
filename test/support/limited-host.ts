/** How a host tells its limit. */
export type Form = 'reset' | 'x-reset' | 'unix' | 'window' | 'structured' | 'nothing';

export interface HostRules {
  /** Requests in a period; null: as many as come. */
  readonly limit: number | null;
  readonly periodMs: number;
  /** Each request counts for a period, and the end that is told is that of the oldest; else periods follow each other. */
  readonly isSliding?: boolean;
  readonly form: Form;
}

/** A host that counts who comes, as a server would, by its own clock; and what it says of it. */
export class LimitedHost {
  /** Moments of all requests. */
  readonly arrivals: number[] = [];
  /** Requests that were more than it allows. */
  over = 0;
  inFlight = 0;
  mostInFlight = 0;
  readonly #rules: HostRules;
  readonly #now: () => number;
  #counted: number[] = [];
  #periodEnds: number;

  constructor(rules: HostRules, now: () => number = Date.now) {
    this.#rules = rules;
    this.#now = now;
    this.#periodEnds = now() + rules.periodMs;
  }

  /** Counts a request, and answers with the status and the headers that it gets. */
  receive(): { status: number; headers: Record<string, string> } {
    const { limit, periodMs, isSliding = false } = this.#rules;
    const now = this.#now();
    this.arrivals.push(now);
    while (this.#periodEnds <= now) {
      this.#periodEnds += periodMs;
      if (!isSliding) this.#counted = [];
    }
    if (isSliding) this.#counted = this.#counted.filter((at) => at > now - periodMs);
    if (limit === null) return { status: 200, headers: {} };
    const isOver = this.#counted.length >= limit;
    if (isOver) this.over++;
    else this.#counted.push(now);
    const end = isSliding ? (this.#counted[0] ?? now) + periodMs : this.#periodEnds;
    return { status: isOver ? 429 : 200, headers: this.#headers(limit, limit - this.#counted.length, end, now) };
  }

  #headers(limit: number, remaining: number, end: number, now: number): Record<string, string> {
    const seconds = Math.floor((end - now) / 1000);
    const window = Math.ceil(this.#rules.periodMs / 1000);
    switch (this.#rules.form) {
      case 'nothing':
        return {};
      case 'window':
        return { 'ratelimit-limit': `${limit};w=${window}`, 'ratelimit-remaining': `${remaining};w=${window}` };
      case 'structured':
        return { ratelimit: `"a";r=${remaining};t=${seconds}`, 'ratelimit-policy': `"a";q=${limit};w=${window}` };
      case 'unix':
        return {
          date: new Date(now).toUTCString(),
          'x-ratelimit-limit': String(limit),
          'x-ratelimit-remaining': String(remaining),
          'x-ratelimit-reset': String(Math.floor(end / 1000)),
        };
      default: {
        const prefix = this.#rules.form === 'reset' ? '' : 'x-';
        return {
          [`${prefix}ratelimit-limit`]: String(limit),
          [`${prefix}ratelimit-remaining`]: String(remaining),
          [`${prefix}ratelimit-reset`]: String(seconds),
        };
      }
    }
  }
}
