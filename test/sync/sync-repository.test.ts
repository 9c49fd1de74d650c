import {
  EVERY_TAG,
  knownManifests,
  knownRepositories,
  recordSynced,
  recountRepository,
  type SyncScope,
} from '../../src/catalog/write/index.ts';
import { digestOf, type Digest } from '../../src/domain/digest.ts';
import { RegistryError } from '../../src/domain/errors.ts';
import { OCI_CONFIG } from '../../src/domain/media-type.ts';
import type { RepositoryName } from '../../src/domain/reference.ts';
import { syncRepository, type RepositoryReport } from '../../src/sync/index.ts';
import { TagPlan } from '../../src/sync/plan.ts';
import {
  aLayer,
  anArtifact,
  anAttestation,
  anImage,
  anIndex,
  document,
  type Content,
  type LayerSpec,
} from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';
import { startScriptedServer } from '../support/scripted-server.ts';
import { rowVersionsOf, snapshotOf } from '../support/snapshot.ts';

const WEB = 'app/web';
const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64', variant: 'v8' };

let database: TestDatabase;
let registry: MemoryRegistry;
let registryId: number;
let clock: number;

beforeEach(async () => {
  database = await createTestDatabase();
  registry = new MemoryRegistry();
  clock = Date.parse('2026-06-01T00:00:00Z');
  const row = { host: registry.host, kind: 'OCI', url: 'https://registry.example.com', managedBy: 'API' };
  registryId = (await database.prisma.registry.create({ data: row })).id;
});

afterEach(() => database.close());

/** As a job does it: what was written is counted at the end. */
async function sync(
  scope: Partial<SyncScope> = {},
  signal = new AbortController().signal,
  name = WEB,
): Promise<RepositoryReport> {
  const place = { registryId, name: name as RepositoryName };
  const report = await syncRepository({
    database,
    registry,
    scope: { registryId, repositories: name, ...EVERY_TAG, ...scope },
    name: place.name,
    before: (await knownRepositories(database, registryId, [place.name])).get(place.name) ?? null,
    signal,
    now: () => new Date((clock += 1000)),
  });
  if (report.needsRecount) await database.transaction((connection) => recountRepository(connection, place));
  if (report.synced) await recordSynced(database, registryId, new Map([[place.name, report.synced]]), new Date(clock));
  return report;
}

async function tags(): Promise<Record<string, Digest | null>> {
  const known = (await knownRepositories(database, registryId, [WEB as RepositoryName])).get(WEB as RepositoryName);
  return Object.fromEntries(known?.tags ?? []);
}

function descriptorOf({ digest, size, mediaType }: LayerSpec): object {
  return { digest, size, mediaType };
}

async function events(): Promise<string[]> {
  const rows = (await snapshotOf(database))['event'] as { name: string; kind: string }[];
  return rows.map((row) => `${row.kind} ${row.name}`);
}

function faultsOf(report: RepositoryReport): string[] {
  return report.faults.map(({ reference, error }) => `${reference} ${(error as RegistryError).code}`);
}

test('catalogs an index with its images, layers, chain ids and counters', async () => {
  const amd64 = anImage({ layers: [aLayer('base'), aLayer('app')] });
  const arm64 = anImage({ layers: [aLayer('base-arm')], architecture: 'arm64', variant: 'v8' });
  const index = anIndex([
    { content: amd64, platform: AMD64 },
    { content: arm64, platform: ARM64 },
  ]);
  registry.push(WEB, '1.0', index);
  registry.push(WEB, 'latest', index);

  const report = await sync();

  expect(report).toMatchObject({ tagsSeen: 2, tagsChanged: 2, manifestsFetched: 3, faults: [] });
  const catalog = await snapshotOf(database);
  expect(catalog['tag']).toEqual([
    { repository: WEB, name: '1.0', digest: index.digest, alive: true },
    { repository: WEB, name: 'latest', digest: index.digest, alive: true },
  ]);
  const sizes = [aLayer('base'), aLayer('app'), aLayer('base-arm')].map((layer) => layer.size);
  const stored = sizes.reduce((sum, size) => sum + size);
  expect(catalog['repository']).toEqual([
    expect.objectContaining({
      host: registry.host,
      name: WEB,
      tag_count: 2,
      stored_size: stored,
      needs_recount: false,
    }),
  ]);
  expect(catalog['entry']).toMatchObject([{ child: amd64.digest }, { child: arm64.digest }]);
  expect((catalog['presence'] as { digest: string }[]).map((row) => row.digest).sort()).toEqual(
    [index.digest, amd64.digest, arm64.digest].sort(),
  );
  expect(catalog['layer']).toHaveLength(3);
  expect(catalog['image']).toHaveLength(2);
});

test('a second sync fetches nothing and writes no row', async () => {
  registry.push(WEB, '1.0', anIndex([{ content: anImage(), platform: AMD64 }]));
  registry.push(WEB, 'latest', anImage());
  await sync();
  const before = await rowVersionsOf(database);
  registry.asked.length = 0;

  const report = await sync();

  expect(report).toMatchObject({ tagsSeen: 2, tagsChanged: 0, manifestsFetched: 0 });
  expect(registry.countAsked('manifest')).toBe(0);
  expect(registry.countAsked('blob')).toBe(0);
  expect(await rowVersionsOf(database)).toEqual(before);
});

