import { parseTimestamp } from '../../src/domain/timestamp.ts';
import {
  describeRegistry,
  readExpected,
  startRegistry,
  type Expected,
  type ExpectedLayer,
  type ExpectedManifest,
  type RealRegistry,
} from '../support/shared-images.ts';
import { rowVersionsOf } from '../support/snapshot.ts';
import { startStowage, type RunningStowage } from '../support/stowage.ts';

describeRegistry('real images in a real registry', () => {
  let registry: RealRegistry;
  let stowage: RunningStowage;
  let source: string;
  let expected: Expected;
  let seenEvents = 0;
  /** Right after the sync that followed each stage. */
  const instants: Date[] = [];

  beforeAll(async () => {
    expected = readExpected();
    [registry, stowage] = await Promise.all([startRegistry(), startStowage()]);
    source = await stowage.follow(registry.host, '*');
  }, 120_000);

  afterAll(async () => {
    await stowage.close();
    await registry.stop();
  });

  test.each([1, 2, 3])(
    'after stage %i each tag names what was pushed, and its history shows each move once',
    async (stage) => {
      const before = await tagsOf(stowage, registry.host);
      await registry.load(stage);
      const run = await stowage.sync(source);
      expect(run).toMatchObject({ status: 'SUCCEEDED', errors: { nodes: [] } });

      const tags = await tagsOf(stowage, registry.host);
      expect(tags).toEqual(expectedTags(expected, stage));
      const events = await eventsOf(stowage);
      expect(events.slice(seenEvents).sort()).toEqual(movesBetween(before, tags));
      seenEvents = events.length;
      instants.push(new Date());
    },
    120_000,
  );

  test('a second sync sends no GET for a manifest or a blob, and changes no row', async () => {
    const rows = await rowVersionsOf(stowage.database);
    const requests = registry.requests().length;
    const run = await stowage.sync(source);
    expect(run).toMatchObject({ status: 'SUCCEEDED', tagsChanged: 0, manifestsFetched: 0 });
    const sent = registry.requests().slice(requests);
    expect(sent.filter((line) => line.startsWith('HEAD'))).toHaveLength(run.tagsSeen);
    expect(sent.filter((line) => /^GET .*\/(manifests|blobs)\//.test(line))).toEqual([]);
    expect(await rowVersionsOf(stowage.database)).toEqual(rows);
  });

  test('every manifest is cataloged as it is', async () => {
    const reachable = Object.entries(expected.manifests).filter(
      ([digest, manifest]) => manifest.kind !== 'artifact' || isTagged(expected, digest, manifest),
    );
    const differences: string[] = [];
    for (let from = 0; from < reachable.length; from += 10) {
      const batch = reachable.slice(from, from + 10);
      const found = await manifestsOf(
        stowage,
        batch.map(([digest]) => digest),
      );
      for (const [digest, manifest] of batch) {
        const told = found.get(digest);
        const { kind } = manifest;
        try {
          expect(told).not.toBeNull();
          expect(told).toEqual(asTold(digest, manifest, told as ToldManifest, registry.host));
        } catch (error) {
          differences.push(`${kind} ${digest}: ${(error as Error).message}`);
        }
      }
    }
    expect(differences).toEqual([]);
    expect(reachable.length).toBeGreaterThan(100);
  }, 60_000);

  test('two versions of one image differ in the layers and labels that differ in their documents', async () => {
    const tags = expected.repositories['acme/shop-api']?.tags ?? {};
    const [from, to] = ['1.24.0', '1.24.1'].map((tag) => expected.manifests[tags[tag] as string]);
    const before = new Set(from?.layers?.map((layer) => layer.diff_id));
    const added = to?.layers?.filter((layer) => !before.has(layer.diff_id)) ?? [];
    const { diff } = await stowage.ask<{ diff: object }>(
      `query ($from: ImageReference!, $to: ImageReference!) {
        diff(from: $from, to: $to) {
          from { digest } to { digest } sizeChange pullSize
          commonLayers { digest } addedLayers { digest } configChanges { field before after }
        }
      }`,
      { from: `${registry.host}/acme/shop-api:1.24.0`, to: `${registry.host}/acme/shop-api:1.24.1` },
    );
    expect(diff).toEqual({
      from: { digest: tags['1.24.0'] },
      to: { digest: tags['1.24.1'] },
      sizeChange: (to?.layers_size ?? 0) - (from?.layers_size ?? 0),
      pullSize: added.reduce((sum, { size }) => sum + size, 0),
      commonLayers: to?.layers?.filter((layer) => before.has(layer.diff_id)).map(({ digest }) => ({ digest })),
      addedLayers: added.map(({ digest }) => ({ digest })),
      configChanges: [
        {
          field: 'createdAt',
          ...betweenTexts(from, to, ({ created }) => new Date(created ?? '').toISOString()),
        },
        ...['revision', 'version']
          .map((name) => `org.opencontainers.image.${name}`)
          .map((name) => ({ field: `labels.${name}`, ...betweenTexts(from, to, ({ labels }) => labels?.[name]) })),
      ],
    });
    expect(added).toHaveLength(1);
  });

  test('whoever rebuilds an image finds all that is built on it, and the tags that name those now', async () => {
    const base = expected.repositories['library/debian']?.tags['12'] as string;
    const { image } = await stowage.ask<{
      image: { derivedImages: { nodes: { digest: string; tags: { nodes: { reference: string }[] } }[] } };
    }>(
      `query ($reference: ImageReference!) {
        image(reference: $reference) {
          derivedImages(first: 100) { nodes { digest tags(first: 100) { nodes { reference } } } }
        }
      }`,
      { reference: `${registry.host}/library/debian:12` },
    );
    const found = image.derivedImages.nodes.map(({ digest, tags }) => [
      digest,
      tags.nodes.map(({ reference }) => reference.slice(registry.host.length + 1)).sort(),
    ]);
    const stack = diffIdsOf(expected, base);
    const built = imagesIn(expected).filter((digest) => {
      const own = diffIdsOf(expected, digest);
      return own.length > stack.length && stack.every((diffId, at) => own[at] === diffId);
    });
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(built.map((digest) => [digest, tagsReaching(expected, digest).sort()])),
    );
    expect(built.length).toBeGreaterThan(5);
  });

  test('whoever asks what a tag meant after a stage of pushes is told what it named then', async () => {
    const names = Object.keys(expected.repositories['library/alpine']?.tags ?? {});
    for (const [at, instant] of instants.entries()) {
      const fields = names.map(
        (name, place) =>
          `t${place}: manifestAsOf(reference: "${registry.host}/library/alpine:${name}", at: $at) { digest }`,
      );
      const told = await stowage.ask<Record<string, { digest: string } | null>>(
        `query ($at: DateTime!) { ${fields.join('\n')} }`,
        { at: instant.toISOString() },
      );
      const then = expectedTags(expected, at + 1)['library/alpine'];
      expect(names.map((name, place) => [name, told[`t${place}`]?.digest])).toEqual(
        names.map((name) => [name, then?.[name]]),
      );
    }
    const meant = instants.map((_, at) => expectedTags(expected, at + 1)['library/alpine']?.['3']);
    expect(new Set(meant).size).toBeGreaterThan(1);
  });

  test('whoever wants to clean up is told what deleting everything untagged would free', async () => {
    const { simulateDeletion } = await stowage.ask<{
      simulateDeletion: {
        deletableCount: number;
        blockedCount: number;
        freedSize: number;
        deletable: { nodes: { digest: string }[] };
      };
    }>(
      `{ simulateDeletion(filter: { tagged: false }) {
           deletableCount blockedCount freedSize deletable(first: 100) { nodes { digest } }
         } }`,
    );
    const untagged = imagesIn(expected).filter((digest) => tagsReaching(expected, digest).length === 0);
    const deletable = new Set(untagged.filter((digest) => indexesListing(expected, digest).length === 0));
    const stays = imagesIn(expected).filter((digest) => !deletable.has(digest));
    const kept = new Set(stays.flatMap((digest) => layersOf(expected, digest).map((layer) => layer.digest)));
    const freed = new Map(
      [...deletable]
        .flatMap((digest) => layersOf(expected, digest))
        .filter((layer) => !kept.has(layer.digest))
        .map(({ digest, size }) => [digest, size]),
    );
    expect({
      ...simulateDeletion,
      deletable: simulateDeletion.deletable.nodes.map(({ digest }) => digest).sort(),
    }).toEqual({
      deletableCount: deletable.size,
      blockedCount: untagged.length - deletable.size,
      freedSize: freed.values().reduce((sum, size) => sum + size, 0),
      deletable: [...deletable].sort(),
    });
    expect(freed.size).toBeGreaterThan(0);
  });

  test('every image has the bases that it has by its layers, and stands on the nearest', async () => {
    const images = Object.entries(expected.manifests).filter(([, { kind }]) => kind === 'image');
    const told = await stacksOf(
      stowage,
      images.map(([digest]) => digest),
    );
    const wanted = new Map<string, unknown>();
    for (const [digest, { bases = [], same_layers_as: twins = [], layers = [] }] of images) {
      const derived = images.filter(([, other]) => other.bases?.some(({ images }) => images.includes(digest)));
      wanted.set(digest, {
        bases: bases.map(({ layers, images }) => ({ layers, images: images.toSorted() })),
        lineage: bases.map(({ layers }) => layers),
        derived: derived.map(([derivedDigest]) => derivedDigest).sort(),
        waves: derived.length,
        twins: layers.length === 0 ? [] : twins.toSorted(),
      });
    }
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(wanted));
    expect(images.filter(([, { bases = [] }]) => bases.length > 0).length).toBeGreaterThan(30);
  }, 60_000);

  test('what builders of real images attached about their bases is kept', async () => {
    const rows = await stowage.database.run<{ repository: string; digest: string }>(
      `select repository, encode(digest, 'hex') as digest from base_claim where evidence = 'PROVENANCE'`,
      [],
    );
    expect(rows).toEqual([
      { repository: 'library/busybox', digest: 'f85340bf132ae937d2c2a763b8335c9bab35d6e8293f70f606b9c6178d84f42b' },
    ]);
  });

  test('a tag deleted in the registry is deleted here, with its history kept', async () => {
    const name = `${registry.host}/odd/appliance`;
    const digest = expected.repositories['odd/appliance']?.tags['latest'] as string;
    await registry.deleteManifest('odd/appliance', digest);
    expect(await stowage.sync(source)).toMatchObject({ status: 'SUCCEEDED', tagsChanged: 1 });
    const { tag, image } = await stowage.ask<{ tag: object; image: object }>(
      `query ($tag: ImageReference!, $digest: Digest!) {
        tag(reference: $tag) { manifest { digest } deletedAt history { nodes { kind } } }
        image(digest: $digest) { isAvailable }
      }`,
      { tag: `${name}:latest`, digest },
    );
    expect(tag).toEqual({
      manifest: null,
      deletedAt: expect.any(String),
      history: { nodes: [{ kind: 'DELETED' }, { kind: 'CREATED' }] },
    });
    expect(image).toEqual({ isAvailable: false });
  });

  interface Change {
    readonly userErrors: readonly { readonly __typename: string; readonly status?: number; readonly code?: string }[];
  }

  const DELETE = `mutation ($input: DeleteImageInput!) {
    change: deleteImage(input: $input) { userErrors { __typename message ... on RegistryRefused { status code } } }
  }`;
  const DELETE_TAG = `mutation ($input: DeleteTagInput!) {
    change: deleteTag(input: $input) { userErrors { __typename message ... on RegistryRefused { status code } } }
  }`;

  async function change(source: string, input: object): Promise<Change['userErrors']> {
    const { change } = await stowage.ask<{ change: Change }>(source, { input: { ...input, deleteFromRegistry: true } });
    return change.userErrors;
  }

  test('an index that is deleted here and there is gone from both, and no sync finds it again', async () => {
    const digest = expected.repositories['acme/shop-api']?.tags['1.24.0-attested'] as string;
    const members = expected.manifests[digest]?.members?.map((member) => member.digest) ?? [];
    const own = members.filter(
      (member) => indexesListing(expected, member).length === 1 && expected.manifests[member]?.tagged_as.length === 0,
    );
    expect(own.length).toBeGreaterThan(0);
    expect(await change(DELETE, { digest })).toEqual([]);
    expect((await fetch(`http://${registry.host}/v2/acme/shop-api/manifests/${digest}`)).status).toBe(404);
    expect(await stowage.sync(source)).toMatchObject({ status: 'SUCCEEDED', tagsChanged: 0, manifestsFetched: 0 });
    const left = await manifestsOf(stowage, [digest, ...members]);
    expect([...left].filter(([, manifest]) => manifest === null).map(([gone]) => gone)).toEqual([digest, ...own]);
  });

  test('a tag that the registry can not delete alone goes with its manifest, or stays', async () => {
    expect(await change(DELETE_TAG, { reference: `${registry.host}/foo/bar:v3` })).toEqual([]);
    expect((await fetch(`http://${registry.host}/v2/foo/bar/manifests/v3`)).status).toBe(404);
    const shared = `${registry.host}/library/busybox:uclibc`;
    expect(await change(DELETE_TAG, { reference: shared })).toEqual([
      {
        __typename: 'RegistryRefused',
        message: expect.stringContaining('it is also 1.37.0-uclibc'),
        status: 400,
        code: 'DIGEST_INVALID',
      },
    ]);
    expect(await stowage.sync(source)).toMatchObject({ status: 'SUCCEEDED', tagsChanged: 0 });
  });

  test('a registry that deletes nothing is quoted, and the next sync finds nothing changed', async () => {
    const refusing = await startRegistry({ deletes: false });
    try {
      await refusing.copy(registry, 'odd/no-layers:latest');
      const followed = await stowage.follow(refusing.host, '*');
      expect(await stowage.sync(followed)).toMatchObject({ status: 'SUCCEEDED', tagsChanged: 1 });
      const rows = await rowVersionsOf(stowage.database);
      const digest = expected.repositories['odd/no-layers']?.tags['latest'] as string;
      const repository = `${refusing.host}/odd/no-layers`;
      const refusal = { __typename: 'RegistryRefused', status: 405, code: 'UNSUPPORTED' };
      expect(await change(DELETE, { digest, repository })).toMatchObject([refusal]);
      expect(await change(DELETE_TAG, { reference: `${repository}:latest` })).toMatchObject([refusal]);
      expect(await stowage.sync(followed)).toMatchObject({ status: 'SUCCEEDED', tagsChanged: 0 });
      expect(await rowVersionsOf(stowage.database)).toEqual(rows);
    } finally {
      await refusing.stop();
    }
  }, 60_000);
});

