import type { Connection } from '../database.ts';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import { LOCAL_IMAGE } from '../../domain/local-image.ts';
import { BY_KEY } from './by-key.ts';
import { deletePlanned, planDeletion } from './deletion.ts';

/** Of these digests of configurations, those of which the catalog has no image. */
export async function unknownImages(connection: Connection, ids: readonly Digest[]): Promise<Digest[]> {
  const rows = await connection.run<{ id: Digest }>(
    `/* catalog.unknownImages */
     select digest_text(n.id) as id from unnest($1::bytea[]) with ordinality n(id, place)
     where not exists (select from image i where ${HAS_CONFIG} ${BY_KEY})
     order by n.place`,
    [ids.map(digestBytes)],
  );
  return rows.map(({ id }) => id);
}

/**
 * Says which images an engine has that no registry has, by the digests of their configurations. One that a registry has
 * as well by now is none of them. Nothing is written of a runtime that was removed, or is being removed.
 */
export async function recordLocalImages(
  connection: Connection,
  runtimeId: number,
  ids: readonly Digest[],
): Promise<void> {
  await connection.run(
    `/* catalog.recordLocalImages */
     with reached as materialized (
       select id from runtime where id = $1::int for key share
     ), local as materialized (
       select i.manifest_id as id
       from unnest($2::bytea[]) n(id) join image i on ${HAS_CONFIG}
       where not exists (
         select from image other join repository_manifest rm on rm.manifest_id = other.manifest_id
         where substring(other.config_digest from 1 for 4) = substring(n.id from 1 for 4) and other.config_digest = n.id
         ${BY_KEY}
       )
     ), gone as (
       delete from local_image l using reached
       where l.runtime_id = reached.id and not exists (select from local where local.id = l.image_id)
     )
     insert into local_image (runtime_id, image_id)
     select reached.id, local.id from reached cross join local
     on conflict do nothing`,
    [runtimeId, ids.map(digestBytes)],
  );
}

/** Images whose manifests we composed, that no engine has any more and no container was created from; a hundred at most. */
export async function staleLocalImages(connection: Connection): Promise<Digest[]> {
  const rows = await connection.run<{ digest: Digest }>(
    `/* catalog.staleLocalImages */
     select digest_text(m.digest) as digest
     from manifest m join image i on i.manifest_id = m.id
     where m.annotations @> '{"${LOCAL_IMAGE}": "true"}' and i.container_count = 0
       and not exists (select from repository_manifest rm where rm.manifest_id = m.id ${BY_KEY})
       and not exists (select from local_image l where l.image_id = m.id ${BY_KEY})
     order by m.id limit 100`,
    [],
  );
  return rows.map(({ digest }) => digest);
}

/** Forgets those that are stale, in a transaction that holds the content. */
export async function forgetLocalImages(connection: Connection, at: Date): Promise<void> {
  for (const digest of await staleLocalImages(connection)) {
    const plan = await planDeletion(connection, { digest, repositoryId: null, takesIndexes: true });
    if (plan !== null && plan.heldBy.length === 0) await deletePlanned(connection, plan, null, at);
  }
}

/** Over image i: its configuration has the digest n.id; by the index that there is. */
const HAS_CONFIG = 'substring(i.config_digest from 1 for 4) = substring(n.id from 1 for 4) and i.config_digest = n.id';