test('records each tag as created, moved and deleted, once each', async () => {
  const [first, second] = [anImage({ created: '2026-01-01T00:00:00Z' }), anImage({ created: '2026-02-01T00:00:00Z' })];
  registry.push(WEB, 'latest', first);
  await sync();
  registry.push(WEB, 'latest', second);
  await sync();
  await sync();
  registry.removeTag(WEB, 'latest');
  await sync();
  await sync();

  expect(await events()).toEqual(['CREATED latest', 'MOVED latest', 'DELETED latest']);
  expect(await tags()).toEqual({ latest: null });
  registry.push(WEB, 'latest', first);
  await sync();
  expect((await events()).at(-1)).toBe('CREATED latest');
  expect(await tags()).toEqual({ latest: first.digest });
});

test('keeps tags when the listing is cut short, empty or fails', async () => {
  registry.push(WEB, '1', anImage());
  registry.push(WEB, '2', anImage());
  await sync();
  const known = await tags();

  registry.listTags = async function* () {
    yield [];
  };
  expect(faultsOf(await sync())).toEqual([]);
  expect(await tags()).toEqual(known);

  registry.listTags = async function* () {
    yield [{ name: '1' as never }];
    throw new RegistryError('UNAVAILABLE', 'reset');
  };
  expect(faultsOf(await sync())).toEqual([`${registry.host}/${WEB} UNAVAILABLE`]);
  expect(await tags()).toEqual(known);
});

const DAY = 24 * 60 * 60 * 1000;

async function unavailableSince(): Promise<number | null> {
  const known = (await knownRepositories(database, registryId, [WEB as RepositoryName])).get(WEB as RepositoryName);
  return known?.unavailableSince?.getTime() ?? null;
}

describe('a repository that its registry does not show any more', () => {
  beforeEach(async () => {
    registry.push(WEB, '1', anImage());
    await sync();
  });

  test('is unavailable first, and loses its tags after a day, when each is asked for and not there', async () => {
    registry.faults.set('tags', new RegistryError('NOT_FOUND', 'gone'));
    expect(faultsOf(await sync())).toEqual([]);
    const since = await unavailableSince();
    expect(since).toBe(clock);
    registry.removeTag(WEB, '1');
    clock += DAY - 10_000;
    await sync();
    expect(Object.values(await tags())).not.toContain(null);

    clock += 10_000;
    registry.faults.set('head', new RegistryError('UNAUTHORIZED', 'who are you'));
    expect(faultsOf(await sync())).toEqual([`${registry.host}/${WEB}:1 UNAUTHORIZED`]);
    expect(Object.values(await tags())).not.toContain(null);

    registry.faults.delete('head');
    await sync();
    expect(await tags()).toEqual({ 1: null });
    expect(await unavailableSince()).toBe(since);
  });

  test('loses nothing while its tags are there, however long it is not listed', async () => {
    registry.faults.set('tags', new RegistryError('NOT_FOUND', 'gone'));
    await sync();
    clock += 3 * DAY;
    await sync();
    expect(await tags()).toEqual({ 1: anImage().digest });
  });

  test.each(['UNAUTHORIZED', 'FORBIDDEN'] as const)(
    'loses nothing when the answer is %s, however long',
    async (code) => {
      registry.faults.set('', new RegistryError(code, 'private now'));
      expect(faultsOf(await sync())).toEqual([`${registry.host}/${WEB} ${code}`]);
      const since = await unavailableSince();
      clock += 30 * DAY;
      expect(faultsOf(await sync())).toEqual([`${registry.host}/${WEB} ${code}`]);
      expect(await unavailableSince()).toBe(since);
      // The day begins when it is said to be gone.
      registry.faults.set('', new RegistryError('NOT_FOUND', 'gone'));
      registry.removeTag(WEB, '1');
      await sync();
      expect(await tags()).toEqual({ 1: anImage().digest });
    },
  );

  test('is available again as soon as it is shown, and a second sync of it writes no row', async () => {
    registry.faults.set('', new RegistryError('FORBIDDEN', 'private now'));
    await sync();
    const before = await rowVersionsOf(database);
    await sync();
    expect(await rowVersionsOf(database)).toEqual(before);
    registry.faults.clear();
    expect(faultsOf(await sync())).toEqual([]);
    expect(await unavailableSince()).toBe(null);
    expect(await tags()).toEqual({ 1: anImage().digest });
  });

  test('loses no tag that is asked for by name alone before the repository has been gone for a day', async () => {
    registry.faults.set('tags', new RegistryError('NOT_FOUND', 'gone'));
    registry.removeTag(WEB, '1');
    expect(faultsOf(await sync({ tags: '1' }))).toEqual([]);
    expect(await tags()).toEqual({ 1: anImage().digest });
    clock += DAY;
    await sync({ tags: '1' });
    expect(await tags()).toEqual({ 1: null });
    // What was deleted before, and is still not there, says nothing of the repository.
    const since = await unavailableSince();
    expect(since).not.toBe(null);
    await sync({ tags: '1' });
    expect(await unavailableSince()).toBe(since);
  });
});

test('what never was there is a fault where it was asked for by name, and none where a list named it', async () => {
  expect(faultsOf(await sync())).toEqual([`${registry.host}/${WEB} NOT_FOUND`]);
  expect(faultsOf(await sync({ repositories: 'app/*' }))).toEqual([]);
  expect(await tags()).toEqual({});
});

