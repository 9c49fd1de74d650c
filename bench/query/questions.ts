/** Who is asked. */
export const SIDES = ['graph', 'postgraphile', 'sql'] as const;
export type Side = (typeof SIDES)[number];

/** What each is asked. The SQL is what a person would write, with one column, `answer`. */
export interface Question extends Record<Side, string> {
  readonly name: string;
}

const LAYERS = `layers { position digest mediaType size chainId layer { diffId isEmpty } }`;

const LAYERS_POSTGRAPHILE = `imageLayersByImageIdList(orderBy: POSITION_ASC) {
  position chainIdText layerBlobByBlobId { digestText mediaType size } layerByLayerId { diffIdText isEmpty }
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

const imageByDigest: Question = {
  name: 'an image by digest, with its layers',
  graph: `query ($digest: Digest!) {
    image(digest: $digest) { digest size createdAt platform { os architecture variant } ${LAYERS} }
  }`,
  postgraphile: `query ($digest: Base64EncodedBinary!) {
    manifestByDigest(digest: $digest) {
      digestText imageByManifestId { size createdAt os architecture variant ${LAYERS_POSTGRAPHILE} }
    }
  }`,
  sql: `
    select row_to_json(found) as answer
    from (
      select digest_text(m.digest) as digest, i.size, i.created_at, i.os, i.architecture, i.variant, ${LAYERS_SQL} as layers
      from manifest m join image i on i.manifest_id = m.id
      where m.digest = decode($1, 'hex')
    ) found`,
};

const tagsOfRepository: Question = {
  name: '50 tags of a repository, with images and layers',
  graph: `query ($reference: ImageReference!) {
    repository(reference: $reference) {
      name
      tags(first: 50) { nodes { name movedAt images { digest size createdAt platform { os architecture variant } ${LAYERS} } } }
    }
  }`,
  postgraphile: `query ($host: String!, $name: String!) {
    registryByHost(host: $host) {
      repositoriesByRegistryIdList(condition: { name: $name }) {
        name
        tagsByRepositoryIdList(first: 50, condition: { deletedAt: null }, orderBy: [MOVED_AT_DESC, ID_DESC]) {
          name movedAt
          manifestByManifestId {
            digestText imageByManifestId { size createdAt os architecture variant ${LAYERS_POSTGRAPHILE} }
          }
        }
      }
    }
  }`,
  sql: `
    select json_build_object('name', r.name, 'tags', (
      select json_agg(row_to_json(t))
      from (
        select t.name, t.moved_at, digest_text(m.digest) as digest, i.size, i.created_at, i.os, i.architecture, i.variant,
          ${LAYERS_SQL} as layers
        from (
          select * from tag t where t.repository_id = r.id and t.deleted_at is null
          order by t.moved_at desc, t.id desc limit 50
        ) t
        join manifest m on m.id = t.manifest_id join image i on i.manifest_id = m.id
      ) t
    )) as answer
    from repository r join registry g on g.id = r.registry_id where g.host = $1 and r.name = $2`,
};

const imagesOfLayer: Question = {
  name: 'a layer, its first 50 images and their tags',
  graph: `query ($digest: Digest!) {
    layer(digest: $digest) {
      diffId imageCount
      images(first: 50) { nodes { digest size createdAt tags(first: 20) { nodes { name repository { name } } } } }
    }
  }`,
  postgraphile: `query ($digest: Base64EncodedBinary!) {
    layerByDiffId(diffId: $digest) {
      diffIdText imageCount
      imageLayersByLayerIdList(first: 50, orderBy: IMAGE_ID_DESC) {
        imageByImageId {
          size createdAt
          manifestByManifestId {
            digestText
            tagsByManifestIdList(first: 20, condition: { deletedAt: null }, orderBy: [NAME_ASC, ID_ASC]) {
              name repositoryByRepositoryId { name }
            }
          }
        }
      }
    }
  }`,
  sql: `
    select json_build_object('diffId', digest_text(l.diff_id), 'imageCount', l.image_count, 'images', (
      select json_agg(row_to_json(i))
      from (
        select digest_text(m.digest) as digest, i.size, i.created_at, (
          select json_agg(row_to_json(t))
          from (
            select t.name, json_build_object('name', r.name) as repository
            from tag t join repository r on r.id = t.repository_id
            where t.manifest_id = m.id and t.deleted_at is null order by t.name, t.id limit 20
          ) t
        ) as tags
        from (select il.image_id from image_layer il where il.layer_id = l.id order by il.image_id desc limit 50) il
        join image i on i.manifest_id = il.image_id join manifest m on m.id = il.image_id
      ) i
    )) as answer
    from layer l where l.diff_id = decode($1, 'hex')`,
};

const imagesBySize: Question = {
  name: 'linux/arm64 images by size, with counts of tags',
  graph: `query ($after: String) {
    images(first: 50, after: $after, filter: { os: "linux", architecture: "arm64" }, orderBy: { field: SIZE, direction: DESC }) {
      nodes { digest size createdAt layerCount platform { os architecture variant } tags { totalCount } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  postgraphile: `query ($after: Cursor) {
    allImages(first: 50, after: $after, condition: { os: "linux", architecture: "arm64" }, orderBy: [SIZE_DESC, MANIFEST_ID_DESC]) {
      nodes {
        size createdAt layerCount os architecture variant
        manifestByManifestId { digestText tagsByManifestId(condition: { deletedAt: null }) { totalCount } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  sql: `
    select json_agg(row_to_json(i)) as answer
    from (
      select digest_text(m.digest) as digest, i.size, i.created_at, i.layer_count, i.os, i.architecture, i.variant,
        (select count(*) from tag t where t.manifest_id = m.id and t.deleted_at is null) as tags
      from (
        select * from image i
        where i.os = 'linux' and i.architecture = 'arm64' and (i.size, i.manifest_id) < ($1::bigint, $2::int)
        order by i.size desc, i.manifest_id desc limit 51
      ) i
      join manifest m on m.id = i.manifest_id
      order by i.size desc, i.manifest_id desc limit 50
    ) i`,
};

const repositoriesByText: Question = {
  name: 'repositories whose name or description holds a text',
  graph: `query ($text: String!) {
    repositories(first: 20, filter: { text: $text }) { nodes { name description tagCount } }
  }`,
  postgraphile: `query ($text: String!) { repositoriesNamedList(text: $text, first: 20) { name description tagCount } }`,
  sql: `
    select json_agg(row_to_json(r)) as answer
    from (
      select r.name, r.description, r.tag_count from repository r
      where (r.name || ' ' || coalesce(r.description, '')) ilike '%' || $1 || '%'
      order by r.name, r.id limit 20
    ) r`,
};

export const QUESTIONS = { imageByDigest, tagsOfRepository, imagesOfLayer, imagesBySize, repositoriesByText };
