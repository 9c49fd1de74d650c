import { newHostPace, paceShown, type HostPace } from '../../domain/host-pace.ts';
import type { Connection, Database } from '../database.ts';
import { notify } from '../events.ts';

/** Where the pace of a registry's hosts is kept, one change at a time. Times are the database's. */
export interface RegistryPaces {
  /** Says to other processes, where `isNews`, that this registry's hosts are to be looked at anew. */
  change<T>(
    origin: string,
    change: (pace: HostPace, now: number) => { readonly result: T; readonly isNews: boolean },
  ): Promise<T>;
}

export function pacesOfRegistry(database: Database, registryId: number): RegistryPaces {
  return {
    change: (origin, change) =>
      database.transaction(async (connection) => {
        const place = [registryId, origin];
        // The clock is read by a statement of its own, since the first may have waited for somebody else's change.
        const [[kept], [clock]] = await Promise.all([
          connection.run<{ state: HostPace }>(HOLD, place),
          connection.run<{ now: number }>(CLOCK, []),
        ]);
        const now = clock?.now ?? 0;
        const pace = kept?.state ?? (await begin(connection, place))?.state;
        // The registry was removed: whoever still asks of it does so alone.
        if (pace === undefined) return change(newHostPace(), now).result;

        const { result, isNews } = change(pace, now);
        const { rateLimit, refusal, pausedUntil } = paceShown(pace);
        const shown = [
          rateLimit?.limit,
          rateLimit?.remaining,
          dateOf(rateLimit?.resetsAt),
          dateOf(rateLimit?.observedAt),
        ];
        const trouble = [pace.failures, refusal?.code, refusal?.reason, dateOf(pausedUntil)];
        const changed = connection.run(WRITE, [...place, JSON.stringify(pace), ...shown, ...trouble]);
        await Promise.all([
          changed,
          isNews && notify(connection, 'stowage_host_pace', registryId),
          connection.commit(),
        ]);
        return result;
      }),
  };
}

/** Workers that have a share of a host, by the names that they gave themselves. */
export async function listPaceHolders(connection: Connection): Promise<string[]> {
  const rows = await connection.run<{ holder: string }>(
    `/* catalog.listPaceHolders */
     select distinct holder from host_pace, jsonb_object_keys(state -> 'holders') as holder
     where holder like '${WORKER_HOLDER}%'`,
    [],
  );
  return rows.map(({ holder }) => holder);
}

/** A worker is no more: its shares are free. */
export async function forgetPaceHolder(connection: Connection, holder: string): Promise<void> {
  await connection.run(
    `/* catalog.forgetPaceHolder */
     update host_pace set state = state #- array['holders', $1] where state -> 'holders' ? $1`,
    [holder],
  );
}

/** How the names of workers begin; others that have a share are known to be gone when they are silent for a while. */
export const WORKER_HOLDER = 'worker:';

/** What was learned of a registry's hosts does not hold any more: its address or its credential is another. */
export async function forgetPace(connection: Connection, registryId: number): Promise<void> {
  // Who sends, and what is in flight, is as it was.
  const { isKnown, arePullsKnown, quotas, pause, failures, refusals, fault } = newHostPace();
  const learned = { isKnown, arePullsKnown, quotas, pause, failures, refusals, fault };
  await connection.run(
    `/* catalog.forgetPace */
     update host_pace set state = state || $2::jsonb, rate_limit = null, rate_limit_remaining = null,
       rate_limit_resets_at = null, rate_limit_observed_at = null, failures = 0, fault_code = null, fault_message = null,
       paused_until = null
     where registry_id = $1::int`,
    [registryId, JSON.stringify(learned)],
  );
}

const HOLD = `/* catalog.holdHostPace */
  select state from host_pace where registry_id = $1::int and origin = $2 for update`;

const CLOCK = `/* catalog.clock */ select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`;

const WRITE = `/* catalog.writeHostPace */
  update host_pace set state = $3::jsonb, rate_limit = $4::int, rate_limit_remaining = $5::int,
    rate_limit_resets_at = $6::timestamptz, rate_limit_observed_at = $7::timestamptz, failures = $8::int,
    fault_code = $9, fault_message = $10, paused_until = $11::timestamptz
  where registry_id = $1::int and origin = $2`;

/** The row of a host that was never asked, held; whoever inserts it first, it is the same. */
async function begin(connection: Connection, place: unknown[]): Promise<{ state: HostPace } | undefined> {
  await connection.run(
    `/* catalog.beginHostPace */
     insert into host_pace (registry_id, origin, state) select id, $2, $3::jsonb from registry where id = $1::int
     on conflict do nothing`,
    [...place, JSON.stringify(newHostPace())],
  );
  const [row] = await connection.run<{ state: HostPace }>(HOLD, place);
  return row;
}

function dateOf(milliseconds: number | null | undefined): Date | null {
  return milliseconds === null || milliseconds === undefined ? null : new Date(milliseconds);
}
