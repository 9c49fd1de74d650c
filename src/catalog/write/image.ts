import type { Connection } from '../database.ts';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import type { StackedLayer } from '../../domain/image.ts';
import { isPlainTarType } from '../../domain/media-type.ts';
import { recordImageTexts } from './image-text.ts';
import type { ImageContent } from './manifest-content.ts';

/** Records new images with their layers. `ids` has the id of each one's manifest, which was inserted a moment ago. */
export async function recordImages(
  connection: Connection,
  images: readonly ImageContent[],
  ids: ReadonlyMap<Digest, number>,
  at: Date,
): Promise<void> {
  if (images.length === 0) return;
  const placed = images.flatMap((image) =>
    image.layers.map((layer) => ({ ...layer, imageId: ids.get(image.digest) as number })),
  );
  const texts = images.map((image) => ({
    imageId: ids.get(image.digest) as number,
    labels: image.configuration.labels,
    annotations: image.manifest.annotations,
    run: image.configuration.run,
    history: image.configuration.history,
  }));
  const statements = [insertImages(connection, images, ids, at), recordImageTexts(connection, texts)];
  if (placed.length > 0) {
    statements.push(
      insertLayers(connection, placed, at),
      insertBlobs(connection, placed),
      insertImageLayers(connection, placed),
    );
  }
  await Promise.all(statements);
}

type PlacedLayer = StackedLayer & { readonly imageId: number };

/** Layers before all that names them, in the order of their diff ids; new ones are counted as they come. */
async function insertLayers(connection: Connection, placed: readonly PlacedLayer[], at: Date): Promise<void> {
  const byDiffId = Map.groupBy(placed, (layer) => layer.diffId);
  const layers = [...byDiffId.values()].map(measure).sort((a, b) => (a.diffId < b.diffId ? -1 : 1));
  await connection.run(
    `/* catalog.insertLayers */
     insert into layer (diff_id, size, uncompressed_size, is_foreign, is_empty, image_count, first_seen_at)
     select n.diff_id, n.size, n.uncompressed_size, n.is_foreign, n.is_empty, n.image_count, $7::timestamptz
     from unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::boolean[], $5::boolean[], $6::int[])
       with ordinality as n(diff_id, size, uncompressed_size, is_foreign, is_empty, image_count, place)
     where not exists (select from layer l where l.diff_id = n.diff_id)
     order by n.place
     on conflict (diff_id) do nothing`,
    [
      layers.map((layer) => digestBytes(layer.diffId)),
      layers.map((layer) => layer.size),
      layers.map((layer) => layer.uncompressedSize),
      layers.map((layer) => layer.isForeign),
      layers.map((layer) => layer.isEmpty),
      layers.map((layer) => layer.imageCount),
      at,
    ],
  );
}

/** One layer, by the places where a batch of images has it. */
function measure(places: readonly PlacedLayer[]) {
  const [{ diffId, isForeign, isEmpty }] = places as [PlacedLayer];
  const plain = places.find((layer) => isPlainTarType(layer.blob.mediaType));
  return {
    diffId,
    isForeign,
    isEmpty,
    size: Math.min(...places.map((layer) => layer.blob.size)),
    uncompressedSize: plain?.blob.size ?? null,
    imageCount: new Set(places.map((layer) => layer.imageId)).size,
  };
}

async function insertBlobs(connection: Connection, placed: readonly PlacedLayer[]): Promise<void> {
  const distinct = new Map(
    placed.map((layer) => [`${layer.blob.digest} ${layer.diffId} ${layer.blob.mediaType} ${layer.blob.size}`, layer]),
  );
  const layers = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, layer]) => layer);
  await connection.run(
    `/* catalog.insertBlobs */
     insert into layer_blob (layer_id, digest, media_type, size, urls)
     select l.id, n.digest, n.media_type, n.size, array(select jsonb_array_elements_text(n.urls::jsonb))
     from unnest($1::bytea[], $2::bytea[], $3::text[], $4::bigint[], $5::text[])
       with ordinality as n(diff_id, digest, media_type, size, urls, place)
     join layer l on l.diff_id = n.diff_id
     where not exists (
       select from layer_blob b
       where b.digest = n.digest and b.layer_id = l.id and b.media_type = n.media_type and b.size = n.size
     )
     order by n.place
     on conflict (digest, layer_id, media_type, size) do nothing`,
    [
      layers.map((layer) => digestBytes(layer.diffId)),
      layers.map((layer) => digestBytes(layer.blob.digest)),
      layers.map((layer) => layer.blob.mediaType),
      layers.map((layer) => layer.blob.size),
      layers.map((layer) => JSON.stringify(layer.blob.urls)),
    ],
  );
}

