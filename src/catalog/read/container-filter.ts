import sql, { raw, type Sql } from 'sql-template-tag';
import type { ContainerState } from '../../domain/container.ts';
import { CatalogError } from '../../domain/errors.ts';
import { conditionOf, entryIs, valueIs, within, type Composable, type KeyValueFilter, type Nesting } from './filter.ts';
import type { ImageFilter } from './image-filter.ts';

export interface ContainerFilter extends Composable<ContainerFilter> {
  readonly runtime?: string | null;
  readonly state?: readonly ContainerState[] | null;
  readonly name?: string | null;
  readonly imageReference?: string | null;
  readonly image?: ImageFilter | null;
  readonly label?: KeyValueFilter | null;
  readonly isOutdated?: boolean | null;
  readonly knownImage?: boolean | null;
  /** Heard at the top of a filter only. */
  readonly includeRemoved?: boolean | null;
}

/** What is known of containers where they are filtered. */
export interface ContainersAt {
  /** The state of container c. */
  readonly state: Sql;
  /** At an instant that is past, when nobody noted what was outdated. */
  readonly isPast: boolean;
  /** What a filter of images comes to: those of both kinds nest in each other. */
  readonly imageConditions: (filter: ImageFilter, nesting: Nesting) => Sql[];
}

/** Over container c. */
export function containerConditions(at: ContainersAt): (filter: ContainerFilter, nesting: Nesting) => Sql[] {
  return (filter, nesting) => {
    const { runtime, state, name, imageReference, image, label, isOutdated, knownImage } = filter;
    const all: Sql[] = [];
    if (runtime != null) {
      all.push(sql`c.runtime_id = any(array(select n.id from runtime n where ${valueIs(raw('n.name'), runtime)}))`);
    }
    if (state != null) all.push(sql`${at.state} = any(${state}::text[])`);
    if (name != null) all.push(valueIs(raw('c.name'), name));
    if (imageReference != null) all.push(valueIs(raw('c.image_reference'), imageReference));
    if (image != null) {
      const condition = conditionOf(image, at.imageConditions, within(nesting, 'image'));
      all.push(
        sql`exists (select 1 from image i left join manifest m on m.id = i.manifest_id where i.manifest_id = c.image_id and ${condition})`,
      );
    }
    if (label != null) all.push(entryIs(raw('c.labels'), label));
    if (isOutdated != null) {
      if (at.isPast) throw unknownThen(`${nesting.place}.isOutdated`);
      all.push(raw(isOutdated ? 'c.is_outdated' : 'not c.is_outdated'));
    }
    if (knownImage != null) all.push(raw(knownImage ? 'c.image_id is not null' : 'c.image_id is null'));
    return all;
  };
}

/** Written as the indexes have it. */
export function presentOf(filter: ContainerFilter | null | undefined): Sql[] {
  return filter?.includeRemoved ? [] : [raw('c.removed_at is null')];
}

function unknownThen(place: string): CatalogError {
  return new CatalogError(
    'INVALID_ARGUMENT',
    `${place} can't be answered together with asOf: nobody noted what was outdated then. Leave out one of them.`,
  );
}
