/** What dashboards count: images, layers and bytes are content; tags and their movements name it, containers use it. */
export type Metric = 'IMAGES' | 'TAGS' | 'CONTAINERS' | 'LAYERS' | 'STORED_SIZE' | 'TAG_EVENTS';

/** By what: where a thing is, what it is, what uses it, or what it holds. */
export type BreakdownBy = KeptBy | 'RUNTIME' | 'CONTAINER_STATE' | 'OPERATING_SYSTEM' | 'PACKAGE_TYPE';

/** By what the writer counts. */
export type KeptBy = (typeof KEPT_BYS)[number];

export const KEPT_BYS = ['REGISTRY', 'REPOSITORY', 'OS', 'ARCHITECTURE', 'MEDIA_TYPE'] as const;

/** Joins to the image with this id its contents x, and the types y of packages in them. */
const contentsOf = (imageId: string) => ` join image_contents x on x.image_id = ${imageId} and x.os_id is not null`;
const packageTypesOf = (imageId: string) =>
  ` join image_contents x on x.image_id = ${imageId} join package_set z on z.id = x.package_set_id cross join lateral unnest(z.types) y (type)`;

const OPERATING_SYSTEM = `concat_ws(' ', x.os_id, x.os_version_id)`;

/** Joins where image i is held now, registry h and repository v in it; or containers u that were created from it. */
export const IMAGE_PLACES: Record<BreakdownBy, string> = {
  REGISTRY: ' join held_image k on k.image_id = i.manifest_id join registry h on h.id = k.registry_id',
  REPOSITORY:
    ' join repository_manifest c on c.manifest_id = i.manifest_id and c.gone_at is null join repository v on v.id = c.repository_id join registry h on h.id = v.registry_id',
  OS: '',
  ARCHITECTURE: '',
  MEDIA_TYPE: '',
  RUNTIME:
    ' join container u on u.image_id = i.manifest_id and u.removed_at is null join runtime rt on rt.id = u.runtime_id',
  CONTAINER_STATE: ' join container u on u.image_id = i.manifest_id and u.removed_at is null',
  OPERATING_SYSTEM: contentsOf('i.manifest_id'),
  PACKAGE_TYPE: packageTypesOf('i.manifest_id'),
};

/** Over image i, its manifest m and its IMAGE_PLACES. */
export const IMAGE_KEYS: Record<BreakdownBy, string> = {
  REGISTRY: 'h.host',
  REPOSITORY: `h.host || '/' || v.name`,
  OS: 'i.os',
  ARCHITECTURE: 'i.architecture',
  MEDIA_TYPE: 'm.media_type',
  RUNTIME: 'rt.name',
  CONTAINER_STATE: 'u.state',
  OPERATING_SYSTEM,
  PACKAGE_TYPE: 'y.type',
};

/**
 * Names, with the manifest that each is about: what a tag names now; what a movement came to, of a deletion what it was.
 * Null where there is none, or the catalog does not have it any more.
 */
export const NAMED = {
  TAGS: '(select t.repository_id, t.manifest_id, t.first_seen_at as at from tag t)',
  TAG_EVENTS: `(select e.repository_id, case e.kind when 'DELETED' then e.from_id else e.to_id end as manifest_id, e.at from tag_event e)`,
} as const satisfies Partial<Record<Metric, string>>;

/** Whether a name has the keys of the images that it reaches, and not its own. */
export function isOfImage(by: BreakdownBy): by is Exclude<BreakdownBy, keyof typeof NAMED_KEYS> {
  return !(by in NAMED_KEYS);
}

/** Joins the repository of name n: v in registry h. */
export const PLACES = ' join repository v on v.id = n.repository_id join registry h on h.id = v.registry_id';

/** Over PLACES and the manifest w that is named. */
export const NAMED_KEYS = {
  REGISTRY: IMAGE_KEYS.REGISTRY,
  REPOSITORY: IMAGE_KEYS.REPOSITORY,
  MEDIA_TYPE: 'w.media_type',
} as const satisfies Partial<Record<BreakdownBy, string>>;

/**
 * Joins to container c what its keys are read from. It is where it was asked for, whoever holds its image; what else it
 * is, it has from its image.
 */
export const CONTAINER_JOINS: Record<BreakdownBy, string> = {
  REGISTRY: '',
  REPOSITORY: '',
  OS: ' join image i on i.manifest_id = c.image_id',
  ARCHITECTURE: ' join image i on i.manifest_id = c.image_id',
  MEDIA_TYPE: ' join manifest m on m.id = c.image_id',
  RUNTIME: ' join runtime rt on rt.id = c.runtime_id',
  CONTAINER_STATE: '',
  OPERATING_SYSTEM: contentsOf('c.image_id'),
  PACKAGE_TYPE: packageTypesOf('c.image_id'),
};

/** Over container c and its CONTAINER_JOINS; null where it has none. */
export const CONTAINER_KEYS: Record<BreakdownBy, string> = {
  REGISTRY: 'c.host',
  REPOSITORY: `c.host || '/' || c.repository`,
  OS: 'i.os',
  ARCHITECTURE: 'i.architecture',
  MEDIA_TYPE: 'm.media_type',
  RUNTIME: 'rt.name',
  CONTAINER_STATE: 'c.state',
  OPERATING_SYSTEM,
  PACKAGE_TYPE: 'y.type',
};
