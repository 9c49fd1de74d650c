import sql, { raw } from 'sql-template-tag';
import { PACKAGE_MATCHES, repositoryQueries, type DocumentQuery, type PackageMatch } from './document-query.ts';
import { isFew, LIMIT, type Find } from './find.ts';
import { NAMED, PACKAGE_BANDS, STANDINGS } from './score.ts';
import type { SearchText } from './text.ts';

/** Packages by their package URLs, and by their names, whole, in part or with a letter wrong. */
export function packageFinds(text: SearchText): Find[] {
  const queries = repositoryQueries(text);
  return [
    ...(text.typed.startsWith('pkg:') ? [named(text.typed)] : []),
    ...PACKAGE_MATCHES.flatMap((match) => (queries[match] === undefined ? [] : [matching(match, queries[match])])),
  ];
}

function named(purl: string): Find {
  return { band: NAMED, found: () => sql`select p.id, 0 as standing from package p where p.purl = (select ${purl})` };
}

/** Of a word that is in very many names, so many of these are looked at. */
const MAX_LOOKED_AT = raw('limit 1000');

/** What more images have comes first. */
const STANDING = raw(`least(p.image_count, ${STANDINGS - 1}) as standing`);

function matching(match: PackageMatch, query: DocumentQuery): Find {
  return {
    band: PACKAGE_BANDS[match],
    found: (before) =>
      sql`select p.id, ${STANDING} from (select t.name from package_text t where t.document @@ (select ${query}::tsquery) and ${isFew(before)} ${MAX_LOOKED_AT}) looked_at join package p on p.name = looked_at.name order by standing desc, p.id desc ${LIMIT}`,
  };
}
