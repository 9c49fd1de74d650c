import type { Connection } from '../../database.ts';
import { annotationReads } from './annotation.ts';
import { breakdownReads } from './breakdown.ts';
import { optionReads } from './option.ts';
import { statisticsReads } from './statistics.ts';
import { timelineReads } from './timeline.ts';

export { breakdownsByParent, largest, type Breakdown, type BreakdownRow } from './breakdown.ts';
export type { StatisticsRecord } from './statistics.ts';

/** What dashboards ask: flat rows. */
export const numberReads = (connection: Connection) => ({
  ...statisticsReads(connection),
  ...breakdownReads(connection),
  ...timelineReads(connection),
  ...optionReads(connection),
  ...annotationReads(connection),
});
