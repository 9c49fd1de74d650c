import { randomUUID } from 'node:crypto';
import { EventEmitter, setMaxListeners } from 'node:events';
import { SpanKind } from '@opentelemetry/api';
import { Logger as QueueLogger, run, type Task, type WorkerEvents } from 'graphile-worker';
import type { Logger } from 'pino';
import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { messageOf } from '../domain/errors.ts';
import type { InspectionLimits } from '../domain/inspection-limits.ts';
import type { OpenRegistryFunction } from '../registries/registry.ts';
import { forgetContainers } from '../sync/index.ts';
import { enqueue, jobs, traceOf, type Job, type JobName, type JobPayload } from '../queue/index.ts';
import { inSpan } from '../telemetry/index.ts';
import type { JobContext } from './context.ts';
import { createFollowedRuntimes, type RuntimeAccess } from './followed-runtimes.ts';
import { finishRun } from './finish-run.ts';
import { createInspections, type Inspections } from './inspections.ts';
import { startSyncRun } from './jobs/start-sync-run.ts';
import { syncRepositories } from './jobs/sync-repositories.ts';
import { createOpenRegistries } from './open-registries.ts';
import { PostponedJobs } from './postponed-jobs.ts';
import { openPresence } from './presence.ts';
import { startDueSources } from './schedule.ts';

export interface WorkerSettings {
  /** Migrated, with the queue prepared; at least `concurrency` + 2 connections make it go smoothly. */
  readonly database: Database;
  readonly seal: catalog.Seal;
  readonly openRegistry: OpenRegistryFunction;
  /** How it reaches runtimes; without this it follows none. */
  readonly runtimes?: RuntimeAccess;
  /** How much it downloads to see what images hold; without this it looks at none. */
  readonly inspection?: InspectionLimits;
  readonly log: Logger;
  /** Repositories at a time. */
  readonly concurrency: number;
  readonly now?: () => Date;
  /** Pauses in milliseconds before what may pass by itself is tried again. */
  readonly pauses?: readonly number[];
}

export type { RuntimeAccess } from './followed-runtimes.ts';

export interface Worker {
  /** Ends what runs at the next safe point; it is taken up again by whoever works next. */
  stop(): Promise<void>;
}

const PAUSES = [5_000, 30_000];
/** How often sources are looked at, and jobs of dead workers. */
const TICK_MS = 10_000;

/** Starts to work off the queue, beside any number of other workers on the same database. */
export async function startWorker(settings: WorkerSettings): Promise<Worker> {
  const { database, log, now = () => new Date() } = settings;
  const aborts = new Aborts();
  const holder = catalog.WORKER_HOLDER + randomUUID();
  const registries = createOpenRegistries(database, settings.seal, settings.openRegistry, holder);
  let inspections: Inspections | null = null;
  const presence = await openPresence(database, holder, {
    stowage_sync_cancelled: (runId) => aborts.cancel(runId),
    stowage_registry_changed: (id) => registries.reopen(id),
    stowage_host_pace: (id) => registries.refresh(id),
    stowage_runtime_changed: () => void lookAtRuntimes(),
    stowage_inspection_queued: () => inspections?.look(),
  });
  const access = settings.runtimes;
  const runtimes = access && createFollowedRuntimes({ ...access, database, presence, log, now });
  const pauses = settings.pauses ?? PAUSES;
  const limits = settings.inspection;
  if (limits) inspections = createInspections({ database, registries, presence, limits, log, now, pauses });
  const lookAtRuntimes = async () =>
    runtimes?.look().catch((error: unknown) => log.warn(`looking for runtimes failed: ${messageOf(error)}`));
  const postponed = new PostponedJobs(database);
  const context: JobContext = {
    database,
    registries,
    presence,
    log,
    now,
    pauses,
    signalOf: (runId) => aborts.signalOf(runId),
    postpone: (job) => postponed.add(job),
  };

  async function tick(): Promise<void> {
    try {
      const taken = await presence.takeOver();
      if (taken > 0) log.info(`took over the jobs of workers that are no more: ${taken}`);
      await startDueSources(database, now());
      for (const runId of await catalog.endedRuns(database, aborts.runs)) aborts.cancel(runId);
      for (const run of await catalog.abandonedRuns(database))
        await database.transaction((connection) => finishRun(context, connection, run));
      inspections?.look();
      await lookAtRuntimes();
      await forgetContainers(database, now());
    } catch (error) {
      log.warn(`looking for work failed: ${messageOf(error)}`);
    }
  }

  const events = new EventEmitter() as WorkerEvents;
  events.on('pool:create', ({ workerPool }) => {
    postponed.assume(workerPool);
    void presence.assume(workerPool.id).catch(() => undefined);
  });
  const runner = await run({
    pgPool: database.pool,
    noHandleSignals: true,
    events,
    logger: new QueueLogger(() => (level, message) => log.trace({ level }, message)),
    taskList: {
      'start-sync-run': task('start-sync-run', context, aborts, startSyncRun),
      'sync-repositories': task('sync-repositories', context, aborts, syncRepositories),
    },
    preset: {
      worker: {
        concurrentJobs: settings.concurrency,
        localQueue: { size: settings.concurrency * 2 },
        completeJobBatchDelay: 5,
        pollInterval: 2_000,
      },
    },
  });
  await tick();
  const ticking = setInterval(() => void tick(), TICK_MS);

  return {
    async stop() {
      clearInterval(ticking);
      aborts.stop();
      postponed.stop();
      await inspections?.close();
      await runner.stop();
      await runtimes?.close();
      presence.close();
      await registries.close();
    },
  };
}