describe('what the registry says of a repository', () => {
  const said = { description: 'A web server', isPrivate: false, starCount: 3, pullCount: 1000 };
  const stored = () =>
    database.prisma.repository.findFirstOrThrow({
      select: { description: true, isPrivate: true, starCount: true, pullCount: true, owner: true },
    });

  test('is asked once in a sync, and written when it has changed', async () => {
    let asked = 0;
    let answer = said;
    registry.describeRepository = () => Promise.resolve((asked++, answer));
    registry.push(WEB, '1', anImage());
    await sync();
    await database.prisma.repository.updateMany({ data: { owner: 'team-a' } });
    expect(await stored()).toEqual({ ...said, starCount: 3n, pullCount: 1000n, owner: 'team-a' });

    const before = await rowVersionsOf(database);
    await sync();
    expect(await rowVersionsOf(database)).toEqual(before);

    answer = { ...said, isPrivate: true, pullCount: 1001 };
    await sync();
    expect(await stored()).toMatchObject({ isPrivate: true, pullCount: 1001n, owner: 'team-a' });
    expect(asked).toBe(3);
  });

  test('is no fault of its tags when it cannot be told', async () => {
    registry.describeRepository = () => Promise.reject(new RegistryError('FORBIDDEN', 'not for you'));
    registry.push(WEB, '1', anImage());
    expect(faultsOf(await sync())).toEqual([`${registry.host}/${WEB} (description) FORBIDDEN`]);
    expect(await tags()).toEqual({ 1: anImage().digest });
    expect(await stored()).toMatchObject({ description: null, isPrivate: null });
  });
});

describe('while a listing is read', () => {
  const [old, current] = [anImage({ created: '2026-01-01T00:00:00Z' }), anImage()];

  test('a tag that moves, and whose manifest is gone by then, is moved to what it names now', async () => {
    registry.push(WEB, '1', old);
    registry.pause = (asked) => {
      if (!asked.startsWith(`manifest ${WEB} ${old.digest}`)) return Promise.resolve();
      registry.push(WEB, '1', current);
      registry.removeManifest(WEB, old.digest);
      return Promise.resolve();
    };
    expect((await sync()).faults).toEqual([]);
    expect(await tags()).toEqual({ 1: current.digest });
  });

  test('a tag that vanishes is deleted where it was known, and no fault where it was not', async () => {
    registry.push(WEB, '1', old);
    await sync();
    registry.push(WEB, '1', current);
    registry.push(WEB, '2', current);
    registry.pause = (asked) => {
      if (!asked.startsWith(`manifest ${WEB} ${current.digest}`)) return Promise.resolve();
      registry.removeTag(WEB, '1', true);
      registry.removeTag(WEB, '2');
      return Promise.resolve();
    };
    expect((await sync()).faults).toEqual([]);
    expect(await tags()).toEqual({ 1: null });
  });

  test('tags that come twice are looked at once, and one that is on no page is asked for', async () => {
    for (const tag of ['1', '2', '3']) registry.push(WEB, tag, current);
    await sync();
    registry.listTags = async function* () {
      yield [{ name: '1' as never }, { name: '2' as never }];
      yield [{ name: '2' as never }];
    };
    registry.asked.length = 0;
    expect(await sync()).toMatchObject({ tagsSeen: 2, tagsChanged: 0, faults: [] });
    expect(registry.asked).toHaveLength(3);
    expect(Object.values(await tags())).not.toContain(null);
  });

  test('what was on the pages before it broke off is cataloged, and nothing is deleted', async () => {
    for (const tag of ['1', '2', '3']) registry.push(WEB, tag, current);
    registry.listTags = async function* () {
      yield [{ name: '1' as never }];
      throw new RegistryError('NOT_FOUND', 'page 2');
    };
    expect(faultsOf(await sync())).toEqual([`${registry.host}/${WEB} NOT_FOUND`]);
    expect(await tags()).toEqual({ 1: current.digest });
    expect(await unavailableSince()).toBe(null);
  });
});

test('a page of tags is written before the next is asked for', async () => {
  for (let at = 0; at < 6; at++) registry.push(WEB, `1.${at}`, anImage());
  registry.pageSize = 2;
  const list = registry.listTags.bind(registry);
  const written: number[] = [];
  registry.listTags = async function* (...args) {
    for await (const page of list(...args)) {
      written.push(Object.keys(await tags()).length);
      yield page;
    }
  };
  expect(await sync()).toMatchObject({ tagsSeen: 6, tagsChanged: 6 });
  expect(written).toEqual([0, 2, 4]);
});

test('a manifest that its registry has no more is no longer available', async () => {
  const old = anImage({ created: '2026-01-01T00:00:00Z' });
  registry.push(WEB, 'latest', old);
  await sync();
  registry.push(WEB, 'latest', anImage());
  registry.removeManifest(WEB, old.digest);
  await sync();

  const presence = (await snapshotOf(database))['presence'] as { digest: string; here: boolean }[];
  expect(presence.find((row) => row.digest === old.digest)).toMatchObject({ here: false });
  expect(presence.filter((row) => row.here)).toHaveLength(1);
});

