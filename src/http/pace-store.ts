import type { HostPace } from '../domain/host-pace.ts';

/** Where what all share of the hosts of one registry is kept. */
export interface PaceStore {
  /**
   * Lets `change` alter what is kept of a host, with nobody else at it; `now` is by the clock that all go by. Tells the
   * others at once where it answers that there is news for them.
   */
  change<T>(origin: string, change: (pace: HostPace, now: number) => Changed<T>): Promise<T>;
}

export interface Changed<T> {
  readonly result: T;
  readonly isNews: boolean;
}
