import type { Connection } from '../database.ts';
import type { RepositoryName } from '../../domain/reference.ts';

/** A source that may follow what a notification names. */
export interface FollowingSource {
  readonly id: number;
  /** A selection of repositories. */
  readonly repositories: string;
  /** A selection of tags; null means all. */
  readonly tags: string | null;
}

/** What a source has to look at, because a notification named it. */
export interface NotifiedRepository {
  readonly sourceId: number;
  readonly name: RepositoryName;
}

/** The sources of a registry that are not paused. */
export function followingSources(connection: Connection, registryId: number): Promise<FollowingSource[]> {
  return connection.run(
    `/* catalog.followingSources */
     select id, repositories, tags from sync_source where registry_id = $1::int and not paused order by id`,
    [registryId],
  );
}

/**
 * Says to runs which wait to look at these that there was another notification. Answers with those that no run waits
 * for: one that works already may have seen too little.
 */
export async function remindNotifiedRuns(
  connection: Connection,
  notified: readonly NotifiedRepository[],
): Promise<NotifiedRepository[]> {
  // Only now and then, since writing makes all others who are told the same wait for the disk.
  return connection.run(
    `/* catalog.remindNotifiedRuns */
     with named as (
       select * from unnest($1::int[], $2::text[]) as n (source_id, name)
     ), waiting as (
       select r.id, r.source_id, r.repository from sync_run r
       join named n on n.source_id = r.source_id and n.name = r.repository where r.status = 'QUEUED'
     ), reminded as (
       update sync_run r set notified_at = clock_timestamp() from waiting w
       where r.id = w.id and r.status = 'QUEUED' and r.notified_at < clock_timestamp() - interval '100 ms'
     )
     select n.source_id as "sourceId", n.name from named n
     where not exists (select from waiting w where w.source_id = n.source_id and w.repository = n.name)`,
    valuesOf(notified),
  );
}

/** Queues a run for each, unless another process was faster. Answers with those that are new. */
export async function queueNotifiedRuns(
  connection: Connection,
  notified: readonly NotifiedRepository[],
): Promise<number[]> {
  // In one order, so that no two who are told of several wait for each other.
  const rows = await connection.run<{ id: number }>(
    `/* catalog.queueNotifiedRuns */
     insert into sync_run (source_id, registry_id, status, trigger, repositories, tags, max_tags, newest_by, platforms,
                           repository, notified_at)
     select s.id, s.registry_id, 'QUEUED', 'WEBHOOK', s.repositories, s.tags, s.max_tags, s.newest_by, s.platforms,
            n.name, clock_timestamp()
     from unnest($1::int[], $2::text[]) as n (source_id, name) join sync_source s on s.id = n.source_id
     order by s.id, n.name
     on conflict (source_id, repository) where status = 'QUEUED' and repository is not null do nothing
     returning id`,
    valuesOf(notified),
  );
  return rows.map((row) => row.id);
}

/**
 * When to ask again whether a run may begin that a notification asked for; null when it may, as all others. It waits
 * until no more notifications come, though not for ever, and for the run before it: so one waits at most, and what
 * comes meanwhile joins it.
 */
export async function notifiedRunDue(connection: Connection, id: number): Promise<Date | null> {
  const rows = await connection.run<{ at: Date | null }>(
    `/* catalog.notifiedRunDue */
     select case
       when exists (
         select from sync_run b
         where b.source_id = r.source_id and b.repository = r.repository and b.status = 'RUNNING'
       ) then clock_timestamp() + greatest(interval '0.5 s', least((clock_timestamp() - r.created_at) / 10, interval '30 s'))
       when clock_timestamp() < least(r.notified_at + ${QUIET}, r.created_at + ${LONGEST})
       then least(r.notified_at + ${QUIET}, r.created_at + ${LONGEST})
     end as at
     from sync_run r where r.id = $1::bigint and r.repository is not null and r.status = 'QUEUED'`,
    [id],
  );
  return rows[0]?.at ?? null;
}

/** Without a notification: the push is over. */
const QUIET = `interval '0.25 s'`;
/** From the first notification: looked at all the same. */
const LONGEST = `interval '5 s'`;

function valuesOf(notified: readonly NotifiedRepository[]): unknown[] {
  return [notified.map(({ sourceId }) => sourceId), notified.map(({ name }) => name)];
}
