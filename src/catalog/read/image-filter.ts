import sql, { raw, type Sql } from 'sql-template-tag';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import { isWildcard } from '../../domain/pattern.ts';
import { tagNamed, type Reference } from '../../domain/reference.ts';
import { containerConditions, presentOf, type ContainerFilter, type ContainersAt } from './container-filter.ts';
import {
  allOf,
  anyOf,
  conditionOf,
  entryIs,
  hostIs,
  instantIn,
  nameIs,
  numberIn,
  repositoryIs,
  spend,
  storable,
  valueIs,
  within,
  type Composable,
  type InstantRange,
  type KeyValueFilter,
  type Nesting,
  type NumberRange,
} from './filter.ts';
import { indexesAbove, manifestsBelow } from './index-tree.ts';
import { hasPackage, type PackageFilter } from './package-filter.ts';
import { standsOn } from './stands-on.ts';

export interface ImageFilter extends Composable<ImageFilter> {
  readonly digest?: Digest | null;
  readonly reference?: Reference | null;
  readonly registry?: string | null;
  readonly repository?: string | null;
  readonly tag?: string | null;
  readonly tagged?: boolean | null;
  readonly isAvailable?: boolean | null;
  readonly runsAsRoot?: boolean | null;
  readonly os?: string | null;
  readonly architecture?: string | null;
  readonly variant?: string | null;
  readonly size?: NumberRange | null;
  readonly layerCount?: NumberRange | null;
  readonly createdAt?: InstantRange | null;
  readonly label?: KeyValueFilter | null;
  readonly annotation?: KeyValueFilter | null;
  readonly layer?: Digest | null;
  readonly derivedFrom?: Reference | null;
  readonly containers?: ContainerFilter | null;
  readonly inUse?: boolean | null;
  readonly package?: PackageFilter | null;
  readonly operatingSystem?: string | null;
  readonly hasShell?: boolean | null;
  readonly hasPackageManager?: boolean | null;
}

/** Written as the index has it; null is before all else. */
export const IMAGE_CREATED_AT = raw(`coalesce(i.created_at, '0001-01-01 00:00:00+00'::timestamptz)`);

/** Over image i and its manifest m. */
export function imageConditions(filter: ImageFilter, nesting: Nesting): Sql[] {
  const { place } = nesting;
  return [
    ...nameConditions(filter, place),
    ...ownConditions(filter, place),
    ...contentConditions(filter, nesting),
    ...useConditions(filter, nesting),
  ];
}

/** Containers as they are now. */
export const CONTAINERS_NOW: ContainersAt = { state: raw('c.state'), isPast: false, imageConditions };

/** What it is called, and where it is. Registry, repository and tag are of one place when more than one is given. */
function nameConditions(filter: ImageFilter, place: string): Sql[] {
  const { digest, reference, registry, repository, tag, tagged, isAvailable } = filter;
  const all: Sql[] = [];
  const places: Sql[] = [];
  if (digest != null) all.push(sql`m.digest = ${digestBytes(digest)}`);
  if (reference != null) all.push(sql`i.manifest_id = any(${manifestsBelow(namedBy(reference))})`);
  if (registry != null) places.push(hostIs(registry, `${place}.registry`));
  if (repository != null) places.push(repositoryIs(repository, `${place}.repository`));
  if (tag != null) {
    const tags = allOf([nameIs(raw('t.name'), tag, `${place}.tag`), ...places]);
    all.push(
      sql`i.manifest_id = any(${manifestsBelow(sql`select t.manifest_id from tag t join repository r on r.id = t.repository_id join registry g on g.id = r.registry_id where t.manifest_id is not null and ${tags}`)})`,
    );
  } else if (places.length > 0) {
    all.push(
      sql`exists (select 1 from repository_manifest c join repository r on r.id = c.repository_id join registry g on g.id = r.registry_id where c.manifest_id = i.manifest_id and ${allOf(places)})`,
    );
  }
  if (tagged != null) all.push(sql`${isTagged(raw('i.manifest_id'))} = ${tagged}`);
  if (isAvailable != null) all.push(sql`${IS_AVAILABLE} = ${isAvailable}`);
  return all;
}

