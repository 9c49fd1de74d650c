import type { Connection } from '../database.ts';
import { BY_KEY } from './by-key.ts';

/*
 * A registry is asked to delete between two transactions. What it is asked for is named in between, so that no container
 * is tied to it: docs/adr/0013-what-a-deletion-takes.md. What a process named that has ended since holds for ten minutes.
 */

const LONGEST = `interval '10 minutes'`;

/** In SQL: this image is just being deleted at its registries. */
export function isBeingDeleted(imageId: string): string {
  return `exists (
    select from image_deletion d where d.image_id = ${imageId} and d.begun_at > now() - ${LONGEST} ${BY_KEY}
  )`;
}

/** From its commit on these images get no containers. To be called while the content is held. */
export async function beginDeletion(connection: Connection, imageIds: readonly number[]): Promise<void> {
  await connection.run(
    `/* catalog.beginDeletion */
     with stale as (delete from image_deletion where begun_at <= now() - ${LONGEST} and image_id <> all($1::int[]))
     insert into image_deletion (image_id, begun_at)
     select i.manifest_id, now() from image i where i.manifest_id = any($1::int[]) order by 1
     on conflict (image_id) do update set begun_at = excluded.begun_at`,
    [imageIds],
  );
}

/** They are gone, or their registries have refused. */
export async function endDeletion(connection: Connection, imageIds: readonly number[]): Promise<void> {
  await connection.run('/* catalog.endDeletion */ delete from image_deletion where image_id = any($1::int[])', [
    imageIds,
  ]);
}
