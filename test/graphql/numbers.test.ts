import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { graphql, type GraphQLSchema } from 'graphql';
import { createReads } from '../../src/catalog/read/index.ts';
import {
  lockCounts,
  recordSynced,
  recountRepository,
  releaseImages,
  removeRegistry,
  saveRegistry,
} from '../../src/catalog/write/index.ts';
import type { Commands } from '../../src/commands/index.ts';
import type { RegistryHost, RepositoryName } from '../../src/domain/reference.ts';
import { createContext } from '../../src/graphql/context.ts';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import { ANONYMOUS } from '../../src/graphql/viewer.ts';
import { syncRepository } from '../../src/sync/index.ts';
import { aLayer, anArtifact, anImage, anIndex, type Content } from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';

let schema: GraphQLSchema;

beforeAll(async () => {
  schema = createSchema(await readFile('schema.graphql', 'utf8'), typeResolvers);
});

/** No mutation is sent here, so nothing is asked of the commands. */
const NO_COMMANDS = {} as Commands;

async function answer(database: TestDatabase, source: string, variableValues: Record<string, unknown> = {}) {
  const contextValue = createContext({ reads: createReads(database), commands: NO_COMMANDS, viewer: ANONYMOUS });
  const result = await graphql({ schema, source, variableValues, contextValue });
  return { data: result.data as never, errors: result.errors?.map((error) => error.message) };
}

async function data<T>(database: TestDatabase, source: string, variables: Record<string, unknown> = {}): Promise<T> {
  const { data, errors } = await answer(database, source, variables);
  expect(errors).toBeUndefined();
  return JSON.parse(JSON.stringify(data)) as T;
}

const METRICS = ['IMAGES', 'TAGS', 'LAYERS', 'STORED_SIZE', 'TAG_EVENTS'] as const;
const BYS = ['REGISTRY', 'REPOSITORY', 'OS', 'ARCHITECTURE', 'MEDIA_TYPE'] as const;
type Metric = (typeof METRICS)[number];
type By = (typeof BYS)[number];

const STATISTICS = 'registries repositories tags images layers nominalSize storedSize';

