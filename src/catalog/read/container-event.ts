import sql, { raw } from 'sql-template-tag';
import type { ContainerState } from '../../domain/container.ts';
import type { Connection } from '../database.ts';
import { TRUE } from './filter.ts';
import { cursorOf, idOfCursor, nestedList, rootList, type IdOrder, type ListQuery } from './page.ts';

export interface ContainerEventRecord {
  readonly __typename: 'ContainerEvent';
  readonly id: number;
  readonly kind: ContainerEventKind;
  readonly at: Date;
  /** Row ids. */
  readonly containerId: number;
  readonly runtimeId: number;
  readonly state: ContainerState;
  readonly previousState: ContainerState | null;
}

export type ContainerEventKind = 'SEEN' | 'STATE_CHANGED' | 'REMOVED';

export interface ContainerEventListArguments {
  /** Row id; of all runtimes where null. */
  readonly runtimeId?: number | null;
  /** Newest first where nothing is said. */
  readonly direction?: 'ASC' | 'DESC' | null;
}

/** In the order in which they were committed, which is that of their ids. */
export function containerEventReads(connection: Connection) {
  return {
    containerEvents: rootList(connection, ({ runtimeId, direction }: ContainerEventListArguments) => ({
      ...listOf('containerEvents', direction),
      where: runtimeId == null ? TRUE : sql`c.runtime_id = ${runtimeId}::int`,
    })),
    eventsByContainer: nestedList(connection, ({ direction }: Pick<ContainerEventListArguments, 'direction'>) => ({
      ...listOf('eventsByContainer', direction),
      within: raw('e.container_id'),
    })),

    /** All of them behind this id, oldest first. */
    containerEventsBehind: async (id: number, limit: number): Promise<ContainerEventRecord[]> => {
      const rows = await connection.run<ContainerEventRow>(CONTAINER_EVENTS_BEHIND, [id, limit]);
      return rows.map(recordOf);
    },

    /** 0 where there is none. */
    lastContainerEventId: async (): Promise<number> => {
      const rows = await connection.run<{ id: number }>(LAST_CONTAINER_EVENT_ID, []);
      return rows[0]?.id ?? 0;
    },
  };
}

/** Where an event stands in any of the lists, read oldest first. */
export function containerEventCursor({ id }: Pick<ContainerEventRecord, 'id'>): string {
  return cursorOf(orderOf('ASC'), id);
}

/** The id of the event that such a cursor is of. Throws INVALID_CURSOR. */
export function idOfContainerEventCursor(cursor: string, argument: string): number {
  return idOfCursor(orderOf('ASC'), cursor, argument);
}

const COLUMNS = raw('e.id, e.kind, e.at, e.container_id, c.runtime_id, e.state, e.previous_state');
const FROM = raw('container_event e join container c on c.id = e.container_id');

const CONTAINER_EVENTS_BEHIND = `/* catalog.containerEventsBehind */
  select ${COLUMNS.sql} from ${FROM.sql} where e.id > $1::int8 order by e.id limit $2::int`;

const LAST_CONTAINER_EVENT_ID = `/* catalog.lastContainerEventId */
  select id from container_event order by id desc limit 1`;

interface ContainerEventRow {
  id: number;
  kind: ContainerEventKind;
  at: Date;
  container_id: number;
  runtime_id: number;
  state: ContainerState;
  previous_state: ContainerState | null;
}

function listOf(
  name: string,
  direction: ContainerEventListArguments['direction'],
): ListQuery<ContainerEventRow, ContainerEventRecord> {
  return {
    name: `catalog.${name}`,
    columns: COLUMNS,
    from: FROM,
    where: TRUE,
    order: orderOf(direction ?? 'DESC'),
    toRecord: recordOf,
  };
}

function orderOf(direction: 'ASC' | 'DESC'): IdOrder {
  return { name: 'containerEvents', givenBy: 'direction', direction, key: null, id: raw('e.id') };
}

function recordOf(row: ContainerEventRow): ContainerEventRecord {
  return {
    __typename: 'ContainerEvent',
    id: row.id,
    kind: row.kind,
    at: row.at,
    containerId: row.container_id,
    runtimeId: row.runtime_id,
    state: row.state,
    previousState: row.previous_state,
  };
}
