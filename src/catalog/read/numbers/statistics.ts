import type { Connection } from '../../database.ts';
import type { RepositoryKey } from '../repository.ts';

/** Of the catalog, a registry or a repository. What can be pulled now is in it, each thing once. */
export interface StatisticsRecord {
  readonly registries: number;
  readonly repositories: number;
  readonly tags: number;
  readonly images: number;
  readonly layers: number;
  readonly nominalSize: number;
  readonly storedSize: number;
}

/** From counters that the writer keeps. */
export function statisticsReads(connection: Connection) {
  return {
    statistics: async (): Promise<StatisticsRecord> => {
      const [row] = await connection.run<StatisticsRow>(STATISTICS, []);
      return recordOf(row as StatisticsRow);
    },

    /** The keys of the answer are hosts. */
    statisticsByRegistry: async (hosts: readonly string[]): Promise<Map<string, StatisticsRecord>> => {
      const rows = await connection.run<StatisticsRow & { key: string }>(STATISTICS_BY_REGISTRY, [hosts]);
      return new Map(rows.map((row) => [row.key, recordOf(row)]));
    },

    /** The keys of the answer are references: docker.io/library/alpine. */
    statisticsByRepository: async (keys: readonly RepositoryKey[]): Promise<Map<string, StatisticsRecord>> => {
      const rows = await connection.run<StatisticsRow & { key: string }>(STATISTICS_BY_REPOSITORY, [
        keys.map((key) => key.host),
        keys.map((key) => key.repository),
      ]);
      return new Map(rows.map((row) => [row.key, recordOf(row)]));
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
}

/** What was never counted has no row of held_total. */
const HELD = `coalesce(t.images, 0) as images, coalesce(t.layers, 0) as layers,
    least(coalesce(t.nominal_size, 0), ${Number.MAX_SAFE_INTEGER})::int8 as nominal_size,
    least(coalesce(t.stored_size, 0), ${Number.MAX_SAFE_INTEGER})::int8 as stored_size`;

const NAMES = 'count(*) as repositories, coalesce(sum(r.tag_count), 0)::int8 as tags from repository r';

const STATISTICS = `/* catalog.statistics */
  select (select count(*) from registry) as registries, names.repositories, names.tags, ${HELD}
  from (select ${NAMES}) names left join held_total t on t.scope = 'CATALOG'`;

const STATISTICS_BY_REGISTRY = `/* catalog.statisticsByRegistry */
  select g.host as key, 1 as registries, names.repositories, names.tags, ${HELD}
  from registry g cross join lateral (select ${NAMES} where r.registry_id = g.id) names
  left join held_total t on t.scope = 'REGISTRY' and t.key = g.id::text
  where g.host = any((select $1::text[])::text[])`;

const STATISTICS_BY_REPOSITORY = `/* catalog.statisticsByRepository */
  select g.host || '/' || r.name as key, 1 as registries, 1 as repositories, r.tag_count as tags,
    r.image_count as images, r.layer_count as layers, r.nominal_size, r.stored_size
  from repository r join registry g on g.id = r.registry_id
  where (g.host, r.name) in (select * from unnest($1::text[], $2::text[]))`;

function recordOf(row: StatisticsRow): StatisticsRecord {
  const { registries, repositories, tags, images, layers } = row;
  return { registries, repositories, tags, images, layers, nominalSize: row.nominal_size, storedSize: row.stored_size };
}
