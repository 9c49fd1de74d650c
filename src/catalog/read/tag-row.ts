export interface TagRecord {
  readonly __typename: 'Tag';
  readonly id: number;
  readonly name: string;
  readonly repositoryId: number;
  /** Null once deleted. */
  readonly manifestId: number | null;
  readonly firstSeenAt: Date;
  readonly movedAt: Date;
  readonly deletedAt: Date | null;
}

/** Of `tag t`. */
export const TAG_COLUMNS = 't.id, t.name, t.repository_id, t.manifest_id, t.first_seen_at, t.moved_at, t.deleted_at';

export interface TagRow {
  id: number;
  name: string;
  repository_id: number;
  manifest_id: number | null;
  first_seen_at: Date;
  moved_at: Date;
  deleted_at: Date | null;
}

export function tagOf(row: TagRow): TagRecord {
  return {
    __typename: 'Tag',
    id: row.id,
    name: row.name,
    repositoryId: row.repository_id,
    manifestId: row.manifest_id,
    firstSeenAt: row.first_seen_at,
    movedAt: row.moved_at,
    deletedAt: row.deleted_at,
  };
}
