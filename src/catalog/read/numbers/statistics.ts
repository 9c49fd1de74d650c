import type { Connection } from '../../database.ts';
import type { RepositoryKey } from '../repository.ts';

/** What is counted: a repository by its host and name, a registry by its host, the catalog with neither. */
export interface StatisticsScope {
  readonly host?: string;
  readonly repository?: string;
}

/** Of the catalog, a registry or a repository. What can be pulled now is in it, each thing once. */
export interface StatisticsRecord {
  readonly scope: StatisticsScope;
  readonly registries: number;
  readonly repositories: number;
  readonly tags: number;
  readonly images: number;
  readonly layers: number;
  readonly nominalSize: number;
  readonly storedSize: number;
  /** Without removed ones, in whatever state. */
  readonly containers: number;
  /** Images that no container was created from. */
  readonly unusedImages: number;
  readonly outdatedContainers: number;
}

/** From counters that the writer keeps; containers, which are few, and the images that they use are counted by indexes. */
export function statisticsReads(connection: Connection) {
  return {
    statistics: async (): Promise<StatisticsRecord> => {
      const [row] = await connection.run<StatisticsRow>(STATISTICS, []);
      return recordOf(row as StatisticsRow, {});
    },

    /** The keys of the answer are hosts. */
    statisticsByRegistry: async (hosts: readonly string[]): Promise<Map<string, StatisticsRecord>> => {
      const rows = await connection.run<StatisticsRow & { key: string }>(STATISTICS_BY_REGISTRY, [hosts]);
      return new Map(rows.map((row) => [row.key, recordOf(row, { host: row.key })]));
    },

    /** The keys of the answer are references: docker.io/library/alpine. */
    statisticsByRepository: async (keys: readonly RepositoryKey[]): Promise<Map<string, StatisticsRecord>> => {
      const rows = await connection.run<StatisticsRow & { key: string; host: string; name: string }>(
        STATISTICS_BY_REPOSITORY,
        [keys.map((key) => key.host), keys.map((key) => key.repository)],
      );
      return new Map(rows.map((row) => [row.key, recordOf(row, { host: row.host, repository: row.name })]));
    },

    /** Of the catalog, with those of images that can't be pulled any more, of which there are few: all others take long. */
    packageCount: async ({ host, repository }: StatisticsScope): Promise<number> => {
      const [row] =
        host === undefined
          ? await connection.run<{ count: number }>(PACKAGE_COUNT, [])
          : await connection.run<{ count: number }>(PACKAGE_COUNT_OF_PART, [host, repository ?? null]);
      return row?.count ?? 0;
    },
  };
}

interface StatisticsRow {
  registries: number;
  repositories: number;
  tags: number;
  images: number;
  layers: number;
  nominal_size: number;
  stored_size: number;
  containers: number;
  outdated_containers: number;
  used_images: number;
}

/** What was never counted has no row of held_total. */
const HELD = `coalesce(t.images, 0) as images, coalesce(t.layers, 0) as layers,
    least(coalesce(t.nominal_size, 0), ${Number.MAX_SAFE_INTEGER})::int8 as nominal_size,
    least(coalesce(t.stored_size, 0), ${Number.MAX_SAFE_INTEGER})::int8 as stored_size`;

const NAMES = 'count(*) as repositories, coalesce(sum(r.tag_count), 0)::int8 as tags from repository r';

/** Of containers that were asked for by a name in this part of the catalog. */
const containersIn = (condition: string) =>
  `(select count(*) from container c where c.removed_at is null and ${condition}) as containers,
    (select count(*) from container c where c.removed_at is null and c.is_outdated and ${condition})
      as outdated_containers`;

/** Of image i, which containers were created from and this part of the catalog holds. */
const usedImagesIn = (holders: string) =>
  `(select count(*) from image i where i.container_count > 0 and exists (select ${holders})) as used_images`;

const STATISTICS = `/* catalog.statistics */
  select (select count(*) from registry) as registries, names.repositories, names.tags, ${HELD},
    ${containersIn('true')}, ${usedImagesIn('from held_image h where h.image_id = i.manifest_id')}
  from (select ${NAMES}) names left join held_total t on t.scope = 'CATALOG'`;

const STATISTICS_BY_REGISTRY = `/* catalog.statisticsByRegistry */
  select g.host as key, 1 as registries, names.repositories, names.tags, ${HELD},
    ${containersIn('c.host = g.host')},
    ${usedImagesIn('from held_image h where h.image_id = i.manifest_id and h.registry_id = g.id')}
  from registry g cross join lateral (select ${NAMES} where r.registry_id = g.id) names
  left join held_total t on t.scope = 'REGISTRY' and t.key = g.id::text
  where g.host = any((select $1::text[])::text[])`;

const STATISTICS_BY_REPOSITORY = `/* catalog.statisticsByRepository */
  select g.host || '/' || r.name as key, g.host, r.name, 1 as registries, 1 as repositories, r.tag_count as tags,
    r.image_count as images, r.layer_count as layers, r.nominal_size, r.stored_size,
    ${containersIn('c.host = g.host and c.repository = r.name')},
    ${usedImagesIn(
      'from repository_manifest h where h.manifest_id = i.manifest_id and h.repository_id = r.id and h.gone_at is null',
    )}
  from repository r join registry g on g.id = r.registry_id
  where (g.host, r.name) in (select * from unnest($1::text[], $2::text[]))`;

const PACKAGE_COUNT = '/* catalog.packageCount */ select count(*) from package';

const PACKAGE_COUNT_OF_PART = `/* catalog.packageCountOfPart */
  select count(*) from package p where p.id in (
    select e.package_id from package_set_entry e where e.set_id in (
      select x.package_set_id from repository r join registry g on g.id = r.registry_id
      join repository_manifest h on h.repository_id = r.id and h.gone_at is null
      join image_contents x on x.image_id = h.manifest_id
      where g.host = $1 and ($2::text is null or r.name = $2)
    )
  )`;

function recordOf(row: StatisticsRow, scope: StatisticsScope): StatisticsRecord {
  const { registries, repositories, tags, images, layers, containers } = row;
  return {
    scope,
    registries,
    repositories,
    tags,
    images,
    layers,
    nominalSize: row.nominal_size,
    storedSize: row.stored_size,
    containers,
    unusedImages: Math.max(images - row.used_images, 0),
    outdatedContainers: row.outdated_containers,
  };
}
