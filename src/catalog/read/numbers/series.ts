/** Series of their own that a timeline has at most; the rest is one more. */
export const MAX_SERIES = 20;

/** The largest series comes first. */
export interface PointRow {
  /** Null for the series of the rest. */
  readonly key: string | null;
  /** When its bucket begins, in milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}
