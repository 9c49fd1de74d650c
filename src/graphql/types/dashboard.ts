import type { CatalogReads, RepositoryKey, StatisticsRecord } from '../../catalog/read/index.ts';
import { CatalogError } from '../../domain/errors.ts';
import { parseRegistryHost, type Reference, type RegistryHost } from '../../domain/reference.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { batchOne } from '../loader.ts';
import type { Loaders } from './index.ts';

export const dashboardLoaders = (reads: CatalogReads) => ({
  statisticsByRegistry: batchOne(reads.statisticsByRegistry),
  statisticsByRepository: batchOne(
    reads.statisticsByRepository,
    ({ host, repository }: RepositoryKey) => `${host}/${repository}`,
  ),
});

export const dashboardResolvers: Resolvers = {
  Query: {
    statistics: (_, { registry, repository }, { reads, loaders }) => {
      if (repository != null) return statisticsOfRepository(loaders, repository, registry ?? null);
      return registry == null ? reads.statistics() : statisticsOfRegistry(loaders, registry);
    },
    breakdown: (_, args, { reads }) => reads.breakdown(args),
    timeline: (_, args, { reads }) => reads.timeline(args),
    options: (_, args, { reads }) => reads.options(args),
    annotations: (_, args, { reads }) => reads.annotations(args),
  },
  CatalogStatistics: {
    packages: ({ scope }, _, { reads }) => reads.packageCount(scope),
  },
};

/** Zeros would say that it is there and empty. */
async function statisticsOfRegistry(loaders: Loaders, registry: string): Promise<StatisticsRecord> {
  const host = hostOf(registry);
  const found = await loaders.statisticsByRegistry.load(host);
  if (found !== null) return found;
  throw new CatalogError(
    'NOT_FOUND',
    `registry "${host}" is not in the catalog: give the host of one that registries lists.`,
  );
}

async function statisticsOfRepository(
  loaders: Loaders,
  { host, repository }: Reference,
  registry: string | null,
): Promise<StatisticsRecord> {
  const reference = `${host}/${repository}`;
  const wanted = registry === null ? host : hostOf(registry);
  if (wanted !== host) {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `repository ${reference} is not of registry "${wanted}": give one of the two, or both of one place.`,
    );
  }
  const found = await loaders.statisticsByRepository.load({ host, repository });
  if (found !== null) return found;
  throw new CatalogError(
    'NOT_FOUND',
    `repository ${reference} is not in the catalog: give one that repositories lists.`,
  );
}

/** Throws INVALID_REFERENCE, which names the argument. */
function hostOf(registry: string): RegistryHost {
  try {
    return parseRegistryHost(registry);
  } catch (error) {
    throw error instanceof CatalogError ? new CatalogError(error.code, `registry: ${error.message}`) : error;
  }
}
