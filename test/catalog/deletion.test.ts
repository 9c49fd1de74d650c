import fc from 'fast-check';
import { createReads } from '../../src/catalog/read/index.ts';
import * as catalog from '../../src/catalog/write/index.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { RepositoryName, TagName } from '../../src/domain/reference.ts';
import type { RegistryError } from '../../src/domain/errors.ts';
import { syncRepository } from '../../src/sync/index.ts';
import { collectManifests } from '../../src/sync/collect-manifests.ts';
import { aLayer, anArtifact, anAttestation, anImage, anIndex, type Content } from '../support/content.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';
import { addRuntime, observed, report } from '../support/observed-container.ts';
import { snapshotOf } from '../support/snapshot.ts';

const AT = new Date('2026-06-01T00:00:00Z');

describe('over any history of recordings and deletions', () => {
  /** Images that share layers, and packings of these; indexes that share images, stand in each other, list nothing. */
  const [one, two, three, four] = [
    anImage({ layers: [aLayer('base')] }),
    anImage({ layers: [aLayer('base'), aLayer('app')], architecture: 'arm64' }),
    anImage({ layers: [aLayer('base', 'zstd', 700), aLayer('app'), aLayer('top')] }),
    anImage({
      layers: [aLayer('own'), aLayer('own')],
      annotations: { 'org.opencontainers.image.base.name': 'base:1' },
    }),
  ] as const;
  const signature = anArtifact('application/vnd.example.signature', four);
  const pair = anIndex([one, two]);
  const contents: readonly Content[] = [
    one,
    two,
    three,
    four,
    anImage({ layers: [] }),
    signature,
    anArtifact('application/vnd.example.sbom', pair),
    anArtifact('application/vnd.example.signature', signature),
    pair,
    anIndex([two, three]),
    anIndex([pair, four]),
    anIndex([
      { content: three, platform: { os: 'linux', architecture: 'amd64' } },
      {
        content: anAttestation(),
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': three.digest,
        },
      },
    ]),
    anIndex([]),
  ];
  const PLACES = [0, 1, 2] as const;
  const place = fc.constantFrom(...PLACES);
  const content = fc.nat(contents.length - 1);
  const record = fc.record({
    kind: fc.constant('record' as const),
    place,
    content,
    tag: fc.option(fc.constantFrom('1', '2', 'latest')),
  });
  const remove = fc.record({ kind: fc.constant('delete' as const), place: fc.option(place), content });
  /** What runs from now on. */
  const run = fc.record({
    kind: fc.constant('run' as const),
    running: fc.uniqueArray(fc.nat(contents.length - 1), { maxLength: 3 }),
  });
  const selection = fc.oneof(
    fc.constant(null),
    fc.array(content, { minLength: 1, maxLength: contents.length, size: 'max' }),
  );

  const digestsAt = (places: readonly number[]) => places.map((at) => (contents[at] as Content).digest);

  let database: TestDatabase;
  let fresh: TestDatabase;
  let ground: Map<Digest, catalog.ManifestContent>;

  beforeAll(async () => {
    [database, fresh] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    const registry = new MemoryRegistry();
    for (const each of contents) registry.push('all', null, each);
    const { contents: parsed } = await collectManifests(
      {
        registry,
        repository: 'all' as RepositoryName,
        platforms: [],
        known: () => Promise.resolve(new Map()),
        parallel: 4,
        signal: new AbortController().signal,
      },
      contents.map(({ digest }) => digest),
    );
    ground = new Map(parsed.map((each) => [each.digest, each]));
  });

  afterAll(() => Promise.all([database.close(), fresh.close()]));

  beforeEach(() => Promise.all([empty(database), empty(fresh)]));

  test('the catalog is what a fresh one would be that was told what is left', async () => {
    await fc.assert(
      fc
        .asyncProperty(
          fc.array(fc.oneof({ weight: 6, arbitrary: record }, { weight: 2, arbitrary: remove }, run), {
            maxLength: 25,
          }),
          async (steps) => {
            const model = new Model(ground);
            for (const step of steps) {
              if (step.kind === 'run') {
                await runOnly(database, model.run(digestsAt(step.running)));
                continue;
              }
              const { digest } = contents[step.content] as Content;
              if (step.kind === 'record') {
                const recorded = model.record(step.place, digest, step.tag as TagName | null);
                await recordAll(database, recorded, new Map([[step.place, new Map([[step.tag as TagName, digest]])]]), [
                  digest,
                ]);
              } else {
                expect(await deleteOne(database, digest, step.place)).toEqual(model.delete(digest, step.place));
              }
            }
            for (const at of PLACES) {
              const left = [...model.held(at)];
              const tags = new Map([[at, model.tags(at)]]);
              await recordAll(
                fresh,
                left.map((digest) => ground.get(digest) as catalog.ManifestContent),
                tags,
                left,
                at,
              );
            }
            expect(await statementOf(database)).toEqual(await statementOf(fresh));
          },
        )
        .afterEach(() => Promise.all([empty(database), empty(fresh)]).then(() => undefined)),
      { seed: 20261124, numRuns: 40 },
    );
  }, 120_000);

  test('a simulation says what is blocked, and frees what deleting the rest then frees', async () => {
    await fc.assert(
      fc
        .asyncProperty(
          fc.array(record, { minLength: 1, maxLength: 12 }),
          run,
          selection,
          async (steps, { running }, selected) => {
            const model = new Model(ground);
            for (const step of steps) {
              const { digest } = contents[step.content] as Content;
              const recorded = model.record(step.place, digest, step.tag as TagName | null);
              await recordAll(database, recorded, new Map([[step.place, new Map([[step.tag as TagName, digest]])]]), [
                digest,
              ]);
            }
            await runOnly(database, model.run(digestsAt(running)));
            const reads = createReads(database);
            const digests = selected === null ? null : digestsAt(selected);
            const filter = digests ? { or: digests.map((digest) => ({ digest })) } : { tagged: false };
            const chosen = digests ? digests.filter((digest) => model.isImage(digest)) : model.untagged();
            const { blocked, deletable } = model.simulate(new Set(chosen));

            const simulation = await reads.simulateDeletion({ filter });
            const [toGo, toStay] = await Promise.all([
              reads.deletableImages.page({ filter, first: 100 }),
              reads.blockedImages.page({ filter, first: 100 }),
            ]);
            expect(toGo.nodes.map((image) => image.digest).sort()).toEqual([...deletable].sort());
            expect(toStay.nodes.map(({ image }) => image.digest).sort()).toEqual([...blocked].sort());
            const isInUse = toStay.nodes
              .filter(({ containerCount }) => containerCount > 0)
              .map(({ image }) => image.digest);
            expect(new Set(isInUse)).toEqual(model.inUse.intersection(blocked));
            expect(simulation).toMatchObject({ deletableCount: deletable.size, blockedCount: blocked.size });
            expect(simulation.freedSize).toBe(model.sizeWithout(deletable));

            let freed = 0;
            for (const digest of [...model.indexesWith(new Set(chosen)), ...deletable]) {
              const outcome = await deleteOne(database, digest, null);
              if (outcome.kind === 'deleted') freed += outcome.freed;
            }
            expect(freed).toBe(simulation.freedSize);
            expect(await reads.simulateDeletion({ filter })).toMatchObject({
              deletableCount: 0,
              blockedCount: blocked.size,
            });
          },
        )
        .afterEach(() => empty(database)),
      { seed: 20261124, numRuns: 40 },
    );
  }, 120_000);
});

