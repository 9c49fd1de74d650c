import sql, { raw } from 'sql-template-tag';
import { CONTAINER_MATCHES, containerQueries, type ContainerMatch, type DocumentQuery } from './document-query.ts';
import { ALIKE } from './digest.ts';
import { isFew, LIMIT, type Find } from './find.ts';
import { CONTAINER_BANDS, ID, WHOLE_ID } from './score.ts';
import type { DigestRange, SearchText } from './text.ts';

/** Containers that are not removed, by their ids, names, workloads, the images that were asked for, and labels. */
export function containerFinds(text: SearchText): Find[] {
  const queries = containerQueries(text);
  return [
    ...(text.digest === null || text.digest.bytes !== null ? [] : [byId(text.digest)]),
    ...CONTAINER_MATCHES.flatMap((match) => (queries[match] === undefined ? [] : [matching(match, queries[match])])),
  ];
}

/** Ids of engines are written as digests are, in hexadecimal digits. */
function byId({ from, below, isWhole }: DigestRange): Find {
  return {
    band: isWhole ? WHOLE_ID : ID,
    found: () =>
      sql`select c.id, 0 as standing from container c where c.container_id >= (select ${from.toString('hex')}) and c.container_id < (select ${below.toString('hex')}) and c.removed_at is null ${ALIKE}`,
  };
}

/** Of a word that is in very many, so many are looked at. */
const MAX_LOOKED_AT = raw('limit 2000');

function matching(match: ContainerMatch, query: DocumentQuery): Find {
  return {
    band: CONTAINER_BANDS[match],
    found: (before) =>
      sql`select id, 0 as standing from (select t.container_id as id from container_text t where t.document @@ (select ${query}::tsquery) and ${isFew(before)} ${MAX_LOOKED_AT}) looked_at order by id desc ${LIMIT}`,
  };
}
