import type { Database } from '../catalog/database.ts';
import { registryVitals } from '../catalog/vitals.ts';
import { queueDepth } from '../queue/index.ts';
import { metricsPage, type MetricsPage } from '../telemetry/index.ts';
import { ownVersion } from './version.ts';

/** What this process and the database tell of how things stand. */
export function openMetrics(database: Database): MetricsPage {
  return metricsPage(ownVersion(), async () => {
    await database.check(PATIENCE_MS);
    const [queue, registries] = await Promise.all([queueDepth(database), registryVitals(database)]);
    return { queue, registries };
  });
}

const PATIENCE_MS = 2_000;
