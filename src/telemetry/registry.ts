import { collectDefaultMetrics, Registry } from 'prom-client';

/** All that this process counts; the names follow https://prometheus.io/docs/practices/naming/ */
export const registry = new Registry();

collectDefaultMetrics({ register: registry });
