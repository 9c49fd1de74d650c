import sql, { raw } from 'sql-template-tag';
import type { Digest } from '../../domain/digest.ts';
import type { Connection } from '../database.ts';
import { allOf, TRUE } from './filter.ts';
import { cursorOf, idOfCursor, nestedList, rootList, type IdOrder, type ListQuery } from './page.ts';
import { tagEventConditions, type PlacedTagEvent, type TagEventFilter } from './tag-event-filter.ts';

export interface TagEventRecord {
  readonly __typename: 'TagEvent';
  readonly id: number;
  readonly kind: TagEventKind;
  readonly at: Date;
  readonly tagName: string;
  readonly repositoryId: number;
  readonly tagId: number;
  /** Manifest ids. */
  readonly fromId: number | null;
  readonly toId: number | null;
  /** Of manifests that were deleted; their ids are null. */
  readonly fromDigest: Digest | null;
  readonly toDigest: Digest | null;
}

export type TagEventKind = 'CREATED' | 'MOVED' | 'DELETED';

export interface TagEventListArguments {
  readonly filter?: TagEventFilter | null;
  /** Newest first where nothing is said. */
  readonly direction?: 'ASC' | 'DESC' | null;
}

/** In the order in which they were committed, which is that of their ids. */
export function tagEventReads(connection: Connection) {
  return {
    tagEvents: rootList(connection, (args: TagEventListArguments) => listOf('tagEvents', args)),
    tagEventsByRepository: nestedList(connection, (args: TagEventListArguments) => ({
      ...listOf('tagEventsByRepository', args),
      within: raw('e.repository_id'),
    })),
    tagEventsByTag: nestedList(connection, ({ direction }: Pick<TagEventListArguments, 'direction'>) => ({
      ...listOf('tagEventsByTag', { direction }),
      within: raw('e.tag_id'),
    })),

    tagEventsById: async (ids: readonly number[]): Promise<Map<number, TagEventRecord>> => {
      const rows = await connection.query<TagEventRow>(
        sql`/* catalog.tagEventsById */ select ${COLUMNS} from ${FROM} where e.id = any((select ${ids}::int8[])::int8[])`,
      );
      return new Map(rows.map((row) => [row.id, recordOf(row)]));
    },

    /** All of them behind this id, oldest first. */
    tagEventsBehind: async (id: number, limit: number): Promise<PlacedTagEvent[]> => {
      const rows = await connection.run<TagEventRow & { host: string; repository: string }>(TAG_EVENTS_BEHIND, [
        id,
        limit,
      ]);
      return rows.map((row) => ({ ...recordOf(row), host: row.host, repositoryName: row.repository }));
    },

    /** 0 where there is none. */
    lastTagEventId: async (): Promise<number> => {
      const rows = await connection.run<{ id: number }>(LAST_TAG_EVENT_ID, []);
      return rows[0]?.id ?? 0;
    },
  };
}

/** Where an event stands in any of the lists, read oldest first. */
export function tagEventCursor({ id }: Pick<TagEventRecord, 'id'>): string {
  return cursorOf(orderOf('ASC'), id);
}

/** The id of the event that such a cursor is of. Throws INVALID_CURSOR. */
export function idOfTagEventCursor(cursor: string, argument: string): number {
  return idOfCursor(orderOf('ASC'), cursor, argument);
}

const COLUMNS = raw(
  'e.id, e.kind, e.at, t.name, e.repository_id, e.tag_id, e.from_id, e.to_id, digest_text(e.from_digest) as from_digest, digest_text(e.to_digest) as to_digest',
);
const FROM = raw('tag_event e join tag t on t.id = e.tag_id');

const TAG_EVENTS_BEHIND = `/* catalog.tagEventsBehind */
  select ${COLUMNS.sql}, g.host, r.name as repository
  from ${FROM.sql} join repository r on r.id = e.repository_id join registry g on g.id = r.registry_id
  where e.id > $1::int8 order by e.id limit $2::int`;

const LAST_TAG_EVENT_ID = `/* catalog.lastTagEventId */ select id from tag_event order by id desc limit 1`;

interface TagEventRow {
  id: number;
  kind: TagEventKind;
  at: Date;
  name: string;
  repository_id: number;
  tag_id: number;
  from_id: number | null;
  to_id: number | null;
  from_digest: Digest | null;
  to_digest: Digest | null;
}

function listOf(name: string, { filter, direction }: TagEventListArguments): ListQuery<TagEventRow, TagEventRecord> {
  return {
    name: `catalog.${name}`,
    columns: COLUMNS,
    from: FROM,
    where: filter == null ? TRUE : allOf(tagEventConditions(filter)),
    order: orderOf(direction ?? 'DESC'),
    toRecord: recordOf,
  };
}

function orderOf(direction: 'ASC' | 'DESC'): IdOrder {
  return { name: 'tagEvents', direction, key: null, id: raw('e.id') };
}

function recordOf(row: TagEventRow): TagEventRecord {
  return {
    __typename: 'TagEvent',
    id: row.id,
    kind: row.kind,
    at: row.at,
    tagName: row.name,
    repositoryId: row.repository_id,
    tagId: row.tag_id,
    fromId: row.from_id,
    toId: row.to_id,
    fromDigest: row.from_digest,
    toDigest: row.to_digest,
  };
}
