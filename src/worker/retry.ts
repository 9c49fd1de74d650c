import type { ObservedHealth, RunOutcome, SyncFault } from '../catalog/write/index.ts';
import { RegistryError, messageOf } from '../domain/errors.ts';
import type { RateLimit } from '../registries/registry.ts';
import type { JobContext } from './context.ts';

/** When to try again what failed; null when it would fail again, or has failed often enough. */
export function retryAt(context: JobContext, errors: readonly unknown[], attempt: number): Date | null {
  const pause = context.pauses[attempt - 1];
  const transient = errors.filter((error) => error instanceof RegistryError && error.isTransient) as RegistryError[];
  if (pause === undefined || transient.length === 0) return null;
  const told = transient.map((error) => error.retryAt?.getTime() ?? 0);
  return new Date(Math.max(context.now().getTime() + pause, ...told));
}

/** An error as the run keeps it. What is no fault of the registry is a fault of ours, and is in the log whole. */
export function faultOf(reference: string, error: unknown, attempts: number, willRetry: boolean): SyncFault {
  const code = error instanceof RegistryError ? error.code : 'INTERNAL';
  return { reference, code, message: messageOf(error), attempts, willRetry };
}

/** What a run has met with so far; it is tried again. */
export function troubleOf(fault: SyncFault, rateLimit: RateLimit | null): ObservedHealth {
  return { status: STATUS[fault.code] ?? 'DEGRADED', message: fault.message, rateLimit, isFinal: false };
}

/** What the end of a run says of its registry. */
export function healthOf(outcome: RunOutcome, rateLimit: RateLimit | null): ObservedHealth {
  const { status, code, message } = outcome;
  if (status === 'SUCCEEDED') return { status: 'HEALTHY', message: null, rateLimit, isFinal: true };
  const failed = (code !== null && STATUS[code]) || 'DEGRADED';
  return { status: status === 'PARTIAL' ? 'DEGRADED' : failed, message, rateLimit, isFinal: true };
}

const STATUS: Readonly<Record<string, ObservedHealth['status']>> = {
  UNAUTHORIZED: 'UNAUTHORIZED',
  FORBIDDEN: 'UNAUTHORIZED',
  UNAVAILABLE: 'UNREACHABLE',
  TIMEOUT: 'UNREACHABLE',
  REFUSED_ADDRESS: 'UNREACHABLE',
  TLS_FAILED: 'UNREACHABLE',
  NOT_A_REGISTRY: 'UNREACHABLE',
};
