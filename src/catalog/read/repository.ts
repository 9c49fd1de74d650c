import sql, { raw, type Sql } from 'sql-template-tag';
import type { NameAndValue } from '../../domain/image-config.ts';
import { DOCKER_HUB } from '../../domain/reference.ts';
import { isWebAddress } from '../../domain/web-address.ts';
import type { Connection } from '../database.ts';
import {
  allOf,
  conditionOf,
  entryIs,
  hostIs,
  instantIn,
  repositoryIs,
  valueIs,
  within,
  type Composable,
  type InstantRange,
  type KeyValueFilter,
  type Nesting,
} from './filter.ts';
import { imageConditions, type ImageFilter } from './image-filter.ts';
import { namesAndValues } from './json.ts';
import { KeptRecords } from './kept-records.ts';
import { nestedList, rootList, type KeyType, type ListQuery } from './page.ts';
import { repositoryHolds } from './repository-text.ts';

export interface RepositoryRecord {
  readonly __typename: 'Repository';
  readonly id: number;
  readonly host: string;
  readonly name: string;
  /** Null where only the place was read. */
  readonly details: RepositoryDetails | null;
}

/** All else that is known of a repository. */
export interface RepositoryDetails {
  readonly description: string | null;
  readonly isPrivate: boolean | null;
  readonly starCount: number | null;
  readonly pullCount: number | null;
  readonly metadata: MetadataRecord;
  readonly tagCount: number;
  readonly storedSize: number;
  readonly firstSeenAt: Date;
  readonly updatedAt: Date;
  readonly lastSyncedAt: Date | null;
  readonly unavailableSince: Date | null;
}

/** What people set; where they set nothing, `claimsByRepository` may have what an image says. */
export interface MetadataRecord {
  readonly repositoryId: number;
  readonly owner: string | null;
  readonly team: string | null;
  readonly lifecycle: string | null;
  readonly documentationUrl: string | null;
  readonly sourceUrl: string | null;
  readonly annotations: readonly NameAndValue[];
}

export interface RepositoryFilter extends Composable<RepositoryFilter> {
  readonly registry?: string | null;
  readonly name?: string | null;
  readonly text?: string | null;
  readonly isOfficial?: boolean | null;
  readonly metadata?: KeyValueFilter | null;
  readonly updatedAt?: InstantRange | null;
  readonly images?: ImageFilter | null;
  readonly inUse?: boolean | null;
}

export interface RepositoryOrder {
  readonly field: keyof typeof KEYS;
  readonly direction: 'ASC' | 'DESC';
}

export interface RepositoryListArguments {
  readonly filter?: RepositoryFilter | null;
  readonly orderBy?: RepositoryOrder | null;
}

/** What the newest image of a repository says of it. */
export type MetadataClaims = Pick<MetadataRecord, 'owner' | 'documentationUrl' | 'sourceUrl'>;

/** Host and path, as a reference has them. */
export interface RepositoryKey {
  readonly host: string;
  readonly repository: string;
}

/** Where a repository is never changes; of so many it is kept across requests. */
const KEPT_PLACES = 50_000;

