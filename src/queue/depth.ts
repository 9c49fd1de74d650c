import type { Connection } from '../catalog/database.ts';
import type { QueuedJobs } from '../telemetry/index.ts';

/** How many jobs there are, by what is to be done; a queue that is longer than a hundred thousand counts as that long. */
export function queueDepth(connection: Connection): Promise<QueuedJobs[]> {
  return connection.run<QueuedJobs & { readonly job: string }>(
    `/* queue.depth */
     select task_identifier as job, case
         when locked_at is not null then 'running'
         when attempts >= max_attempts then 'failed'
         when run_at > now() then 'scheduled'
         else 'ready' end as state, count(*) as count
     from (select * from graphile_worker.jobs limit ${LONGEST}) as jobs group by 1, 2`,
    [],
  );
}

const LONGEST = 100_000;