interface Stack {
  readonly bases: readonly { readonly layers: number; readonly images: readonly string[] }[];
  readonly lineage: readonly number[];
  readonly derived: readonly string[];
  readonly waves: number;
  readonly twins: readonly string[];
}

/** What images stand on and what stands on them, by digest; `waves` is how many images a rebuild has in all. */
async function stacksOf({ ask }: RunningStowage, digests: readonly string[]): Promise<Map<string, Stack>> {
  interface Told {
    baseImage: { digest: string } | null;
    baseCandidates: { image: { digest: string }; layerCount: number }[];
    lineage: { layerCount: number; digest: string }[];
    derivedImages: { nodes: { digest: string }[] };
    impact: { rebuildPlan: { count: number }[] };
    layers: { chainId: string }[];
  }
  const told = new Map<string, Told>();
  for (let from = 0; from < digests.length; from += 10) {
    const batch = digests.slice(from, from + 10);
    const fields = batch.map((digest, at) => `i${at}: image(digest: "${digest}") { ...Stack }`);
    const found = await ask<Record<string, Told>>(
      `{ ${fields.join('\n')} }
      fragment Stack on Image {
        baseImage { digest }
        baseCandidates(first: 100) { image { digest } layerCount }
        lineage(first: 100) { digest layerCount }
        derivedImages(first: 100) { nodes { digest } }
        impact { rebuildPlan { count } }
        layers { chainId }
      }`,
    );
    for (const [at, digest] of batch.entries()) told.set(digest, found[`i${at}`] as Told);
  }
  const topOf = (stack: Told) => stack.layers.at(-1)?.chainId;
  const stacks = new Map<string, Stack>();
  for (const [digest, each] of told) {
    const first = each.baseCandidates[0]?.image.digest ?? null;
    expect([each.baseImage?.digest ?? null, each.lineage[0]?.digest ?? null]).toEqual([first, first]);
    const levels = Map.groupBy(each.baseCandidates, ({ layerCount }) => layerCount);
    stacks.set(digest, {
      bases: [...levels].map(([layers, group]) => ({ layers, images: group.map(({ image }) => image.digest).sort() })),
      lineage: each.lineage.map(({ layerCount }) => layerCount),
      derived: each.derivedImages.nodes.map((image) => image.digest).sort(),
      waves: each.impact.rebuildPlan.reduce((sum, { count }) => sum + count, 0),
      twins: [...told]
        .filter(([other, stack]) => other !== digest && each.layers.length > 0 && topOf(stack) === topOf(each))
        .map(([other]) => other)
        .sort(),
    });
  }
  return stacks;
}

