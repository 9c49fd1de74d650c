import sql, { raw, type Sql } from 'sql-template-tag';
import { isTagged } from './image-filter.ts';
import { indexesAbove } from './index-tree.ts';

// What stands on what: the one place that knows. An image is a base of another when its whole stack is the bottom of
// the other's, and is not all of it. A bottom of nothing but empty layers is common to images that have nothing in
// common, and is nobody's base.

/** Over claim q: the tag t that it names, where the catalog has it. */
export const CLAIMED_TAG = raw(
  `registry g join repository r on r.registry_id = g.id join tag t on t.repository_id = r.id
   where g.host = q.host and r.name = q.repository and t.name = q.tag`,
);

/** Over claim q and image b: it names the digest of b, or of an index that lists b. */
const CLAIMS_DIGEST = sql`exists (
  select from manifest n where n.digest = q.digest and n.id = any(${indexesAbove(raw('b.manifest_id'))})
)`;

/** Over claim q and image b: it names a tag that names b, or once did. */
const CLAIMS_TAG = sql`exists (
  select from ${CLAIMED_TAG}
    and exists (select from tag_event v where v.tag_id = t.id and v.to_id = any(${indexesAbove(raw('b.manifest_id'))}))
)`;

/** Over claim q, manifest m and image b: it is said of m that it was built on b. */
export const CLAIMS = sql`q.image = m.digest and (${CLAIMS_DIGEST} or ${CLAIMS_TAG})`;

/** Over image i: the place of the lowest layer that has content. */
const LOWEST = raw(
  `(
    select e.position from image_layer e join layer f on f.id = e.layer_id
    where e.image_id = i.manifest_id and not f.is_empty order by e.position limit 1
  )`,
);

/** Over image i and its layers s: the stack up to this layer may be that of a base. */
const MAY_BE_BASE = sql`s.image_id = i.manifest_id and s.position < i.layer_count - 1 and s.position >= ${LOWEST}`;

const IS_STACK = raw('b.top_chain_id = s.chain_id and b.layer_count = s.position + 1');

/**
 * Over image i and its manifest m: how many layers its base has; null where it has none. Of the images that it stands
 * on its base is the highest that is claimed; where none is, the highest. `lowest` is a place in the stack at which a
 * base is known to end, where the caller knows one.
 */
export function baseHeight(lowest: Sql = LOWEST): Sql {
  return sql`coalesce(
    case when exists (select from base_claim q where q.image = m.digest) then (
      select max(b.layer_count) from image_layer s join image b on ${IS_STACK}
      where ${MAY_BE_BASE} and exists (select from base_claim q where ${CLAIMS})
    ) end,
    (
      select s.position + 1 from image_layer s
      where s.image_id = i.manifest_id and s.position < i.layer_count - 1 and s.position >= ${lowest}
        and exists (select from image b where ${IS_STACK})
      order by s.position desc limit 1
    )
  )`;
}

/**
 * The images b that image i stands on, with its layers s, and what is said of its manifest m that makes b its base:
 * from and where of a query.
 */
export const BASES = sql`image_layer s join image b on ${IS_STACK}
  cross join lateral (
    select array_agg(distinct q.evidence) as evidence, bool_or(${CLAIMS_DIGEST}) as has_digest
    from base_claim q where ${CLAIMS}
  ) claim
  where ${MAY_BE_BASE}`;

/**
 * The order of `BASES`, given the height of the base: those of the base's stack come first, then the nearest. Of images
 * with one stack the one that is claimed, by digest before by name; then one for the same platform; one that a tag
 * names now; the one that was cataloged first.
 */
export const BEST_FIRST = sql`s.position + 1 = height.layers desc, s.position desc,
  claim.evidence is null, claim.has_digest is not true,
  (b.os, b.architecture) = (i.os, i.architecture) desc, b.variant is not distinct from i.variant desc,
  ${isTagged(raw('b.manifest_id'))} desc, b.manifest_id`;

/** Over image i, its manifest m, and the height of its base: the id of its base. */
export const BASE_ID = sql`select b.manifest_id as id from ${BASES} and s.position = height.layers - 1 order by ${BEST_FIRST} limit 1`;