/** What it is. */
function ownConditions(filter: ImageFilter, place: string): Sql[] {
  const { runsAsRoot, os, architecture, variant, size, layerCount, createdAt, label, annotation, layer } = filter;
  const { derivedFrom } = filter;
  const all: Sql[] = [];
  if (runsAsRoot != null) all.push(sql`${RUNS_AS_ROOT} = ${runsAsRoot}`);
  if (os != null) all.push(nameIs(raw('i.os'), os, `${place}.os`));
  if (architecture != null) all.push(nameIs(raw('i.architecture'), architecture, `${place}.architecture`));
  if (variant != null) all.push(nameIs(raw('i.variant'), variant, `${place}.variant`));
  if (size != null) all.push(numberIn(raw('i.size'), size));
  if (layerCount != null) all.push(numberIn(raw('i.layer_count'), layerCount));
  if (createdAt != null) all.push(raw('i.created_at is not null'), instantIn(IMAGE_CREATED_AT, createdAt));
  if (label != null) all.push(entryIs(raw('i.labels'), label));
  if (annotation != null) all.push(entryIs(raw('m.annotations'), annotation));
  if (layer != null) {
    const bytes = digestBytes(layer);
    all.push(
      sql`exists (select 1 from image_layer l where l.image_id = i.manifest_id and l.layer_id = any(array(select d.id from layer d where d.diff_id = ${bytes} union select b.layer_id from layer_blob b where b.digest = ${bytes})))`,
    );
  }
  if (derivedFrom != null) all.push(sql`i.manifest_id = any(${imagesOn(manifestsBelow(namedBy(derivedFrom)))})`);
  return all;
}

/** What it holds, as far as that was inspected: of an image without contents none of these holds, whatever is asked. */
function contentConditions(filter: ImageFilter, { place, budget }: Nesting): Sql[] {
  const { package: wanted, operatingSystem, hasShell, hasPackageManager } = filter;
  const all: Sql[] = [];
  if (wanted != null) {
    // What is read and compared for it is bounded, and not little.
    spend({ place: `${place}.package`, budget }, 10);
    all.push(hasPackage(wanted, `${place}.package`));
  }
  if (operatingSystem != null) all.push(holds(operatingSystemIs(operatingSystem)));
  if (hasShell != null) all.push(holds(raw(`x.origin = 'LAYERS' and x.shells ${hasShell ? '<>' : '='} '{}'`)));
  if (hasPackageManager != null) {
    all.push(holds(raw(`x.origin = 'LAYERS' and x.package_managers ${hasPackageManager ? '<>' : '='} '{}'`)));
  }
  return all;
}

/** What was created from it. */
function useConditions({ containers, inUse }: ImageFilter, nesting: Nesting): Sql[] {
  const all: Sql[] = [];
  if (inUse != null) all.push(raw(inUse ? 'i.container_count > 0' : 'i.container_count = 0'));
  if (containers != null) {
    const condition = conditionOf(containers, containerConditions(CONTAINERS_NOW), within(nesting, 'containers'));
    const scope = allOf([raw('c.image_id = i.manifest_id'), ...presentOf(containers), condition]);
    all.push(sql`exists (select 1 from container c where ${scope})`);
  }
  return all;
}

/** Directly, as most are; else through an index, which is asked only of what an index lists. */
export function isTagged(imageId: Sql): Sql {
  return sql`(exists (select 1 from tag t where t.manifest_id = ${imageId}) or (exists (select 1 from index_entry x where x.child_id = ${imageId}) and exists (select 1 from tag t where t.manifest_id = any(${indexesAbove(imageId)}))))`;
}

/** A repository that the catalog follows has it still. */
export const IS_AVAILABLE = raw(
  'exists (select 1 from repository_manifest c where c.manifest_id = i.manifest_id and c.gone_at is null)',
);

/** Over image i: its contents x are like this. */
function holds(condition: Sql): Sql {
  return sql`exists (select from image_contents x where x.image_id = i.manifest_id and ${condition})`;
}

/** Over contents x. Names of systems have no capitals; of a version, the whole or its first numbers: debian 12. */
function operatingSystemIs(text: string): Sql {
  const wanted = storable(text).toLowerCase();
  const version = sql`x.os_id || ' ' || x.os_version_id`;
  const release = isWildcard(wanted) ? [] : [sql`starts_with(${version}, ${`${wanted}.`}) and ${wanted.includes(' ')}`];
  return anyOf([valueIs(raw('x.os_id'), wanted), valueIs(sql`(${version})`, wanted), ...release]);
}

/** user[:group], by name or number. */
const RUNS_AS_ROOT = raw(`(coalesce(i.run_config ->> 'user', '') ~ '^(root|0+)?(:|$)')`);

/** The manifest that a reference names now. */
function namedBy(reference: Reference): Sql {
  const { host, repository, digest } = reference;
  const from = sql`repository r join registry g on g.id = r.registry_id and g.host = ${host} and r.name = ${repository}`;
  if (digest === null) {
    return sql`select t.manifest_id from ${from} join tag t on t.repository_id = r.id where t.name = ${tagNamed(reference)} and t.manifest_id is not null`;
  }
  return sql`select c.manifest_id from ${from} join repository_manifest c on c.repository_id = r.id join manifest d on d.id = c.manifest_id where d.digest = ${digestBytes(digest)}`;
}

/** An array: the images that stand on one of these manifests. */
function imagesOn(manifestIds: Sql): Sql {
  return sql`array(select derived.id from unnest(${manifestIds}) as base (id) cross join lateral (select c.image_id as id from image_layer c where ${standsOn(raw('base.id'))} offset 0) derived)`;
}