describe('numbers over any history of syncs', () => {
  const HOSTS = ['one.example.com', 'two.example.com'] as const;
  const PATHS = ['app/web', 'app/api', 'base'] as const;

  /** Images that share layers, and packings of these, across platforms; indexes over some; something that is none. */
  const platforms = [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64' },
    { os: 'windows', architecture: 'amd64' },
  ];
  const images = platforms.flatMap((platform) => [
    anImage({ ...platform, layers: [aLayer('base')] }),
    anImage({ ...platform, layers: [aLayer('base'), aLayer('app'), aLayer('app')] }),
    anImage({ ...platform, layers: [aLayer('base', 'zstd', 700), aLayer(`own of ${platform.architecture}`)] }),
    anImage({ ...platform, layers: [] }),
  ]);
  const at = (places: readonly number[]) => places.map((place) => ({ content: images[place] as Content }));
  const contents = [
    ...images,
    anIndex(at([0, 4, 8])),
    anIndex(at([1, 5])),
    anIndex([{ content: anIndex(at([2, 6])) }]),
    anArtifact('application/vnd.example.chart', null),
  ];

  const place = { host: fc.nat(HOSTS.length - 1), path: fc.nat(PATHS.length - 1) };
  const tag = fc.constantFrom('1', '2', 'latest');
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('push'), ...place, tag, content: fc.nat(contents.length - 1) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('removeTag'), ...place, tag, withManifest: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('sync'), ...place }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cutShort'), ...place }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('release'), content: fc.nat(images.length - 1) }) },
  );

  test('are those of an independent count, in every combination', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 30 }), async (steps) => {
        const database = await createTestDatabase();
        try {
          const world = await createWorld(database);
          for (const each of steps) await world.take(each as Step);
          for (const host of HOSTS.keys()) for (const path of PATHS.keys()) await world.sync(host, path);
          await checkNumbers(database);
          await removeRegistry(database, world.ids[0] as number);
          await checkNumbers(database);
        } finally {
          await database.close();
        }
      }),
      { seed: 20261124, numRuns: 8 },
    );
  }, 120_000);

  type Step = { host: number; path: number; tag: string; content: number; withManifest: boolean } & {
    do: 'push' | 'removeTag' | 'sync' | 'cutShort' | 'release';
  };

  async function createWorld(database: TestDatabase) {
    const registries = HOSTS.map(() => new MemoryRegistry());
    const ids: number[] = [];
    for (const host of HOSTS) {
      const url = `https://${host}`;
      const row = {
        host: host as RegistryHost,
        kind: 'OCI',
        title: null,
        url,
        managedBy: 'API',
        credential: null,
      } as const;
      ids.push(await saveRegistry(database, row));
    }
    let clock = Date.parse('2026-06-01T00:00:00Z');

    async function sync(host: number, path: number, isCutShort = false): Promise<void> {
      const name = PATHS[path] as RepositoryName;
      const registryId = ids[host] as number;
      const report = await syncRepository({
        database,
        registry: registries[host] as MemoryRegistry,
        scope: { registryId, repositories: name, tags: null, maxTags: null, platforms: [] },
        name,
        signal: new AbortController().signal,
        now: () => new Date((clock += 1000)),
      });
      if (isCutShort) return;
      await database.transaction(async (connection) => {
        if (report.needsRecount) await recountRepository(connection, { registryId, name });
        if (report.followed) await recordSynced(connection, { registryId, name }, report.followed, new Date(clock));
      });
    }

    /** As a deletion does it: names first, then the totals, while the content is still there. */
    async function release(content: Content): Promise<void> {
      await database.transaction(async (connection) => {
        await lockCounts(connection);
        const rows = await connection.run<{ manifest_id: number; registry_id: number; name: RepositoryName }>(
          `delete from repository_manifest rm using manifest m, repository r
           where m.id = rm.manifest_id and r.id = rm.repository_id and digest_text(m.digest) = $1
           returning rm.manifest_id, r.registry_id, r.name`,
          [content.digest],
        );
        await releaseImages(connection, [...new Set(rows.map((row) => row.manifest_id))]);
        for (const { registry_id: registryId, name } of rows) await recountRepository(connection, { registryId, name });
      });
    }

    async function take(step: Step): Promise<void> {
      const registry = registries[step.host];
      const path = PATHS[step.path] as string;
      if (step.do === 'push') registry?.push(path, step.tag, contents[step.content] as Content);
      else if (step.do === 'removeTag') registry?.removeTag(path, step.tag, step.withManifest);
      else if (step.do === 'release') await release(contents[step.content] as Content);
      else await sync(step.host, step.path, step.do === 'cutShort');
    }

    return { ids, take, sync };
  }

  async function checkNumbers(database: TestDatabase): Promise<void> {
    const facts = await factsOf(database);
    const catalog = await data<{ statistics: object }>(database, `{ statistics { ${STATISTICS} } }`);
    expect(catalog.statistics).toEqual(totalsOf(facts, () => true));
    for (const host of facts.registries) {
      const query = `query ($host: String!) { statistics(registry: $host) { ${STATISTICS} } }`;
      const { statistics } = await data<{ statistics: object }>(database, query, { host });
      expect(statistics).toEqual(totalsOf(facts, (place) => place.registry === host));
    }
    for (const reference of facts.repositories) {
      const query = `query ($reference: ImageReference!) {
        statistics(repository: $reference) { ${STATISTICS} } repository(reference: $reference) { tagCount storedSize } }`;
      type Both = { statistics: Record<string, number>; repository: object };
      const { statistics, repository } = await data<Both>(database, query, { reference });
      expect(statistics).toEqual(totalsOf(facts, (place) => place.repository === reference));
      expect(repository).toEqual({ tagCount: statistics['tags'], storedSize: statistics['storedSize'] });
    }
    const filters: [object | null, (image: Fact) => boolean][] = [
      [null, () => true],
      [{ os: 'linux' }, (image) => image.os === 'linux'],
      [{ layerCount: { min: 2 } }, (image) => image.blobs.length >= 2],
    ];
    for (const metric of METRICS) {
      for (const by of BYS) {
        for (const [filter, holds] of filters) {
          const query = `query ($by: BreakdownBy!, $metric: Metric!, $filter: ImageFilter) {
            breakdown(by: $by, metric: $metric, filter: $filter, first: 100) { key value } }`;
          const { breakdown } = await data<{ breakdown: object }>(database, query, { by, metric, filter });
          const counted = countBy(facts, metric, by, filter === null ? null : holds);
          expect({ metric, by, filter, breakdown }).toEqual({ metric, by, filter, breakdown: counted });
        }
      }
    }
  }
});

