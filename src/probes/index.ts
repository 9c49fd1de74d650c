import { fastify, LogController, type FastifyBaseLogger } from 'fastify';
import type { Logger } from 'pino';
import type { Database } from '../catalog/database.ts';
import type { MetricsPage } from '../telemetry/index.ts';
import { reportHealth } from './health.ts';
import { listenOn } from './listen.ts';
import { serveMetrics } from './metrics.ts';

export { reportHealth, serveMetrics, listenOn };

export interface ProbesSettings {
  readonly database: Database;
  readonly metrics: MetricsPage;
  /** Stowage's own version, as /healthz tells it. */
  readonly version: string;
  readonly log: Logger;
}

/** What those who watch a process ask it, for one that serves nothing else. */
export interface Probes {
  /** Begins to serve; the address. INVALID_CONFIGURATION when that can't be had. */
  listen(port: number, host: string): Promise<string>;
  close(): Promise<void>;
}

export function openProbes({ database, metrics, version, log }: ProbesSettings): Probes {
  const loggerInstance: FastifyBaseLogger = log;
  const logController = new LogController({ disableRequestLogging: true });
  const app = fastify({ loggerInstance, logController, forceCloseConnections: true });
  reportHealth(app, database, version);
  serveMetrics(app, metrics);
  return {
    listen: (port, host) => listenOn(app, port, host),
    close: () => app.close(),
  };
}
