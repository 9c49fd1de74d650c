import sql, { raw, type Sql } from 'sql-template-tag';
import { formatReference, tagNamed, type Reference } from '../../domain/reference.ts';
import type { Connection } from '../database.ts';
import {
  allOf,
  conditionOf,
  instantIn,
  nameIs,
  repositoriesIn,
  versionIn,
  within,
  type Composable,
  type InstantRange,
  type Nesting,
  type PlaceFilter,
} from './filter.ts';
import { imageConditions, type ImageFilter } from './image-filter.ts';
import { indexesAbove, manifestsBelow, withIndexesAbove } from './index-tree.ts';
import { nestedList, rootList, type KeyType, type ListQuery, type Together } from './page.ts';
import { imageRunsOn, type PlatformArgument } from './platform.ts';
import { TAG_COLUMNS, tagOf, type TagRecord, type TagRow } from './tag-row.ts';

export interface TagFilter extends Composable<TagFilter>, PlaceFilter {
  readonly name?: string | null;
  readonly version?: string | null;
  readonly movedAt?: InstantRange | null;
  /** Heard at the top of a filter only. */
  readonly includeDeleted?: boolean | null;
  readonly platform?: PlatformArgument | null;
  readonly image?: ImageFilter | null;
}

export interface TagOrder {
  readonly field: keyof typeof KEYS;
  readonly direction: 'ASC' | 'DESC';
}

export interface TagListArguments {
  readonly filter?: TagFilter | null;
  readonly orderBy?: TagOrder | null;
}

/** A tag of a repository by its name. */
export interface TagKey {
  readonly repositoryId: number;
  readonly name: string;
}

export function tagReads(connection: Connection) {
  return {
    tags: rootList(connection, (args: TagListArguments) => listOf('tags', args)),
    tagsByRepository: nestedList(connection, (args: TagListArguments) => ({
      ...listOf('tagsByRepository', args),
      within: raw('t.repository_id'),
    })),
    /** Tags that name a manifest, directly or through indexes, by name. */
    tagsByManifest: nestedList(connection, ({ includeMoved }: { readonly includeMoved?: boolean | null }) =>
      includeMoved
        ? listOf('tagsByManifestEver', { filter: { includeDeleted: true }, orderBy: BY_NAME }, EVER_NAMED)
        : { ...listOf('tagsByManifest', { orderBy: BY_NAME }, NAMED_NOW), together: NAMING_ANY },
    ),
    /** Tags that name a manifest itself, by name. */
    tagsNamingManifest: nestedList(connection, () =>
      listOf('tagsNamingManifest', { orderBy: BY_NAME }, raw('t.manifest_id = parent.id')),
    ),

    tagsById: async (ids: readonly number[]): Promise<Map<number, TagRecord>> => {
      const rows = await connection.query<TagRow>(
        sql`/* catalog.tagsById */ select ${raw(TAG_COLUMNS)} from tag t where t.id = any((select ${ids}::int[])::int[])`,
      );
      return new Map(rows.map((row) => [row.id, tagOf(row)]));
    },

    /** Deleted ones included. The keys of the answer are as `tagKey` writes them. */
    tagsByName: async (keys: readonly TagKey[]): Promise<Map<string, TagRecord>> => {
      const ids = keys.map((key) => key.repositoryId);
      const names = keys.map((key) => key.name);
      const rows = await connection.query<TagRow>(
        sql`/* catalog.tagsByName */ select ${raw(TAG_COLUMNS)} from tag t where (t.repository_id, t.name) in (select * from unnest(${ids}::int[], ${names}::text[]))`,
      );
      return new Map(rows.map((row) => [tagKey({ repositoryId: row.repository_id, name: row.name }), tagOf(row)]));
    },

    /** Deleted ones included; without a tag latest is meant. Keys are formatted references. */
    tagsByReference: async (references: readonly Reference[]): Promise<Map<string, TagRecord>> => {
      const rows = await connection.query<TagRow & { at: number }>(sql`/* catalog.tagsByReference */
        select ${raw(TAG_COLUMNS)}, wanted.at
        from unnest(
          ${references.map((each) => each.host)}::text[],
          ${references.map((each) => each.repository)}::text[],
          ${references.map(tagNamed)}::text[]
        ) with ordinality as wanted (host, repository, tag, at)
        join registry g on g.host = wanted.host
        join repository r on r.registry_id = g.id and r.name = wanted.repository
        join tag t on t.repository_id = r.id and t.name = wanted.tag`);
      return new Map(rows.map((row) => [formatReference(references[row.at - 1] as Reference), tagOf(row)]));
    },
  };
}

export function tagKey({ repositoryId, name }: TagKey): string {
  return `${repositoryId}:${name}`;
}

const KEYS = {
  NAME: ['t.name', 'text'],
  MOVED_AT: ['t.moved_at', 'instant'],
  FIRST_SEEN_AT: ['t.first_seen_at', 'instant'],
  VERSION: ['t.version_key', 'text'],
} as const satisfies Record<string, readonly [string, KeyType]>;

const BY_NAME: TagOrder = { field: 'NAME', direction: 'ASC' };

const NAMED_NOW = sql`t.manifest_id = any(${indexesAbove(raw('parent.id'))})`;
/** As `NAMED_NOW`, of all manifests. */
const NAMING_ANY: Together = {
  select: (manifestIds) =>
    sql`select named.manifest_id as parent_id, t.* from (${withIndexesAbove(manifestIds)}) named (manifest_id, id) join tag t on t.manifest_id = named.id where t.deleted_at is null`,
  as: 't',
};
const EVER_NAMED = sql`(${NAMED_NOW} or t.id = any(array(select e.tag_id from tag_event e where e.to_id = any(${indexesAbove(raw('parent.id'))}))))`;

function listOf(name: string, { filter, orderBy }: TagListArguments, ...scope: Sql[]): ListQuery<TagRow, TagRecord> {
  const { field, direction } = orderBy ?? { field: 'MOVED_AT', direction: 'DESC' };
  const [expression, type] = KEYS[field];
  const present = filter?.includeDeleted ? [] : [raw('t.deleted_at is null')];
  return {
    name: `catalog.${name}`,
    columns: raw(TAG_COLUMNS),
    from: raw('tag t'),
    where: allOf([...scope, ...present, conditionOf(filter, conditions)]),
    order: { name: `tags ${field}`, direction, key: { expression: raw(expression), type }, id: raw('t.id') },
    toRecord: tagOf,
  };
}

/** Over tag t. */
function conditions(filter: TagFilter, nesting: Nesting): Sql[] {
  const { name, version, movedAt, platform, image } = filter;
  const { place } = nesting;
  const all: Sql[] = [];
  const isThere = repositoriesIn(raw('t.repository_id'), filter, place);
  if (isThere !== null) all.push(isThere);
  if (name != null) all.push(nameIs(raw('t.name'), name, `${place}.name`));
  if (version != null) all.push(versionIn(raw('t.version_key'), version, `${place}.version`));
  if (movedAt != null) all.push(instantIn(raw('t.moved_at'), movedAt));
  const images: Sql[] = [];
  if (platform != null) images.push(imageRunsOn(platform));
  if (image != null) images.push(conditionOf(image, imageConditions, within(nesting, 'image')));
  if (images.length > 0) {
    all.push(
      sql`exists (select 1 from image i join manifest m on m.id = i.manifest_id where i.manifest_id = any(${manifestsBelow(raw('select t.manifest_id where t.manifest_id is not null'))}) and ${allOf(images)})`,
    );
  }
  return all;
}
