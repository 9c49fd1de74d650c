import sql, { raw, type Sql } from 'sql-template-tag';
import type { ScoreBand } from './score.ts';
import { DIGEST, WHOLE_DIGEST } from './score.ts';
import type { DigestRange } from './text.ts';

/** How many digests of one kind may begin alike and still be told apart; more would be asked for in vain. */
const MAX_ALIKE = 50;

export const ALIKE = raw(`limit ${MAX_ALIKE}`);

/** Over a column of digests, as its index answers it. Whatever was typed, the planner sees the same, and so plans once. */
export function digestIn(column: Sql, { from, below, bytes }: DigestRange): Sql {
  const range = sql`${column} >= (select ${from}::bytea) and ${column} < (select ${below}::bytea)`;
  return bytes === null ? range : sql`${range} and octet_length(${column}) = ${raw(String(bytes))}`;
}

export function digestBand({ isWhole }: DigestRange): ScoreBand {
  return isWhole ? WHOLE_DIGEST : DIGEST;
}

/** Manifests of any kind. */
export function manifestsWith(digest: DigestRange): Sql {
  return sql`select m.id from manifest m where ${digestIn(raw('m.digest'), digest)} order by m.digest ${ALIKE}`;
}
