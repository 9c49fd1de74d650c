import { END_OF_KEYS, newerTags, PRERELEASE_GROUP, SMALL_VERSION, YEAR_VERSION } from '../../domain/version.ts';
import type { Connection } from '../database.ts';
import { lengthOf } from './page.ts';
import { TAG_COLUMNS, tagOf, type TagRecord, type TagRow } from './tag-row.ts';

export interface NewerTagArguments {
  readonly first?: number | null;
}

export function newerTagReads(connection: Connection) {
  return {
    /** Present tags of the same repository that are newer by domain/version.ts, newest first. Every id is in the answer. */
    newerTagsByTag: async (
      ids: readonly number[],
      { first }: NewerTagArguments,
    ): Promise<Map<number, readonly TagRecord[]>> => {
      const rows = await connection.run<NewerRow>(NEWER_TAGS_BY_TAG, [ids, lengthOf(first, NEWER_TAGS)]);
      const candidates = Map.groupBy(rows, (row) => row.current_id);
      return new Map(ids.map((id) => [id, newerOf(candidates.get(id) ?? [])]));
    },
  };
}

/** Where nothing is said. */
const NEWER_TAGS = 5;

interface NewerRow extends TagRow {
  current_id: number;
  current_name: string;
}

function newerOf(candidates: readonly NewerRow[]): TagRecord[] {
  return newerTags(candidates[0]?.current_name ?? '', candidates).map(tagOf);
}

/** The tag's own group, or for a prerelease that of the releases, among which it looks as well. */
const RELEASES = `rtrim(current.version_group, '${PRERELEASE_GROUP}')`;

/**
 * From version to version, downwards, each found by index however many tags share one. Of those that do, the last
 * cataloged are enough to choose from by style.
 */
const NEWER_TAGS_BY_TAG = `/* catalog.newerTagsByTag */
  select current.id as current_id, current.name as current_name, newer.*
  from tag current
  cross join lateral (
    with recursive version (key, place) as (
      select
        case when current.version_key < '${SMALL_VERSION}' then '${YEAR_VERSION}' else '${END_OF_KEYS}' end collate "C", 0
      union all
      select
        greatest(
          (select max(t.version_key) from tag t
           where ${present('current.version_group')} and t.version_key > current.version_key and t.version_key < version.key),
          (select max(t.version_key) from tag t
           where ${present(RELEASES)} and t.version_key > current.version_key and t.version_key < version.key)),
        version.place + 1
      from version where version.key is not null and version.place < $2::int
    )
    select ${TAG_COLUMNS}, version.place
    from version cross join lateral (
      select t.* from tag t
      where ${present(`case when version.key like '%-%' then current.version_group else ${RELEASES} end`)}
        and t.version_key = version.key
      order by t.id desc limit 20
    ) t
    where version.place > 0
  ) newer
  where current.id = any((select $1::int[])::int[]) and current.version_group <> ''
  order by current.id, newer.place, newer.id desc`;

/** As the index has it. */
function present(group: string): string {
  return `t.repository_id = current.repository_id and t.version_group = ${group} and t.version_group <> '' and t.deleted_at is null`;
}
