import type { Headers } from './exchange.ts';

/**
 * Holds the limits of hosts: whoever sends to one asks here first, for every single exchange, be it another attempt, a
 * hop of a redirect, or for a token.
 */
export interface Gate {
  /**
   * Waits for the request's turn. Rejects with RATE_LIMITED or UNAVAILABLE, and the moment from which it is worth
   * coming back, when that is too long to wait for; with the signal's reason when it is aborted. A turn that is free at
   * once is handed out at once, without a promise.
   */
  enter(request: GatedRequest, signal: AbortSignal): Turn | Promise<Turn>;
}

export interface GatedRequest {
  /** Scheme, host and port, as URL.origin has them. */
  readonly origin: string;
  readonly authorization: string | null;
  /** What registries count when they limit pulls: a manifest that is fetched. */
  readonly isPull?: boolean;
}

/** The right to one exchange, and where it is told what became of it: `answered` or `failed`, then `ended`, each once. */
export interface Turn {
  answered(status: number, headers: Headers): void;
  /** There is no whole answer; a fault of the host only where it is a RegistryError. */
  failed(error: Error): void;
  /** The connection is free again. */
  ended(): void;
}