test('a mirror that does not have something any more proves nothing, and is not asked for it', async () => {
  const [old, gone] = [anImage({ architecture: 'arm64' }), anImage({ architecture: 's390x' })];
  registry.isMirror = true;
  registry.push(WEB, 'latest', old);
  registry.push(WEB, 'gone', gone);
  await sync();
  registry.push(WEB, 'latest', anImage());
  registry.removeManifest(WEB, old.digest);
  registry.removeTag(WEB, 'gone', true);
  registry.asked.length = 0;
  expect(faultsOf(await sync())).toEqual([]);

  expect(await tags()).toMatchObject({ gone: gone.digest });
  const presence = (await snapshotOf(database))['presence'] as { digest: string; here: boolean }[];
  expect(presence.filter((row) => row.here)).toHaveLength(3);
  expect(registry.countAsked(`head ${WEB} gone`)).toBe(0);
});

test('a manifest of which that could not be found out is asked for again by the next sync, and only then', async () => {
  const old = anImage({ created: '2026-01-01T00:00:00Z' });
  registry.push(WEB, 'latest', old);
  await sync();
  registry.push(WEB, 'latest', anImage());
  registry.removeManifest(WEB, old.digest);
  registry.faults.set(`head ${WEB} ${old.digest}`, new RegistryError('UNAVAILABLE', 'reset'));
  expect(faultsOf(await sync())).toEqual([`${registry.host}/${WEB}@${old.digest} UNAVAILABLE`]);
  const isHere = async () => {
    const presence = (await snapshotOf(database))['presence'] as { digest: string; here: boolean }[];
    return presence.find((row) => row.digest === old.digest)?.here;
  };
  expect(await isHere()).toBe(true);

  registry.faults.clear();
  expect(faultsOf(await sync())).toEqual([]);
  expect(await isHere()).toBe(false);
  registry.asked.length = 0;
  await sync();
  expect(registry.countAsked(`head ${WEB} ${old.digest}`)).toBe(0);
});

test('members of an index that is gone are asked for, unless another tag still reaches them', async () => {
  const [shared, lonely, kept] = ['amd64', 'arm64', 's390x'].map((architecture) => anImage({ architecture }));
  const index = anIndex([shared, lonely, kept] as Content[]);
  registry.push(WEB, '1', index);
  registry.push(WEB, '1-amd64', shared as Content);
  await sync();
  registry.removeTag(WEB, '1', true);
  registry.removeManifest(WEB, (lonely as Content).digest);
  registry.asked.length = 0;
  await sync();

  const presence = (await snapshotOf(database))['presence'] as { digest: string; here: boolean }[];
  const isHere = new Map(presence.map((row) => [row.digest, row.here]));
  expect([index, shared, lonely, kept].map((content) => isHere.get((content as Content).digest))).toEqual([
    false,
    true,
    false,
    true,
  ]);
  expect(registry.countAsked(`head ${WEB} ${(shared as Content).digest}`)).toBe(0);
});

test('one broken tag does not keep the others out, and is whole again when its content is', async () => {
  const broken = anImage({ layers: [aLayer('x')], configExtra: { rootfs: { diff_ids: [] } } });
  const sparse = anIndex([{ content: anImage(), platform: AMD64 }]);
  registry.push(WEB, 'broken', broken);
  registry.push(WEB, 'good', anImage());
  registry.push(WEB, 'index', sparse);
  const config = (JSON.parse(anImage().raw.toString()) as { config: { digest: string } }).config.digest;
  registry.faults.set(`blob ${WEB} ${config}`, new RegistryError('DIGEST_MISMATCH', 'other bytes'));

  expect(faultsOf(await sync()).sort()).toEqual([
    `${registry.host}/${WEB}:broken MALFORMED`,
    `${registry.host}/${WEB}:good DIGEST_MISMATCH`,
    `${registry.host}/${WEB}:index DIGEST_MISMATCH`,
  ]);
  expect(await tags()).toEqual({});

  registry.faults.clear();
  expect(faultsOf(await sync())).toEqual([`${registry.host}/${WEB}:broken MALFORMED`]);
  expect(await tags()).toEqual({ good: anImage().digest, index: sparse.digest });
});

test('of very many faults the first thousand are told, and how many more there were', async () => {
  for (let at = 0; at < 1005; at++) registry.push(WEB, `t${at}`, anImage());
  registry.faults.set('head', new RegistryError('RATE_LIMITED', 'not now', { retryAt: new Date(clock + 60_000) }));
  const { faults } = await sync();
  expect(faults).toHaveLength(1001);
  expect(faults.at(-1)).toMatchObject({
    reference: `${registry.host}/${WEB}`,
    error: { code: 'RATE_LIMITED', message: expect.stringMatching(/^5 faults more .*: not now$/) as string },
  });
  expect((faults.at(-1)?.error as RegistryError).retryAt?.getTime()).toBeGreaterThan(clock);
});

test('one tag that PostgreSQL refuses, or that is too large, does not keep the others out', async () => {
  registry.push(WEB, 'good', anImage());
  registry.push(WEB, 'odd', anImage({ os: 'x'.repeat(100_000), created: '2026-03-01T00:00:00Z' }));
  const members = Array.from({ length: 400 }, (_, at) => anImage({ created: new Date(at * 1000).toISOString() }));
  const inner = [0, 1, 2].map((third) =>
    anIndex(members.map((_, at) => anImage({ layers: [aLayer(`${third} ${at}`)] }))),
  );
  registry.push(WEB, 'huge', anIndex(inner));

  expect(faultsOf(await sync())).toEqual([`${registry.host}/${WEB}:huge TOO_LARGE`]);
  expect(Object.keys(await tags()).sort()).toEqual(['good', 'odd']);
});

