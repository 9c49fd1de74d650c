import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import { startTracing } from '../telemetry/index.ts';
import { ownVersion } from './version.ts';

/** Closes one thing and waits until it is closed. */
export type Close = () => Promise<void>;

/**
 * Runs what `open` opens until SIGINT or SIGTERM comes, then closes it, last opened first; so too when `open` throws
 * half way. A second signal ends the process at once. One press of Ctrl-C may arrive several times, from the terminal
 * and from npm, so what follows within a second is no second signal. What is done is traced where the environment says so.
 */
export async function runUntilSignal(
  { tracing }: Config,
  log: Logger,
  open: (onClose: (close: Close) => void) => Promise<void>,
) {
  const closes: Close[] = [];
  // Heard from the beginning: whoever reads that all is ready may send one at once.
  const stopped = nextSignal();
  try {
    if (tracing !== null) closes.unshift(await startTracing(ownVersion(), tracing, (message) => log.warn(message)));
    await open((close) => void closes.unshift(close));
    const signal = await stopped;
    log.info(`Stopping (${signal}).`);
  } finally {
    for (const close of closes) await close();
  }
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let since: number | null = null;
    const hear = (signal: NodeJS.Signals) => {
      since ??= performance.now();
      if (performance.now() - since > 1000) process.exit(1);
      resolve(signal);
    };
    process.on('SIGINT', hear).on('SIGTERM', hear);
  });
}