export function repositoryReads(connection: Connection) {
  const places = new KeptRecords<RepositoryRecord>(KEPT_PLACES);

  return {
    forgetPlaces: () => places.forget(null),

    /** As `placesById`, of one that is known from before. */
    knownPlace: (id: number): RepositoryRecord | undefined => places.get(id),

    /** Where repositories are, without details: most ask no more of the one of a tag. */
    placesById: async (ids: readonly number[]): Promise<Map<number, RepositoryRecord>> => {
      const keep = places.keeper();
      const rows = await connection.run<PlaceRow>(PLACES_BY_ID, [ids]);
      return new Map(
        rows.map(({ id, host, name }) => {
          const place = { __typename: 'Repository', id, host, name, details: null } as const;
          keep(id, place);
          return [id, place];
        }),
      );
    },

    repositories: rootList(connection, (args: RepositoryListArguments) => listOf('repositories', args)),
    repositoriesByRegistry: nestedList(connection, (args: RepositoryListArguments) => ({
      ...listOf('repositoriesByRegistry', args),
      within: raw('r.registry_id'),
    })),
    /** Those from which a manifest can be pulled. */
    repositoriesByManifest: nestedList(connection, () =>
      listOf(
        'repositoriesByManifest',
        {},
        raw(
          'r.id in (select c.repository_id from repository_manifest c where c.manifest_id = parent.id and c.gone_at is null)',
        ),
      ),
    ),

    repositoriesById: async (ids: readonly number[]): Promise<Map<number, RepositoryRecord>> => {
      const rows = await connection.query<RepositoryRow>(
        sql`/* catalog.repositoriesById */ select ${COLUMNS} from ${FROM} where r.id = any((select ${ids}::int[])::int[])`,
      );
      return new Map(rows.map((row) => [row.id, recordOf(row)]));
    },

    claimsByRepository: async (ids: readonly number[]): Promise<Map<number, MetadataClaims>> => {
      const rows = await connection.run<ClaimsRow>(CLAIMS_BY_REPOSITORY, [ids]);
      return new Map(rows.map((row) => [row.repository_id, claimsOf(row)]));
    },

    /** The keys of the answer are references: docker.io/library/alpine. */
    repositoriesByReference: async (keys: readonly RepositoryKey[]): Promise<Map<string, RepositoryRecord>> => {
      const hosts = keys.map((key) => key.host);
      const names = keys.map((key) => key.repository);
      const rows = await connection.query<RepositoryRow>(
        sql`/* catalog.repositoriesByReference */ select ${COLUMNS} from ${FROM} where (g.host, r.name) in (select * from unnest(${hosts}::text[], ${names}::text[]))`,
      );
      return new Map(rows.map((row) => [`${row.host}/${row.name}`, recordOf(row)]));
    },
  };
}

const KEYS = {
  NAME: ['r.name', 'text'],
  UPDATED_AT: ['r.updated_at', 'instant'],
  PULL_COUNT: ['coalesce(r.pull_count, -1)', 'number'],
  STAR_COUNT: ['coalesce(r.star_count, -1)', 'number'],
  TAG_COUNT: ['r.tag_count', 'number'],
  STORED_SIZE: ['r.stored_size', 'number'],
} as const satisfies Record<string, readonly [string, KeyType]>;

const COLUMNS = raw(
  `r.id, g.host, r.name, r.description, r.is_private, r.star_count, r.pull_count, r.owner, r.team, r.lifecycle, r.documentation_url, r.source_url, r.annotations, r.tag_count, r.stored_size, r.first_seen_at, r.updated_at, s.synced_at, r.unavailable_since`,
);
const FROM = raw(
  'repository r join registry g on g.id = r.registry_id left join repository_sync s on s.repository_id = r.id',
);

const PLACES_BY_ID = `/* catalog.placesById */
  select r.id, g.host, r.name from repository r join registry g on g.id = r.registry_id
  where r.id = any((select $1::int[])::int[])`;

type PlaceRow = Pick<RepositoryRow, 'id' | 'host' | 'name'>;

interface RepositoryRow {
  id: number;
  host: string;
  name: string;
  description: string | null;
  is_private: boolean | null;
  star_count: number | null;
  pull_count: number | null;
  owner: string | null;
  team: string | null;
  lifecycle: string | null;
  documentation_url: string | null;
  source_url: string | null;
  annotations: Record<string, string>;
  tag_count: number;
  stored_size: number;
  first_seen_at: Date;
  updated_at: Date;
  synced_at: Date | null;
  unavailable_since: Date | null;
}

function listOf(
  name: string,
  { filter, orderBy }: RepositoryListArguments,
  ...scope: Sql[]
): ListQuery<RepositoryRow, RepositoryRecord> {
  const { field, direction } = orderBy ?? { field: 'NAME', direction: 'ASC' };
  const [expression, type] = KEYS[field];
  return {
    name: `catalog.${name}`,
    columns: COLUMNS,
    from: FROM,
    where: allOf([...scope, conditionOf(filter, conditions)]),
    order: { name: `repositories ${field}`, direction, key: { expression: raw(expression), type }, id: raw('r.id') },
    toRecord: recordOf,
  };
}