/** One signal for each run that jobs of this worker work on, all of which end when the worker stops. */
class Aborts {
  readonly #runs = new Map<number, { readonly controller: AbortController; jobs: number }>();
  #stopped = false;

  get isStopped(): boolean {
    return this.#stopped;
  }

  get runs(): number[] {
    return [...this.#runs.keys()];
  }

  begin(runId: number): void {
    const known = this.#runs.get(runId);
    if (known) known.jobs++;
    else this.#runs.set(runId, { controller: this.#open(), jobs: 1 });
  }

  end(runId: number): void {
    const known = this.#runs.get(runId);
    if (known && --known.jobs === 0) this.#runs.delete(runId);
  }

  /** Of a run that has begun here. */
  signalOf(runId: number): AbortSignal {
    const known = this.#runs.get(runId);
    if (known === undefined) throw new Error(`run ${runId} is not worked on here`);
    return known.controller.signal;
  }

  cancel(runId: number): void {
    this.#runs.get(runId)?.controller.abort(new Error(`run ${runId} was cancelled`));
  }

  stop(): void {
    this.#stopped = true;
    for (const { controller } of this.#runs.values()) controller.abort(new Error('the worker stops'));
  }

  #open(): AbortController {
    const controller = new AbortController();
    // Every request of a run listens to it.
    setMaxListeners(0, controller.signal);
    if (this.#stopped) controller.abort(new Error('the worker stops'));
    return controller;
  }
}

/** What a span says of a job: numbers alone. */
function attributesOf(payload: JobPayload<JobName>): Record<string, string | number> {
  const { runId, ...rest } = payload;
  return { 'stowage.run.id': runId, ...('names' in rest && { 'stowage.repositories': rest.names.length }) };
}

/** A job that the end of this worker cuts short goes back to the queue; one whose run was cancelled is done. */
function task<N extends JobName>(
  name: N,
  context: JobContext,
  aborts: Aborts,
  work: (context: JobContext, payload: JobPayload<N>) => Promise<void>,
): Task {
  return async (raw) => {
    const payload = jobs[name].parse(raw) as JobPayload<N>;
    aborts.begin(payload.runId);
    try {
      await inSpan(name, { kind: SpanKind.CONSUMER, attributes: attributesOf(payload), parent: traceOf(raw) }, () =>
        work(context, payload),
      );
    } catch (error) {
      if (aborts.isStopped) return enqueue(context.database, [{ name, payload } as Job]);
      if (context.signalOf(payload.runId).aborted) return;
      context.log.error(error, `job ${name} failed; it is tried again`);
      throw error;
    } finally {
      aborts.end(payload.runId);
    }
  };
}