type Tags = Record<string, Record<string, string>>;

function imagesIn({ manifests }: Expected): string[] {
  return Object.keys(manifests).filter((digest) => manifests[digest]?.kind === 'image');
}

function layersOf({ manifests }: Expected, digest: string): readonly ExpectedLayer[] {
  return manifests[digest]?.layers ?? [];
}

function diffIdsOf(expected: Expected, digest: string): (string | undefined)[] {
  return layersOf(expected, digest).map((layer) => layer.diff_id);
}

function indexesListing({ manifests }: Expected, digest: string): string[] {
  return Object.keys(manifests).filter((index) =>
    manifests[index]?.members?.some((member) => member.digest === digest),
  );
}

/** Tags of the manifest, and of every index that it is reached through. */
function tagsReaching(expected: Expected, digest: string): string[] {
  const above = indexesListing(expected, digest).flatMap((index) => tagsReaching(expected, index));
  return [...new Set([...(expected.manifests[digest]?.tagged_as ?? []), ...above])];
}

function betweenTexts(
  from: ExpectedManifest | undefined,
  to: ExpectedManifest | undefined,
  textOf: (image: NonNullable<ExpectedManifest['image']>) => string | undefined,
): object {
  return { before: from?.image && textOf(from.image), after: to?.image && textOf(to.image) };
}

