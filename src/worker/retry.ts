import type { ObservedHealth, RunOutcome, SyncFault } from '../catalog/write/index.ts';
import { RegistryError, messageOf } from '../domain/errors.ts';
import type { JobContext } from './context.ts';

/** Which go at a job it is. */
export interface Go {
  readonly attempt: number;
  readonly putOff?: number | undefined;
}

export interface NextGo extends Go {
  readonly runAt: Date;
}

/**
 * When to try again what failed; null when it would fail again, or has failed often enough. What was not even sent,
 * because the host allows no more for now, is put off, which is no failure.
 */
export function nextGo(
  context: Pick<JobContext, 'now' | 'pauses'>,
  errors: readonly unknown[],
  { attempt, putOff = 0 }: Go,
): NextGo | null {
  const transient = errors.filter((error) => error instanceof RegistryError && error.isTransient) as RegistryError[];
  if (transient.length === 0) return null;
  const told = transient.map((error) => error.retryAt?.getTime() ?? 0);
  const isPutOff = transient.every(({ code, status }) => code === 'RATE_LIMITED' && status === null);
  if (isPutOff) return { attempt: attempt + 1, putOff: putOff + 1, runAt: new Date(Math.max(...told)) };
  const pause = context.pauses[attempt - 1 - putOff];
  if (pause === undefined) return null;
  return { attempt: attempt + 1, putOff, runAt: new Date(Math.max(context.now().getTime() + pause, ...told)) };
}

/** An error as the run keeps it. What is no fault of the registry is a fault of ours, and is in the log whole. */
export function faultOf(reference: string, error: unknown, { attempt, putOff = 0 }: Go, willRetry: boolean): SyncFault {
  const code = error instanceof RegistryError ? error.code : 'INTERNAL';
  return { reference, code, message: messageOf(error), attempts: Math.max(attempt - putOff, 1), willRetry };
}

/** What a run has met with so far; it is tried again. */
export function troubleOf(fault: SyncFault): ObservedHealth {
  return { status: STATUS[fault.code] ?? 'DEGRADED', message: fault.message, isFinal: false };
}

/** What the end of a run says of its registry. */
export function healthOf(outcome: RunOutcome): ObservedHealth {
  const { status, code, message } = outcome;
  if (status === 'SUCCEEDED') return { status: 'HEALTHY', message: null, isFinal: true };
  const failed = (code !== null && STATUS[code]) || 'DEGRADED';
  return { status: status === 'PARTIAL' ? 'DEGRADED' : failed, message, isFinal: true };
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
