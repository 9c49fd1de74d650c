import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { graphql, type GraphQLSchema } from 'graphql';
import { createReads } from '../../src/catalog/read/index.ts';
import {
  EVERY_TAG,
  lockCounts,
  knownRepositories,
  recordSynced,
  recountRepository,
  releaseImages,
  removeRegistry,
  saveRegistry,
} from '../../src/catalog/write/index.ts';
import type { Commands } from '../../src/commands/index.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { RegistryHost, RepositoryName } from '../../src/domain/reference.ts';
import { createContext } from '../../src/graphql/context.ts';
import { createSchema } from '../../src/graphql/server.ts';
import { typeResolvers } from '../../src/graphql/types/index.ts';
import { ANONYMOUS } from '../../src/graphql/viewer.ts';
import { syncRepository } from '../../src/sync/index.ts';
import { catalogOf, type CatalogBuilder, type ImageContent } from '../support/catalog.ts';
import { aLayer, anArtifact, anImage, anIndex, type Content } from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createGenerator } from '../support/generated.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';
import { addRuntime, observed, report } from '../support/observed-container.ts';

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
/** By what uses them. */
const USES = ['RUNTIME', 'CONTAINER_STATE'] as const;
type Metric = (typeof METRICS)[number];
type By = (typeof BYS)[number];
type Use = (typeof USES)[number];

