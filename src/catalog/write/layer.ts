import type { Connection } from '../database.ts';

/** Takes images that are about to be deleted out of the counts of their layers. Answers with the layers' ids. */
export async function uncountImages(connection: Connection, imageIds: readonly number[]): Promise<number[]> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.uncountImages */
     update layer l set image_count = l.image_count - used.images
     from (
       select il.layer_id, count(distinct il.image_id) as images
       from image_layer il where il.image_id = any($1::int[]) group by il.layer_id
     ) used
     where l.id = used.layer_id
     returning l.id`,
    [imageIds],
  );
  return rows.map((row) => row.id);
}

/**
 * Of layers whose images were deleted, deletes those that no image is left to use, and their blobs. Answers with the
 * bytes of blobs that are gone, each once.
 */
export async function deleteUnusedLayers(connection: Connection, layerIds: readonly number[]): Promise<number> {
  if (layerIds.length === 0) return 0;
  const [[freed]] = await Promise.all([
    connection.run<{ size: number }>(DELETE_UNUSED_BLOBS, [layerIds]),
    connection.run(MEASURE_LAYERS, [layerIds]),
    connection.run(
      `/* catalog.deleteUnusedLayers */
       delete from layer l
       where l.id = any($1::int[]) and not exists (select from image_layer il where il.layer_id = l.id)`,
      [layerIds],
    ),
  ]);
  return freed?.size ?? 0;
}

/** A blob may be a packing of another layer too, or of the same under another media type: then it is still there. */
const DELETE_UNUSED_BLOBS = `/* catalog.deleteUnusedBlobs */
  with gone as (
    delete from layer_blob b
    where b.layer_id = any($1::int[])
      and not exists (select from image_layer il where il.layer_id = b.layer_id and il.blob_id = b.id)
    returning b.id, b.digest, b.size
  )
  select least(coalesce(sum(freed.size), 0), ${Number.MAX_SAFE_INTEGER})::int8 as size
  from (select distinct gone.digest, gone.size from gone) freed
  where not exists (
    select from layer_blob o
    where o.digest = freed.digest and o.size = freed.size
      and not exists (select from gone where gone.id = o.id)
  )`;

/** The smallest packing may be among those that went. */
const MEASURE_LAYERS = `/* catalog.measureLayers */
  update layer l set size = packings.size
  from (
    select b.layer_id, min(b.size) as size from layer_blob b where b.layer_id = any($1::int[]) group by b.layer_id
  ) packings
  where l.id = packings.layer_id and l.size <> packings.size`;
