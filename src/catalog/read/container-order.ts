import { raw, type Sql } from 'sql-template-tag';
import type { Order } from './page.ts';

export interface ContainerOrder {
  readonly field: 'NAME' | 'CREATED_AT' | 'STATE';
  readonly direction: 'ASC' | 'DESC';
}

/** By name where nothing is said. */
export function containerOrder(orderBy: ContainerOrder | null | undefined, state: Sql): Order {
  const { field, direction } = orderBy ?? { field: 'NAME', direction: 'ASC' };
  const key = field === 'STATE' ? ({ expression: state, type: 'text' } as const) : KEYS[field];
  return { name: `containers ${field}`, direction, key, id: raw('c.id') };
}

const KEYS = {
  NAME: { expression: raw('c.name'), type: 'text' },
  // Written as the index has it; null is before all else.
  CREATED_AT: { expression: raw(`coalesce(c.created_at, '0001-01-01 00:00:00+00'::timestamptz)`), type: 'instant' },
} as const satisfies Record<string, Order['key']>;
