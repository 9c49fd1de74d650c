import sql, { raw, type Sql } from 'sql-template-tag';
import { digestBytes } from '../../domain/digest.ts';
import { formatReference, type Reference, type TagName } from '../../domain/reference.ts';
import type { Connection } from '../database.ts';
import {
  allOf,
  conditionOf,
  hostIs,
  instantIn,
  nameIs,
  repositoryIs,
  within,
  type Composable,
  type InstantRange,
  type Nesting,
} from './filter.ts';
import { imageConditions, type ImageFilter } from './image-filter.ts';
import { indexesAbove, manifestsBelow } from './index-tree.ts';
import { nestedList, rootList, type KeyType, type ListQuery } from './page.ts';
import { imageRunsOn, type PlatformArgument } from './platform.ts';

export interface TagRecord {
  readonly __typename: 'Tag';
  readonly id: number;
  readonly name: string;
  readonly repositoryId: number;
  /** Null once deleted. */
  readonly manifestId: number | null;
  readonly firstSeenAt: Date;
  readonly movedAt: Date;
  readonly deletedAt: Date | null;
}

export interface TagFilter extends Composable<TagFilter> {
  readonly registry?: string | null;
  readonly repository?: string | null;
  readonly name?: string | null;
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
    tagsByRepository: nestedList(connection, (args: TagListArguments) =>
      listOf('tagsByRepository', args, raw('t.repository_id = parent.id')),
    ),
    /** Tags that name a manifest, directly or through indexes, by name. */
    tagsByManifest: nestedList(connection, ({ includeMoved }: { readonly includeMoved?: boolean | null }) =>
      includeMoved
        ? listOf('tagsByManifestEver', { filter: { includeDeleted: true }, orderBy: BY_NAME }, EVER_NAMED)
        : listOf('tagsByManifest', { orderBy: BY_NAME }, NAMED_NOW),
    ),

    tagsById: async (ids: readonly number[]): Promise<Map<number, TagRecord>> => {
      const rows = await connection.query<TagRow>(
        sql`/* catalog.tagsById */ select ${COLUMNS} from tag t where t.id = any(${ids}::int[])`,
      );
      return new Map(rows.map((row) => [row.id, recordOf(row)]));
    },

    /** Deleted ones included. The keys of the answer are as `tagKey` writes them. */
    tagsByName: async (keys: readonly TagKey[]): Promise<Map<string, TagRecord>> => {
      const ids = keys.map((key) => key.repositoryId);
      const names = keys.map((key) => key.name);
      const rows = await connection.query<TagRow>(
        sql`/* catalog.tagsByName */ select ${COLUMNS} from tag t where (t.repository_id, t.name) in (select * from unnest(${ids}::int[], ${names}::text[]))`,
      );
      return new Map(rows.map((row) => [tagKey({ repositoryId: row.repository_id, name: row.name }), recordOf(row)]));
    },

    /** Deleted ones included; without a tag, and without a digest, latest is meant. Keys are formatted references. */
    tagsByReference: async (references: readonly Reference[]): Promise<Map<string, TagRecord>> => {
      const named = references.filter((reference) => reference.tag !== null || reference.digest === null);
      const rows = await connection.query<TagRow & { at: number }>(sql`/* catalog.tagsByReference */
        select ${COLUMNS}, wanted.at
        from unnest(
          ${named.map((each) => each.host)}::text[],
          ${named.map((each) => each.repository)}::text[],
          ${named.map(tagOf)}::text[]
        ) with ordinality as wanted (host, repository, tag, at)
        join registry g on g.host = wanted.host
        join repository r on r.registry_id = g.id and r.name = wanted.repository
        join tag t on t.repository_id = r.id and t.name = wanted.tag`);
      return new Map(rows.map((row) => [formatReference(named[row.at - 1] as Reference), recordOf(row)]));
    },

