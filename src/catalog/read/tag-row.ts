import type { RepositoryRecord } from './repository.ts';

export interface TagRecord {
  readonly __typename: 'Tag';
  readonly id: number;
  readonly name: string;
  readonly repositoryId: number;
  /** Null in lists whose tags are of one repository. */
  readonly repository: RepositoryRecord | null;
  /** Null once deleted. */
  readonly manifestId: number | null;
  readonly firstSeenAt: Date;
  readonly movedAt: Date;
  readonly deletedAt: Date | null;
}

/** Of `tag t`. */
export const TAG_COLUMNS = 't.id, t.name, t.repository_id, t.manifest_id, t.first_seen_at, t.moved_at, t.deleted_at';

/** The same with the repository's name, read for the entries of a page alone: as a join it would be for all that is sorted. */
export const PLACED_TAG_COLUMNS = `${TAG_COLUMNS}, (
    select g.host || '/' || r.name from repository r join registry g on g.id = r.registry_id where r.id = t.repository_id
  ) as repository`;

export interface TagRow {
  id: number;
  name: string;
  repository_id: number;
  manifest_id: number | null;
  first_seen_at: Date;
  moved_at: Date;
  deleted_at: Date | null;
  /** As a reference has it: the host, a slash, the path. */
  repository?: string;
}

export function tagOf(row: TagRow): TagRecord {
  return {
    __typename: 'Tag',
    id: row.id,
    name: row.name,
    repositoryId: row.repository_id,
    repository: row.repository === undefined ? null : repositoryAt(row.repository_id, row.repository),
    manifestId: row.manifest_id,
    firstSeenAt: row.first_seen_at,
    movedAt: row.moved_at,
    deletedAt: row.deleted_at,
  };
}

function repositoryAt(id: number, place: string): RepositoryRecord {
  const slash = place.indexOf('/');
  return { __typename: 'Repository', id, host: place.slice(0, slash), name: place.slice(slash + 1), details: null };
}
