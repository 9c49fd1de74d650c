import type { Database } from '../../src/catalog/database.ts';
import { EVERY_TAG, recountRepository } from '../../src/catalog/write/index.ts';
import type { RegistryHost, RepositoryName } from '../../src/domain/reference.ts';
import { openRegistry } from '../../src/registries/index.ts';
import { syncRepository } from '../../src/sync/index.ts';

const HOST = 'samples.localhost' as RegistryHost;
const REPOSITORIES = ['demo/base', 'demo/web', 'demo/worker', 'demo/tools'];

/** Catalogs the layout that Stowage comes with, as its first start does. */
export async function catalogBundledLayout(database: Database): Promise<void> {
  const url = new URL('../../samples/', import.meta.url);
  const row = { host: HOST, kind: 'OCI_LAYOUT', url: url.href, managedBy: 'CONFIG' };
  const { id: registryId } = await database.prisma.registry.create({ data: row });
  const registry = await openRegistry('OCI_LAYOUT', { host: HOST, url, credential: null });
  for (const name of REPOSITORIES) {
    const scope = { registryId, repositories: name, ...EVERY_TAG };
    const { signal } = new AbortController();
    const now = () => new Date();
    const place = { registryId, name: name as RepositoryName };
    await syncRepository({ database, registry, scope, name: place.name, before: null, signal, now });
    await database.transaction((connection) => recountRepository(connection, place));
  }
  await registry.close();
}
