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
 * Adds what a repository took to its run, once, however often it is said. True when it was the last one: then the run
 * is to be finished.
 */
export async function completeRunRepository(
  connection: Connection,
  id: number,
  name: RepositoryName,
  tally: SyncTally,
): Promise<boolean> {
  const rows = await connection.run<{ isLast: boolean }>(
    `/* catalog.completeRunRepository */
     with done as (
       update sync_repository set is_done = true
       where run_id = $1::bigint and name = $2 and not is_done returning run_id
     )
     update sync_run r set repositories_done = r.repositories_done + 1, ${addTally(3)}
     from done where r.id = done.run_id
     returning r.repositories_done >= r.repositories_total as "isLast"`,
    [id, name, ...tallyValues(tally)],
  );
  return rows[0]?.isLast ?? false;
}
