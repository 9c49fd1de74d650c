/** One query, in GraphQL and as the SQL that a person would write for it, which answers with one column, `answer`. */
export interface Scenario {
  readonly name: string;
  readonly query: string;
  readonly sql: string;
  /** What to ask with, in turn. */
  readonly requests: readonly ScenarioRequest[];
}

export interface ScenarioRequest {
  readonly variables: Record<string, unknown>;
  readonly values: readonly unknown[];
}

export const LAYERS = `layers { position digest mediaType size chainId layer { diffId isEmpty } }`;

export const IMAGE_BY_DIGEST = `query ($digest: Digest!) {
  image(digest: $digest) { digest size createdAt platform { os architecture variant } ${LAYERS} }
}`;

export const TAGS_OF_REPOSITORY = `query ($reference: ImageReference!) {
  repository(reference: $reference) {
    name
    tags(first: 50) { nodes { name movedAt images { digest size createdAt platform { os architecture variant } ${LAYERS} } } }
  }
}`;

export const IMAGES_OF_LAYER = `query ($digest: Digest!) {
  layer(digest: $digest) {
    diffId
    imageCount
    images(first: 50) { nodes { digest size createdAt tags(first: 20) { nodes { name repository { name } } } } }
  }
}`;

export const IMAGES_BY_SIZE = `query ($after: String) {
  images(first: 50, after: $after, filter: { os: "linux", architecture: "arm64" }, orderBy: { field: SIZE, direction: DESC }) {
    nodes { digest size createdAt layerCount platform { os architecture variant } }
    pageInfo { hasNextPage endCursor }
  }
}`;

const LAYERS_SQL = `(
  select json_agg(row_to_json(l) order by l.position)
  from (
    select il.position, digest_text(b.digest) as digest, b.media_type, b.size, digest_text(il.chain_id) as chain_id,
      digest_text(l.diff_id) as diff_id, l.is_empty
    from image_layer il join layer_blob b on b.id = il.blob_id join layer l on l.id = il.layer_id
    where il.image_id = i.manifest_id
  ) l
)`;

export const IMAGE_BY_DIGEST_SQL = `
  select row_to_json(found) as answer
  from (
    select digest_text(m.digest) as digest, i.size, i.created_at, i.os, i.architecture, i.variant, ${LAYERS_SQL} as layers
    from manifest m join image i on i.manifest_id = m.id
    where m.digest = decode($1, 'hex')
  ) found`;

export const TAGS_OF_REPOSITORY_SQL = `
  select json_build_object('name', r.name, 'tags', (
    select json_agg(row_to_json(t))
    from (
      select t.name, t.moved_at, digest_text(m.digest) as digest, i.size, i.created_at, i.os, i.architecture, i.variant,
        ${LAYERS_SQL} as layers
      from (select * from tag t where t.repository_id = r.id and t.deleted_at is null order by t.moved_at desc, t.id desc limit 50) t
      join manifest m on m.id = t.manifest_id join image i on i.manifest_id = m.id
    ) t
  )) as answer
  from repository r join registry g on g.id = r.registry_id where g.host = $1 and r.name = $2`;

export const IMAGES_OF_LAYER_SQL = `
  select json_build_object('diffId', digest_text(l.diff_id), 'imageCount', l.image_count, 'images', (
    select json_agg(row_to_json(i))
    from (
      select digest_text(m.digest) as digest, i.size, i.created_at, (
        select json_agg(row_to_json(t))
        from (
          select t.name, r.name as repository from tag t join repository r on r.id = t.repository_id
          where t.manifest_id = m.id order by t.name limit 20
        ) t
      ) as tags
      from (
        select i.* from image_layer il join image i on i.manifest_id = il.image_id where il.layer_id = l.id
        order by i.created_at desc, i.manifest_id desc limit 50
      ) i
      join manifest m on m.id = i.manifest_id
    ) i
  )) as answer
  from layer l where l.diff_id = decode($1, 'hex')`;

export const IMAGES_BY_SIZE_SQL = `
  select json_agg(row_to_json(i)) as answer
  from (
    select digest_text(m.digest) as digest, i.size, i.created_at, i.layer_count, i.os, i.architecture, i.variant
    from (
      select * from image i where i.os = 'linux' and i.architecture = 'arm64' and (i.size, i.manifest_id) < ($1::bigint, $2::int)
      order by i.size desc, i.manifest_id desc limit 51
    ) i
    join manifest m on m.id = i.manifest_id
    order by i.size desc, i.manifest_id desc limit 50
  ) i`;
