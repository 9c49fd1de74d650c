import sql, { raw } from 'sql-template-tag';
import type { ContainerState } from '../../domain/container.ts';
import type { ContainerListArguments } from './container.ts';
import { containerConditions } from './container-filter.ts';
import { containerOrder } from './container-order.ts';
import { CONTAINER_COLUMNS, containerOf, type ContainerRecord, type ContainerRow } from './container-row.ts';
import { allOf, conditionOf } from './filter.ts';
import { CONTAINERS_NOW } from './image-filter.ts';
import type { ListQuery } from './page.ts';

/**
 * Containers as the catalog saw them at an instant: what the last event until then says of each. Cursors of one instant
 * are none of another.
 */
export function containersAsOf(
  instant: Date,
  { filter, orderBy }: ContainerListArguments,
): ListQuery<PastRow, ContainerRecord> {
  const state = raw('past.state');
  const conditions = containerConditions({ ...CONTAINERS_NOW, state, isPast: true });
  const present = sql`past.kind <> 'REMOVED' and (c.removed_at is null or c.removed_at > ${instant}::timestamptz)`;
  const order = containerOrder(orderBy, state);
  return {
    name: 'catalog.containersAsOf',
    columns: raw(`${CONTAINER_COLUMNS}, past.kind as past_kind, past.state as past_state, past.at as past_at`),
    from: sql`container c cross join lateral (select e.kind, e.state, e.at from container_event e where e.container_id = c.id and e.at <= ${instant}::timestamptz order by e.id desc limit 1) past`,
    where: allOf([
      sql`c.first_seen_at <= ${instant}::timestamptz`,
      ...(filter?.includeRemoved ? [] : [present]),
      conditionOf(filter, conditions),
    ]),
    order: { ...order, name: `${order.name} as of ${instant.toISOString()}`, givenBy: 'asOf and orderBy' },
    toRecord: (row) => pastOf(row, instant),
  };
}

/** A container, and its last event until then. */
interface PastRow extends ContainerRow {
  past_kind: 'SEEN' | 'STATE_CHANGED' | 'REMOVED';
  past_state: ContainerState;
  past_at: Date;
}

/** Without what only tells of later. */
function pastOf(row: PastRow, instant: Date): ContainerRecord {
  const container = containerOf(row);
  const known = (at: Date | null) => (at !== null && at <= instant ? at : null);
  const finishedAt = known(container.finishedAt);
  const removedAt = row.past_kind === 'REMOVED' ? row.past_at : null;
  const lastAt = removedAt ?? instant;
  return {
    ...container,
    state: row.past_state,
    status: null,
    exitCode: finishedAt === null ? null : container.exitCode,
    startedAt: known(container.startedAt),
    finishedAt,
    restartCount: null,
    isOutdated: null,
    lastSeenAt: container.lastSeenAt < lastAt ? container.lastSeenAt : lastAt,
    removedAt,
  };
}
