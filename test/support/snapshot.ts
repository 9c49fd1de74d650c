import type { Connection } from '../../src/catalog/database.ts';

/** What the catalog says, without ids and times: equal for two catalogs that say the same. */
export async function snapshotOf(database: Connection): Promise<Record<string, unknown[]>> {
  const result: Record<string, unknown[]> = {};
  for (const [name, sql] of Object.entries(QUERIES)) result[name] = await database.run(sql, []);
  return result;
}

/** Changes with every row of the catalog that is inserted, updated or deleted; those of runs don't count. */
export async function rowVersionsOf(database: Connection): Promise<Record<string, unknown>> {
  const versions: Record<string, unknown> = {};
  for (const table of CATALOG_TABLES) {
    const sql = `select count(*) as rows, md5(string_agg(ctid::text || xmin::text, ' ' order by ctid)) as hash from ${table}`;
    versions[table] = (await database.run(sql, []))[0];
  }
  return versions;
}

const CATALOG_TABLES = [
  'registry',
  'repository',
  'manifest',
  'image',
  'index_entry',
  'layer',
  'layer_blob',
  'image_layer',
  'base_claim',
  'repository_manifest',
  'tag',
  'tag_event',
  'held_image',
  'held_blob',
  'held_total',
  'repository_total',
  'container',
  'container_event',
  'image_deletion',
  'layer_inspection',
  'image_inspection',
  'image_contents',
  'package',
  'package_set',
  'package_set_entry',
];

const QUERIES = {
  repository: `select r.host, p.name, p.tag_count, p.stored_size, p.needs_recount, p.image_count, p.layer_count,
    p.event_count, p.nominal_size
    from repository p join registry r on r.id = p.registry_id order by 1, 2`,
  tag: `select p.name as repository, t.name, digest_text(m.digest) as digest, t.deleted_at is null as alive
    from tag t join repository p on p.id = t.repository_id left join manifest m on m.id = t.manifest_id order by 1, 2`,
  event: `select p.name as repository, t.name, e.kind, digest_text(f.digest) as "from", digest_text(m.digest) as "to"
    from tag_event e join tag t on t.id = e.tag_id join repository p on p.id = e.repository_id
    left join manifest f on f.id = e.from_id left join manifest m on m.id = e.to_id order by 1, 2, e.id`,
  manifest: `select digest_text(digest) as digest, kind, media_type, size, encode(sha256(raw), 'hex') as raw,
    annotations, artifact_type, digest_text(subject) as subject from manifest order by 1`,
  presence: `select p.name, digest_text(m.digest) as digest, rm.gone_at is null as here
    from repository_manifest rm join repository p on p.id = rm.repository_id
    join manifest m on m.id = rm.manifest_id order by 1, 2`,
  image: `select digest_text(m.digest) as digest, digest_text(i.config_digest) as config, i.os, i.architecture,
    i.variant, i.created_at, i.run_config, i.labels, i.history, i.layer_count, i.size, i.uncompressed_size,
    digest_text(i.top_chain_id) as chain, encode(i.made_from, 'hex') as made_from from image i join manifest m on m.id = i.manifest_id order by 1`,
  entry: `select digest_text(x.digest) as index, e.position, e.digest, digest_text(c.digest) as child, e.os,
    e.architecture from index_entry e join manifest x on x.id = e.index_id
    left join manifest c on c.id = e.child_id order by 1, 2`,
  layer: `select digest_text(diff_id) as diff_id, size, uncompressed_size, is_foreign, is_empty, image_count
    from layer order by 1`,
  heldTotal: `select t.scope, coalesce(r.host, t.key) as key, t.images, t.layers, t.nominal_size, t.stored_size
    from held_total t left join registry r on t.scope = 'REGISTRY' and r.id::text = t.key
    where t.images > 0 or t.layers > 0 order by 1, 2`,
  repositoryTotal: `select p.name, t.scope, t.key, t.tags, t.events
    from repository_total t join repository p on p.id = t.repository_id order by 1, 2, 3`,
  claim: `select digest_text(image) as image, evidence, encode(digest, 'hex') as digest, host, repository, tag
    from base_claim order by 1, 2, 3, 4, 5, 6`,
  imageLayer: `select digest_text(m.digest) as image, il.position, digest_text(l.diff_id) as diff_id,
    digest_text(b.digest) as blob, b.media_type, b.size, digest_text(il.chain_id) as chain
    from image_layer il join manifest m on m.id = il.image_id join layer l on l.id = il.layer_id
    join layer_blob b on b.id = il.blob_id order by 1, 2`,
};