/** Reachable by a tag, or by the tag that stands in for the referrers API. */
function isTagged({ manifests }: Expected, digest: string, manifest: ExpectedManifest): boolean {
  if (manifest.tagged_as.length > 0) return true;
  return Object.values(manifests).some((other) => other.members?.some((member) => member.digest === digest));
}

function expectedTags({ repositories }: Expected, stage: number): Tags {
  const tags: Tags = {};
  for (const [name, { tags_after_stage: stages }] of Object.entries(repositories)) {
    const latest = Object.keys(stages).filter((at) => Number(at) <= stage);
    if (latest.length > 0) tags[name] = stages[latest.sort().at(-1) as string] as Record<string, string>;
  }
  return tags;
}

async function tagsOf({ ask }: RunningStowage, registry: string): Promise<Tags> {
  interface Answer {
    repositories: {
      nodes: { name: string; tagCount: number; tags: { nodes: { name: string; manifest: { digest: string } }[] } }[];
    };
  }
  const { repositories } = await ask<Answer>(
    `query ($registry: String!) {
      repositories(first: 100, filter: { registry: $registry }) {
        nodes { name tagCount tags(first: 100) { nodes { name manifest { digest } } } }
      }
    }`,
    { registry },
  );
  const tags: Tags = {};
  for (const { name, tagCount, tags: page } of repositories.nodes) {
    expect(page.nodes).toHaveLength(tagCount);
    tags[name] = Object.fromEntries(page.nodes.map((tag) => [tag.name, tag.manifest.digest]));
  }
  return tags;
}