test('an index stands without a member that the registry does not have, and gains it when it comes', async () => {
  const missing = anImage({ architecture: 'arm64' });
  const index = anIndex([
    { content: anImage(), platform: AMD64 },
    { content: missing, platform: ARM64 },
  ]);
  registry.push(WEB, '1', index);
  registry.removeManifest(WEB, missing.digest);
  expect((await sync()).faults).toEqual([]);
  expect((await snapshotOf(database))['entry']).toMatchObject([{ child: anImage().digest }, { child: null }]);

  registry.push(WEB, '1-arm64', missing);
  await sync();
  expect((await snapshotOf(database))['entry']).toMatchObject([{}, { child: missing.digest }]);
});

test('indexes that stand in each other without end are cut off, and keep no other tag out', async () => {
  let nested = anIndex([anImage()]);
  for (let depth = 0; depth < 5; depth++) nested = anIndex([nested]);
  registry.push(WEB, 'nested', nested);
  registry.push(WEB, 'good', anImage());
  expect(faultsOf(await sync())).toEqual([`${registry.host}/${WEB}:nested TOO_LARGE`]);
  expect(Object.keys(await tags())).toEqual(['good']);
});

test('a configuration that says to be larger than any is not fetched', async () => {
  const config = { mediaType: OCI_CONFIG, digest: digestOf(Buffer.from('large')), size: 4 * 1024 * 1024 + 1 };
  registry.push(WEB, 'large', anImage({ manifestExtra: { config } }));
  expect(faultsOf(await sync())).toEqual([`${registry.host}/${WEB}:large TOO_LARGE`]);
  expect(registry.countAsked('blob')).toBe(0);
});

test('an index may list one image twice, and two of one platform, in their order', async () => {
  const [one, two] = [anImage(), anImage({ created: '2026-02-02T00:00:00Z' })];
  registry.push(WEB, '1', anIndex([one, two, one].map((content) => ({ content, platform: AMD64 }))));
  expect((await sync()).faults).toEqual([]);
  expect((await snapshotOf(database))['entry']).toMatchObject([
    { child: one.digest },
    { child: two.digest },
    { child: one.digest },
  ]);
});

test('addresses that stand in a layer are kept, and never asked', async () => {
  const elsewhere = await startScriptedServer();
  const layer = aLayer('foreign');
  const urls = [`${elsewhere.url.href}layer.tar`];
  registry.push(WEB, '1', anImage({ layers: [layer], manifestExtra: { layers: [{ ...descriptorOf(layer), urls }] } }));
  expect((await sync()).faults).toEqual([]);
  expect(elsewhere.requests).toEqual([]);
  await elsewhere.close();
});