describe('while a sync is at work', () => {
  const WEB = 'app/web' as RepositoryName;
  let database: TestDatabase;
  let registry: MemoryRegistry;
  let registryId: number;

  beforeEach(async () => {
    database = await createTestDatabase();
    registry = new MemoryRegistry();
    const { host } = registry;
    const row = {
      host,
      kind: 'OCI',
      title: null,
      url: `https://${host}`,
      managedBy: 'API',
      credential: null,
      webhookSecret: null,
    } as const;
    registryId = await catalog.saveRegistry(database, row);
  });

  afterEach(() => database.close());

  async function sync() {
    const place = { registryId, name: WEB };
    const scope = { registryId, repositories: WEB, ...catalog.EVERY_TAG };
    const { signal } = new AbortController();
    const before = (await catalog.knownRepositories(database, registryId, [WEB])).get(WEB) ?? null;
    const report = await syncRepository({ database, registry, scope, name: WEB, before, signal, now: () => AT });
    await database.transaction((connection) => catalog.recountRepository(connection, place));
    if (report.synced) await catalog.recordSynced(database, registryId, new Map([[WEB, report.synced]]), AT);
    return report;
  }

  async function deleteEverywhere(digest: Digest): Promise<void> {
    await database.transaction(async (connection) => {
      await catalog.holdContent(connection);
      const request = { digest, repositoryId: null, takesIndexes: true };
      const plan = await catalog.planDeletion(connection, request);
      if (plan !== null) await catalog.deletePlanned(connection, plan, null, AT);
    });
  }

  test('what it relied on and is deleted is fetched again, and no index is left without its image', async () => {
    const image = anImage({ layers: [aLayer('base')] });
    registry.push(WEB, '1', image);
    await sync();
    const index = anIndex([image, anImage({ layers: [aLayer('base'), aLayer('app')], architecture: 'arm64' })]);
    registry.push(WEB, '2', index);
    let isDeleted = false;
    registry.pause = async (asked) => {
      // The index was read, and its first image found in the catalog.
      if (isDeleted || !asked.startsWith('blob')) return;
      isDeleted = true;
      await deleteEverywhere(image.digest);
    };

    const { faults } = await sync();
    expect(isDeleted).toBe(true);
    expect(faults.map(({ reference, error }) => [reference, (error as RegistryError).isTransient])).toEqual([
      [`${registry.host}/${WEB}:2`, true],
    ]);
    await sync();

    const fresh = await createTestDatabase();
    try {
      const before = { database, registryId };
      database = fresh;
      const row = {
        host: registry.host,
        kind: 'OCI',
        title: null,
        url: 'https://fresh',
        managedBy: 'API',
        credential: null,
        webhookSecret: null,
      };
      registryId = await catalog.saveRegistry(fresh, row as catalog.NewRegistry);
      await sync();
      const expected = await statementOf(fresh);
      ({ database, registryId } = before);
      expect(await statementOf(database)).toEqual(expected);
    } finally {
      await fresh.close();
    }
  });

  test('a deletion and many syncs of the same content end, and leave what the last of them wrote', async () => {
    const images = Array.from({ length: 12 }, (_, at) =>
      anImage({ layers: [aLayer('base'), aLayer('app'), aLayer(`own ${at}`)] }),
    );
    images.forEach((image, at) => registry.push(WEB, `${at}`, image));
    await sync();
    for (let round = 0; round < 3; round++) {
      await Promise.all([sync(), ...images.map(({ digest }) => deleteEverywhere(digest))]);
    }
    const { faults } = await sync();
    expect(faults).toEqual([]);
    expect(await database.run('select name from tag where manifest_id is null', [])).toEqual([]);
    expect(await database.run('select image_count, count(*) as layers from layer group by 1 order by 1', [])).toEqual([
      { image_count: 1, layers: 12 },
      { image_count: 12, layers: 2 },
    ]);
    const [counts] = await database.run('select tag_count, image_count, layer_count from repository', []);
    expect(counts).toEqual({ tag_count: 12, image_count: 12, layer_count: 14 });
    const [lost] = await database.run(
      'select count(*) as count from image i where layer_count <> (select count(*) from image_layer where image_id = manifest_id)',
      [],
    );
    expect(lost).toEqual({ count: 0 });
  });
});

