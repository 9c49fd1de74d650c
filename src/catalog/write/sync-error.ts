import type { Connection } from '../database.ts';
import type { RegistryErrorCode } from '../../domain/errors.ts';

export interface SyncFault {
  /** What it happened to: a registry, a repository, a tag or a manifest. */
  readonly reference: string;
  readonly code: RegistryErrorCode | 'INTERNAL';
  readonly message: string;
  readonly attempts: number;
  readonly willRetry: boolean;
}

/** Puts the errors of this attempt in the place of those of the attempts before. Repository null: the registry's own. */
export async function replaceSyncErrors(
  connection: Connection,
  runId: number,
  repository: string | null,
  faults: readonly SyncFault[],
  at: Date,
): Promise<void> {
  await connection.run(
    `/* catalog.forgetSyncErrors */
     delete from sync_error where run_id = $1::bigint and repository is not distinct from $2`,
    [runId, repository],
  );
  if (faults.length === 0) return;
  await connection.run(
    `/* catalog.insertSyncErrors */
     insert into sync_error (run_id, repository, reference, code, message, at, attempts, will_retry)
     select r.id, $2, n.reference, n.code, n.message, $3::timestamptz, n.attempts, n.will_retry
     from sync_run r, unnest($4::text[], $5::text[], $6::text[], $7::int[], $8::boolean[])
       as n(reference, code, message, attempts, will_retry)
     where r.id = $1::bigint`,
    [
      runId,
      repository,
      at,
      faults.map((fault) => fault.reference),
      faults.map((fault) => fault.code),
      faults.map((fault) => fault.message),
      faults.map((fault) => fault.attempts),
      faults.map((fault) => fault.willRetry),
    ],
  );
}