describe('what is said of bases', () => {
  const BASE = anImage({ layers: [aLayer('base')] });
  const hex = BASE.digest.slice('sha256:'.length);
  const MATERIAL = { uri: 'pkg:docker/alpine@3.18?platform=linux%2Famd64', digest: { sha256: hex } };
  const SAID = { digest: hex, host: 'docker.io', repository: 'library/alpine', tag: '3.18' };

  function attested(image: Content, attestation: Content): Content {
    return anIndex([
      { content: image, platform: AMD64 },
      {
        content: attestation,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': image.digest,
        },
      },
    ]);
  }

  const claims = async () => (await snapshotOf(database))['claim'];

  test('by annotations and by provenance is kept for the image, whether the base is there or not', async () => {
    const annotations = {
      'org.opencontainers.image.base.digest': BASE.digest,
      'org.opencontainers.image.base.name': 'alpine:3.18',
    };
    const image = anImage({ annotations });
    registry.push(WEB, '1', attested(image, anAttestation([MATERIAL])));
    await sync();
    expect(await claims()).toEqual([
      { image: image.digest, evidence: 'ANNOTATION', ...SAID },
      { image: image.digest, evidence: 'PROVENANCE', ...SAID },
    ]);
  });

  test('by an attestation that refers to the image by itself is kept as well', async () => {
    const image = anImage();
    const inIndex = anAttestation([MATERIAL]);
    const subject = { mediaType: image.mediaType, digest: image.digest, size: image.raw.length };
    const attestation = document(
      inIndex.mediaType,
      { ...(JSON.parse(inIndex.raw.toString()) as object), subject },
      inIndex.parts,
    );
    registry.hasReferrersApi = true;
    registry.push(WEB, '1', image);
    registry.push(WEB, null, attestation);
    await sync();
    expect(await claims()).toEqual([{ image: image.digest, evidence: 'PROVENANCE', ...SAID }]);
  });

  test('is said once, however many indexes and syncs say it', async () => {
    const image = anImage({ annotations: { 'org.opencontainers.image.base.name': 'alpine:3.18' } });
    registry.push(WEB, '1', attested(image, anAttestation([MATERIAL])));
    registry.push(WEB, '2', attested(image, anAttestation([MATERIAL, { uri: 'pkg:docker/golang@1.24' }])));
    await sync();
    await sync();
    expect(await claims()).toHaveLength(3);
  });

  test.each([
    ['is gone', new RegistryError('NOT_FOUND', 'no such blob'), 'no such blob'],
    ['is other bytes', new RegistryError('DIGEST_MISMATCH', 'other bytes'), 'other bytes'],
  ])('by a provenance that %s is an error of the run, and stops nothing', async (_, fault, message) => {
    const image = anImage();
    const attestation = anAttestation([MATERIAL]);
    registry.push(WEB, '1', attested(image, attestation));
    registry.faults.set(`blob ${WEB} ${attestation.parts[1]?.digest}`, fault);
    const report = await sync();
    expect(report.faults).toEqual([
      { reference: `registry.example.com/${WEB}@${attestation.digest}`, error: expect.objectContaining({ message }) },
    ]);
    expect(Object.keys(await tags())).toEqual(['1']);
    expect(await claims()).toEqual([]);
  });

  test('by a provenance that is larger than any is not fetched', async () => {
    const attestation = anAttestation([MATERIAL]);
    const manifest = JSON.parse(attestation.raw.toString()) as { layers: { size: number }[] };
    const [layer] = manifest.layers;
    const huge = document(
      attestation.mediaType,
      { ...manifest, layers: [{ ...layer, size: 4 * 1024 * 1024 + 1 }] },
      attestation.parts,
    );
    registry.push(WEB, '1', attested(anImage(), huge));
    const { faults } = await sync();
    expect(faults.map(({ error }) => error.message)).toEqual(['the provenance has 4194305 bytes, more than 4194304']);
    expect(registry.countAsked(`blob ${WEB} ${attestation.parts[1]?.digest}`)).toBe(0);
  });

  test('by a provenance that the registry could not serve is fetched with its tag, when that is tried again', async () => {
    const attestation = anAttestation([MATERIAL]);
    registry.push(WEB, '1', attested(anImage(), attestation));
    const asked = `blob ${WEB} ${attestation.parts[1]?.digest}`;
    registry.faults.set(asked, new RegistryError('UNAVAILABLE', 'overloaded'));
    expect((await sync()).faults).toHaveLength(1);
    expect(await tags()).toEqual({});
    registry.faults.delete(asked);
    expect((await sync()).faults).toEqual([]);
    expect(await claims()).toHaveLength(1);
  });
});

test('follows only the platforms of the source, with their attestations', async () => {
  const amd64 = anImage();
  const arm64 = anImage({ architecture: 'arm64', variant: 'v8' });
  const attests = (content: Content) => ({
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': content.digest,
  });
  const attestation = anAttestation();
  const unknown = { os: 'unknown', architecture: 'unknown' };
  const index = anIndex([
    { content: amd64, platform: AMD64 },
    { content: arm64, platform: ARM64 },
    { content: attestation, platform: unknown, annotations: attests(arm64) },
  ]);
  registry.push(WEB, '1', index);

  await sync({ platforms: ['linux/arm64'] });

  expect((await snapshotOf(database))['entry']).toMatchObject([
    { child: null },
    { child: arm64.digest },
    { child: attestation.digest },
  ]);
  const rows = (await snapshotOf(database))['manifest'] as { digest: string; kind: string; subject: string | null }[];
  expect(rows.find((row) => row.digest === attestation.digest)).toMatchObject({
    kind: 'ARTIFACT',
    subject: arm64.digest,
  });
});

test('a source that wants more platforms than before gets them, without a tag that moves', async () => {
  const arm64 = anImage({ architecture: 'arm64' });
  const members = [
    { content: anImage(), platform: AMD64 },
    { content: arm64, platform: ARM64 },
  ];
  registry.push(WEB, '1', anIndex(members));
  await sync({ platforms: ['linux/amd64'] });
  await sync();
  expect((await snapshotOf(database))['entry']).toMatchObject([{}, { child: arm64.digest }]);
  expect(await events()).toEqual(['CREATED 1']);

  registry.asked.length = 0;
  await sync({ platforms: ['linux/amd64'] });
  await sync();
  expect(registry.countAsked('manifest')).toBe(0);
});

test.each([true, false])('catalogs what refers to an image, with the referrers API: %s', async (hasApi) => {
  const image = anImage();
  const sbom = anArtifact('application/example.sbom', image);
  registry.hasReferrersApi = hasApi;
  registry.push(WEB, '1.0', image);
  registry.push(WEB, null, sbom);
  if (!hasApi) registry.push(WEB, `sha256-${image.digest.slice(7)}`, anIndex([sbom]));

  await sync({ tags: '1.*' });

  expect(await tags()).toEqual({ '1.0': image.digest });
  const known = await knownManifests(database, [sbom.digest]);
  expect(known.get(sbom.digest)).toMatchObject({ kind: 'ARTIFACT' });
});