interface Place {
  readonly registry: string;
  readonly repository: string;
}

interface Fact {
  readonly id: number;
  readonly os: string;
  readonly architecture: string;
  readonly mediaType: string;
  readonly size: number;
  readonly blobs: readonly { layer: number; digest: string; size: number; mediaType: string }[];
  readonly places: readonly Place[];
}

interface NameFact extends Place {
  readonly manifest: number | null;
}

interface Facts {
  readonly registries: readonly string[];
  readonly repositories: readonly string[];
  /** Those that can be pulled. */
  readonly images: readonly Fact[];
  readonly tags: readonly NameFact[];
  readonly events: readonly NameFact[];
  readonly mediaTypes: ReadonlyMap<number, string>;
  /** Images that a manifest reaches. */
  reach(manifest: number | null): ReadonlySet<number>;
}

/** The rows of the catalog, with nothing that is counted in them. */
async function factsOf(database: TestDatabase): Promise<Facts> {
  const registries = await database.run<{ host: string }>('select host from registry', []);
  const repositories = await database.run<{ id: number; registry: string; repository: string }>(
    `select r.id, g.host as registry, g.host || '/' || r.name as repository
     from repository r join registry g on g.id = r.registry_id`,
    [],
  );
  const places = new Map(repositories.map(({ id, registry, repository }) => [id, { registry, repository }]));
  const placeOf = (id: number) => places.get(id) as Place;
  const held = await database.run<{ repository_id: number; manifest_id: number }>(
    'select repository_id, manifest_id from repository_manifest where gone_at is null',
    [],
  );
  const stacks = await database.run<{ image: number; layer: number; digest: string; size: number; mediaType: string }>(
    `select s.image_id as image, s.layer_id as layer, encode(b.digest, 'hex') as digest, b.size, b.media_type as "mediaType"
     from image_layer s join layer_blob b on b.id = s.blob_id`,
    [],
  );
  const images = await database.run<Omit<Fact, 'blobs' | 'places'>>(
    `select i.manifest_id as id, i.os, i.architecture, m.media_type as "mediaType", i.size
     from image i join manifest m on m.id = i.manifest_id`,
    [],
  );
  const manifests = await database.run<{ id: number; type: string }>('select id, media_type as type from manifest', []);
  const entries = await database.run<{ index_id: number; child_id: number | null }>(
    'select index_id, child_id from index_entry',
    [],
  );
  const tags = await database.run<{ repository_id: number; manifest: number }>(
    'select repository_id, manifest_id as manifest from tag where deleted_at is null',
    [],
  );
  const events = await database.run<{ repository_id: number; manifest: number | null }>(
    `select repository_id, case kind when 'DELETED' then from_id else to_id end as manifest from tag_event`,
    [],
  );
  return {
    registries: registries.map((row) => row.host),
    repositories: [...places.values()].map((place) => place.repository),
    images: images
      .map((image) => ({
        ...image,
        blobs: stacks.filter((row) => row.image === image.id),
        places: held.filter((row) => row.manifest_id === image.id).map((row) => placeOf(row.repository_id)),
      }))
      .filter((image) => image.places.length > 0),
    tags: tags.map((row) => ({ manifest: row.manifest, ...placeOf(row.repository_id) })),
    events: events.map((row) => ({ manifest: row.manifest, ...placeOf(row.repository_id) })),
    mediaTypes: new Map(manifests.map((row) => [row.id, row.type])),
    reach(manifest) {
      const reached = new Set<number>(manifest === null ? [] : [manifest]);
      for (const id of reached) {
        for (const entry of entries) if (entry.index_id === id && entry.child_id !== null) reached.add(entry.child_id);
      }
      return reached;
    },
  };
}