function movesBetween(before: Tags, after: Tags): string[] {
  const moves = Object.entries(after).flatMap(([repository, tags]) =>
    Object.entries(tags).flatMap(([tag, digest]) => {
      const earlier = before[repository]?.[tag];
      if (earlier === digest) return [];
      return [`${repository}:${tag} ${earlier ? 'MOVED' : 'CREATED'} ${earlier ?? null} ${digest}`];
    }),
  );
  return moves.sort();
}

interface EventPage {
  readonly tagEvents: {
    readonly nodes: readonly {
      readonly kind: string;
      readonly tagName: string;
      readonly repository: { readonly name: string };
      readonly from: { readonly digest: string } | null;
      readonly to: { readonly digest: string } | null;
    }[];
    readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
  };
}

/** Oldest first. */
async function eventsOf({ ask }: RunningStowage): Promise<string[]> {
  const events: string[] = [];
  let after: string | null = null;
  for (;;) {
    const { tagEvents }: EventPage = await ask<EventPage>(
      `query ($after: String) {
        tagEvents(first: 50, after: $after) {
          nodes { kind tagName repository { name } from { digest } to { digest } }
          pageInfo { endCursor hasNextPage }
        }
      }`,
      { after },
    );
    for (const { kind, tagName, repository, from, to } of tagEvents.nodes) {
      events.push(`${repository.name}:${tagName} ${kind} ${from?.digest ?? null} ${to?.digest ?? null}`);
    }
    if (!tagEvents.pageInfo.hasNextPage) return events.reverse();
    after = tagEvents.pageInfo.endCursor;
  }
}