type Outcome =
  | { readonly kind: 'missing' }
  | { readonly kind: 'held' }
  | { readonly kind: 'used' }
  | { readonly kind: 'deleted'; readonly removed: number; readonly freed: number };

/** What the catalog has to say after the same steps, by the rules as they are written in ADR 13. */
class Model {
  readonly #ground: ReadonlyMap<Digest, catalog.ManifestContent>;
  readonly #held = new Map<number, Set<Digest>>();
  readonly #tags = new Map<number, Map<TagName, Digest>>();
  /** Images of which there are containers. */
  inUse: ReadonlySet<Digest> = new Set();

  constructor(ground: ReadonlyMap<Digest, catalog.ManifestContent>) {
    this.#ground = ground;
  }

  held(place: number): Set<Digest> {
    return this.#held.get(place) ?? new Set();
  }

  tags(place: number): Map<TagName, Digest> {
    return this.#tags.get(place) ?? new Map<TagName, Digest>();
  }

  isImage(digest: Digest): boolean {
    return this.#all().has(digest) && this.#kindOf(digest) === 'IMAGE';
  }

  record(place: number, digest: Digest, tag: TagName | null): catalog.ManifestContent[] {
    const reached = this.#below(digest);
    this.#held.set(place, this.held(place).union(reached));
    if (tag !== null) this.#tags.set(place, new Map([...this.tags(place), [tag, digest]]));
    return [...reached].map((each) => this.#ground.get(each) as catalog.ManifestContent);
  }