describe('what refers to an image and comes after it', () => {
  const image = anImage();
  const sbom = anArtifact('application/example.sbom', image);
  const tagOf = (suffix = '') => `sha256-${image.digest.slice(7)}${suffix}`;

  async function subjectsOf(...contents: Content[]): Promise<unknown[]> {
    const rows = (await snapshotOf(database))['manifest'] as { digest: string; subject: string | null }[];
    return contents.map(({ digest }) => rows.find((row) => row.digest === digest)?.subject);
  }

  beforeEach(async () => {
    registry.push(WEB, '1.0', image);
    await sync();
  });

  test('under a tag that stands in for the list is cataloged by the next sync, whatever tags are selected', async () => {
    registry.push(WEB, tagOf(), anIndex([sbom]));
    expect(await sync({ tags: '1.*', maxTags: 1 })).toMatchObject({ tagsChanged: 0, manifestsFetched: 2, faults: [] });
    expect(await tags()).toEqual({ '1.0': image.digest });
    expect(await subjectsOf(sbom, anIndex([sbom]))).toEqual([image.digest, null]);

    const second = anArtifact('application/vnd.cyclonedx+json', image);
    registry.push(WEB, tagOf(), anIndex([sbom, second]));
    await sync();
    expect(await subjectsOf(second)).toEqual([image.digest]);
  });

  test('is tied to it by the name of a tag of cosign, whose document says nothing of it', async () => {
    const [signature, attestation] = [
      anArtifact('application/x-signature', null),
      anArtifact('application/x-att', null),
    ];
    registry.push(WEB, tagOf('.sig'), signature);
    registry.push(WEB, tagOf('.att'), attestation);
    await sync({ tags: '1.*' });
    expect(await tags()).toEqual({ '1.0': image.digest });
    expect(await subjectsOf(signature, attestation)).toEqual([image.digest, image.digest]);
  });

  test('costs no more than an unchanged tag when it is known, and writes no row', async () => {
    registry.push(WEB, tagOf('.sig'), anArtifact('application/x-signature', null));
    await sync({ tags: '1.*' });
    const before = await rowVersionsOf(database);
    registry.asked.length = 0;
    await sync({ tags: '1.*' });
    expect(registry.asked).toEqual([`tags ${WEB}`, `head ${WEB} 1.0`, `head ${WEB} ${tagOf('.sig')}`]);
    expect(await rowVersionsOf(database)).toEqual(before);
  });

  test('to what the catalog does not have is left alone', async () => {
    registry.push(WEB, `sha256-${'0'.repeat(64)}.sig`, sbom);
    registry.asked.length = 0;
    await sync({ tags: '1.*' });
    expect(registry.asked).toEqual([`tags ${WEB}`, `head ${WEB} 1.0`]);
  });

  test('is found by a sync of its tag alone, as a webhook asks for', async () => {
    const signature = anArtifact('application/x-signature', null);
    registry.push(WEB, tagOf('.sig'), signature);
    expect((await sync({ tags: tagOf('.sig') })).faults).toEqual([]);
    expect(registry.countAsked('tags')).toBe(1);
    expect(await tags()).toEqual({ '1.0': image.digest, [tagOf('.sig')]: signature.digest });
    expect(await subjectsOf(signature)).toEqual([image.digest]);
  });

  test('is asked of the list of referrers once a day, a request for each manifest that tags name', async () => {
    registry.hasReferrersApi = true;
    registry.push(WEB, 'latest', image);
    await sync();
    registry.push(WEB, null, sbom);
    registry.asked.length = 0;
    await sync();
    expect(registry.countAsked('referrers')).toBe(0);

    clock += DAY;
    expect(await sync()).toMatchObject({ tagsChanged: 0, manifestsFetched: 1 });
    expect(registry.countAsked('referrers')).toBe(1);
    expect(await subjectsOf(sbom)).toEqual([image.digest]);
    await sync();
    expect(registry.countAsked('referrers')).toBe(1);
  });
});

test('keeps the newest tags by version, and leaves the others as they are', async () => {
  for (const tag of ['1.9', '1.10', '1.2', 'latest', '2.0-rc1']) registry.push(WEB, tag, anImage());
  await sync({ maxTags: 2 });
  expect(Object.keys(await tags()).sort()).toEqual(['1.10', '2.0-rc1']);
  await sync({ tags: '1.*' });
  expect(Object.keys(await tags()).sort()).toEqual(['1.10', '1.2', '1.9', '2.0-rc1']);
  expect(await events()).toHaveLength(4);
});

test('leaves out tags behind a !, in whatever order', async () => {
  for (const tag of ['1.0', '1.1', '1.1-rc1', '2.0']) registry.push(WEB, tag, anImage());
  await sync({ tags: '!*-rc*, 1.*' });
  expect(Object.keys(await tags()).sort()).toEqual(['1.0', '1.1']);
  await sync({ tags: '!1.*' });
  expect(Object.keys(await tags()).sort()).toEqual(['1.0', '1.1', '2.0']);
});

describe('the newest tags by date', () => {
  test('are those that were pushed last, as the list says, however many pages there are', async () => {
    for (let at = 0; at < 8; at++) {
      registry.push(WEB, `v${at}`, anImage());
      registry.listed.set(`v${at}`, { pushedAt: new Date(Date.UTC(2026, 0, 1 + ((at * 5) % 8))) });
    }
    registry.push(WEB, 'v9', anImage());
    registry.pageSize = 3;
    expect(await sync({ maxTags: 3, newestBy: 'PUSHED_AT' })).toMatchObject({ tagsSeen: 3, faults: [] });
    // v3 on the 8th, v6 on the 7th, v1 on the 6th; of v9 nobody knows.
    expect(Object.keys(await tags()).sort()).toEqual(['v1', 'v3', 'v6']);
  });

  test('are not guessed where the list has no dates: the run says what to do', async () => {
    registry.push(WEB, '1', anImage());
    const { faults } = await sync({ maxTags: 1, newestBy: 'PUSHED_AT' });
    expect(faults.map(({ reference, error }) => [reference, error.message])).toEqual([
      [
        `${registry.host}/${WEB}`,
        "the registry does not list when tags were pushed, so its newest 1 can't be told by date; let the source take them by version (newestBy)",
      ],
    ]);
    expect(await tags()).toEqual({});
  });
});

