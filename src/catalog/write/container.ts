import type { Connection } from '../database.ts';
import type { ContainerReport, RuntimeKindName } from '../../domain/container.ts';
import { digestBytes } from '../../domain/digest.ts';
import { lockContainers } from './container-lock.ts';
import { upsertContainers } from './container-row.ts';
import { shareContent } from './content-lock.ts';

/** What was seen of which runtime. */
export interface RuntimeReport extends ContainerReport {
  readonly runtimeId: number;
}

/**
 * Writes down what was seen, in a transaction of its own. Unchanged containers cost no write. Answers with how many
 * were removed; null where there is no such runtime.
 */
export async function recordContainers(connection: Connection, report: RuntimeReport): Promise<number | null> {
  const { runtimeId, at, seen } = report;
  const [, , runtime] = await Promise.all([
    shareContent(connection),
    lockContainers(connection),
    pictureRuntime(connection, report),
  ]);
  if (runtime === null) return null;
  // What is older than the last picture says nothing of what is there now; that an image was made stays true.
  const isNews = !runtime.isStale;
  if (isNews && seen.length > 0) await upsertContainers(connection, { id: runtimeId, kind: runtime.kind }, seen, at);
  const removed = isNews ? await removeContainers(connection, report) : 0;
  if (report.commits.length > 0) await recordCommits(connection, report);
  return removed;
}

/** Forgets containers that were removed before an instant, with their events, a thousand at most. Answers with how many. */
export async function forgetContainers(connection: Connection, before: Date): Promise<number> {
  const [, , rows] = await Promise.all([
    shareContent(connection),
    lockContainers(connection),
    connection.run(
      `/* catalog.forgetContainers */
       delete from container
       where id in (select id from container where removed_at < $1::timestamptz order by removed_at limit 1000)
       returning id`,
      [before],
    ),
  ]);
  return rows.length;
}

interface PicturedRuntime {
  readonly kind: RuntimeKindName;
  readonly isStale: boolean;
}

/** Null where there is no such runtime. */
async function pictureRuntime(
  connection: Connection,
  { runtimeId, at, present }: RuntimeReport,
): Promise<PicturedRuntime | null> {
  const [row] = await connection.run<PicturedRuntime>(
    `/* catalog.pictureRuntime */
     with known as materialized (select id, kind, pictured_at from runtime where id = $1::int for update), pictured as (
       update runtime r set pictured_at = $2::timestamptz
       from known where r.id = known.id and $3::boolean
         and (known.pictured_at is null or known.pictured_at <= $2::timestamptz)
     )
     select coalesce(pictured_at > $2::timestamptz, false) as "isStale", kind from known`,
    [runtimeId, at, present !== null],
  );
  return row ?? null;
}

async function removeContainers(
  connection: Connection,
  { runtimeId, at, present, removed }: RuntimeReport,
): Promise<number> {
  if (present === null && removed.length === 0) return 0;
  const rows = await connection.run<{ count: number }>(
    `/* catalog.removeContainers */
     with gone as (
       update container c set removed_at = $2::timestamptz, is_outdated = null
       where c.runtime_id = $1::int and c.removed_at is null and c.last_seen_at <= $2::timestamptz
         and (c.container_id = any($3::text[])) <> $4::boolean
       returning c.id, c.state
     ), forgotten as (
       delete from container_text t using gone where t.container_id = gone.id
     ), told as (
       insert into container_event (container_id, kind, at, state, previous_state)
       select id, 'REMOVED', $2::timestamptz, state, state from gone order by id
     )
     select count(*) as count from gone`,
    [runtimeId, at, present ?? removed, present !== null],
  );
  const count = rows[0]?.count ?? 0;
  if (present !== null && count > 0) await boundHistory(connection, runtimeId);
  return count;
}

/** Removed containers of one runtime that are remembered: one whose ids change in every picture would fill the disk. */
const MAX_REMEMBERED = 20_000;

async function boundHistory(connection: Connection, runtimeId: number): Promise<void> {
  await connection.run(
    `/* catalog.boundHistory */
     delete from container where id in (
       select id from container where runtime_id = $1::int and removed_at is not null
       order by removed_at desc offset ${MAX_REMEMBERED}
     )`,
    [runtimeId],
  );
}

async function recordCommits(connection: Connection, { runtimeId, at, commits }: RuntimeReport): Promise<void> {
  await connection.run(
    `/* catalog.recordCommits */
     insert into container_commit (container_id, image_digest, at)
     select distinct c.id, n.image_digest, $4::timestamptz
     from unnest($2::text[], $3::bytea[]) as n(container_id, image_digest)
     join container c on c.runtime_id = $1::int and c.container_id = n.container_id
     on conflict do nothing`,
    [runtimeId, commits.map(({ containerId }) => containerId), commits.map(({ imageId }) => digestBytes(imageId)), at],
  );
}
