import { CatalogError } from './errors.ts';

/** What is allowed at a host, beside what it announces itself. */
export interface HostLimits {
  /** Requests at the same time, of all who send together. */
  readonly concurrency: number;
  /** Null means: as many as the host takes. */
  readonly requestsPerSecond: number | null;
}

/** As an operator gives them; null leaves it to us. */
export type GivenHostLimits = { readonly [L in keyof HostLimits]: HostLimits[L] | null };

/** Throws INVALID_ARGUMENT. */
export function checkHostLimits({ concurrency, requestsPerSecond }: GivenHostLimits): void {
  checkWhole('requests at a time', concurrency, 256);
  checkWhole('requests per second', requestsPerSecond, 1_000);
}

function checkWhole(what: string, value: number | null, most: number): void {
  if (value === null || (Number.isInteger(value) && value >= 1 && value <= most)) return;
  throw new CatalogError('INVALID_ARGUMENT', `${value} is no number of ${what}: write a whole one from 1 to ${most}.`);
}
