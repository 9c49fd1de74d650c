import type { GatedRequest, Turn } from './gate.ts';

/** Those that wait, first come first served. */
export class HostQueue {
  readonly isPull: boolean;
  waiters: Waiter[] = [];
  /** It is not worth asking for them before. */
  notBefore = 0;

  constructor(isPull: boolean) {
    this.isPull = isPull;
  }
}

export interface Waiter {
  readonly request: GatedRequest;
  readonly signal: AbortSignal;
  /** By our own clock. */
  readonly since: number;
  readonly resolve: (turn: Turn) => void;
  readonly reject: (error: Error) => void;
}
