import { Gauge } from 'prom-client';
import { registry } from './registry.ts';
import { showVitals, type Vitals } from './vitals.ts';

/** What Prometheus reads: the figures of this process, and those that all processes share, from the database. */
export type MetricsPage = () => Promise<{ readonly contentType: string; readonly text: string }>;

/**
 * The shared figures are read when somebody asks, at most once in a few seconds; while they can't be had they are left
 * out, and `stowage_database_up` is 0.
 */
export function metricsPage(version: string, readVitals: () => Promise<Vitals>): MetricsPage {
  build.set({ version }, 1);
  let shown: Promise<void> = Promise.resolve();
  let shownAt = -Infinity;

  return async () => {
    if (performance.now() - shownAt > FRESH_MS) {
      shownAt = performance.now();
      shown = readVitals().then(showVitals, () => showVitals(null));
    }
    await shown;
    return { contentType: registry.contentType, text: await registry.metrics() };
  };
}

/** So often at most is the database asked, however many ask for the page. */
const FRESH_MS = 5_000;

const build = new Gauge({
  name: 'stowage_build_info',
  help: 'The version that runs; always 1.',
  labelNames: ['version'],
  registers: [registry],
});
