import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  EVERY_TAG,
  knownRepositories,
  recordSynced,
  recountRepository,
  type SyncScope,
} from '../../src/catalog/write/index.ts';
import type { RegistryHost, RepositoryName } from '../../src/domain/reference.ts';
import { openRegistry } from '../../src/registries/index.ts';
import { syncRepository, type RepositoryReport } from '../../src/sync/index.ts';
import { aLayer, anImage, type Content } from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { rowVersionsOf } from '../support/snapshot.ts';

const NAME = 'library/demo' as RepositoryName;
const IMAGES = Array.from({ length: 5 }, (_, at) => anImage({ layers: [aLayer('base'), aLayer(`app ${at}`)] }));

/** Docker Hub with one repository: the Hub API and the registry at one address. */
class Hub {
  /** Newest first. */
  tags: { readonly name: string; readonly image: Content }[] = [];
  /** Tags so old that the Hub API has no digest of them. */
  old = new Set<string>();
  /** From which page on it refuses those who have not signed in. */
  refusesFrom = Infinity;
  listsNames = true;
  readonly requests: string[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const line = `${request.method} ${request.url}`;
      this.requests.push(line);
      const { status, headers = {}, body } = this.#answer(new URL(request.url ?? '', this.url));
      response.writeHead(status, headers).end(request.method === 'HEAD' ? '' : body);
    });
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  /** Requests that a pull limit counts. */
  get pulls(): string[] {
    return this.requests.filter((line) => /^GET .*\/manifests\//.test(line));
  }

  async open(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer({ pathname, searchParams }: URL): {
    status: number;
    headers?: Record<string, string>;
    body: string | Buffer;
  } {
    const json = (value: object, status = 200) => ({ status, body: JSON.stringify(value) });
    if (pathname === '/v2/namespaces/library/repositories/demo') {
      return json({ description: 'A demo', is_private: false, star_count: 3, pull_count: 3_000_000_000 });
    }
    if (pathname === '/v2/namespaces/library/repositories/demo/tags') {
      const page = Number(searchParams.get('page') ?? 1);
      if (page >= this.refusesFrom) return json({ message: 'pagination offset too large for anonymous requests' }, 403);
      return json(this.#page(pathname, page, Number(searchParams.get('page_size'))));
    }
    if (pathname === '/v2/library/demo/tags/list') {
      return this.listsNames ? json({ tags: this.tags.map(({ name }) => name) }) : json({}, 500);
    }
    const [, kind, target] = /^\/v2\/library\/demo\/(manifests|blobs)\/(.+)$/.exec(pathname) ?? [];
    const images =
      kind === undefined ? [] : this.tags.flatMap(({ name, image }) => [{ name, content: image }, ...partsOf(image)]);
    const found = images.find(({ name, content }) => name === target || content.digest === target)?.content;
    if (found === undefined) return json({ errors: [{ code: 'MANIFEST_UNKNOWN' }] }, 404);
    const headers = { 'content-type': found.mediaType, 'docker-content-digest': found.digest };
    return { status: 200, headers: { ...headers, 'content-length': String(found.raw.length) }, body: found.raw };
  }

  #page(path: string, page: number, size: number): object {
    const from = (page - 1) * size;
    const hasMore = from + size < this.tags.length;
    return {
      count: this.tags.length,
      next: hasMore ? new URL(`${path}?page=${page + 1}&page_size=${size}`, this.url).href : null,
      results: this.tags.slice(from, from + size).map(({ name, image }) => ({
        name,
        ...(!this.old.has(name) && { digest: image.digest }),
        // What the Hub API says of a tag that is a single image: the type of its configuration.
        media_type: 'application/vnd.oci.image.config.v1+json',
        images: [],
      })),
    };
  }
}

let hub: Hub;
let database: TestDatabase;
let registryId: number;

beforeEach(async () => {
  hub = new Hub();
  hub.tags = Array.from({ length: 1000 }, (_, at) => ({ name: `1.${at}`, image: IMAGES[at % 5] as Content }));
  [database] = await Promise.all([createTestDatabase(), hub.open()]);
  const row = { host: 'docker.io', kind: 'DOCKER_HUB', url: hub.url.href, managedBy: 'API' };
  registryId = (await database.prisma.registry.create({ data: row })).id;
});

afterEach(async () => {
  await Promise.all([database.close(), hub.close()]);
});

/** As a job does it, with a registry that was opened for it. */
async function sync(scope: Partial<SyncScope> = {}): Promise<RepositoryReport> {
  const place = { registryId, name: NAME };
  const registry = await openRegistry('DOCKER_HUB', {
    host: 'docker.io' as RegistryHost,
    url: hub.url,
    credential: null,
  });
  hub.requests.length = 0;
  const { signal } = new AbortController();
  try {
    const report = await syncRepository({
      database,
      registry,
      scope: { registryId, repositories: NAME, ...EVERY_TAG, ...scope },
      name: NAME,
      before: (await knownRepositories(database, registryId, [NAME])).get(NAME) ?? null,
      signal,
      now: () => new Date(),
    });
    if (report.needsRecount) await database.transaction((connection) => recountRepository(connection, place));
    if (report.synced) await recordSynced(database, registryId, new Map([[place.name, report.synced]]), new Date());
    return report;
  } finally {
    await registry.close();
  }
}

const present = async () => {
  const known = (await knownRepositories(database, registryId, [NAME])).get(NAME);
  return [...(known?.tags ?? [])].filter(([, digest]) => digest !== null).length;
};

test('a thousand tags that are unchanged cost eleven requests, no pull, and no write', async () => {
  expect(await sync()).toMatchObject({ tagsSeen: 1000, tagsChanged: 1000, faults: [] });
  expect(hub.pulls).toHaveLength(IMAGES.length);
  const before = await rowVersionsOf(database);

  expect(await sync()).toMatchObject({ tagsSeen: 1000, tagsChanged: 0, faults: [] });

  expect(hub.requests.length).toBeLessThanOrEqual(11);
  expect(hub.pulls).toEqual([]);
  expect(await rowVersionsOf(database)).toEqual(before);
  const described = await database.run('select description, star_count, pull_count, is_private from repository', []);
  expect(described).toEqual([{ description: 'A demo', star_count: 3, pull_count: 3_000_000_000, is_private: false }]);
});

test('a tag without a digest in the list costs a HEAD', async () => {
  hub.tags = hub.tags.slice(0, 10);
  hub.old.add('1.3');
  await sync();
  expect(await sync()).toMatchObject({ tagsSeen: 10, tagsChanged: 0, faults: [] });
  expect(hub.requests.filter((line) => line.includes('/manifests/'))).toEqual([`HEAD /v2/${NAME}/manifests/1.3`]);
  const types = await database.run('select distinct media_type from manifest', []);
  expect(types).toEqual([{ media_type: IMAGES[0]?.mediaType }]);
});

test('a tag that moved costs its manifest, and a tag that is gone the question', async () => {
  await sync();
  const moved = anImage({ layers: [aLayer('base'), aLayer('new')] });
  hub.tags = [{ name: '1.7', image: moved }, ...hub.tags.filter(({ name }) => name !== '1.7' && name !== '1.8')];
  expect(await sync()).toMatchObject({ tagsSeen: 999, tagsChanged: 2, faults: [] });
  expect(hub.pulls).toContain(`GET /v2/library/demo/manifests/${moved.digest}`);
  expect(await present()).toBe(999);
  // Eleven as above; the manifest, its configuration and what refers to it; a question for what is gone, by HEAD and GET.
  expect(hub.requests).toHaveLength(16);
});

test('who has not signed in is shown few pages: the rest is asked for by name, and nothing is taken for deleted', async () => {
  await sync();
  hub.refusesFrom = 3;
  expect(await sync()).toMatchObject({ tagsSeen: 1000, tagsChanged: 0, faults: [] });
  expect(hub.requests.filter((line) => line.startsWith('HEAD'))).toHaveLength(800);
  expect(hub.pulls).toEqual([]);

  hub.listsNames = false;
  const report = await sync();
  expect(report.faults.map(({ error }) => error)).toMatchObject([{ code: 'UNAVAILABLE' }]);
  expect(report.synced).toBeNull();
  expect(await present()).toBe(1000);
});

function partsOf(image: Content): { name: null; content: Content }[] {
  return image.parts.map((content) => ({ name: null, content }));
}
