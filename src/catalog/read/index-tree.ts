import sql, { raw, type Sql } from 'sql-template-tag';

/**
 * Indexes list images, and may list indexes. One level is the rule; what is nested deeper than this is not followed.
 * `union` drops what was reached already, so that a hostile document costs no more than its own length.
 */
export const MAX_INDEX_DEPTH = 4;

/**
 * An array: the manifest itself, and every index that it can be reached through. Most are in none, which is known ten
 * times sooner than a recursion begins.
 */
export function indexesAbove(manifestId: Sql): Sql {
  const above = sql`array(with recursive above (id, depth) as (select ${manifestId}::int, 0 union select x.index_id, above.depth + 1 from above join index_entry x on x.child_id = above.id where above.depth < ${DEPTH}) select above.id from above)`;
  return sql`case when exists (select 1 from index_entry x where x.child_id = ${manifestId}) then ${above} else array[${manifestId}::int] end`;
}

/**
 * Pairs: each manifest of an array with itself, and with every index that it can be reached through. Those that are in
 * one are found at once.
 */
export function withIndexesAbove(manifestIds: readonly number[]): Sql {
  return sql`with recursive above (manifest_id, id, depth) as (select x.child_id, x.index_id, 1 from index_entry x where x.child_id = any((select ${manifestIds}::int[])::int[]) union select above.manifest_id, x.index_id, above.depth + 1 from above join index_entry x on x.child_id = above.id where above.depth < ${DEPTH}) select id, id from unnest((select ${manifestIds}::int[])::int[]) as each (id) union select manifest_id, id from above`;
}

/** An array: the manifests that a query names, and all that can be reached from them. */
export function manifestsBelow(manifestIds: Sql): Sql {
  return sql`array(with recursive below (id, depth) as (select named.*, 0 from (${manifestIds}) named union select x.child_id, below.depth + 1 from below join index_entry x on x.index_id = below.id where x.child_id is not null and below.depth < ${DEPTH}) select below.id from below)`;
}

const DEPTH = raw(String(MAX_INDEX_DEPTH));
