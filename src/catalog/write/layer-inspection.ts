import type { Connection } from '../database.ts';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import { shareContent } from './content-lock.ts';

/** How an inspection may have ended; see inspect/limits.ts for all but the first. */
export type InspectionStatus = 'INSPECTED' | 'PARTIAL' | 'FAILED' | 'TOO_LARGE';

/** What was found in a layer. */
export interface LayerInspection {
  readonly layerId: number;
  readonly status: InspectionStatus;
  /** Null where it is INSPECTED. */
  readonly reason: string | null;
  /** As inspect/encoding.ts writes it. */
  readonly content: Uint8Array;
  /** The packing that was read. */
  readonly blob: Digest;
  readonly bytesRead: number;
  readonly uncompressedSize: number;
}

/** As much of it as an image needs. */
export type KnownLayer = Pick<LayerInspection, 'status' | 'reason' | 'content'>;

/** The layers of these that were looked at, by id. */
export async function knownLayers(
  connection: Connection,
  layerIds: readonly number[],
): Promise<Map<number, KnownLayer>> {
  const rows = await connection.run<KnownLayer & { id: number }>(
    `/* catalog.knownLayers */
     select layer_id as id, status, reason, content from layer_inspection where layer_id = any($1::int[])`,
    [layerIds],
  );
  return new Map(rows.map(({ id, ...known }) => [id, known]));
}

/** Whether a layer need not be looked at: it was, well, or by this very packing. */
export async function isLayerInspected(connection: Connection, layerId: number, blob: Digest): Promise<boolean> {
  const rows = await connection.run(
    `/* catalog.isLayerInspected */
     select from layer_inspection where layer_id = $1::int and (status <> 'FAILED' or blob_digest = $2::bytea)`,
    [layerId, digestBytes(blob)],
  );
  return rows.length > 0;
}

/** Writes down what was found, in a transaction of its own; of a layer that was deleted meanwhile, nothing. */
export async function recordLayerInspection(
  connection: Connection,
  { layerId, status, reason, content, blob, bytesRead, uncompressedSize }: LayerInspection,
  at: Date,
): Promise<void> {
  const isWhole = status === 'INSPECTED';
  await Promise.all([
    shareContent(connection),
    connection.run(
      `/* catalog.recordLayerInspection */
       insert into layer_inspection (layer_id, status, reason, content, blob_digest, bytes_read, inspected_at)
       select l.id, $2, $3, $4::bytea, $5::bytea, $6::bigint, $7::timestamptz from layer l where l.id = $1::int
       on conflict (layer_id) do update set status = excluded.status, reason = excluded.reason,
         content = excluded.content, blob_digest = excluded.blob_digest, bytes_read = excluded.bytes_read,
         inspected_at = excluded.inspected_at`,
      [layerId, status, reason, content, digestBytes(blob), bytesRead, at],
    ),
    isWhole &&
      connection.run(
        `/* catalog.measureLayer */
         update layer set uncompressed_size = $2::bigint where id = $1::int and uncompressed_size is distinct from $2::bigint`,
        [layerId, uncompressedSize],
      ),
  ]);
}

/** Lets layers be looked at again, whose inspections can't be read any more. */
export async function forgetLayerInspections(connection: Connection, layerIds: readonly number[]): Promise<void> {
  await connection.run(
    `/* catalog.forgetLayerInspections */ delete from layer_inspection where layer_id = any($1::int[])`,
    [layerIds],
  );
}
