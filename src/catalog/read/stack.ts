import sql, { raw } from 'sql-template-tag';
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

/** Over layer s of an image: image b is the stack up to it. */
export const IS_STACK = raw('b.top_chain_id = s.chain_id and b.layer_count = s.position + 1');

/**
 * The images b that image i stands on, with its layers s, and what is said of its manifest m that makes b its base:
 * from and where of a query.
 */
export const BASES = sql`image_layer s join image b on ${IS_STACK}
  cross join lateral (
    select array_agg(distinct q.evidence) as evidence, bool_or(${CLAIMS_DIGEST}) as has_digest
    from base_claim q where ${CLAIMS}
  ) claim
  where s.image_id = i.manifest_id and s.position < i.layer_count - 1 and s.position >= (
    select e.position from image_layer e join layer f on f.id = e.layer_id
    where e.image_id = i.manifest_id and not f.is_empty order by e.position limit 1
  )`;

/**
 * The order of `BASES`: the nearest comes first. Of images with one stack the one that is claimed, by digest before by
 * name; then one for the same platform; one that a tag names now; the one that was cataloged first.
 */
export const BEST_FIRST = sql`s.position desc,
  claim.evidence is null, claim.has_digest is not true,
  (b.os, b.architecture) = (i.os, i.architecture) desc, b.variant is not distinct from i.variant desc,
  ${isTagged(raw('b.manifest_id'))} desc, b.manifest_id`;
