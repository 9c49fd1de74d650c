import type { Connection } from '../database.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import { addTally, tallyValues, type SyncTally } from './sync-tally.ts';

/** Writes down the repositories that a run has to look at. Saying it twice changes nothing. */
export async function addRunRepositories(
  connection: Connection,
  id: number,
  names: readonly RepositoryName[],
): Promise<void> {
  await connection.run(
    `/* catalog.addRunRepositories */
     insert into sync_repository (run_id, name) select $1::bigint, unnest($2::text[])
     on conflict (run_id, name) do nothing`,
    [id, names],
  );
  await connection.run(
    `/* catalog.countRunRepositories */
     update sync_run set repositories_total = (select count(*) from sync_repository where run_id = $1::bigint)
     where id = $1::bigint`,
    [id],
  );
}

/**
 * Says that the run has looked at these repositories, and adds what they took; once, however often it is said. True when
 * the last one is among them: then the run is to be finished.
 */
export async function completeRunRepositories(
  connection: Connection,
  id: number,
  names: readonly RepositoryName[],
  tally: SyncTally,
): Promise<boolean> {
  const rows = await connection.run<{ isLast: boolean }>(
    `/* catalog.completeRunRepositories */
     with run as (
       -- As whoever ends a run does: its row first, then those of its repositories.
       select id from sync_run where id = $1::bigint for update
     ), done as (
       update sync_repository s set is_done = true
       from run where s.run_id = run.id and s.name = any($2::text[]) and not s.is_done returning s.name
     )
     update sync_run r set repositories_done = r.repositories_done + done.count, ${addTally(3)}
     from (select count(*) from done) done where r.id = $1::bigint and done.count > 0
     returning r.repositories_done >= r.repositories_total as "isLast"`,
    [id, names, ...tallyValues(tally)],
  );
  return rows[0]?.isLast ?? false;
}
