import sql, { raw, type Sql } from 'sql-template-tag';
import type { Digest } from '../../domain/digest.ts';
import type { Connection } from '../database.ts';
import { allOf, hostIs, instantIn, nameIs, repositoryIs, TRUE, type InstantRange } from './filter.ts';
import { nestedList, rootList, type ListQuery } from './page.ts';

export interface TagEventRecord {
  readonly __typename: 'TagEvent';
  readonly id: number;
  readonly kind: TagEventKind;
  readonly at: Date;
  readonly tagName: string;
  readonly repositoryId: number;
  readonly tagId: number;
  /** Manifest ids. */
  readonly fromId: number | null;
  readonly toId: number | null;
  /** Of manifests that were deleted; their ids are null. */
  readonly fromDigest: Digest | null;
  readonly toDigest: Digest | null;
}

export type TagEventKind = 'CREATED' | 'MOVED' | 'DELETED';

export interface TagEventFilter {
  readonly registry?: string | null;
  readonly repository?: string | null;
  readonly kind?: readonly TagEventKind[] | null;
  readonly tag?: string | null;
  readonly at?: InstantRange | null;
}

export interface TagEventListArguments {
  readonly filter?: TagEventFilter | null;
}

/** Newest first, all of them. */
export function tagEventReads(connection: Connection) {
  return {
    tagEvents: rootList(connection, (args: TagEventListArguments) => listOf('tagEvents', args)),
    tagEventsByRepository: nestedList(connection, (args: TagEventListArguments) => ({
      ...listOf('tagEventsByRepository', args),
      within: raw('e.repository_id'),
    })),
    tagEventsByTag: nestedList(connection, () => ({ ...listOf('tagEventsByTag', {}), within: raw('e.tag_id') })),

    tagEventsById: async (ids: readonly number[]): Promise<Map<number, TagEventRecord>> => {
      const rows = await connection.query<TagEventRow>(
        sql`/* catalog.tagEventsById */ select ${COLUMNS} from ${FROM} where e.id = any((select ${ids}::int8[])::int8[])`,
      );
      return new Map(rows.map((row) => [row.id, recordOf(row)]));
    },
  };
}

const COLUMNS = raw(
  'e.id, e.kind, e.at, t.name, e.repository_id, e.tag_id, e.from_id, e.to_id, digest_text(e.from_digest) as from_digest, digest_text(e.to_digest) as to_digest',
);
const FROM = raw('tag_event e join tag t on t.id = e.tag_id');

interface TagEventRow {
  id: number;
  kind: TagEventKind;
  at: Date;
  name: string;
  repository_id: number;
  tag_id: number;
  from_id: number | null;
  to_id: number | null;
  from_digest: Digest | null;
  to_digest: Digest | null;
}

function listOf(name: string, { filter }: TagEventListArguments): ListQuery<TagEventRow, TagEventRecord> {
  return {
    name: `catalog.${name}`,
    columns: COLUMNS,
    from: FROM,
    where: filter == null ? TRUE : allOf(tagEventConditions(filter)),
    order: { name: 'tagEvents', direction: 'DESC', key: null, id: raw('e.id') },
    toRecord: recordOf,
  };
}

/** Over event e and its tag t. */
export function tagEventConditions({ registry, repository, kind, tag, at }: TagEventFilter): Sql[] {
  const all: Sql[] = [];
  const repositories: Sql[] = [];
  if (registry != null) repositories.push(hostIs(registry, 'filter.registry'));
  if (repository != null) repositories.push(repositoryIs(repository, 'filter.repository'));
  if (repositories.length > 0) {
    all.push(
      sql`e.repository_id = any(array(select r.id from repository r join registry g on g.id = r.registry_id where ${allOf(repositories)}))`,
    );
  }
  if (kind != null) all.push(sql`e.kind = any(${kind}::text[])`);
  if (tag != null) all.push(nameIs(raw('t.name'), tag, 'filter.tag'));
  if (at != null) all.push(instantIn(raw('e.at'), at));
  return all;
}

function recordOf(row: TagEventRow): TagEventRecord {
  return {
    __typename: 'TagEvent',
    id: row.id,
    kind: row.kind,
    at: row.at,
    tagName: row.name,
    repositoryId: row.repository_id,
    tagId: row.tag_id,
    fromId: row.from_id,
    toId: row.to_id,
    fromDigest: row.from_digest,
    toDigest: row.to_digest,
  };
}
