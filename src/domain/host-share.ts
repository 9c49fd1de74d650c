/*
 * How those who send to one host divide the requests that may be in flight at the same time. Times are milliseconds of
 * one clock that all go by, the database's.
 */

export interface Holder {
  /** Requests that it may have in flight. */
  share: number;
  /** Since when it has had one without a break; null while it has none. */
  sharedSince: number | null;
  /** Since when it has had something to send and no share; null where that is not so. */
  starvedSince: number | null;
  seenAt: number;
  /** Of its share, those that may be in flight without a ticket: all, and pulls. */
  loose: number;
  loosePulls: number;
}

/** What a holder says of itself. */
export interface Presence {
  /** Requests in flight. */
  readonly busy: number;
  /** Others wait for their turn. */
  readonly isWaited: boolean;
  /** Those of them in flight that have a ticket. */
  readonly tickets: readonly number[];
  /** Those that have none: all, and pulls. */
  readonly loose: number;
  readonly loosePulls: number;
}

/** A holder that was not heard of for so long is no more; the outcomes of its requests are never known. */
export const LEASE_MS = 15_000;

/** How long a share is kept while others have none. */
const TURN_MS = 1_000;

/**
 * Says that a holder is there, and answers with how many requests it may have in flight; those it has beyond an equal
 * part it keeps until they end. All shares together are never more than the concurrency. Where there are more holders
 * than that, they take turns: who has had one for a while leaves it to who has waited longest.
 */
export function divide(
  holders: Record<string, Holder>,
  id: string,
  { busy, isWaited, loose, loosePulls }: Presence,
  concurrency: number,
  now: number,
): number {
  for (const [other, { seenAt }] of Object.entries(holders)) {
    if (now - seenAt >= LEASE_MS) delete holders[other];
  }
  const known = holders[id];
  const others = Object.entries(holders).flatMap(([other, holder]) => (other === id ? [] : [holder]));
  const starved = others.flatMap(({ starvedSince }) => starvedSince ?? []);
  const isOver = starved.length > 0 && now - (known?.sharedSince ?? now) >= TURN_MS;
  const equal = Math.floor(concurrency / (others.length + 1)) || (isOver ? 0 : 1);

  const waitsSince = known?.starvedSince ?? now;
  const first = known?.sharedSince == null ? starved.filter((since) => since < waitsSince).length : 0;
  const free = concurrency - first - others.reduce((sum, { share }) => sum + share, 0);
  const share = Math.max(Math.min(Math.max(equal, busy), free), 0);
  holders[id] = {
    share,
    sharedSince: share > 0 ? (known?.sharedSince ?? now) : null,
    starvedSince: share === 0 && isWaited ? waitsSince : null,
    seenAt: now,
    loose,
    loosePulls,
  };
  return Math.min(share, equal);
}
