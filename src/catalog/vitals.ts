import type { RegistryVitals } from '../telemetry/index.ts';
import type { Connection } from './database.ts';

/** How each registry stands, for those who watch over syncs. */
export async function registryVitals(connection: Connection): Promise<RegistryVitals[]> {
  return connection.run<RegistryVitals & { readonly host: string }>(
    `/* catalog.registryVitals */
     select g.host, coalesce(h.consecutive_failures, 0) as failures, s.oldest as "oldestSourceSeconds",
       p.rate_limit as "quotaLimit", p.rate_limit_remaining as "quotaRemaining"
     from registry g
     left join registry_health h on h.registry_id = g.id
     left join lateral (
       select rate_limit, rate_limit_remaining from host_pace
       where registry_id = g.id and rate_limit_resets_at > now() order by rate_limit_remaining limit 1
     ) p on true
     left join lateral (
       select max(extract(epoch from now() - coalesce(
         (select r.finished_at from sync_run r
          where r.source_id = s.id and r.repository is null and r.status in ('SUCCEEDED', 'PARTIAL')
          order by r.id desc limit 1),
         (select r.created_at from sync_run r where r.source_id = s.id order by r.id limit 1)
       )))::float8 as oldest
       from sync_source s where s.registry_id = g.id and s.schedule is not null and not s.paused
     ) s on true
     order by g.host limit ${MAX_REGISTRIES}`,
    [],
  );
}

/** More than anybody follows, and as many series as a page should hold. */
const MAX_REGISTRIES = 1_000;