const STATISTICS =
  'registries repositories tags images layers nominalSize storedSize containers unusedImages outdatedContainers';

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
    { weight: 2, arbitrary: fc.record({ do: fc.constant('release'), content: fc.nat(99) }) },
  );

  test('are those of an independent count, in every combination', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 40 }), async (steps) => {
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
      { seed: 20261124, numRuns: 8, endOnFailure: true },
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
        webhookSecret: null,
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
        scope: { registryId, repositories: name, ...EVERY_TAG },
        name,
        before: (await knownRepositories(database, registryId, [name])).get(name) ?? null,
        signal: new AbortController().signal,
        now: () => new Date((clock += 1000)),
      });
      if (isCutShort) return;
      await database.transaction(async (connection) => {
        if (report.needsRecount) await recountRepository(connection, { registryId, name });
        if (report.synced)
          await recordSynced(connection, registryId, new Map([[name, report.synced]]), new Date(clock));
      });
    }

    /** As a deletion does it: names first, then the totals, while the content is still there. */
    async function release(place: number): Promise<void> {
      await database.transaction(async (connection) => {
        await lockCounts(connection);
        const held = await connection.run<{ id: number }>(
          `select distinct rm.manifest_id as id from repository_manifest rm join image i on i.manifest_id = rm.manifest_id
           where rm.gone_at is null order by 1`,
          [],
        );
        const image = held[place % held.length];
        if (image === undefined) return;
        const places = await connection.run<{ registry_id: number; name: RepositoryName }>(
          `delete from repository_manifest rm using repository r
           where rm.manifest_id = $1 and r.id = rm.repository_id returning r.registry_id, r.name`,
          [image.id],
        );
        await releaseImages(connection, [image.id]);
        for (const { registry_id: registryId, name } of places)
          await recountRepository(connection, { registryId, name });
      });
    }

    async function take(step: Step): Promise<void> {
      const registry = registries[step.host];
      const path = PATHS[step.path] as string;
      if (step.do === 'push') registry?.push(path, step.tag, contents[step.content] as Content);
      else if (step.do === 'removeTag') registry?.removeTag(path, step.tag, step.withManifest);
      else if (step.do === 'release') await release(step.content);
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

describe('numbers over time', () => {
  let database: TestDatabase;
  let build: CatalogBuilder;
  const FROM = Date.parse('2023-12-27T00:00:00Z');
  const DAYS = 90;

  beforeAll(async () => {
    database = await createTestDatabase();
    build = catalogOf(database);
    const { below } = createGenerator(2024);
    const instant = () => new Date(FROM + below(DAYS * 24 * 3600) * 1000).toISOString();
    const repositories = [];
    for (const name of ['one.example.com/a', 'one.example.com/b', 'two.example.com/a']) {
      repositories.push(await build.repository(name));
    }
    for (let at = 0; at < 30; at++) {
      const repository = repositories[at % 3] as number;
      const platform = ['linux/amd64', 'linux/arm64', 'windows/amd64'][below(3)] as string;
      const layers = [`base ${below(3)}`, `app ${at}`];
      const image = await build.image(repository, { platform, layers, layerSize: 100 + at });
      const target = at % 4 === 0 ? await build.index(repository, [{ child: image, platform }]) : image;
      await build.holds(repositories[below(3)] as number, image, at % 7 === 0 ? instant() : null);
      await build.tag(repository, `t${below(12)}`, at % 9 === 8 ? null : target, instant());
      await database.run('update image set first_seen_at = $2 where manifest_id = $1', [image.id, instant()]);
    }
    const layers = await database.run<{ id: number }>('select id from layer', []);
    for (const { id } of layers)
      await database.run('update layer set first_seen_at = $2 where id = $1', [id, instant()]);
    for (const at of ['2024-02-29T23:59:59.999Z', '2024-03-01T00:00:00Z', '2023-12-31T23:59:59.999Z']) {
      await build.tag(repositories[0] as number, `edge ${at.slice(0, 10)}`, null, at);
    }
    await recountAll(database);
  });

  afterAll(() => database.close());

  const TIMELINE = `query ($metric: Metric!, $from: DateTime!, $to: DateTime!, $interval: TimeInterval, $by: BreakdownBy) {
    timeline(metric: $metric, from: $from, to: $to, interval: $interval, by: $by) { time metric series value } }`;

  interface Point {
    readonly time: string;
    readonly metric: string;
    readonly series: string;
    readonly value: number;
  }

  test('every bucket has what an independent count has, for any metric, interval and series', async () => {
    // Neither end is where a bucket begins.
    const range = { from: '2023-12-29T05:30:00.000Z', to: '2024-03-11T17:45:00.000Z' };
    for (const metric of METRICS) {
      for (const by of [null, ...BYS]) {
        const things = (await thingsOf(metric, by)).filter(({ at }) => at >= range.from && at < range.to);
        for (const interval of by === null ? ['HOUR', 'DAY', 'WEEK', 'MONTH'] : ['DAY', 'MONTH']) {
          const { timeline } = await data<{ timeline: Point[] }>(database, TIMELINE, {
            metric,
            by,
            interval,
            ...range,
          });
          expect({ metric, by, interval, timeline }).toEqual({
            metric,
            by,
            interval,
            timeline: expected(metric, by, things, interval, range),
          });
        }
      }
    }
  });

  interface Thing {
    readonly at: string;
    readonly key: string;
    readonly amount: number;
  }

  /** Each once for every key that it has. */
  async function thingsOf(metric: Metric, by: By | null): Promise<Thing[]> {
    const rows = await database.run<{
      id: number;
      at: Date;
      manifest: number | null;
      repository: string;
      size: number;
    }>(ROWS[metric], []);
    const facts = await factsOf(database);
    const kept = await database.run<Omit<Fact, 'places' | 'blobs' | 'size'>>(
      `select i.manifest_id as id, i.os, i.architecture, m.media_type as "mediaType"
       from image i join manifest m on m.id = i.manifest_id`,
      [],
    );
    const stacked = await database.run<{ image: number; layer: number; type: string }>(
      'select s.image_id as image, s.layer_id as layer, b.media_type as type from image_layer s join layer_blob b on b.id = s.blob_id',
      [],
    );
    const placesOf = (image: number) => facts.images.find(({ id }) => id === image)?.places ?? [];
    const ofImages = (ids: readonly number[]) =>
      kept
        .filter(({ id }) => ids.includes(id))
        .flatMap((image) => {
          if (by === 'OS' || by === 'ARCHITECTURE') return [keyOf(image, by)];
          if (by === 'MEDIA_TYPE') return [image.mediaType];
          return placesOf(image.id).map((place) => (by === 'REGISTRY' ? place.registry : place.repository));
        });
    return rows.flatMap(({ id, at, manifest, repository, size }) => {
      const keys = (): string[] => {
        if (by === null) return [metric];
        if (metric === 'IMAGES') return ofImages([id]);
        if (metric === 'LAYERS' || metric === 'STORED_SIZE') {
          const uses = stacked.filter(({ layer }) => layer === id);
          return by === 'MEDIA_TYPE' ? uses.map(({ type }) => type) : ofImages(uses.map(({ image }) => image));
        }
        if (by === 'REPOSITORY') return [repository];
        if (by === 'REGISTRY') return [hostOf(repository)];
        if (by === 'MEDIA_TYPE') return manifest === null ? [] : [facts.mediaTypes.get(manifest) as string];
        return ofImages([...facts.reach(manifest)]);
      };
      return [...new Set(keys())].map((key) => ({ at: at.toISOString(), key, amount: size }));
    });
  }

  const NAMES = `r.id = n.repository_id join registry g on g.id = r.registry_id`;
  const ROWS: Record<Metric, string> = {
    IMAGES: 'select manifest_id as id, first_seen_at as at, 1 as size from image',
    LAYERS: 'select id, first_seen_at as at, 1 as size from layer',
    STORED_SIZE: 'select id, first_seen_at as at, size from layer',
    TAGS: `select n.id, n.first_seen_at as at, 1 as size, g.host || '/' || r.name as repository,
      case when n.deleted_at is null then n.manifest_id else (
        select e.from_id from tag_event e where e.tag_id = n.id and e.kind = 'DELETED' order by e.at desc limit 1
      ) end as manifest
      from tag n join repository r on ${NAMES}`,
    TAG_EVENTS: `select n.id, n.at, case n.kind when 'DELETED' then n.from_id else n.to_id end as manifest, 1 as size,
      g.host || '/' || r.name as repository from tag_event n join repository r on ${NAMES}`,
  };

  function expected(
    metric: Metric,
    by: By | null,
    things: readonly Thing[],
    interval: string,
    range: { from: string; to: string },
  ): Point[] {
    const totals = new Map<string, number>(by === null ? [[metric, 0]] : []);
    for (const { key, amount } of things) totals.set(key, (totals.get(key) ?? 0) + amount);
    const series = [...totals].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([key]) => key);
    const points: Point[] = [];
    for (let time = bucketOf(range.from, interval); time < range.to; time = bucketAfter(time, interval)) {
      const inside = things.filter(({ at }) => bucketOf(at, interval) === time);
      for (const key of series) {
        points.push({
          time,
          metric,
          series: key,
          value: sum(inside.filter((thing) => thing.key === key).map((t) => t.amount)),
        });
      }
    }
    return points;
  }

  /** By the parts of the text, where a week is counted back to its Monday day by day. */
  function bucketOf(at: string, interval: string): string {
    if (interval === 'HOUR') return `${at.slice(0, 13)}:00:00.000Z`;
    if (interval === 'MONTH') return `${at.slice(0, 7)}-01T00:00:00.000Z`;
    const day = new Date(`${at.slice(0, 10)}T00:00:00.000Z`);
    while (interval === 'WEEK' && day.getUTCDay() !== 1) day.setUTCDate(day.getUTCDate() - 1);
    return day.toISOString();
  }

  function bucketAfter(time: string, interval: string): string {
    const next = new Date(time);
    if (interval === 'HOUR') next.setUTCHours(next.getUTCHours() + 1);
    if (interval === 'DAY') next.setUTCDate(next.getUTCDate() + 1);
    if (interval === 'WEEK') next.setUTCDate(next.getUTCDate() + 7);
    if (interval === 'MONTH') next.setUTCMonth(next.getUTCMonth() + 1);
    return next.toISOString();
  }

  test('months and leap days end where the calendar says, and the end of a range is not part of it', async () => {
    const months = { metric: 'TAG_EVENTS', interval: 'MONTH', from: '2023-12-31T23:59:59.999Z', to: '2024-03-01' };
    const { timeline } = await data<{ timeline: Point[] }>(database, TIMELINE, months);
    expect(timeline.map((point) => point.time.slice(0, 10))).toEqual(['2023-12-01', '2024-01-01', '2024-02-01']);
    expect(timeline[0]?.value).toBe(1);
    const days = { metric: 'TAG_EVENTS', interval: 'DAY', from: '2024-02-28', to: '2024-03-02' };
    const { timeline: leap } = await data<{ timeline: Point[] }>(database, TIMELINE, days);
    expect(leap.map((point) => point.time.slice(0, 10))).toEqual(['2024-02-28', '2024-02-29', '2024-03-01']);
    const weeks = { metric: 'TAGS', interval: 'WEEK', from: '2024-12-30', to: '2025-01-07' };
    const { timeline: turn } = await data<{ timeline: Point[] }>(database, TIMELINE, weeks);
    expect(turn).toEqual([
      { time: '2024-12-30T00:00:00.000Z', metric: 'TAGS', series: 'TAGS', value: 0 },
      { time: '2025-01-06T00:00:00.000Z', metric: 'TAGS', series: 'TAGS', value: 0 },
    ]);
    const none = { metric: 'TAGS', interval: 'DAY', from: '2024-02-28T12:00:00Z', to: '2024-02-28T12:00:00Z' };
    expect(await data(database, TIMELINE, none)).toEqual({ timeline: [] });
  });

  test.each([
    [{ interval: 'DAY', intervalMs: 1, maxDataPoints: 1 }, 31],
    [{ intervalMs: 3_600_000, maxDataPoints: 1 }, 744],
    [{ intervalMs: 1 }, 744],
    [{ intervalMs: 80_000_000 }, 31],
    [{ intervalMs: 500_000_000 }, 5],
    [{ intervalMs: Number.MAX_SAFE_INTEGER }, 1],
    [{ maxDataPoints: 1000 }, 744],
    [{ maxDataPoints: 743 }, 31],
    [{ maxDataPoints: 30 }, 5],
    [{ maxDataPoints: 4 }, 1],
    [{}, 31],
  ])('%j gives January %i buckets', async (wanted, count) => {
    const query = `query ($from: DateTime!, $to: DateTime!, $interval: TimeInterval, $intervalMs: SafeInt, $maxDataPoints: Int) {
      timeline(metric: TAGS, from: $from, to: $to, interval: $interval, intervalMs: $intervalMs, maxDataPoints: $maxDataPoints) { time } }`;
    const january = { from: Date.parse('2024-01-01'), to: String(Date.parse('2024-02-01')) };
    const { timeline } = await data<{ timeline: object[] }>(database, query, { ...january, ...wanted });
    expect(timeline).toHaveLength(count);
  });

  test('an interval that is only wanted nearly is coarser where a range would have too many of it', async () => {
    const query = `{ timeline(metric: TAGS, from: "2000-01-01", to: "2024-01-01", intervalMs: 60000) { time } }`;
    const { timeline } = await data<{ timeline: { time: string }[] }>(database, query);
    expect(timeline).toHaveLength(8766);
    expect(timeline.at(-1)?.time).toBe('2023-12-31T00:00:00.000Z');
  });

  test('beyond twenty, series are one, whose name no other has', async () => {
    const other = await createTestDatabase();
    try {
      const many = catalogOf(other);
      for (let at = 0; at < 23; at++) {
        const repository = await many.repository(`r${String(at).padStart(2, '0')}.example.com/app`);
        const image = await many.image(repository);
        const os = at === 7 ? '(other)' : `os${at}`;
        await other.run('update image set os = $2 where manifest_id = $1', [image.id, os]);
        for (let tag = 0; tag <= (at === 7 ? 1 : 0); tag++) await many.tag(repository, `t${tag}`, image, '2024-01-01');
      }
      const query = `{ timeline(metric: TAGS, by: REGISTRY, from: "2024-01-01", to: "2024-01-03", interval: DAY) { series value } }`;
      const { timeline } = await data<{ timeline: Point[] }>(other, query);
      expect(timeline).toHaveLength(42);
      expect(timeline[0]).toEqual({ series: 'r07.example.com', value: 2 });
      expect(timeline[20]).toEqual({ series: '(other)', value: 3 });
      expect(timeline.slice(21).map((point) => point.value)).toEqual(Array.from({ length: 21 }, () => 0));
      const byOs = await data<{ timeline: Point[] }>(other, query.replace('REGISTRY', 'OS'));
      expect(byOs.timeline[0]).toEqual({ series: '(other)', value: 2 });
      expect(byOs.timeline[20]).toEqual({ series: '((other))', value: 3 });
    } finally {
      await other.close();
    }
  });
});