function totalsOf(facts: Facts, isIn: (place: Place) => boolean) {
  const images = facts.images.filter((image) => image.places.some(isIn));
  const blobs = images.flatMap((image) => image.blobs);
  const inside = facts.repositories.filter((repository) => isIn({ registry: hostOf(repository), repository }));
  const isWhole = facts.registries.every((registry) => isIn({ registry, repository: '' }));
  return {
    registries: isWhole ? facts.registries.length : 1,
    repositories: inside.length,
    tags: facts.tags.filter(isIn).length,
    images: images.length,
    layers: new Set(blobs.map((blob) => blob.layer)).size,
    nominalSize: sum(images.map((image) => image.size)),
    storedSize: sum([...new Map(blobs.map((blob) => [blob.digest, blob.size])).values()]),
  };
}

/** Largest first; `holds` is null where there is no filter. */
function countBy(facts: Facts, metric: Metric, by: By, holds: ((image: Fact) => boolean) | null) {
  const counted = new Map<string, Map<unknown, number>>();
  const count = (key: string, thing: unknown, amount = 1) => {
    if (!counted.has(key)) counted.set(key, new Map());
    counted.get(key)?.set(thing, amount);
  };
  const chosen = facts.images.filter((image) => holds?.(image) ?? true);
  if (metric === 'TAGS' || metric === 'TAG_EVENTS') {
    for (const name of metric === 'TAGS' ? facts.tags : facts.events) {
      const reached = chosen.filter((image) => facts.reach(name.manifest).has(image.id));
      if (by === 'OS' || by === 'ARCHITECTURE') for (const image of reached) count(keyOf(image, by), name);
      else if (holds === null || reached.length > 0) {
        const type = facts.mediaTypes.get(name.manifest ?? 0) as string;
        count(by === 'REGISTRY' ? name.registry : by === 'REPOSITORY' ? name.repository : type, name);
      }
    }
  } else {
    for (const image of chosen) {
      const things =
        metric === 'IMAGES'
          ? [{ thing: image.id, amount: 1, type: image.mediaType }]
          : image.blobs.map(({ layer, digest, size, mediaType }) =>
              metric === 'LAYERS'
                ? { thing: layer, amount: 1, type: mediaType }
                : { thing: digest, amount: size, type: mediaType },
            );
      for (const { thing, amount, type } of things) {
        if (by === 'MEDIA_TYPE') count(type, thing, amount);
        else if (by === 'OS' || by === 'ARCHITECTURE') count(keyOf(image, by), thing, amount);
        else
          for (const place of image.places) count(by === 'REGISTRY' ? place.registry : place.repository, thing, amount);
      }
    }
  }
  return [...counted]
    .map(([key, things]) => ({ key, value: sum([...things.values()]) }))
    .sort((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1));
}

function keyOf(image: Fact, by: 'OS' | 'ARCHITECTURE'): string {
  return by === 'OS' ? image.os : image.architecture;
}

function hostOf(repository: string): string {
  return repository.slice(0, repository.indexOf('/'));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
