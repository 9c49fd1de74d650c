import sql, { join, raw, type Sql } from 'sql-template-tag';
import { STANDINGS, WHOLE, type ScoreBand } from './score.ts';

/** Things of each kind that are ranked at most. */
const MAX_HITS = 500;

/** One way to find things of a kind. */
export interface Find {
  readonly band: ScoreBand;
  /**
   * A select of `id, standing`, the best first and no more than `MAX_HITS`. `before` is how many the ways before it have
   * found: on `isFew(before)`, or less, a way that costs something depends.
   */
  readonly found: (before: Sql) => Sql;
}

/** Everything that was found in any of these ways, once each, as a select of `id, score, matched_on`. */
export function hitsOf(finds: readonly Find[]): Sql {
  const names = finds.map((_, at) => raw(`find_${at}`));
  const ctes = finds.map(({ found }, at) => {
    const counts = names.slice(0, at).map((name) => sql`(select count(*) from ${name})`);
    return sql`${names[at]} as materialized (${found(at === 0 ? raw('0') : join(counts, ' + '))})`;
  });
  const scored = finds.map(({ band: { from, width, matchedOn } }, at) => {
    const score = `${Math.round(from * WHOLE)} + standing::int8 * ${Math.floor((width * WHOLE) / STANDINGS)}`;
    return sql`select id, ${raw(score)} as score, ${raw(`'${matchedOn}'`)} as matched_on from ${names[at]}`;
  });
  return sql`with ${join(ctes)} select distinct on (id) id, score, matched_on from (${join(scored, ' union all ')}) scored order by id, score desc`;
}

export function isFew(before: Sql): Sql {
  return sql`${before} < ${raw(String(MAX_HITS))}`;
}

export const LIMIT = raw(`limit ${MAX_HITS}`);
