import { Gauge } from 'prom-client';
import { registry } from './registry.ts';

/** What a pool of connections says of itself. */
export interface Pool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** Shows a pool under a name until the returned function is called. */
export function watchPool(name: string, pool: Pool): () => void {
  pools.set(name, pool);
  return () => void pools.delete(name);
}

const pools = new Map<string, Pool>();

new Gauge({
  name: 'stowage_database_connections',
  help: 'Connections to the database that this process has open, by pool.',
  labelNames: ['pool', 'state'],
  registers: [registry],
  collect() {
    this.reset();
    for (const [name, { totalCount, idleCount }] of pools) {
      this.set({ pool: name, state: 'idle' }, idleCount);
      this.set({ pool: name, state: 'used' }, totalCount - idleCount);
    }
  },
});

new Gauge({
  name: 'stowage_database_waiting_queries',
  help: 'Queries and transactions that wait for a connection, by pool.',
  labelNames: ['pool'],
  registers: [registry],
  collect() {
    this.reset();
    for (const [name, { waitingCount }] of pools) this.set({ pool: name }, waitingCount);
  },
});
