import { Counter } from 'prom-client';
import { registry } from './registry.ts';

export interface RepositoryTally {
  readonly tagsSeen: number;
  readonly tagsChanged: number;
  readonly manifestsFetched: number;
}

/** Counts what a look at one repository came to. */
export function countRepository(host: string, tally: RepositoryTally): void {
  tagsSeen.inc({ registry: host }, tally.tagsSeen);
  tagsChanged.inc({ registry: host }, tally.tagsChanged);
  manifestsFetched.inc({ registry: host }, tally.manifestsFetched);
}

/** Counts a sync run that has ended; the outcome is its status. */
export function countRun(host: string, outcome: string): void {
  runs.inc({ registry: host, outcome: outcome.toLowerCase() });
}

const tagsSeen = ofRegistry('stowage_sync_tags_seen_total', 'Tags that syncs looked at, by registry.');
const tagsChanged = ofRegistry(
  'stowage_sync_tags_changed_total',
  'Tags that syncs found created, moved or deleted, by registry.',
);
const manifestsFetched = ofRegistry(
  'stowage_sync_manifests_fetched_total',
  'Manifests that syncs fetched, by registry.',
);

const runs = new Counter({
  name: 'stowage_sync_runs_total',
  help: 'Sync runs that a worker ended, by registry and outcome.',
  labelNames: ['registry', 'outcome'],
  registers: [registry],
});

function ofRegistry(name: string, help: string): Counter<'registry'> {
  return new Counter({ name, help, labelNames: ['registry'], registers: [registry] });
}
