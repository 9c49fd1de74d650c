import sql, { raw, type Sql } from 'sql-template-tag';
import type { Connection } from '../../database.ts';
import { allOf, conditionOf, TRUE } from '../filter.ts';
import { imageConditions, IS_AVAILABLE, type ImageFilter } from '../image-filter.ts';
import {
  CONTAINER_JOINS,
  CONTAINER_KEYS,
  IMAGE_KEYS,
  IMAGE_PLACES,
  isOfImage,
  KEPT_BYS,
  NAMED,
  NAMED_KEYS,
  PLACES,
  type BreakdownBy,
  type KeptBy,
  type Metric,
} from './metric.ts';
import { DEFAULT_PAGE, lengthOf } from '../page.ts';
import { listsBy } from '../rows.ts';

/** What is counted, by what, and how many of the largest are wanted: 20 where nothing is said. */
export interface Breakdown {
  readonly by: BreakdownBy;
  readonly metric: Metric;
  readonly first?: number | null;
}

export interface BreakdownRow {
  readonly key: string;
  readonly value: number;
}

export function breakdownReads(connection: Connection) {
  return {
    breakdown: async ({ filter, ...wanted }: Breakdown & { filter?: ImageFilter | null }): Promise<BreakdownRow[]> => {
      const condition = filter == null ? null : conditionOf(filter, imageConditions);
      const rows = condition === null && isKept(wanted) ? keptRows(wanted) : countedRows(wanted, condition);
      return connection.query<{ key: string; value: number }>(
        sql`/* catalog.breakdown */
${largest(wanted.first, rows)}`,
      );
    },
  };
}

/**
 * Of the images of each parent that can be pulled now: those for which a condition over `parent.id`, image i and its
 * manifest m holds. Each thing counts once under every key that it has; the largest come first, and a key without
 * anything is left out.
 */
export async function breakdownsByParent(
  connection: Connection,
  { parents, condition, ...wanted }: Breakdown & { parents: readonly number[]; condition: Sql },
): Promise<Map<number, BreakdownRow[]>> {
  const rows = await connection.query<BreakdownRow & { id: number }>(
    sql`/* catalog.breakdownsByParent */
select parent.id, entry.* from unnest(${parents}::int[]) as parent (id) cross join lateral (${largest(wanted.first, countedRows(wanted, condition))}) entry`,
  );
  return listsBy(
    rows,
    (row) => row.id,
    ({ key, value }) => ({ key, value }),
  );
}

/** Of rows of key and value, one for each key; 20 where nothing is said. */
export function largest(first: number | null | undefined, rows: Sql): Sql {
  return sql`select key, least(value, ${Number.MAX_SAFE_INTEGER}::int8)::int8 as value from (${rows}) counted where value > 0 order by value desc, key collate "C" limit ${lengthOf(first, DEFAULT_PAGE)}`;
}

/** What the writer counts. */
interface KeptBreakdown extends Breakdown {
  readonly by: KeptBy;
  readonly metric: keyof typeof REPOSITORY_COUNTERS;
}

function isKept(wanted: Breakdown): wanted is KeptBreakdown {
  return wanted.metric in REPOSITORY_COUNTERS && KEPT_BYS.some((by) => by === wanted.by);
}

/** Rows of repositories, and of scopes. */
function keptRows({ by, metric, first }: KeptBreakdown): Sql {
  const ofNames = metric === 'TAGS' || metric === 'TAG_EVENTS';
  if (by === 'REPOSITORY') {
    const counter = raw(`r.${REPOSITORY_COUNTERS[metric]}`);
    return sql`select g.host || '/' || r.name as key, r.value from (select r.registry_id, r.name, ${counter} as value from repository r where ${counter} > 0 order by ${counter} desc fetch first (${lengthOf(first, DEFAULT_PAGE)}::int8) rows with ties) r join registry g on g.id = r.registry_id`;
  }
  if (by === 'REGISTRY') {
    return raw(
      ofNames
        ? `select g.host as key, sum(r.${REPOSITORY_COUNTERS[metric]}) as value from repository r join registry g on g.id = r.registry_id group by g.host`
        : `select g.host as key, t.${HELD_TOTALS[metric]} as value from held_total t join registry g on g.id::text = t.key where t.scope = 'REGISTRY'`,
    );
  }
  return raw(
    ofNames
      ? `select t.key, sum(t.${metric === 'TAGS' ? 'tags' : 'events'}) as value from repository_total t where t.scope = '${by}' group by t.key`
      : `select t.key, t.${HELD_TOTALS[metric]} as value from held_total t where t.scope = '${by}'`,
  );
}

