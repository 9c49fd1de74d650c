import { runMigrations } from 'graphile-worker';
import type { Connection, Database } from '../catalog/database.ts';
import { currentTrace, type TraceContext } from '../telemetry/index.ts';
import type { Job } from './jobs.ts';

/** Makes the queue's own tables, or brings them up to date. To be called after the migrations of the catalog. */
export async function prepareQueue(database: Database): Promise<void> {
  await runMigrations({ pgPool: database.pool });
}

/** Queues the job that begins a run. */
export function enqueueRun(connection: Connection, runId: number): Promise<void> {
  return enqueueRuns(connection, [runId]);
}

/** Queues a job for each run that begins it. */
export function enqueueRuns(connection: Connection, runIds: readonly number[]): Promise<void> {
  return enqueue(
    connection,
    runIds.map((runId) => ({ name: 'start-sync-run', payload: { runId, attempt: 1 } })),
  );
}

/** Queues jobs; within a transaction they are there when it commits, and only then. */
export async function enqueue(connection: Connection, jobs: readonly Job[]): Promise<void> {
  if (jobs.length === 0) return;
  const trace = currentTrace();
  const specs = jobs.map(({ name, payload, runAt, priority }) => ({
    identifier: name,
    payload: { ...payload, ...trace },
    run_at: runAt?.toISOString() ?? null,
    // What starts a run is short, and somebody may wait for it.
    priority: priority ?? (name === 'start-sync-run' ? -10 : 0),
  }));
  await connection.run(
    `/* queue.enqueue */
     select count(*) from graphile_worker.add_jobs(array(
       select json_populate_record(null::graphile_worker.job_spec, spec) from json_array_elements($1::json) as spec
     ))`,
    [JSON.stringify(specs)],
  );
}

/** Of what the job is a part, as whoever queued it said beside the payload. */
export function traceOf(payload: unknown): TraceContext {
  const { traceparent, tracestate } = payload as { traceparent?: unknown; tracestate?: unknown };
  return {
    ...(typeof traceparent === 'string' && { traceparent }),
    ...(typeof tracestate === 'string' && { tracestate }),
  };
}
