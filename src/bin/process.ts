import type { Logger } from 'pino';

/** Closes one thing and waits until it is closed. */
export type Close = () => Promise<void>;

/**
 * Runs what `open` opens until SIGINT or SIGTERM comes, then closes it, last opened first; so too when `open` throws
 * half way. A second signal ends the process at once. One press of Ctrl-C may arrive several times, from the terminal
 * and from npm, so what follows within a second is no second signal.
 */
export async function runUntilSignal(log: Logger, open: (onClose: (close: Close) => void) => Promise<void>) {
  const closes: Close[] = [];
  try {
    await open((close) => void closes.unshift(close));
    const signal = await nextSignal();
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
