/** What dashboards count: images, layers and bytes are content; tags and their movements name it. */
export type Metric = 'IMAGES' | 'TAGS' | 'LAYERS' | 'STORED_SIZE' | 'TAG_EVENTS';

/** By what: where a thing is, or what it is. */
export type BreakdownBy = 'REGISTRY' | 'REPOSITORY' | 'OS' | 'ARCHITECTURE' | 'MEDIA_TYPE';

/** Joins where image i is held now: registry h, and repository v in it. */
export const HOLDERS = {
  REGISTRY: ' join held_image k on k.image_id = i.manifest_id join registry h on h.id = k.registry_id',
  REPOSITORY:
    ' join repository_manifest c on c.manifest_id = i.manifest_id and c.gone_at is null join repository v on v.id = c.repository_id join registry h on h.id = v.registry_id',
} as const satisfies Partial<Record<BreakdownBy, string>>;

/** Over image i and, for its place, its HOLDERS. */
export const IMAGE_KEYS = {
  REGISTRY: 'h.host',
  REPOSITORY: `h.host || '/' || v.name`,
  OS: 'i.os',
  ARCHITECTURE: 'i.architecture',
} as const satisfies Partial<Record<BreakdownBy, string>>;

/**
 * Names, with the manifest that each is about: what a tag names now; what a movement came to, of a deletion what it was.
 * Null where there is none, or the catalog does not have it any more.
 */
export const NAMED = {
  TAGS: '(select t.repository_id, t.manifest_id, t.first_seen_at as at from tag t)',
  TAG_EVENTS: `(select e.repository_id, case e.kind when 'DELETED' then e.from_id else e.to_id end as manifest_id, e.at from tag_event e)`,
} as const satisfies Partial<Record<Metric, string>>;

/** Joins the repository of name n: v in registry h. */
export const PLACES = ' join repository v on v.id = n.repository_id join registry h on h.id = v.registry_id';

/** Over PLACES and the manifest w that is named. */
export const NAMED_KEYS = {
  REGISTRY: IMAGE_KEYS.REGISTRY,
  REPOSITORY: IMAGE_KEYS.REPOSITORY,
  MEDIA_TYPE: 'w.media_type',
} as const satisfies Partial<Record<BreakdownBy, string>>;
