import type { Database } from '../../src/catalog/database.ts';
import { dueInspections, EVERY_TAG, findInspectedImage, recountRepository } from '../../src/catalog/write/index.ts';
import { INSPECTION_LIMITS } from '../../src/domain/inspection-limits.ts';
import type { RegistryHost, RepositoryName } from '../../src/domain/reference.ts';
import { openRegistry } from '../../src/registries/index.ts';
import type { OpenRegistry } from '../../src/registries/registry.ts';
import { inspectImage, syncRepository, type ImageInspectionTools } from '../../src/sync/index.ts';
import { LayerPool } from '../../src/inspect/index.ts';

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
    const inspectContents = true;
    await syncRepository({ database, registry, scope, name: place.name, before: null, signal, now, inspectContents });
    await database.transaction((connection) => recountRepository(connection, place));
  }
  await inspectAll(database, registry);
  await registry.close();
}

/** Looks at all images that are queued for it. */
async function inspectAll(database: Database, registry: OpenRegistry): Promise<void> {
  const pool = new LayerPool({ size: 1 });
  const now = () => new Date();
  const tools: ImageInspectionTools = {
    database,
    pool,
    limits: INSPECTION_LIMITS,
    useRegistry: (_, work) => work(registry),
    claimLayer: () => Promise.resolve(true),
    releaseLayer: () => undefined,
    signal: new AbortController().signal,
    now,
  };
  for (const { imageId } of await dueInspections(database, now(), 100)) {
    const image = await findInspectedImage(database, imageId, now());
    if (image !== null) await inspectImage(tools, image);
  }
  await pool.close();
}
