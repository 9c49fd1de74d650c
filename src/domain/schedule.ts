import { Cron } from 'croner';
import { CatalogError } from './errors.ts';

/** When a source is looked at: a cron line of five fields, in UTC. */
export interface Schedule {
  readonly text: string;
  /** The first instant after `after`; null where there is none, as on 30 February. */
  next(after: Date): Date | null;
}

/** Throws INVALID_SCHEDULE. */
export function parseSchedule(text: string): Schedule {
  // The library would also take a date, or a nickname such as @daily.
  if (text.trim().split(/\s+/).length !== 5) throw invalid(text);
  try {
    const cron = new Cron(text, { mode: '5-part', timezone: 'UTC', paused: true });
    return { text, next: (after) => cron.nextRun(after) };
  } catch (error) {
    throw invalid(text, error);
  }
}

function invalid(text: string, cause?: unknown): CatalogError {
  return new CatalogError(
    'INVALID_SCHEDULE',
    `"${text.slice(0, 200)}" is not a schedule: write a cron line of five fields in UTC (minute hour day month weekday), such as 0 */6 * * *.`,
    { cause },
  );
}