describe('what dashboards ask beside', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    const build = catalogOf(database);
    const alpine = await build.repository('docker.io/library/alpine');
    const shop = await build.repository('ghcr.io/acme/shop_api');
    await build.repository('ghcr.io/acme/shopXapi');
    await database.run(`update registry set title = 'The hub' where host = 'docker.io'`, []);
    const old = await build.image(alpine);
    const arm = await build.image(shop, { platform: 'linux/arm64' });
    await build.tag(alpine, '3.20', old, '2026-01-01T00:00:00Z');
    await build.tag(shop, 'v1', arm, '2026-01-02T00:00:00Z');
    await build.tag(shop, 'v1', old, '2026-01-03T00:00:00Z');
    await build.tag(shop, 'v1', null, '2026-01-04T00:00:00Z');
    await recountAll(database);
  });

  afterAll(() => database.close());

  const options = (rest: string) => data<{ options: unknown }>(database, `{ options(kind: ${rest}) { text value } }`);

  test('drop-downs offer what is there, sorted, and what holds a text as it is written', async () => {
    expect((await options('REGISTRY')).options).toEqual([
      { text: 'The hub', value: 'docker.io' },
      { text: 'ghcr.io', value: 'ghcr.io' },
    ]);
    expect((await options('REGISTRY, text: "DOCKER"')).options).toEqual([{ text: 'The hub', value: 'docker.io' }]);
    const [hub, shopX, shop] = ['docker.io/library/alpine', 'ghcr.io/acme/shopXapi', 'ghcr.io/acme/shop_api'].map(
      (reference) => ({ text: reference, value: reference }),
    );
    expect((await options('REPOSITORY')).options).toEqual([hub, shopX, shop]);
    expect((await options('REPOSITORY, text: "SHOP_"')).options).toEqual([shop]);
    expect((await options('REPOSITORY, text: "io/acme"')).options).toEqual([shopX, shop]);
    expect((await options('REPOSITORY, first: 1')).options).toEqual([hub]);
    expect((await options('REPOSITORY, text: "%"')).options).toEqual([]);
    expect((await options('ARCHITECTURE')).options).toEqual(
      ['amd64', 'arm64'].map((name) => ({ text: name, value: name })),
    );
    expect((await options('OS, text: "nu"')).options).toEqual([{ text: 'linux', value: 'linux' }]);
  });

  test('marks are the movements of tags, newest first', async () => {
    const query = `query ($from: DateTime!, $to: DateTime!, $filter: TagEventFilter, $first: Int) {
      annotations(from: $from, to: $to, filter: $filter, first: $first) { time title text tags } }`;
    type Marks = { annotations: { time: string; title: string; text: string; tags: string[] }[] };
    const range = { from: '2026-01-02', to: Date.parse('2026-01-04') };
    const { annotations } = await data<Marks>(database, query, range);
    expect(annotations).toEqual([
      {
        time: '2026-01-03T00:00:00.000Z',
        title: 'ghcr.io/acme/shop_api:v1 moved',
        text: expect.stringMatching(/^from sha256:[0-9a-f]{64} to sha256:[0-9a-f]{64}$/) as string,
        tags: ['MOVED', 'ghcr.io', 'acme/shop_api', 'v1'],
      },
      {
        time: '2026-01-02T00:00:00.000Z',
        title: 'ghcr.io/acme/shop_api:v1 created',
        text: expect.stringMatching(/^to sha256:[0-9a-f]{64}$/) as string,
        tags: ['CREATED', 'ghcr.io', 'acme/shop_api', 'v1'],
      },
    ]);
    const all = { from: 0, to: '2027-01-01' };
    const titles = async (rest: object) =>
      (await data<Marks>(database, query, { ...all, ...rest })).annotations.map((mark) => mark.title);
    expect(await titles({ filter: { kind: ['DELETED'] } })).toEqual(['ghcr.io/acme/shop_api:v1 deleted']);
    expect(await titles({ filter: { registry: 'docker.io' } })).toEqual(['docker.io/library/alpine:3.20 created']);
    expect(await titles({ first: 1 })).toEqual(['ghcr.io/acme/shop_api:v1 deleted']);
    expect(await titles({ first: 0 })).toEqual([]);
  });

  test('a repository is found as people type it, and its numbers are its own', async () => {
    const { short, both } = await data<Record<string, unknown>>(
      database,
      `{ short: statistics(repository: "alpine:ignored") { ${STATISTICS} }
         both: statistics(repository: "ghcr.io/acme/shop_api", registry: "ghcr.io") { tags images } }`,
    );
    expect(short).toEqual({
      registries: 1,
      repositories: 1,
      tags: 1,
      images: 1,
      layers: 2,
      nominalSize: 2000,
      storedSize: 2000,
      containers: 0,
      unusedImages: 1,
      outdatedContainers: 0,
    });
    expect(both).toEqual({ tags: 0, images: 1 });
  });

  test('each field sends one statement, for several registries or repositories one together', async () => {
    database.statements.length = 0;
    await data(
      database,
      `{ all: statistics { images } hub: statistics(registry: "docker.io") { images } ghcr: statistics(registry: "ghcr.io") { images }
         alpine: statistics(repository: "alpine") { images } shop: statistics(repository: "ghcr.io/acme/shop_api") { images }
         breakdown(by: OS) { key value } options(kind: REPOSITORY) { text }
         timeline(metric: TAGS, from: "2026-01-01", to: "2026-02-01", by: OS) { value }
         annotations(from: "2026-01-01", to: "2026-02-01") { title text tags } }`,
    );
    expect(database.statements).toHaveLength(7);
  });

  test('equal rows are in the order of their keys, wherever the cut is', async () => {
    const tied = await createTestDatabase();
    try {
      await tied.run(
        `with g as (
           insert into registry (host, kind, url, managed_by) values ('ties.example.com', 'OCI', 'https://ties', 'API')
           returning id
         )
         insert into repository (registry_id, name, tag_count, first_seen_at, updated_at)
         select g.id, name, tags, now(), now()
         from g, (values ('app', 2), ('none', 0), ('bpp', 1), ('cpp', 1)) as n (name, tags)`,
        [],
      );
      const keys = async (first: number) => {
        const source = `{ breakdown(by: REPOSITORY, metric: TAGS, first: ${first}) { key } }`;
        const { breakdown } = await data<{ breakdown: { key: string }[] }>(tied, source);
        return breakdown.map(({ key }) => key.replace(/.*\//, ''));
      };
      expect(await keys(2)).toEqual(['app', 'bpp']);
      expect(await keys(4)).toEqual(['app', 'bpp', 'cpp']);
    } finally {
      await tied.close();
    }
  });

  test('the largest rows come first, as many as are wanted', async () => {
    const { breakdown } = await data<{ breakdown: object }>(
      database,
      `{ breakdown(by: REPOSITORY, metric: TAG_EVENTS, first: 1) { key value } }`,
    );
    expect(breakdown).toEqual([{ key: 'ghcr.io/acme/shop_api', value: 3 }]);
    expect(await data(database, `{ breakdown(by: OS, first: 0) { key } }`)).toEqual({ breakdown: [] });
    expect(await data(database, `{ breakdown(by: OS, first: null) { key } }`)).toEqual({
      breakdown: [{ key: 'linux' }],
    });
  });

  test.each([
    ['statistics(registry: "quay.io") { images }', /^registry "quay\.io" is not in the catalog/],
    ['statistics(registry: "a b") { images }', /^registry: "a b"/],
    ['statistics(repository: "nginx") { images }', /^repository docker\.io\/library\/nginx is not in the catalog/],
    [
      'statistics(repository: "alpine", registry: "ghcr.io") { images }',
      /^repository docker\.io\/library\/alpine is not of registry "ghcr\.io"/,
    ],
    ['breakdown(by: OS, first: 101) { key }', /^first is 101/],
    ['breakdown(by: REPOSITORY, first: -1) { key }', /^first is -1/],
    ['breakdown(by: OS, filter: { registry: "a b" }) { key }', /^filter\.registry/],
    ['options(kind: OS, first: 1000) { text }', /^first is 1000/],
    [`options(kind: OS, text: "${'x'.repeat(401)}") { text }`, /^text has 401 characters/],
    ['annotations(from: "2026-01-02", to: "2026-01-01") { text }', /^from 2026-01-02T.* is after to 2026-01-01T/],
    ['annotations(from: 0, to: 1, first: 101) { text }', /^first is 101/],
    [
      'timeline(metric: TAGS, from: "2026-01-02", to: "2026-01-01") { time }',
      /^from 2026-01-02T.* is after to 2026-01-01T/,
    ],
    [
      'timeline(metric: TAGS, from: "2020-01-01", to: "2026-01-01", interval: HOUR) { time }',
      /^from 2020-01-01T.* to 2026-01-01T.* there are 52608 buckets of one HOUR each: at most 10000/,
    ],
    [
      'timeline(metric: TAGS, by: OS, from: "2020-01-01", to: "2026-01-01", interval: DAY) { time }',
      /there are 2192 buckets of one DAY each: at most 1000/,
    ],
    [
      'timeline(metric: TAGS, from: "0001-01-01", to: "9999-01-01", intervalMs: 1) { time }',
      /buckets of one MONTH each/,
    ],
    ['timeline(metric: TAGS, from: 0, to: 1, maxDataPoints: 0) { time }', /^maxDataPoints is 0/],
    ['timeline(metric: TAGS, from: 0, to: 1, intervalMs: -5) { time }', /^intervalMs is -5/],
    ['timeline(metric: TAGS, from: "yesterday", to: 1) { time }', /yesterday/],
  ])('%s is refused with what is wrong', async (field, message) => {
    const { errors } = await answer(database, `{ ${field} }`);
    expect(errors).toEqual([expect.stringMatching(message)]);
  });
});

