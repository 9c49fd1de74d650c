import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Reference } from '../../../domain/reference.ts';
import { patternsOf, REPOSITORY_TEXT } from '../repository-text.ts';
import { manifestsWith } from './digest.ts';
import { NAME_MATCHES, repositoryQueries, type DocumentQuery, type NameMatch } from './document-query.ts';
import { isFew, LIMIT, type Find } from './find.ts';
import { DIGEST_HOLDER, NAME_BANDS, NAMED, WITHIN } from './score.ts';
import type { DigestRange, SearchText } from './text.ts';

/** Repositories by their names, whole, in part or with a letter wrong, by what is said of them, and by what they hold. */
export function repositoryFinds(text: SearchText): Find[] {
  const queries = repositoryQueries(text);
  return [
    ...(text.reference === null ? [] : [named(text.reference)]),
    ...(text.digest === null ? [] : [holding(text.digest)]),
    ...NAME_MATCHES.flatMap((match) => (queries[match] === undefined ? [] : [matching(match, queries[match])])),
    ...within(text),
  ];
}

/** Repositories by a document that are looked at to find the best of them. */
const MAX_LOOKED_AT = raw('limit 4000');

function named({ host, repository }: Reference): Find {
  return {
    band: NAMED,
    found: () =>
      sql`select r.id, 0 as standing from registry g join repository r on r.registry_id = g.id where g.host = ${host} and r.name = ${repository}`,
  };
}

function holding(digest: DigestRange): Find {
  return {
    band: DIGEST_HOLDER,
    found: () =>
      sql`select distinct t.repository_id as id, t.standing from (${manifestsWith(digest)}) m cross join lateral (select c.repository_id from repository_manifest c where c.manifest_id = m.id and c.gone_at is null order by c.repository_id ${LIMIT}) c join repository_text t on t.repository_id = c.repository_id order by t.standing desc, id desc ${LIMIT}`,
  };
}

function matching(match: NameMatch, query: DocumentQuery): Find {
  return {
    band: NAME_BANDS[match],
    found: (before) => sql`${bestBy(query, isFew(before))} ${LIMIT}`,
  };
}

/**
 * A select of `id, standing` by a document, the best first. What the query says is hidden from the planner, which so
 * plans once.
 */
export function bestBy(query: DocumentQuery, condition: Sql): Sql {
  return sql`select id, standing from (select t.repository_id as id, t.standing from repository_text t where t.document @@ (select ${query}::tsquery) and ${condition} ${MAX_LOOKED_AT}) looked_at order by standing desc, id desc`;
}

/** What filters of repositories find, where nothing else is found: trigrams are the dearest way. */
function within(text: SearchText): Find[] {
  if (!canHold(text)) return [];
  const holds = patternsOf(text.typed).map((pattern) => sql`${REPOSITORY_TEXT} ilike (select ${pattern})`);
  return [
    {
      band: WITHIN,
      found: (before) =>
        sql`select t.repository_id as id, t.standing from (select r.id from repository r where ${join(holds, ' and ')} and ${before} = 0 ${LIMIT}) r join repository_text t on t.repository_id = r.id`,
    },
  ];
}

/** Trigrams need three letters, and patterns are made of so much of a text at most. */
function canHold({ typed }: SearchText): boolean {
  const blocks = typed.split(/\s+/);
  return typed.length <= 200 && blocks.length <= 10 && blocks.every((block) => block.length >= 3);
}