async function insertImages(
  connection: Connection,
  images: readonly ImageContent[],
  ids: ReadonlyMap<Digest, number>,
  at: Date,
): Promise<void> {
  await connection.run(
    `/* catalog.insertImages */
     insert into image (manifest_id, config_digest, os, architecture, variant, os_version, os_features, created_at,
                        author, run_config, labels, history, layer_count, size, uncompressed_size, top_chain_id,
                        made_from, first_seen_at)
     select n.manifest_id, n.config_digest, n.os, n.architecture, n.variant, n.os_version,
            array(select jsonb_array_elements_text(n.os_features::jsonb)), n.created_at, n.author,
            n.run_config::jsonb, n.labels::jsonb, n.history::jsonb, n.layer_count, n.size, n.uncompressed_size,
            n.top_chain_id, n.made_from, $18::timestamptz
     from unnest($1::int[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                 $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int[], $14::bigint[],
                 $15::bigint[], $16::bytea[], $17::bytea[])
       as n(manifest_id, config_digest, os, architecture, variant, os_version, os_features, created_at, author,
            run_config, labels, history, layer_count, size, uncompressed_size, top_chain_id, made_from)`,
    [
      images.map((image) => ids.get(image.digest)),
      images.map((image) => digestBytes(image.manifest.config.digest)),
      images.map((image) => image.configuration.platform.os),
      images.map((image) => image.configuration.platform.architecture),
      images.map((image) => image.configuration.platform.variant),
      images.map((image) => image.configuration.platform.osVersion),
      images.map((image) => JSON.stringify(image.configuration.platform.osFeatures)),
      images.map((image) => image.configuration.createdAt),
      images.map((image) => image.configuration.author),
      images.map((image) => JSON.stringify(image.configuration.run)),
      images.map((image) => JSON.stringify(image.configuration.labels)),
      images.map((image) => JSON.stringify(image.configuration.history)),
      images.map((image) => image.layers.length),
      images.map((image) => sizeOf(image.layers)),
      images.map((image) => uncompressedSizeOf(image.layers)),
      images.map((image) => topChainId(image.layers)),
      images.map(({ configuration: { madeFrom } }) => (madeFrom === null ? null : Buffer.from(madeFrom, 'hex'))),
      at,
    ],
  );
}

async function insertImageLayers(connection: Connection, placed: readonly PlacedLayer[]): Promise<void> {
  await connection.run(
    `/* catalog.insertImageLayers */
     insert into image_layer (image_id, position, layer_id, blob_id, chain_id)
     select n.image_id, n.position, l.id, b.id, n.chain_id
     from unnest($1::int[], $2::int[], $3::bytea[], $4::bytea[], $5::text[], $6::bigint[], $7::bytea[])
       as n(image_id, position, diff_id, blob_digest, media_type, size, chain_id)
     join layer l on l.diff_id = n.diff_id
     join layer_blob b on b.digest = n.blob_digest and b.layer_id = l.id and b.media_type = n.media_type
       and b.size = n.size`,
    [
      placed.map((layer) => layer.imageId),
      placed.map((layer) => layer.position),
      placed.map((layer) => digestBytes(layer.diffId)),
      placed.map((layer) => digestBytes(layer.blob.digest)),
      placed.map((layer) => layer.blob.mediaType),
      placed.map((layer) => layer.blob.size),
      placed.map((layer) => digestBytes(layer.chainId)),
    ],
  );
}

/**
 * Adds new images to the counts of layers that were there before; those that this transaction inserted came with
 * theirs. Several writers count popular layers at once: they lock them in the order of their ids, and only the names
 * come behind it in a transaction, so that nobody waits for long.
 */
export async function countImages(connection: Connection, imageIds: readonly number[]): Promise<void> {
  if (imageIds.length === 0) return;
  await connection.run(
    `/* catalog.countImages */
     with used as (
       select il.layer_id, count(distinct il.image_id) as images, min(b.size) as size
       from image_layer il join layer_blob b on b.id = il.blob_id
       where il.image_id = any($1::int[]) group by il.layer_id
     ), locked as (
       select l.id from layer l
       where l.id in (select layer_id from used) and l.xmin <> pg_current_xact_id()::xid
       order by l.id for no key update
     )
     update layer l set image_count = l.image_count + used.images, size = least(l.size, used.size)
     from used join locked on locked.id = used.layer_id
     where l.id = used.layer_id`,
    [imageIds],
  );
}

function sizeOf(layers: readonly StackedLayer[]): number {
  return layers.reduce((sum, layer) => Math.min(sum + layer.blob.size, Number.MAX_SAFE_INTEGER), 0);
}

/** Known at once only where every layer is a plain tar. */
function uncompressedSizeOf(layers: readonly StackedLayer[]): number | null {
  return layers.every((layer) => isPlainTarType(layer.blob.mediaType)) ? sizeOf(layers) : null;
}

function topChainId(layers: readonly StackedLayer[]): Buffer | null {
  const top = layers.at(-1);
  return top === undefined ? null : digestBytes(top.chainId);
}
