import type { Connection, Database } from '../database.ts';
import { notify } from '../events.ts';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import type { NameAndValue } from '../../domain/image-config.ts';
import type { Platform } from '../../domain/platform.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import { BY_KEY } from './by-key.ts';
import { shareContent } from './content-lock.ts';
import type { InspectionStatus } from './layer-inspection.ts';

/** An image that somebody wants to be looked at. */
export interface QueuedImage {
  readonly imageId: number;
  /** Times in a row that it came to nothing. */
  readonly attempts: number;
}

/** What has to be known of an image to look at it. */
export interface InspectedImage {
  readonly imageId: number;
  readonly digest: Digest;
  readonly os: string;
  readonly osVersion: string | null;
  readonly environment: readonly NameAndValue[];
  readonly rawManifest: Uint8Array;
  readonly mediaType: string;
  /** Bottom first. */
  readonly layers: readonly InspectedImageLayer[];
  /** Where it can be pulled, a few at most. */
  readonly places: readonly { readonly registryId: number; readonly name: RepositoryName }[];
}

export interface InspectedImageLayer {
  readonly position: number;
  readonly layerId: number;
  readonly diffId: Digest;
  /** As the image has it. */
  readonly blob: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** See `isLayerInspected`. */
  readonly isInspected: boolean;
}

/** Images that these manifests reach and nobody has asked to look at, with the platforms that they are for. */
export async function uninspectedImages(
  connection: Connection,
  digests: readonly Digest[],
): Promise<{ imageId: number; platform: Platform }[]> {
  return connection.run(
    `/* catalog.uninspectedImages */
     with recursive reached (id) as (
       select id from manifest where digest = any($1::bytea[])
       union
       select x.child_id from reached join index_entry x on x.index_id = reached.id where x.child_id is not null
     )
     select i.manifest_id as "imageId", jsonb_build_object('os', i.os, 'architecture', i.architecture, 'variant',
       i.variant, 'osVersion', i.os_version, 'osFeatures', i.os_features) as platform
     from reached join image i on i.manifest_id = reached.id
     where not exists (select from image_inspection n where n.image_id = i.manifest_id ${BY_KEY})`,
    [digests.map(digestBytes)],
  );
}

/** Asks to look at images that nobody has asked of, as soon as a worker can. */
export async function queueInspections(database: Database, imageIds: readonly number[], at: Date): Promise<void> {
  await database.transaction(async (connection) => {
    const [, rows] = await Promise.all([
      shareContent(connection),
      connection.run<{ id: number }>(
        `/* catalog.queueInspections */
         insert into image_inspection (image_id, status, requested_at, due_at)
         select i.manifest_id, 'QUEUED', $2::timestamptz, $2::timestamptz
         from image i where i.manifest_id = any($1::int[]) order by i.manifest_id
         on conflict (image_id) do nothing returning image_id as id`,
        [imageIds, at],
      ),
    ]);
    const last = rows.at(-1);
    if (last !== undefined) await notify(connection, 'stowage_inspection_queued', last.id);
  });
}

/**
 * Asks to look at an image, also where somebody did before, whatever came of it; in a transaction of its own. False
 * where there is no such image.
 */
export async function requestInspection(connection: Connection, image: Digest, at: Date): Promise<boolean> {
  const [, rows] = await Promise.all([
    shareContent(connection),
    connection.run<{ id: number }>(
      `/* catalog.requestInspection */
       insert into image_inspection as n (image_id, status, requested_at, due_at)
       select i.manifest_id, 'QUEUED', $2::timestamptz, $2::timestamptz
       from manifest m join image i on i.manifest_id = m.id where m.digest = $1::bytea
       on conflict (image_id) do update set status = 'QUEUED', reason = null, attempts = 0,
         requested_at = excluded.requested_at, due_at = excluded.due_at
       returning image_id as id`,
      [digestBytes(image), at],
    ),
  ]);
  const [row] = rows;
  if (row === undefined) return false;
  await notify(connection, 'stowage_inspection_queued', row.id);
  return true;
}

/** What is to be looked at by now, those first that wait the longest. */
export async function dueInspections(connection: Connection, now: Date, limit: number): Promise<QueuedImage[]> {
  return connection.run(
    `/* catalog.dueInspections */
     select image_id as "imageId", attempts from image_inspection
     where status = 'QUEUED' and due_at <= $1::timestamptz order by due_at, image_id limit $2::int`,
    [now, limit],
  );
}

/** Null where it is not to be looked at any more, or not yet. */
export async function findInspectedImage(
  connection: Connection,
  imageId: number,
  now: Date,
): Promise<InspectedImage | null> {
  const rows = await connection.run<InspectedImage>(
    `/* catalog.findInspectedImage */
     select i.manifest_id as "imageId", digest_text(m.digest) as digest, i.os, i.os_version as "osVersion",
       i.run_config -> 'environment' as environment, m.raw as "rawManifest", m.media_type as "mediaType",
       coalesce((
         select json_agg(json_build_object('position', il.position, 'layerId', l.id, 'diffId', digest_text(l.diff_id),
             'blob', digest_text(b.digest), 'mediaType', b.media_type, 'size', b.size,
             'isInspected', n.layer_id is not null) order by il.position)
         from image_layer il join layer l on l.id = il.layer_id join layer_blob b on b.id = il.blob_id
         left join layer_inspection n on n.layer_id = l.id and (n.status <> 'FAILED' or n.blob_digest = b.digest)
         where il.image_id = i.manifest_id
       ), '[]') as layers,
       array(
         select json_build_object('registryId', r.registry_id, 'name', r.name)
         from repository_manifest rm join repository r on r.id = rm.repository_id
         where rm.manifest_id = i.manifest_id and rm.gone_at is null order by r.id limit ${PLACES}
       ) as places
     from image_inspection q join image i on i.manifest_id = q.image_id join manifest m on m.id = i.manifest_id
     where q.image_id = $1::int and q.status = 'QUEUED' and q.due_at <= $2::timestamptz`,
    [imageId, now],
  );
  return rows[0] ?? null;
}

/** Writes down what came of it; how large its files are by now is known where all layers were read to their ends. */
export async function recordInspection(
  connection: Connection,
  imageId: number,
  { status, reason }: { readonly status: InspectionStatus; readonly reason: string | null },
  at: Date,
): Promise<void> {
  await Promise.all([
    connection.run(
      `/* catalog.recordInspection */
       update image_inspection set status = $2, reason = $3, inspected_at = $4::timestamptz, attempts = 0
       where image_id = $1::int`,
      [imageId, status, reason, at],
    ),
    status === 'INSPECTED' &&
      connection.run(
        `/* catalog.measureImage */
         update image i set uncompressed_size = (
           select sum(l.uncompressed_size) from image_layer il join layer l on l.id = il.layer_id
           where il.image_id = i.manifest_id
         )
         where i.manifest_id = $1::int and i.uncompressed_size is null and i.layer_count > 0`,
        [imageId],
      ),
  ]);
}

/** Lets it be taken again from an instant on. */
export async function postponeInspection(
  connection: Connection,
  { imageId, attempts }: QueuedImage,
  dueAt: Date,
  reason: string | null,
): Promise<void> {
  await connection.run(
    `/* catalog.postponeInspection */
     update image_inspection set due_at = $2::timestamptz, attempts = $3::int, reason = $4
     where image_id = $1::int and status = 'QUEUED'`,
    [imageId, dueAt, attempts, reason],
  );
}

/** Repositories of which a layer is asked for, one after the other. */
const PLACES = 5;
