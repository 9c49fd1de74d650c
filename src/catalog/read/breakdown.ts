import sql, { raw, type Sql } from 'sql-template-tag';
import type { Connection } from '../database.ts';
import { allOf, conditionOf } from './filter.ts';
import { imageConditions, IS_AVAILABLE, type ImageFilter } from './image-filter.ts';
import { HOLDERS, IMAGE_KEYS, NAMED, NAMED_KEYS, PLACES, type BreakdownBy, type Metric } from './metric.ts';
import { DEFAULT_PAGE, lengthOf } from './page.ts';

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
    breakdown: ({ filter, ...wanted }: Breakdown & { filter?: ImageFilter | null }): Promise<BreakdownRow[]> =>
      filter == null
        ? largest(connection, wanted, keptRows(wanted) ?? countedRows(wanted, null))
        : breakdownOfImages(connection, wanted, conditionOf(filter, imageConditions)),
  };
}

/**
 * Of the images for which a condition over image i and its manifest m holds, and which can be pulled now. Each thing
 * counts once under every key that it has; the largest come first, and a key without anything is left out.
 */
export function breakdownOfImages(connection: Connection, wanted: Breakdown, condition: Sql): Promise<BreakdownRow[]> {
  return largest(connection, wanted, countedRows(wanted, condition));
}

/** `rows` gives key and value, once for each key. */
async function largest(connection: Connection, { first }: Breakdown, rows: Sql): Promise<BreakdownRow[]> {
  return connection.query<{ key: string; value: number }>(
    sql`/* catalog.breakdown */
select key, least(value, ${Number.MAX_SAFE_INTEGER}::int8)::int8 as value from (${rows}) counted where value > 0 order by value desc, key collate "C" limit ${lengthOf(first, DEFAULT_PAGE)}`,
  );
}

/** What the writer counts; null where it does not. */
function keptRows({ by, metric, first }: Breakdown): Sql | null {
  if (by === 'REPOSITORY') {
    const counter = raw(`r.${REPOSITORY_COUNTERS[metric]}`);
    return sql`select g.host || '/' || r.name as key, r.value from (select r.registry_id, r.name, ${counter} as value from repository r order by ${counter} desc, r.id desc limit ${lengthOf(first, DEFAULT_PAGE)}) r join registry g on g.id = r.registry_id`;
  }
  if (by === 'REGISTRY') {
    const total = REGISTRY_TOTALS[metric];
    return raw(
      total === null
        ? `select g.host as key, sum(r.${REPOSITORY_COUNTERS[metric]}) as value from repository r join registry g on g.id = r.registry_id group by g.host`
        : `select g.host as key, t.${total} as value from held_total t join registry g on g.id = t.registry_id`,
    );
  }
  if (metric !== 'IMAGES') return null;
  return raw(`select p.${by.toLowerCase()} as key, sum(p.images) as value from held_platform p group by 1`);
}

const REPOSITORY_COUNTERS = {
  IMAGES: 'image_count',
  TAGS: 'tag_count',
  LAYERS: 'layer_count',
  STORED_SIZE: 'stored_size',
  TAG_EVENTS: 'event_count',
} as const satisfies Record<Metric, string>;

const REGISTRY_TOTALS = {
  IMAGES: 'images',
  TAGS: null,
  LAYERS: 'layers',
  STORED_SIZE: 'stored_size',
  TAG_EVENTS: null,
} as const satisfies Record<Metric, string | null>;

/** By looking at all that is counted. Null stands for everything, and then for names of what is no image, too. */
function countedRows({ by, metric }: Breakdown, condition: Sql | null): Sql {
  const things =
    metric === 'TAGS' || metric === 'TAG_EVENTS' ? namesOf(metric, by, condition) : contentOf(metric, by, condition);
  return sql`select key, sum(amount) as value from (${things}) thing group by key`;
}

/** Images, and what they are made of, by the registries and repositories that hold them and by what they are. */
function contentOf(metric: keyof typeof CONTENT, by: BreakdownBy, condition: Sql | null): Sql {
  const { columns, from, mediaType } = CONTENT[metric];
  const key = raw(by === 'MEDIA_TYPE' ? mediaType : IMAGE_KEYS[by]);
  const holders = by === 'REGISTRY' || by === 'REPOSITORY' ? HOLDERS : '';
  return sql`select distinct ${key} as key, ${raw(`${columns} from ${IMAGES}${from}${holders}`)} where ${availableOf(condition)}`;
}

const IMAGES = 'image i join manifest m on m.id = i.manifest_id';
const BLOBS = ' join image_layer s on s.image_id = i.manifest_id join layer_blob b on b.id = s.blob_id';

/** The thing and its amount; two sizes of one digest are two claims, and count as two blobs. */
const CONTENT = {
  IMAGES: { columns: 'i.manifest_id as thing, 1 as amount', from: '', mediaType: 'm.media_type' },
  LAYERS: { columns: 's.layer_id as thing, 1 as amount', from: BLOBS, mediaType: 'b.media_type' },
  STORED_SIZE: { columns: 'b.digest as thing, b.size as amount', from: BLOBS, mediaType: 'b.media_type' },
} as const;

/**
 * Tags, or their movements: those of everything by what they name; else upwards from the images, through the indexes
 * that list them, to what names one of these.
 */
function namesOf(metric: keyof typeof NAMED, by: BreakdownBy, condition: Sql | null): Sql {
  const ofImage = by === 'OS' || by === 'ARCHITECTURE';
  const key = raw(ofImage ? 'above.key' : NAMED_KEYS[by]);
  const named = raw(`${NAMED[metric]} n join manifest w on w.id = n.manifest_id${PLACES}`);
  if (!ofImage && condition === null) return sql`select ${key} as key, 1 as amount from ${named}`;
  const imageKey = raw(ofImage ? IMAGE_KEYS[by] : `''`);
  return sql`with recursive above (id, key) as (select i.manifest_id, ${imageKey} from ${raw(IMAGES)} where ${availableOf(condition)} union select x.index_id, above.key from above join index_entry x on x.child_id = above.id) select ${key} as key, 1 as amount from ${named} join above on above.id = n.manifest_id`;
}

function availableOf(condition: Sql | null): Sql {
  return condition === null ? IS_AVAILABLE : allOf([IS_AVAILABLE, sql`(${condition})`]);
}
