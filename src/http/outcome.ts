import { RegistryError } from '../domain/errors.ts';
import type { Fault, Outcome } from '../domain/host-pace.ts';
import type { Headers } from './exchange.ts';
import type { GatedRequest } from './gate.ts';
import { retryAtOf } from './retry-after.ts';

/** What an answer says of the host that gave it, whatever it says of what was asked. */
export function resultOf(
  status: number,
  headers: Headers,
  { authorization }: GatedRequest,
  now: number,
): Outcome['result'] {
  const retryAt = retryAtOf(headers, now);
  // GitHub limits with 403, some with 503.
  if (status === 429 || (retryAt !== null && (status === 403 || status === 503))) {
    return { kind: 'REFUSED', retryIn: retryAt === null ? null : retryAt.getTime() - now };
  }
  if (status >= 500 && status !== 501) {
    return { kind: 'FAILED', fault: { code: 'UNAVAILABLE', message: `it answered with ${status}` } };
  }
  if (status !== 401) return { kind: 'ANSWERED' };
  // A token may lack a right; a user name and a password that are refused are wrong, and locked when tried too often.
  if (authorization?.startsWith('Basic ') !== true) return { kind: 'CHALLENGED' };
  return { kind: 'FAILED', fault: { code: 'UNAUTHORIZED', message: 'it refused the credential' } };
}

/** What it says of a host that there was no whole answer. */
export function resultOfFault(error: Error): Outcome['result'] {
  const code = error instanceof RegistryError ? FAULTS.find((known) => known === error.code) : undefined;
  return code === undefined ? { kind: 'ABANDONED' } : { kind: 'FAILED', fault: { code, message: error.message } };
}

const FAULTS: readonly Fault['code'][] = ['UNAVAILABLE', 'TIMEOUT', 'TLS_FAILED'];
