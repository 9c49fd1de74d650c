import { Gauge } from 'prom-client';
import { registry } from './registry.ts';

/** What the database knows of how things stand, for all processes together. */
export interface Vitals {
  readonly queue: readonly QueuedJobs[];
  readonly registries: readonly RegistryVitals[];
}

export interface QueuedJobs {
  /** Such as sync-repositories. */
  readonly job: string;
  /** `failed` is tried no more. */
  readonly state: 'ready' | 'scheduled' | 'running' | 'failed';
  readonly count: number;
}

/** Null is what nobody knows, or what does not apply. */
export interface RegistryVitals {
  readonly host: string;
  readonly failures: number;
  /** Since the last look that came to its end, of the source whose was longest ago; of those with a schedule. */
  readonly oldestSourceSeconds: number | null;
  readonly quotaLimit: number | null;
  readonly quotaRemaining: number | null;
}

/** Puts them on the page; with null, takes them off it: they are not known. */
export function showVitals(vitals: Vitals | null): void {
  up.set(vitals === null ? 0 : 1);
  for (const gauge of [jobs, failures, oldestSource, quotaLimit, quotaRemaining]) gauge.reset();
  for (const { job, state, count } of vitals?.queue ?? []) jobs.set({ job, state }, count);
  for (const { host, ...known } of vitals?.registries ?? []) {
    failures.set({ registry: host }, known.failures);
    if (known.oldestSourceSeconds !== null) oldestSource.set({ registry: host }, known.oldestSourceSeconds);
    if (known.quotaLimit !== null) quotaLimit.set({ registry: host }, known.quotaLimit);
    if (known.quotaRemaining !== null) quotaRemaining.set({ registry: host }, known.quotaRemaining);
  }
}

const up = new Gauge({
  name: 'stowage_database_up',
  help: 'Whether the database answered when the figures that all processes share were last read.',
  registers: [registry],
});

const jobs = new Gauge({
  name: 'stowage_queue_jobs',
  help: 'Jobs in the queue, by what is to be done and whether it is ready, scheduled for later, running, or failed for good.',
  labelNames: ['job', 'state'],
  registers: [registry],
});

const failures = ofRegistry('stowage_registry_consecutive_failures', 'Sync runs of a registry that failed in a row.');
const oldestSource = ofRegistry(
  'stowage_sync_source_oldest_age_seconds',
  'Time since the last sync run that ended well or in part, of the scheduled source of a registry whose was longest ago.',
);
const quotaLimit = ofRegistry(
  'stowage_registry_quota_limit',
  'Requests or pulls that a registry allows, as it last said.',
);
const quotaRemaining = ofRegistry(
  'stowage_registry_quota_remaining',
  'What a registry has left of its quota, as it last said.',
);

function ofRegistry(name: string, help: string): Gauge<'registry'> {
  return new Gauge({ name, help, labelNames: ['registry'], registers: [registry] });
}