const REPOSITORY_COUNTERS = {
  IMAGES: 'image_count',
  TAGS: 'tag_count',
  LAYERS: 'layer_count',
  STORED_SIZE: 'stored_size',
  TAG_EVENTS: 'event_count',
} as const satisfies Partial<Record<Metric, string>>;

const HELD_TOTALS = {
  IMAGES: 'images',
  LAYERS: 'layers',
  STORED_SIZE: 'stored_size',
} as const satisfies Partial<Record<Metric, string>>;

/** By looking at all that is counted. */
function countedRows({ by, metric }: Breakdown, condition: Sql | null): Sql {
  const things = metric === 'CONTAINERS' ? containersOf(by, condition) : THINGS[metric](by, condition ?? TRUE);
  return sql`select key, sum(amount) as value from (${things}) thing group by key`;
}

/**
 * Each thing once for every key that it has. Grouped, since `distinct` done in parallel fills a second hash table in the
 * order of the first, which takes PostgreSQL minutes when no worker is free.
 */
const THINGS: Record<Exclude<Metric, 'CONTAINERS'>, (by: BreakdownBy, condition: Sql) => Sql> = {
  IMAGES: (by, condition) => {
    const key = raw(IMAGE_KEYS[by]);
    return sql`select ${key} as key, 1 as amount from ${imagesOf(by, condition)} group by ${key}, i.manifest_id`;
  },
  LAYERS: (by, condition) => blobsOf(by, condition, raw('b.layer_id'), raw('1')),
  // Two sizes of one digest are two claims, and count as two blobs.
  STORED_SIZE: (by, condition) => blobsOf(by, condition, raw('b.digest, b.size'), raw('b.size')),
  TAGS: (by, condition) => namesOf('TAGS', by, condition),
  TAG_EVENTS: (by, condition) => namesOf('TAG_EVENTS', by, condition),
};

/** Images that can be pulled now, with what their keys are read from. */
function imagesOf(by: BreakdownBy, condition: Sql, join = ''): Sql {
  const isHeld = by === 'REGISTRY' || by === 'REPOSITORY';
  const conditions = [...(isHeld ? [] : [IS_AVAILABLE]), sql`(${condition})`];
  return sql`${raw(`image i join manifest m on m.id = i.manifest_id${IMAGE_PLACES[by]}${join}`)} where ${allOf(conditions)}`;
}

/** Blobs of images: first those that a key has, by their ids alone, of which there are far fewer than places in images. */
function blobsOf(by: BreakdownBy, condition: Sql, thing: Sql, amount: Sql): Sql {
  const images = imagesOf(by, condition, ' join image_layer s on s.image_id = i.manifest_id');
  const imageKey = raw(by === 'MEDIA_TYPE' ? `''` : IMAGE_KEYS[by]);
  const key = raw(by === 'MEDIA_TYPE' ? 'b.media_type' : 'held.key');
  return sql`select ${key} as key, ${amount} as amount from (select ${imageKey} as key, s.blob_id from ${images} group by 1, 2) held join layer_blob b on b.id = held.blob_id group by ${key}, ${thing}`;
}

/**
 * Tags, or their movements: upwards from the images, through the indexes that list them, to what names one of these. An
 * image counts whether or not it can be pulled now, for its name did name it.
 */
function namesOf(metric: keyof typeof NAMED, by: BreakdownBy, condition: Sql): Sql {
  const key = raw(isOfImage(by) ? 'above.key' : NAMED_KEYS[by]);
  const named = raw(`${NAMED[metric]} n join manifest w on w.id = n.manifest_id${PLACES}`);
  const imageKey = raw(isOfImage(by) ? IMAGE_KEYS[by] : `''`);
  const places = raw(isOfImage(by) ? IMAGE_PLACES[by] : '');
  return sql`with recursive above (id, key) as (select i.manifest_id, ${imageKey} from image i join manifest m on m.id = i.manifest_id${places} where ${condition} union select x.index_id, above.key from above join index_entry x on x.child_id = above.id) select ${key} as key, 1 as amount from ${named} join above on above.id = n.manifest_id`;
}

/** Containers that are not removed; those of unknown images, too, unless it is the image that is asked for. */
function containersOf(by: BreakdownBy, condition: Sql | null): Sql {
  const key = raw(CONTAINER_KEYS[by]);
  const ofImage = sql`exists (select from image i join manifest m on m.id = i.manifest_id where i.manifest_id = c.image_id and ${condition ?? TRUE})`;
  const conditions = [
    raw(`c.removed_at is null and ${CONTAINER_KEYS[by]} is not null`),
    ...(condition ? [ofImage] : []),
  ];
  return sql`select ${key} as key, 1 as amount from ${raw(`container c${CONTAINER_JOINS[by]}`)} where ${allOf(conditions)}`;
}