type ToldManifest = Record<string, unknown> & { readonly history?: readonly { readonly isEmptyLayer: boolean }[] };

async function manifestsOf(
  { ask }: RunningStowage,
  digests: readonly string[],
): Promise<Map<string, ToldManifest | null>> {
  const fields = digests.map((digest, at) => `m${at}: manifest(digest: "${digest}") { ...Whole }`);
  const data = await ask<Record<string, ToldManifest | null>>(`{ ${fields.join('\n')} } ${WHOLE}`);
  return new Map(digests.map((digest, at) => [digest, counted(data[`m${at}`] ?? null)]));
}

/** Of the history, the ground truth has the numbers. */
function counted(told: ToldManifest | null): ToldManifest | null {
  if (told?.history === undefined) return told;
  const empty = told.history.filter((step) => step.isEmptyLayer).length;
  return { ...told, history: { steps: told.history.length, empty } } as unknown as ToldManifest;
}

const WHOLE = `fragment Whole on Manifest {
  __typename digest mediaType manifestSize annotations { name value } isAvailable
  tags(first: 100) { nodes { reference } }
  repositories(first: 100) { nodes { name } }
  subject { digest }
  ... on ImageIndex {
    entries { position digest mediaType platform { os architecture variant osVersion } manifest { digest } }
  }
  ... on Artifact { artifactType blobs { digest mediaType size } }
  ... on Image {
    configDigest platform { os architecture variant osVersion } createdAt author layerCount size
    labels { name value }
    config {
      entrypoint command environment { name value } user workingDirectory exposedPorts { port protocol } volumes
      stopSignal healthcheck { test intervalSeconds }
    }
    history { isEmptyLayer }
    layers { position digest mediaType size layer { diffId } }
  }
}`;

