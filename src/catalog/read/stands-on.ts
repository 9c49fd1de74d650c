import sql, { raw, type Sql } from 'sql-template-tag';

/**
 * Over image_layer c: the images that stand on the one with this id, each once. They are found by that
 * layer of it which the fewest images have: an index of chain ids would be the largest of all, and filled at random.
 * In a subquery that PostgreSQL can't merge with its surroundings, what is asked of the one image is asked once.
 */
export function standsOn(imageId: Sql): Sql {
  return sql`${hasRarestLayer(imageId)} and ${continuesStack(imageId)}`;
}

/** The first half of `standsOn`, which an index answers: the image has that layer, at that place. */
export function hasRarestLayer(imageId: Sql): Sql {
  return sql`c.layer_id = ${rarest(imageId, 'layer_id')} and c.position = ${rarest(imageId, 'position')}`;
}

/** The other half, which looks at the image: its stack begins with the whole of the other's, and goes on. */
function continuesStack(imageId: Sql): Sql {
  return sql`${beginsWith(imageId)}
    and exists (select from image_layer e where e.image_id = c.image_id and e.position = ${heightOf(imageId)})`;
}

/** Its stack begins with the whole of the other's, or is the same. */
export function beginsWith(imageId: Sql): Sql {
  return sql`(
      select e.chain_id from image_layer e where e.image_id = c.image_id and e.position = ${heightOf(imageId)} - 1
    ) = (select b.top_chain_id from image b where b.manifest_id = ${imageId})`;
}

/** How many layers it has. */
export function heightOf(imageId: Sql): Sql {
  return sql`(select b.layer_count from image b where b.manifest_id = ${imageId})`;
}

/** Null where no layer has content: nothing stands on that. */
function rarest(imageId: Sql, column: 'layer_id' | 'position'): Sql {
  return sql`(
    select a.${raw(column)} from image_layer a join layer f on f.id = a.layer_id
    where a.image_id = ${imageId} and not f.is_empty order by f.image_count, a.position limit 1
  )`;
}