describe('numbers of containers', () => {
  const BEGIN = Date.parse('2026-03-01T00:00:00Z');
  const EVERY = 5 * 3_600_000;
  const RUNTIMES = ['host-1', 'host-2', 'cluster'] as const;
  const STATES = ['RUNNING', 'RUNNING', 'EXITED', 'PAUSED'] as const;
  let database: TestDatabase;
  let facts: Facts;
  let base: Digest;
  let standing: Set<number>;
  /** What each runtime had, from an instant on. */
  const pictures: { at: number; runtime: string; states: Map<string, string> }[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    const build = catalogOf(database);
    const { below, oneOf } = createGenerator(2026);
    const repositories: { name: string; id: number }[] = [];
    for (const name of ['one.example.com/a', 'one.example.com/b', 'two.example.com/a']) {
      repositories.push({ name, id: await build.repository(name) });
    }
    const images: ImageContent[] = [];
    for (let at = 0; at < 9; at++) {
      const platform = ['linux/amd64', 'linux/arm64', 'windows/amd64'][at % 3] as string;
      const layers = at === 0 ? ['base'] : [at % 2 ? 'base' : 'other', `app ${at}`];
      images.push(await build.image(repositories[at % 3]?.id as number, { platform, layers, layerSize: 100 + at }));
    }
    const index = await build.index(repositories[0]?.id as number, [
      { child: images[3] as ImageContent, platform: 'linux/amd64' },
    ]);
    for (const [at, { id }] of repositories.entries())
      await build.tag(id, '1', at === 0 ? index : (images[at] as ImageContent));
    await build.tag(repositories[1]?.id as number, '2', images[4] as ImageContent);
    await recountAll(database);
    base = (images[0] as ImageContent).digest;
    standing = new Set([images[0], ...images.filter((_, at) => at % 2 === 1)].map((image) => image?.id as number));

    const ids = [];
    for (const name of RUNTIMES) ids.push(await addRuntime(database, name));
    const pool = Array.from({ length: 8 }, (_, at) => ({
      imageReference:
        at === 7 ? `sha256:${'7'.repeat(64)}` : `${(at % 2 ? oneOf(repositories) : repositories[at % 3])?.name}:1`,
      image: at === 6 ? null : (images[at] as ImageContent),
    }));
    for (let step = 0; step < 40; step++) {
      const place = below(3);
      const states = new Map(
        pool.flatMap((_, at) => (below(3) === 0 ? [] : [[`${place}-${at}`, oneOf(STATES)] as const])),
      );
      const at = BEGIN + step * EVERY;
      pictures.push({ at, runtime: RUNTIMES[place] as string, states });
      const seen = [...states].map(([containerId, state]) => {
        const { imageReference, image } = pool[Number(containerId.slice(2))] as (typeof pool)[number];
        const evidence = image ? [{ via: 'MANIFEST' as const, digest: image.digest }] : [];
        return observed({ containerId, imageReference, state, evidence });
      });
      await report(database, ids[place] as number, new Date(at).toISOString(), seen);
    }
    facts = await factsOf(database);
    const kinds = await database.run('select from container_event group by kind', []);
    expect(kinds).toHaveLength(3);
  });

  afterAll(() => database.close());

  const imageOf = ({ image }: ContainerFact) => facts.everyImage.find(({ id }) => id === image);

  test('totals are those of an independent count, in the catalog, a registry and a repository', async () => {
    const totals = async (argument: string) =>
      (await data<{ statistics: object }>(database, `{ statistics${argument} { ${STATISTICS} } }`)).statistics;
    expect(facts.containers.some(({ isOutdated }) => isOutdated)).toBe(true);
    expect(await totals('')).toEqual(totalsOf(facts, () => true));
    for (const host of facts.registries) {
      expect(await totals(`(registry: "${host}")`)).toEqual(totalsOf(facts, ({ registry }) => registry === host));
    }
    for (const reference of facts.repositories) {
      expect(await totals(`(repository: "${reference}")`)).toEqual(
        totalsOf(facts, ({ repository }) => repository === reference),
      );
    }
  });

  const BREAKDOWN = `query ($by: BreakdownBy!, $metric: Metric!, $filter: ImageFilter) {
    breakdown(by: $by, metric: $metric, filter: $filter, first: 100) { key value } }`;

  test('containers are counted by what they are, and all else by what uses it', async () => {
    const filters: [object | null, (image: Fact) => boolean][] = [
      [null, () => true],
      [{ os: 'linux' }, ({ os }) => os === 'linux'],
    ];
    for (const [filter, holds] of filters) {
      for (const by of [...BYS, ...USES]) {
        const chosen = facts.containers.filter((container) => {
          const image = imageOf(container);
          return filter === null || (image !== undefined && holds(image));
        });
        const counted = rowsOf(countOf(chosen.map((container) => containerKeyOf(container, by, imageOf(container)))));
        const variables = { by, metric: 'CONTAINERS', filter };
        expect({ by, filter, ...(await data<object>(database, BREAKDOWN, variables)) }).toEqual({
          by,
          filter,
          breakdown: counted,
        });
      }
      for (const by of USES) {
        for (const metric of METRICS) {
          const breakdown = countBy(facts, metric, by, filter === null ? null : holds);
          expect(breakdown.length).toBeGreaterThan(0);
          expect({ metric, by, filter, ...(await data<object>(database, BREAKDOWN, { by, metric, filter })) }).toEqual({
            metric,
            by,
            filter,
            breakdown,
          });
        }
      }
    }
  });

  test('what runs on a base, by host, is one question', async () => {
    const { image, containers } = await data<Record<string, unknown>>(
      database,
      `query ($digest: Digest!, $base: ImageReference!) {
        image(digest: $digest) {
          impact { runningContainers byHost: breakdown(by: RUNTIME) { key value } byState: breakdown(by: CONTAINER_STATE) { key value } }
        }
        containers(filter: { image: { derivedFrom: $base }, state: RUNNING }) { totalCount }
      }`,
      { digest: base, base: `one.example.com/a@${base}` },
    );
    const onBase = facts.containers.filter(({ image }) => image !== null && standing.has(image));
    const running = onBase.filter(({ state }) => state === 'RUNNING');
    expect(running.length).toBeGreaterThan(2);
    expect(image).toEqual({
      impact: {
        runningContainers: running.length,
        byHost: rowsOf(countOf(running.map(({ runtime }) => runtime))),
        byState: rowsOf(countOf(onBase.map(({ state }) => state))),
      },
    });
    const derived = running.filter((container) => imageOf(container)?.id !== Math.min(...standing));
    expect(containers).toEqual({ totalCount: derived.length });
  });

  test.each(['HOUR', 'DAY'])(
    'how many there were at the end of each %s is what the reports said then',
    async (interval) => {
      const range = {
        from: new Date(BEGIN + 9.5 * EVERY).toISOString(),
        to: new Date(BEGIN + 31 * EVERY).toISOString(),
      };
      const length = interval === 'HOUR' ? 3_600_000 : 86_400_000;
      const first = Math.floor(Date.parse(range.from) / length) * length;
      const buckets = Array.from(
        { length: Math.ceil((Date.parse(range.to) - first) / length) },
        (_, at) => first + at * length,
      );
      const known = await database.run<ContainerFact & { id: string }>(
        `select container_id as id, image_id as image, host as registry, host || '/' || repository as repository from container`,
        [],
      );
      const thereAt = (instant: number): ContainerFact[] =>
        RUNTIMES.flatMap((runtime) => {
          const picture = pictures.findLast((each) => each.runtime === runtime && each.at < instant);
          return [...(picture?.states ?? [])].map(([id, state]) => ({
            ...(known.find((each) => each.id === id) as ContainerFact),
            runtime,
            state,
          }));
        });
      for (const by of [null, ...BYS, ...USES]) {
        const counted = buckets.map((bucket) =>
          countOf(
            thereAt(Math.min(bucket + length, Date.parse(range.to))).map((container) =>
              by === null ? 'CONTAINERS' : containerKeyOf(container, by, imageOf(container)),
            ),
          ),
        );
        const totals = new Map<string, number>();
        for (const [key, value] of counted.flatMap((each) => [...each]))
          totals.set(key, (totals.get(key) ?? 0) + value);
        const { timeline } = await data<{ timeline: object[] }>(
          database,
          `query ($from: DateTime!, $to: DateTime!, $interval: TimeInterval, $by: BreakdownBy) {
          timeline(metric: CONTAINERS, from: $from, to: $to, interval: $interval, by: $by) { time series value } }`,
          { ...range, interval, by },
        );
        expect({ by, timeline }).toEqual({
          by,
          timeline: buckets.flatMap((bucket, at) =>
            rowsOf(totals).map(({ key }) => ({
              time: new Date(bucket).toISOString(),
              series: key,
              value: counted[at]?.get(key) ?? 0,
            })),
          ),
        });
      }
    },
  );

  test.each(['IMAGES', 'LAYERS', 'TAGS', 'TAG_EVENTS'] as const)(
    '%s over time are in the series of what uses them',
    async (metric) => {
      for (const by of USES) {
        const { timeline } = await data<{ timeline: { series: string; value: number }[] }>(
          database,
          `query ($metric: Metric!, $by: BreakdownBy!) {
            timeline(metric: $metric, by: $by, from: "2020-01-01", to: "2030-01-01", interval: MONTH) { series value } }`,
          { metric, by },
        );
        const totals = new Map<string, number>();
        for (const { series, value } of timeline) totals.set(series, (totals.get(series) ?? 0) + value);
        expect({ by, totals: rowsOf(totals) }).toEqual({ by, totals: countBy(facts, metric, by, null) });
      }
    },
  );

  test('an empty range has no points, and one that is to come has as many as there are', async () => {
    const timeline = async (from: string, to: string) =>
      data(database, `{ timeline(metric: CONTAINERS, from: "${from}", to: "${to}") { value } }`);
    expect(await timeline('2026-03-02', '2026-03-02')).toEqual({ timeline: [] });
    expect(await timeline('2030-03-02', '2030-03-03')).toEqual({ timeline: [{ value: facts.containers.length }] });
    expect(await timeline('2020-03-02', '2020-03-03')).toEqual({ timeline: [{ value: 0 }] });
  });

  test('runtimes are offered by their names', async () => {
    expect(await data(database, '{ options(kind: RUNTIME, text: "HOST") { text value } }')).toEqual({
      options: ['host-1', 'host-2'].map((name) => ({ text: name, value: name })),
    });
  });
});

