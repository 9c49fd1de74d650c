import sql, { raw, type Sql } from 'sql-template-tag';
import { tagNamed } from '../../../domain/reference.ts';
import { BLOCK_BITS, MARKS } from '../../marks.ts';
import { manifestsBelow } from '../index-tree.ts';
import { ALIKE, digestBand, digestIn, manifestsWith } from './digest.ts';
import { IMAGE_MATCHES, imageQueries, pathQuery, type DocumentQuery, type ImageMatch } from './document-query.ts';
import { isFew, LIMIT, type Find } from './find.ts';
import { bestBy } from './repository.ts';
import { IMAGE_BANDS, LATEST, REFERENCE, TAG } from './score.ts';
import type { DigestRange, SearchText } from './text.ts';

/** Images by what names them, by their digests, and by what is written in them. */
export function imageFinds(text: SearchText): Find[] {
  const queries = imageQueries(text);
  return [
    ...(text.digest === null ? [] : byDigest(text.digest)),
    ...behindReference(text),
    ...(text.tag === null ? [] : [behindTag(text.tag)]),
    ...(queries === null ? [] : IMAGE_MATCHES.flatMap((match) => matching(match, queries[match]))),
  ];
}

/** The digest of an image, of its configuration, or of an index that lists it. */
function byDigest(digest: DigestRange): Find[] {
  const band = digestBand(digest);
  const { from, below } = digest;
  return [
    { band, found: () => imagesBelow(manifestsWith(digest)) },
    {
      band,
      found: () =>
        sql`select i.manifest_id as id, 0 as standing from image i where ${CONFIG_PREFIX} between (select ${from.subarray(0, 4)}::bytea) and (select ${below.subarray(0, 4)}::bytea) and ${digestIn(raw('i.config_digest'), digest)} order by ${CONFIG_PREFIX} ${ALIKE}`,
    },
  ];
}

/** As its index has it. */
const CONFIG_PREFIX = raw('substring(i.config_digest from 1 for 4)');

/** Repositories of one name whose tags are looked at. */
const NAMESAKES = raw('limit 50');

/** What a pull would get from every repository of that name. */
function behindReference({ reference, paths }: SearchText): Find[] {
  if (reference === null || reference.digest !== null) return [];
  const tags = sql`select t.manifest_id from (${bestBy(pathQuery(paths), raw('true'))} ${NAMESAKES}) r join tag t on t.repository_id = r.id and t.name = (select ${tagNamed(reference)}) where t.manifest_id is not null`;
  return [{ band: reference.tag === null ? LATEST : REFERENCE, found: () => imagesBelow(tags) }];
}

/** Tags of one name that are looked at, the newest first. */
const TAGS = raw('limit 100');

function behindTag(name: string): Find {
  const tags = sql`select t.manifest_id from tag t where t.name = (select ${name}) and t.manifest_id is not null order by t.id desc ${TAGS}`;
  return { band: TAG, found: () => imagesBelow(tags) };
}

function imagesBelow(manifestIds: Sql): Sql {
  return sql`select i.manifest_id as id, 0 as standing from image i where i.manifest_id = any(${manifestsBelow(manifestIds)}) order by i.manifest_id desc ${LIMIT}`;
}

/**
 * Newest blocks that are searched before all of them, so that of a word that is in half of all images only a thousand
 * are looked at.
 */
const NEWEST_BLOCKS = [2, 16];

const BLOCK = raw(`'''${MARKS.block}' || (block.newest - back) || ''''`);

/** Of a word that is seldom in the newest images, so many may be in all. */
const MAX_LOOKED_AT = raw('limit 2000');

function matching(match: ImageMatch, query: DocumentQuery): Find[] {
  const band = IMAGE_BANDS[match];
  const everywhere: Find = {
    band,
    found: (before) =>
      sql`select id, 0 as standing from (select t.image_id as id from image_text t where t.document @@ (select ${query}::tsquery) and ${isFew(before)} ${MAX_LOOKED_AT}) looked_at order by id desc ${LIMIT}`,
  };
  const newest = NEWEST_BLOCKS.map((blocks): Find => ({
    band,
    found: (before) =>
      sql`select t.image_id as id, 0 as standing from image_text t where t.document @@ (select (${query} || ' & (' || string_agg(${BLOCK}, ' | ') || ')')::tsquery from (select max(image_id) >> ${raw(String(BLOCK_BITS))} as newest from image_text) block, generate_series(0, ${raw(String(blocks - 1))}) back) and ${isFew(before)} order by t.image_id desc ${LIMIT}`,
  }));
  return [...newest, everywhere];
}
