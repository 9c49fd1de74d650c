import { raw } from 'sql-template-tag';
import type { Connection } from '../database.ts';
import { CONTAINER_COLUMNS, containerOf, type ContainerRecord, type ContainerRow } from './container-row.ts';
import { imageList, scopedOrder, type ImagesById } from './image.ts';
import { nestedList } from './page.ts';

/** Images that were made from containers. */
export function commitReads(connection: Connection, imagesById: ImagesById) {
  return {
    /** What a runtime told goes before what a configuration says; the container that was seen first before others. */
    containersCommitted: async (imageIds: readonly number[]): Promise<Map<number, ContainerRecord>> => {
      const rows = await connection.run<ContainerRow & { made_id: number }>(CONTAINERS_COMMITTED, [imageIds]);
      return new Map(rows.map((row) => [row.made_id, containerOf(row)]));
    },

    committedImages: nestedList(connection, () => ({
      ...imageList('committedImages', 'image i', null, scopedOrder(null, 'i.manifest_id'), IS_COMMITTED),
      recordsById: imagesById,
    })),
  };
}

const CONTAINERS_COMMITTED = `/* catalog.containersCommitted */
  select made.manifest_id as made_id, ${CONTAINER_COLUMNS}
  from image made join manifest m on m.id = made.manifest_id
  cross join lateral (
    select told.id
    from (
      select k.id, false as is_claimed, k.first_seen_at
      from container_commit q join container k on k.id = q.container_id
      where q.image_digest in (made.config_digest, m.digest)
      union all
      select k.id, true, k.first_seen_at from container k where k.container_id = encode(made.made_from, 'hex')
    ) told
    order by told.is_claimed, told.first_seen_at, told.id limit 1
  ) origin
  join container c on c.id = origin.id
  where made.manifest_id = any((select $1::int[])::int[])`;

/** Image i was made from the container that is the parent; by the indexes that there are. */
const IS_COMMITTED = raw(`i.manifest_id = any(array(
  select m.id from container_commit q join manifest m on m.digest = q.image_digest where q.container_id = parent.id
  union
  select made.manifest_id
  from container_commit q join image made on substring(made.config_digest from 1 for 4) = substring(q.image_digest from 1 for 4)
    and made.config_digest = q.image_digest
  where q.container_id = parent.id
  union
  select made.manifest_id
  from container k join image made
    on made.made_from = case when k.container_id ~ '^[0-9a-f]{64}$' then decode(k.container_id, 'hex') end
  where k.id = parent.id
))`);