/** What the graph has to say of a manifest, by the ground truth; lists in the order in which it tells them. */
function asTold(digest: string, manifest: ExpectedManifest, told: ToldManifest, registry: string): object {
  const { kind } = manifest;
  const common = {
    digest,
    mediaType: manifest.media_type,
    manifestSize: manifest.size,
    annotations: named(manifest.annotations ?? {}),
    isAvailable: true,
    tags: { nodes: containing(told['tags'], 'reference', directTags(manifest, registry)) },
    repositories: { nodes: containing(told['repositories'], 'name', manifest.in_repositories) },
  };
  const subject = manifest.subject === undefined ? null : { digest: manifest.subject };
  if (kind === 'index') {
    const entries = manifest.members?.map((member, position) => ({
      position,
      digest: member.digest,
      mediaType: member.mediaType,
      platform: member.platform ? platformOf(member.platform, 'os.version') : null,
      manifest: { digest: member.digest },
    }));
    return { __typename: 'ImageIndex', ...common, subject, entries };
  }
  if (kind !== 'image') {
    const blobs = manifest.layers?.map(({ digest, media_type, size }) => ({ digest, mediaType: media_type, size }));
    // BuildKit says it in the index that lists it, cosign in the name of the tag.
    const isSaidElsewhere = kind === 'attestation' || (kind === 'signature' && subject === null);
    const about = isSaidElsewhere ? { digest: expect.any(String) } : subject;
    return { __typename: 'Artifact', ...common, subject: about, artifactType: artifactTypeOf(manifest), blobs };
  }
  return { __typename: 'Image', ...common, subject, ...imageAsTold(manifest) };
}

function imageAsTold({ image, platform, config, layers = [], layers_size }: ExpectedManifest): object {
  if (!image || !platform) throw new Error('the ground truth lacks the image');
  return {
    configDigest: config?.digest,
    platform: platformOf(platform, 'os_version'),
    createdAt: parseTimestamp(image.created)?.toISOString() ?? null,
    author: image.author,
    layerCount: layers.length,
    size: layers_size,
    labels: named(image.labels ?? {}),
    config: {
      entrypoint: image.entrypoint,
      command: image.cmd,
      environment: (image.env ?? []).map(variable),
      user: image.user,
      workingDirectory: image.working_dir,
      exposedPorts: image.exposed_ports.map((text) => {
        const [port, protocol = 'tcp'] = text.split('/');
        return { port: Number(port), protocol };
      }),
      volumes: image.volumes,
      stopSignal: image.stop_signal,
      healthcheck: image.healthcheck && {
        test: image.healthcheck.Test ?? [],
        intervalSeconds: image.healthcheck.Interval === undefined ? null : image.healthcheck.Interval / 1e9,
      },
    },
    history: { steps: image.history, empty: image.empty_history },
    layers: layers.map(({ digest, media_type, size, diff_id }, position) => ({
      position,
      digest,
      mediaType: media_type,
      size,
      layer: { diffId: diff_id },
    })),
  };
}

/** artifactType, else the type of a configuration that is not an image's, else that of the first blob. */
function artifactTypeOf({ artifact_type, layers }: ExpectedManifest): string | undefined {
  return artifact_type ?? layers?.[0]?.media_type;
}

/** The told list, when it has all of these; else these, so that the difference is shown. */
function containing(list: unknown, field: string, wanted: readonly string[]): unknown {
  const { nodes } = list as { nodes: Record<string, string>[] };
  const told = nodes.map((node) => node[field]);
  return wanted.every((value) => told.includes(value)) ? nodes : wanted.map((value) => ({ [field]: value }));
}

function directTags({ tagged_as }: ExpectedManifest, registry: string): string[] {
  return tagged_as.map((name) => `${registry}/${name}`);
}

function named(map: Record<string, string>): { name: string; value: string }[] {
  return Object.keys(map)
    .sort()
    .map((name) => ({ name, value: map[name] as string }));
}

function variable(text: string): { name: string; value: string } {
  const [name = '', ...rest] = text.split('=');
  return { name, value: rest.join('=') };
}

function platformOf(platform: Record<string, string>, osVersion: string): object {
  return {
    os: platform['os'],
    architecture: platform['architecture'],
    variant: platform['variant'] ?? null,
    osVersion: platform[osVersion] ?? null,
  };
}