  /** Answers with those that the catalog can tie to an image. */
  run(digests: readonly Digest[]): readonly Digest[] {
    const known = digests.filter((each) => this.isImage(each));
    this.inUse = new Set(known);
    return known;
  }

  delete(digest: Digest, place: number | null): Outcome {
    const there = place === null ? this.#all() : this.held(place);
    if (!there.has(digest)) return { kind: 'missing' };
    const parents = (child: Digest, among = there) => [...among].filter((each) => this.#members(each).includes(child));
    const isTagged = (each: Digest) => this.#places(place).some((at) => [...this.tags(at).values()].includes(each));
    const kept = this.#keptIndexes(this.#below(digest), there, isTagged);
    const staying = (each: Digest) => this.#kindOf(digest) === 'ARTIFACT' || kept.has(each);

    const going = grown(new Set([digest]), (each) => parents(each).filter((index) => !staying(index)));
    const about = (each: Digest) =>
      [...there].filter((other) => this.#kindOf(other) === 'ARTIFACT' && this.#subject(other) === each);
    const candidates = grown(going, (each) =>
      [...this.#members(each), ...about(each)].filter((other) => there.has(other)),
    );
    const doomed = shrunk(candidates, (each, left) => {
      if (going.has(each)) return true;
      if (isTagged(each)) return false;
      const own = parents(each);
      return own.length > 0 ? own.every((index) => left.has(index)) : left.has(this.#subject(each) as Digest);
    });
    if (doomed.intersection(this.inUse).size > 0) return { kind: 'used' };
    if (parents(digest).some(staying)) return { kind: 'held' };
    const elsewhere = this.#places(null).filter((at) => place !== null && at !== place);
    const removed = shrunk(
      doomed,
      (each, left) =>
        !elsewhere.some((at) => this.held(at).has(each)) &&
        (place === null || parents(each, this.#all()).every((index) => left.has(index))),
    );
    const freed = this.sizeWithout(removed);
    for (const at of this.#places(place)) {
      this.#held.set(at, this.held(at).difference(doomed));
      this.#tags.set(at, new Map([...this.tags(at)].filter(([, target]) => !doomed.has(target))));
    }
    return { kind: 'deleted', removed: removed.size, freed };
  }

  simulate(chosen: ReadonlySet<Digest>): { blocked: Set<Digest>; deletable: Set<Digest> } {
    const kept = this.#keptIndexes(chosen, this.#all(), (each) => this.#isTagged(each));
    const isHeld = (each: Digest) => [...kept].some((index) => this.#members(index).includes(each));
    const blocked = new Set([...chosen].filter((each) => this.inUse.has(each) || isHeld(each)));
    return { blocked, deletable: chosen.difference(blocked) };
  }

  /** Untagged indexes that go with these images, those that list others first. */
  indexesWith(chosen: ReadonlySet<Digest>): Digest[] {
    const all = this.#all();
    const kept = this.#keptIndexes(chosen, all, (each) => this.#isTagged(each));
    const above = this.#above(chosen, all).difference(kept);
    return [...above].sort((a, b) => this.#below(b).size - this.#below(a).size);
  }

  untagged(): Digest[] {
    const tagged = [...this.#all()].filter((each) => this.#isTagged(each));
    const reached = new Set(tagged.flatMap((each) => [...this.#below(each)]));
    return [...this.#all()].filter((each) => this.isImage(each) && !reached.has(each));
  }

  /** Bytes of blobs that only these use. */
  sizeWithout(removed: ReadonlySet<Digest>): number {
    const blobs = (digests: Iterable<Digest>) =>
      new Map(
        [...digests]
          .flatMap((each) => {
            const content = this.#ground.get(each) as catalog.ManifestContent;
            return 'layers' in content ? content.layers : [];
          })
          .map(({ blob }) => [`${blob.digest} ${blob.size}`, blob.size]),
      );
    const left = blobs(this.#all().difference(removed));
    return [...blobs(removed)].reduce((sum, [key, size]) => sum + (left.has(key) ? 0 : size), 0);
  }

  #keptIndexes(
    chosen: ReadonlySet<Digest>,
    there: ReadonlySet<Digest>,
    isTagged: (each: Digest) => boolean,
  ): Set<Digest> {
    const above = this.#above(chosen, there);
    const going = chosen.difference(this.inUse);
    const reachesOther = (index: Digest) =>
      [...this.#below(index)].some((each) => this.isImage(each) && !going.has(each));
    const seeds = new Set([...above].filter((each) => isTagged(each) || reachesOther(each)));
    return grown(seeds, (each) => this.#members(each).filter((member) => above.has(member)));
  }

  #above(chosen: ReadonlySet<Digest>, there: ReadonlySet<Digest>): Set<Digest> {
    const listing = (each: Digest) =>
      [...there].filter((index) => !chosen.has(index) && this.#members(index).includes(each));
    return grown(new Set(chosen), listing).difference(chosen);
  }

  #isTagged(digest: Digest): boolean {
    return this.#places(null).some((at) => [...this.tags(at).values()].includes(digest));
  }

  #places(place: number | null): number[] {
    return place === null ? [...this.#held.keys()] : [place];
  }

  #all(): Set<Digest> {
    return [...this.#held.values()].reduce((all, held) => all.union(held), new Set<Digest>());
  }

  #below(digest: Digest): Set<Digest> {
    return grown(new Set([digest]), (each) => this.#members(each));
  }

  #members(digest: Digest): Digest[] {
    const { manifest } = this.#ground.get(digest) as catalog.ManifestContent;
    return manifest.kind === 'INDEX' ? manifest.entries.map((entry) => entry.digest as Digest) : [];
  }

  #kindOf(digest: Digest): string {
    return (this.#ground.get(digest) as catalog.ManifestContent).manifest.kind;
  }

  #subject(digest: Digest): Digest | null {
    return (this.#ground.get(digest) as catalog.ManifestContent).subject;
  }
}

function grown(seeds: ReadonlySet<Digest>, next: (each: Digest) => readonly Digest[]): Set<Digest> {
  const all = new Set(seeds);
  for (const each of all) for (const other of next(each)) all.add(other);
  return all;
}

/** The largest part of a set in which everything may be. */
function shrunk(set: ReadonlySet<Digest>, mayBe: (each: Digest, left: ReadonlySet<Digest>) => boolean): Set<Digest> {
  let left = new Set(set);
  for (;;) {
    const next = new Set([...left].filter((each) => mayBe(each, left)));
    if (next.size === left.size) return left;
    left = next;
  }
}

async function deleteOne(database: TestDatabase, digest: Digest, place: number | null): Promise<Outcome> {
  return database.transaction(async (connection): Promise<Outcome> => {
    await catalog.holdContent(connection);
    const repository = place === null ? null : await catalog.findRepository(connection, referenceOf(place));
    if (place !== null && repository === null) return { kind: 'missing' };
    const repositoryId = repository?.id ?? null;
    const plan = await catalog.planDeletion(connection, { digest, repositoryId, takesIndexes: true });
    if (plan === null) return { kind: 'missing' };
    if (plan.inUse.length > 0) return { kind: 'used' };
    if (plan.heldBy.length > 0) return { kind: 'held' };
    const freed = await catalog.deletePlanned(connection, plan, repositoryId, AT);
    return { kind: 'deleted', removed: plan.removed.length, freed };
  });
}

/** An engine has a container of each of these images, and no others. */
async function runOnly(database: TestDatabase, digests: readonly Digest[]): Promise<void> {
  pictures += 1;
  await report(
    database,
    await addRuntime(database, 'host'),
    new Date(AT.getTime() + pictures).toISOString(),
    digests.map((digest) => observed({ containerId: digest, evidence: [{ via: 'MANIFEST', digest }] })),
  );
}

/** So that none comes before the last. */
let pictures = 0;

/** Two repositories of one registry, and one of another. */
function referenceOf(place: number) {
  const [host, repository] = [
    ['one.example.com', 'app/web'],
    ['one.example.com', 'app/api'],
    ['two.example.com', 'other/web'],
  ][place] as [string, string];
  return { host, repository } as Parameters<typeof catalog.findRepository>[1];
}

async function recordAll(
  database: TestDatabase,
  contents: readonly catalog.ManifestContent[],
  tags: ReadonlyMap<number, ReadonlyMap<TagName | null, Digest>>,
  roots: readonly Digest[],
  at?: number,
): Promise<void> {
  for (const [place, names] of tags) {
    const { host, repository: name } = referenceOf(at ?? place);
    const stored = await catalog.findRegistry(database, { host });
    const registry = {
      host,
      kind: 'OCI',
      title: null,
      url: `https://${host}`,
      managedBy: 'API',
      credential: null,
      webhookSecret: null,
    } as const;
    const registryId = stored?.id ?? (await catalog.saveRegistry(database, registry));
    const named = new Map([...names].filter(([tag]) => tag !== null)) as Map<TagName, Digest>;
    await database.transaction(async (connection) => {
      await catalog.shareContent(connection);
      const { written, images } = await catalog.recordManifests(connection, contents, AT);
      await written;
      const where = { registryId, name };
      await catalog.touchRepository(connection, where, AT);
      await catalog.recordPresence(connection, where, roots, AT);
      await catalog.moveTags(connection, where, named, AT);
      await catalog.countImages(connection, images);
    });
    await database.transaction((connection) => catalog.recountRepository(connection, { registryId, name }));
  }
}

/** Without history, which stays, and which a fresh catalog does not have; and without repositories that hold nothing. */
async function statementOf(database: TestDatabase): Promise<Record<string, unknown>> {
  const { event, tag, repository, repositoryTotal, layer, ...rest } = await snapshotOf(database);
  expect(event).toBeDefined();
  return {
    ...rest,
    tag: (tag as { alive: boolean }[]).filter(({ alive }) => alive),
    repository: (repository as Record<string, number>[])
      .filter((each) => (each['image_count'] ?? 0) + (each['tag_count'] ?? 0) > 0)
      .map((each) => ({ ...each, event_count: null })),
    repositoryTotal: (repositoryTotal as { tags: number }[])
      .filter(({ tags }) => tags > 0)
      .map((each) => ({ ...each, events: null })),
    layer: layer?.map((each) => ({ ...(each as object), first_seen_at: null })),
    blob: await database.run(
      'select digest_text(digest) as digest, media_type, size from layer_blob order by 1, 2, 3',
      [],
    ),
    heldBlob: await database.run(
      `select g.host, digest_text(b.digest) as digest, b.size, h.os, h.architecture
       from held_blob h join registry g on g.id = h.registry_id left join layer_blob b on b.id = h.blob_id
       order by 1, 2, 3, 4, 5`,
      [],
    ),
    lost: await database.run(
      `select e.id from tag_event e
       where e.from_id not in (select id from manifest) or e.to_id not in (select id from manifest)`,
      [],
    ),
  };
}

async function empty(database: TestDatabase): Promise<void> {
  await database.run('truncate registry, manifest, layer, base_claim, held_image, held_blob, held_total cascade', []);
}
