import pino from 'pino';
import { openDatabase } from '../../src/catalog/database.ts';
import { createSeal } from '../../src/catalog/write/index.ts';
import { createCommands } from '../../src/commands/index.ts';
import type { RegistryHost } from '../../src/domain/reference.ts';
import { prepareQueue } from '../../src/queue/index.ts';
import { openClient } from '../../src/registries/client.ts';
import { openOciRegistry } from '../../src/registries/oci/index.ts';
import type { OpenRegistryFunction } from '../../src/registries/registry.ts';
import { startWorker, type Worker } from '../../src/worker/index.ts';
import { startChaoticRegistry, type ChaoticRegistry } from '../support/chaotic-registry.ts';
import { aLayer, anArtifact, anImage, anIndex } from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { snapshotOf } from '../support/snapshot.ts';

const seal = createSeal(Buffer.alloc(32, 7));
const log = pino({ level: 'silent' });

let registry: ChaoticRegistry;
let catalogs: Catalog[];

beforeEach(async () => {
  registry = await startChaoticRegistry();
  catalogs = [];
  for (let at = 0; at < 6; at++) {
    for (let tag = 0; tag < 8; tag++) push(at, tag, 'first');
  }
});

afterEach(async () => {
  for (const catalog of catalogs) await catalog.close();
  await registry.close();
});

/** Images and indexes that share layers, within a repository and beyond; every fourth tag is signed. */
function push(repository: number, tag: number, generation: string): void {
  const name = `team/service-${repository}`;
  const image = (architecture: string) =>
    anImage({
      architecture,
      layers: [aLayer('base'), aLayer(`service ${repository}`), aLayer(`${generation} ${tag} ${architecture}`)],
    });
  const content = tag % 2 === 0 ? image('amd64') : anIndex([image('amd64'), image('arm64')]);
  registry.push(name, `1.${tag}`, content);
  if (tag % 4 === 0)
    registry.push(name, content.digest.replace(':', '-') + '.sig', anArtifact('x/sig', null, content.digest));
}

interface Catalog {
  readonly database: TestDatabase;
  /** Answers with the status of the run. */
  sync(): Promise<string>;
  close(): Promise<void>;
}

async function openCatalog(): Promise<Catalog> {
  const database = await createTestDatabase();
  await prepareQueue(database);
  const own = openDatabase({ url: database.url, poolSize: 8, isWorker: true, onError: () => undefined });
  const kinds = {
    defaultUrl: () => registry.url,
    detectKind: () => Promise.resolve('OCI' as const),
    checkCredential: () => undefined,
    open: () => Promise.reject(new Error('nothing is deleted here')),
  };
  const commands = createCommands({ database, seal, kinds });
  const open: OpenRegistryFunction = (_kind, settings) =>
    Promise.resolve(openOciRegistry(settings, openClient(settings, { retryPauses: [1, 1] })));
  const host = registry.url.host as RegistryHost;
  expect((await commands.addRegistry({ host, url: registry.url.href, insecure: true })).userErrors).toEqual([]);
  const source = (await commands.addSyncSource({ registry: host, repositories: '*' })).sourceId;
  const worker: Worker = await startWorker({
    database: own,
    seal,
    openRegistry: open,
    log,
    concurrency: 4,
    pauses: [10, 20],
  });
  const catalog: Catalog = {
    database,
    async sync() {
      const { runId } = await commands.requestSync({ source });
      for (;;) {
        const run = await database.prisma.syncRun.findUniqueOrThrow({ where: { id: Number(runId) } });
        if (run.finishedAt !== null) return run.status;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async close() {
      await worker.stop();
      await own.close();
      await database.close();
    },
  };
  catalogs.push(catalog);
  return catalog;
}

test.each([1, 2, 3, 4])(
  'of a registry that goes wrong with one request in five (seed %d) three runs know what one knows of a calm one',
  async (seed) => {
    const [calm, chaotic] = [await openCatalog(), await openCatalog()];
    const syncBoth = async () => {
      registry.seed = null;
      expect(await calm.sync()).toBe('SUCCEEDED');
      registry.seed = seed;
      for (let run = 0; run < 3; run++) await chaotic.sync();
    };
    await syncBoth();
    const first = await snapshotOf(calm.database);
    expect(first['tag']).toHaveLength(6 * (8 + 2));
    expect(await snapshotOf(chaotic.database)).toEqual(first);

    for (let at = 0; at < 6; at++) {
      push(at, at, 'second');
      registry.removeTag(`team/service-${at}`, `1.${(at + 3) % 8}`);
    }
    registry.collectGarbage();
    await syncBoth();
    expect(await snapshotOf(chaotic.database)).toEqual(await snapshotOf(calm.database));
    expect(registry.faults.size).toBe(7);
  },
);