async function recountAll(database: TestDatabase): Promise<void> {
  const places = await database.run<{ registryId: number; name: RepositoryName }>(
    'select registry_id as "registryId", name from repository',
    [],
  );
  for (const place of places) await recountRepository(database, place);
}

interface Place {
  readonly registry: string;
  readonly repository: string;
}

interface ContainerFact {
  readonly runtime: string;
  readonly state: string;
  readonly image: number | null;
  readonly registry: string | null;
  readonly repository: string | null;
  readonly isOutdated: boolean | null;
}

interface Fact {
  readonly id: number;
  readonly os: string;
  readonly architecture: string;
  readonly mediaType: string;
  readonly size: number;
  readonly blobs: readonly { layer: number; digest: string; size: number; mediaType: string }[];
  readonly places: readonly Place[];
  readonly uses: readonly ContainerFact[];
}

interface NameFact extends Place {
  readonly manifest: number | null;
}

interface Facts {
  readonly registries: readonly string[];
  readonly repositories: readonly string[];
  readonly everyImage: readonly Fact[];
  /** Those that can be pulled. */
  readonly images: readonly Fact[];
  readonly tags: readonly NameFact[];
  readonly events: readonly NameFact[];
  /** Those that are not removed. */
  readonly containers: readonly ContainerFact[];
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
  const containers = await database.run<ContainerFact>(
    `select rt.name as runtime, c.state, c.image_id as image, c.host as registry, c.host || '/' || c.repository as repository,
       c.is_outdated as "isOutdated"
     from container c join runtime rt on rt.id = c.runtime_id where c.removed_at is null`,
    [],
  );
  const images = await database.run<Omit<Fact, 'blobs' | 'places' | 'uses'>>(
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
  const everyImage = images.map((image) => ({
    ...image,
    blobs: stacks.filter((row) => row.image === image.id),
    places: held.filter((row) => row.manifest_id === image.id).map((row) => placeOf(row.repository_id)),
    uses: containers.filter((container) => container.image === image.id),
  }));
  return {
    registries: registries.map((row) => row.host),
    repositories: [...places.values()].map((place) => place.repository),
    everyImage,
    images: everyImage.filter((image) => image.places.length > 0),
    tags: tags.map((row) => ({ manifest: row.manifest, ...placeOf(row.repository_id) })),
    events: events.map((row) => ({ manifest: row.manifest, ...placeOf(row.repository_id) })),
    containers,
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
  const containers = facts.containers.filter(
    ({ registry, repository }) =>
      isWhole || (registry !== null && repository !== null && isIn({ registry, repository })),
  );
  return {
    registries: isWhole ? facts.registries.length : 1,
    repositories: inside.length,
    tags: facts.tags.filter(isIn).length,
    images: images.length,
    layers: new Set(blobs.map((blob) => blob.layer)).size,
    nominalSize: sum(images.map((image) => image.size)),
    storedSize: sum([...new Map(blobs.map((blob) => [blob.digest, blob.size])).values()]),
    containers: containers.length,
    unusedImages: images.filter(({ uses }) => uses.length === 0).length,
    outdatedContainers: containers.filter(({ isOutdated }) => isOutdated).length,
  };
}

/** Largest first; `holds` is null where there is no filter. */
function countBy(facts: Facts, metric: Metric, by: By | Use, holds: ((image: Fact) => boolean) | null) {
  const counted = new Map<string, Map<unknown, number>>();
  const count = (key: string, thing: unknown, amount = 1) => {
    if (!counted.has(key)) counted.set(key, new Map());
    counted.get(key)?.set(thing, amount);
  };
  const ofNames = metric === 'TAGS' || metric === 'TAG_EVENTS';
  // What a name is about counts, whether or not it can be pulled now.
  const chosen = (ofNames ? facts.everyImage : facts.images).filter((image) => holds?.(image) ?? true);
  if (ofNames) {
    for (const name of metric === 'TAGS' ? facts.tags : facts.events) {
      const reached = chosen.filter((image) => facts.reach(name.manifest).has(image.id));
      if (by === 'OS' || by === 'ARCHITECTURE') for (const image of reached) count(keyOf(image, by), name);
      else if (by === 'RUNTIME' || by === 'CONTAINER_STATE') {
        for (const use of reached.flatMap(({ uses }) => uses)) count(useKeyOf(use, by), name);
      } else if (holds === null || reached.length > 0) {
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
        else if (by === 'RUNTIME' || by === 'CONTAINER_STATE') {
          for (const use of image.uses) count(useKeyOf(use, by), thing, amount);
        } else
          for (const place of image.places) count(by === 'REGISTRY' ? place.registry : place.repository, thing, amount);
      }
    }
  }
  return rowsOf(new Map([...counted].map(([key, things]) => [key, sum([...things.values()])])));
}

/** Largest first. */
function rowsOf(counted: ReadonlyMap<string, number>): { key: string; value: number }[] {
  return [...counted]
    .map(([key, value]) => ({ key, value }))
    .sort((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1));
}

/** Containers under their keys; null where they have none. */
function countOf(keys: readonly (string | null | undefined)[]): Map<string, number> {
  const counted = new Map<string, number>();
  for (const key of keys) if (key != null) counted.set(key, (counted.get(key) ?? 0) + 1);
  return counted;
}

function containerKeyOf(container: ContainerFact, by: By | Use, image: Fact | undefined): string | null | undefined {
  if (by === 'REGISTRY') return container.registry;
  if (by === 'REPOSITORY') return container.repository;
  if (by === 'MEDIA_TYPE') return image?.mediaType;
  return by === 'OS' || by === 'ARCHITECTURE' ? image && keyOf(image, by) : useKeyOf(container, by);
}

function useKeyOf({ runtime, state }: ContainerFact, by: Use): string {
  return by === 'RUNTIME' ? runtime : state;
}

function keyOf(image: Pick<Fact, 'os' | 'architecture'>, by: 'OS' | 'ARCHITECTURE'): string {
  return by === 'OS' ? image.os : image.architecture;
}

function hostOf(repository: string): string {
  return repository.slice(0, repository.indexOf('/'));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