test('the newest of very many tags are the same, however few are kept in mind', () => {
  const names = Array.from({ length: 20_000 }, (_, at) => `1.${(at * 7919) % 20_000}`);
  const plan = new TagPlan({ tags: null, maxTags: 5, newestBy: 'VERSION' });
  for (let from = 0; from < names.length; from += 100) {
    expect(plan.add(names.slice(from, from + 100).map((name) => ({ name: name as never })))).toEqual([]);
  }
  expect(
    plan
      .newest()
      .map(({ name }) => name)
      .sort(),
  ).toEqual([5, 4, 3, 2, 1].map((at) => `1.${20_000 - at}`));
  expect(plan.missing(['1.1', '2.0'] as never[])).toEqual(['2.0']);
});

test('one tag alone is asked for without listing the others', async () => {
  registry.push(WEB, '1', anImage());
  registry.push(WEB, '2', anImage());
  await sync({ tags: '2' });
  expect(registry.countAsked('tags')).toBe(0);
  expect(Object.keys(await tags())).toEqual(['2']);
  await sync({ tags: '2, 1' });
  expect(registry.countAsked('tags')).toBe(0);
  expect(Object.keys(await tags())).toEqual(['1', '2']);
  registry.removeTag(WEB, '2');
  await sync({ tags: '2' });
  expect(registry.countAsked('tags')).toBe(1);
  expect(await tags()).toEqual({ 1: anImage().digest, 2: null });
  expect(faultsOf(await sync({ tags: '3' }))).toEqual([`${registry.host}/${WEB}:3 NOT_FOUND`]);
});

test('a history that the registry itself remembers is told in its order', async () => {
  const [old, current] = [anImage({ created: '2026-01-01T00:00:00Z' }), anImage()];
  registry.push(WEB, 'v1', old);
  registry.push(WEB, 'v1', current);
  registry.listTags = async function* () {
    yield [{ name: 'v1' as never, digest: current.digest, previous: [old.digest] }];
  };
  await sync();
  await sync();
  expect(await events()).toEqual(['CREATED v1', 'MOVED v1']);
  expect(await tags()).toEqual({ v1: current.digest });
});

test('cut short at any request and run again, it ends like one that was not', async () => {
  for (let at = 0; at < 40; at++) {
    const layers = [aLayer('base'), aLayer(`app ${at % 7}`)];
    registry.push(
      WEB,
      `1.${at}`,
      at % 3 === 0
        ? anIndex([{ content: anImage({ layers }) }])
        : anImage({ layers, created: `2026-01-${String((at % 28) + 1).padStart(2, '0')}T00:00:00Z` }),
    );
  }
  await sync();
  const whole = await snapshotOf(database);
  const requests = registry.asked.length;

  for (const stopAt of [1, 20, Math.floor(requests / 2), requests - 3]) {
    await database.run('truncate repository, manifest, layer, held_image, held_blob, held_total cascade', []);
    const abort = new AbortController();
    let count = 0;
    registry.pause = async () => {
      if (++count === stopAt) abort.abort(new Error('killed'));
      abort.signal.throwIfAborted();
    };
    await expect(sync({}, abort.signal)).rejects.toThrow('killed');
    registry.pause = () => Promise.resolve();
    await sync();
    expect(await snapshotOf(database)).toEqual(whole);
  }
});

/** Several repositories and writers may meet the same layers at the same time. */
test('writers that meet in the same layers neither lose a count nor wait for each other for ever', async () => {
  const names = Array.from({ length: 12 }, (_, at) => `app/n${at}` as RepositoryName);
  for (const [at, name] of names.entries()) {
    for (let tag = 0; tag < 10; tag++) {
      const layers = [aLayer('base'), aLayer(`shared ${(at + tag) % 5}`), aLayer(`own ${at} ${tag}`)];
      registry.push(name, `t${tag}`, anImage({ layers }));
    }
    registry.push(name, 'common', anImage({ layers: [aLayer('base'), aLayer('common')] }));
  }
  const reports = await Promise.all(names.map((name) => sync({}, undefined, name)));

  expect(reports.flatMap((report) => report.faults)).toEqual([]);
  const wrong = await database.run(
    `select l.id from layer l
     where image_count <> (select count(distinct image_id) from image_layer il where il.layer_id = l.id)`,
    [],
  );
  expect(wrong).toEqual([]);
  const catalog = await snapshotOf(database);
  expect(catalog['image']).toHaveLength(12 * 10 + 1);
  const layers = catalog['layer']?.length;
  expect(catalog['heldTotal']).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ scope: 'REGISTRY', key: registry.host, images: 121, layers }),
      expect.objectContaining({ scope: 'CATALOG', images: 121, layers }),
    ]),
  );
});
