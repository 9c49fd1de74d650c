import { createHash } from 'node:crypto';
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Connection } from '../../database.ts';
import { TRUE } from '../filter.ts';
import { rootList, type ListQuery } from '../page.ts';
import { hitsOf, LIMIT, type Find } from './find.ts';
import { containerFinds } from './container.ts';
import { imageFinds } from './image.ts';
import { layerFinds } from './layer.ts';
import { packageFinds } from './package.ts';
import { repositoryFinds } from './repository.ts';
import { WHOLE } from './score.ts';
import { parseSearchText, type SearchText } from './text.ts';

export interface SearchArguments {
  readonly query: string;
  /** All where none are given. */
  readonly types?: readonly SearchType[] | null;
}

/** A thing that was found. */
export interface SearchHit {
  readonly type: SearchType;
  /** Of its row; an image has that of its manifest. */
  readonly id: number;
  /** 0 to 1. */
  readonly score: number;
  readonly matchedOn: string;
}

/** What can be found: how, and which comes first where scores are equal. */
const KINDS = {
  REPOSITORY: { place: 4, finds: repositoryFinds },
  IMAGE: { place: 3, finds: imageFinds },
  LAYER: { place: 2, finds: layerFinds },
  CONTAINER: { place: 1, finds: containerFinds },
  PACKAGE: { place: 0, finds: packageFinds },
} as const satisfies Record<string, { readonly place: number; readonly finds: (text: SearchText) => Find[] }>;

export type SearchType = keyof typeof KINDS;

export function searchReads(connection: Connection) {
  return { search: rootList(connection, listOf) };
}

interface HitRow {
  type: SearchType;
  row_id: number;
  score: number;
  matched_on: string;
}

function listOf({ query, types }: SearchArguments): ListQuery<HitRow, SearchHit> {
  const text = parseSearchText(query);
  const wanted = (
    types == null || types.length === 0 ? (Object.keys(KINDS) as SearchType[]) : [...new Set(types)]
  ).sort();
  const hits = wanted.flatMap((type) => {
    const finds = KINDS[type].finds(text);
    return finds.length === 0 ? [] : [hitsOfKind(type, finds)];
  });
  return {
    name: 'catalog.search',
    columns: raw('hit.type, hit.row_id, hit.score, hit.matched_on'),
    from: sql`(${hits.length === 0 ? NOTHING : join(hits, ' union all ')}) hit`,
    where: TRUE,
    order: {
      name: `search ${fingerprint([text.typed, ...wanted])}`,
      givenBy: 'query and types',
      direction: 'DESC',
      key: { expression: raw('hit.score'), type: 'number' },
      id: raw('hit.id'),
    },
    toRecord: (row) => ({
      type: row.type,
      id: row.row_id,
      score: row.score / WHOLE,
      matchedOn: row.matched_on,
    }),
  };
}

/** Scores of one search say nothing in another, so that its cursors are refused there. */
function fingerprint(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 8);
}

/** Ids of rows are below 2^31: above that stands the kind, so that one number orders things of every kind. */
function hitsOfKind(type: SearchType, finds: readonly Find[]): Sql {
  return sql`select ${raw(`'${type}'`)} as type, found.id as row_id, ${raw(`${KINDS[type].place * 2 ** 32}`)} + found.id as id, found.score, found.matched_on from (select * from (${hitsOf(finds)}) each order by score desc, id desc ${LIMIT}) found`;
}

const NOTHING = raw(`select '' as type, 0 as row_id, 0::int8 as id, 0::int8 as score, '' as matched_on where false`);
