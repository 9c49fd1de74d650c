import { RegistryError } from '../domain/errors.ts';

/**
 * Waits no longer than so many milliseconds for what may not heed its signal, as libraries of others. Rejects with
 * TIMEOUT then, and with the signal's reason when it is aborted before.
 */
export async function withinTime<T>(
  milliseconds: number,
  what: string,
  signal: AbortSignal | null,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(milliseconds);
  const either = signal === null ? timeout : AbortSignal.any([signal, timeout]);
  try {
    return await unlessAborted(work(either), either);
  } catch (error) {
    signal?.throwIfAborted();
    if (!timeout.aborted) throw error;
    throw new RegistryError('TIMEOUT', `${what} took longer than ${milliseconds / 1000} s`, { cause: error });
  }
}

/** Waits for what others wait for, too, and gives up alone. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
