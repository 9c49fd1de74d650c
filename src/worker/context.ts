import type { Logger } from 'pino';
import type { Database } from '../catalog/database.ts';
import type { OpenRegistries } from './open-registries.ts';
import type { PostponedJob } from './postponed-jobs.ts';
import type { Presence } from './presence.ts';

/** What every job is handed. */
export interface JobContext {
  readonly database: Database;
  readonly registries: OpenRegistries;
  readonly presence: Presence;
  readonly log: Logger;
  readonly now: () => Date;
  /** Pauses before the second, third, ... attempt in milliseconds; there are no more attempts than that. */
  readonly pauses: readonly number[];
  /** Aborted when the run is cancelled or the worker stops. */
  signalOf(runId: number): AbortSignal;
  /** Queues a job that waits for a moment, and no longer than that. */
  postpone(job: PostponedJob): Promise<void>;
}