    /** The manifests that references name now, by id. Keys are formatted references; a digest decides over a tag. */
    manifestIdsByReference: async (references: readonly Reference[]): Promise<Map<string, number>> => {
      const rows = await connection.run<{ at: number; manifest_id: number }>(MANIFEST_IDS_BY_REFERENCE, [
        references.map((each) => each.host),
        references.map((each) => each.repository),
        references.map((each) => (each.digest === null ? tagOf(each) : null)),
        references.map((each) => each.digest && digestBytes(each.digest)),
      ]);
      return new Map(rows.map((row) => [formatReference(references[row.at - 1] as Reference), row.manifest_id]));
    },
  };
}

export function tagKey({ repositoryId, name }: TagKey): string {
  return `${repositoryId}:${name}`;
}

/** https://docs.docker.com/reference/cli/docker/image/pull/ */
function tagOf(reference: Reference): TagName {
  return reference.tag ?? ('latest' as TagName);
}

const MANIFEST_IDS_BY_REFERENCE = `/* catalog.manifestIdsByReference */
  select wanted.at, coalesce(t.manifest_id, m.id) as manifest_id
  from unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) with ordinality as wanted (host, repository, tag, digest, at)
  join registry g on g.host = wanted.host
  join repository r on r.registry_id = g.id and r.name = wanted.repository
  left join tag t on t.repository_id = r.id and t.name = wanted.tag
  left join manifest m on m.digest = wanted.digest
    and exists (select 1 from repository_manifest c where c.repository_id = r.id and c.manifest_id = m.id)
  where coalesce(t.manifest_id, m.id) is not null`;

const KEYS = {
  NAME: ['t.name', 'text'],
  MOVED_AT: ['t.moved_at', 'instant'],
  FIRST_SEEN_AT: ['t.first_seen_at', 'instant'],
} as const satisfies Record<string, readonly [string, KeyType]>;

const BY_NAME: TagOrder = { field: 'NAME', direction: 'ASC' };

const NAMED_NOW = sql`t.manifest_id = any(${indexesAbove(raw('parent.id'))})`;
const EVER_NAMED = sql`(${NAMED_NOW} or t.id = any(array(select e.tag_id from tag_event e where e.to_id = any(${indexesAbove(raw('parent.id'))}))))`;

const COLUMNS = raw('t.id, t.name, t.repository_id, t.manifest_id, t.first_seen_at, t.moved_at, t.deleted_at');

interface TagRow {
  id: number;
  name: string;
  repository_id: number;
  manifest_id: number | null;
  first_seen_at: Date;
  moved_at: Date;
  deleted_at: Date | null;
}

function listOf(name: string, { filter, orderBy }: TagListArguments, ...scope: Sql[]): ListQuery<TagRow, TagRecord> {
  const { field, direction } = orderBy ?? { field: 'MOVED_AT', direction: 'DESC' };
  const [expression, type] = KEYS[field];
  const present = filter?.includeDeleted ? [] : [raw('t.deleted_at is null')];
  return {
    name: `catalog.${name}`,
    columns: COLUMNS,
    from: raw('tag t'),
    where: allOf([...scope, ...present, conditionOf(filter, conditions)]),
    order: { name: `tags ${field}`, direction, key: { expression: raw(expression), type }, id: raw('t.id') },
    toRecord: recordOf,
  };
}

/** Over tag t. */
function conditions(filter: TagFilter, nesting: Nesting): Sql[] {
  const { registry, repository, name, movedAt, platform, image } = filter;
  const { place } = nesting;
  const all: Sql[] = [];
  const repositories: Sql[] = [];
  if (registry != null) repositories.push(hostIs(registry, `${place}.registry`));
  if (repository != null) repositories.push(repositoryIs(repository, `${place}.repository`));
  if (repositories.length > 0) {
    all.push(
      sql`t.repository_id = any(array(select r.id from repository r join registry g on g.id = r.registry_id where ${allOf(repositories)}))`,
    );
  }
  if (name != null) all.push(nameIs(raw('t.name'), name, `${place}.name`));
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

function recordOf(row: TagRow): TagRecord {
  return {
    __typename: 'Tag',
    id: row.id,
    name: row.name,
    repositoryId: row.repository_id,
    manifestId: row.manifest_id,
    firstSeenAt: row.first_seen_at,
    movedAt: row.moved_at,
    deletedAt: row.deleted_at,
  };
}
