import { raw } from 'sql-template-tag';
import type { Connection } from '../database.ts';
import { indexesAbove } from './index-tree.ts';

/** How far a container is behind the tag that it was asked for by. */
export interface ContainerDriftRecord {
  readonly tagId: number;
  /** The image that it was created from. */
  readonly imageId: number;
  readonly movesBehind: number;
  readonly since: Date;
}

export function containerDriftReads(connection: Connection) {
  return {
    /** Of those that are outdated. */
    driftsByContainer: async (ids: readonly number[]): Promise<Map<number, ContainerDriftRecord>> => {
      const rows = await connection.run<DriftRow>(DRIFTS_BY_CONTAINER, [ids]);
      return new Map(
        rows.map((row) => [
          row.id,
          { tagId: row.tag_id, imageId: row.image_id, movesBehind: row.moves_behind, since: row.since },
        ]),
      );
    },
  };
}

interface DriftRow {
  id: number;
  tag_id: number;
  image_id: number;
  moves_behind: number;
  since: Date;
}

/**
 * Movements of the tag behind the last one to the container's image, or to an index that reaches it; behind the making of
 * the container where the history has none.
 */
const DRIFTS_BY_CONTAINER = `/* catalog.driftsByContainer */
  select c.id, t.id as tag_id, c.image_id, moved.count as moves_behind,
    coalesce(moved.since, c.created_at, c.first_seen_at) as since
  from container c
  join registry g on g.host = c.host
  join repository r on r.registry_id = g.id and r.name = c.repository
  join tag t on t.repository_id = r.id and t.name = c.tag
  left join lateral (
    select e.id from tag_event e
    where e.tag_id = t.id and e.to_id = any(${indexesAbove(raw('c.image_id')).sql}) order by e.id desc limit 1
  ) reached on true
  cross join lateral (
    select count(*) as count, min(e.at) as since from tag_event e
    where e.tag_id = t.id
      and case when reached.id is null then e.at > coalesce(c.created_at, c.first_seen_at) else e.id > reached.id end
  ) moved
  where c.id = any((select $1::int[])::int[]) and c.is_outdated`;