const METADATA_COLUMNS = new Map([
  ['owner', raw('r.owner')],
  ['team', raw('r.team')],
  ['lifecycle', raw('r.lifecycle')],
  ['documentationUrl', raw('r.documentation_url')],
  ['sourceUrl', raw('r.source_url')],
]);

/** Over repository r and registry g. */
function conditions(filter: RepositoryFilter, nesting: Nesting): Sql[] {
  const { registry, name, text, isOfficial, metadata, updatedAt, images, inUse } = filter;
  const { place } = nesting;
  const all: Sql[] = [];
  if (registry != null) all.push(hostIs(registry, `${place}.registry`));
  if (name != null) all.push(repositoryIs(name, `${place}.name`));
  if (text != null) all.push(...repositoryHolds(text));
  if (isOfficial != null) all.push(sql`(g.host = ${DOCKER_HUB} and starts_with(r.name, 'library/')) = ${isOfficial}`);
  if (metadata != null) all.push(metadataIs(metadata));
  if (updatedAt != null) all.push(instantIn(raw('r.updated_at'), updatedAt));
  if (images != null) {
    const condition = conditionOf(images, imageConditions, within(nesting, 'images'));
    all.push(
      sql`exists (select 1 from repository_manifest c join image i on i.manifest_id = c.manifest_id join manifest m on m.id = i.manifest_id where c.repository_id = r.id and ${condition})`,
    );
  }
  if (inUse != null) all.push(inUse ? IS_NAMED : sql`not ${IS_NAMED}`);
  return all;
}

/** By a container that is there. */
const IS_NAMED = raw(
  'exists (select 1 from container c where c.repository = r.name and c.host = g.host and c.removed_at is null)',
);

function metadataIs(filter: KeyValueFilter): Sql {
  const column = METADATA_COLUMNS.get(filter.name);
  if (column === undefined) return entryIs(raw('r.annotations'), filter);
  return filter.value == null ? sql`${column} is not null` : valueIs(column, filter.value);
}

/** Of the last cataloged manifests, the first that is an image: past a hundred others nothing is looked for. */
const CLAIMS_BY_REPOSITORY = `/* catalog.claimsByRepository */
  select wanted.id as repository_id, newest.labels, newest.annotations
  from unnest((select $1::int[])::int[]) as wanted (id)
  cross join lateral (
    select i.labels, m.annotations
    from (
      select c.manifest_id from repository_manifest c
      where c.repository_id = wanted.id and c.gone_at is null order by c.manifest_id desc limit 100
    ) held
    join image i on i.manifest_id = held.manifest_id join manifest m on m.id = i.manifest_id
    order by held.manifest_id desc limit 1
  ) newest`;

interface ClaimsRow {
  repository_id: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys */
function claimsOf({ labels, annotations }: ClaimsRow): MetadataClaims {
  const claim = (name: string) => {
    const key = `org.opencontainers.image.${name}`;
    return annotations[key] || labels[key] || null;
  };
  const link = (name: string) => {
    const text = claim(name);
    return text !== null && isWebAddress(text) ? text : null;
  };
  return {
    owner: claim('authors') ?? claim('vendor'),
    documentationUrl: link('documentation'),
    sourceUrl: link('source'),
  };
}

function recordOf(row: RepositoryRow): RepositoryRecord {
  return {
    __typename: 'Repository',
    id: row.id,
    host: row.host,
    name: row.name,
    details: {
      description: row.description,
      isPrivate: row.is_private,
      starCount: row.star_count,
      pullCount: row.pull_count,
      metadata: {
        repositoryId: row.id,
        owner: row.owner,
        team: row.team,
        lifecycle: row.lifecycle,
        documentationUrl: row.documentation_url,
        sourceUrl: row.source_url,
        annotations: namesAndValues(row.annotations),
      },
      tagCount: row.tag_count,
      storedSize: row.stored_size,
      firstSeenAt: row.first_seen_at,
      updatedAt: row.updated_at,
      lastSyncedAt: row.synced_at,
      unavailableSince: row.unavailable_since,
    },
  };
}
