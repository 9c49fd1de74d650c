import { recordContainers } from '../../src/catalog/write/index.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { LOCK_SPACES } from '../../src/catalog/lock.ts';
import { catalogOf, type CatalogBuilder, type Content, type ImageContent } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addRuntime, observed, report } from '../support/observed-container.ts';
import { startScriptedServer, type Entry, type ScriptedServer } from '../support/scripted-server.ts';
import { rowVersionsOf } from '../support/snapshot.ts';
import { openTestWeb, type TestWeb } from '../support/web.ts';

let database: TestDatabase;
let build: CatalogBuilder;
let web: TestWeb;

beforeEach(async () => {
  database = await createTestDatabase();
  build = catalogOf(database);
  web = await openTestWeb(database);
});

afterEach(async () => {
  await web.close();
  await database.close();
});

async function data<T>(source: string, variables: Record<string, unknown> = {}, asAdmin = false): Promise<T> {
  const { data, errors } = await web.ask(source, variables, { asAdmin });
  expect(errors).toBeUndefined();
  return data as T;
}

interface UserError {
  readonly __typename: string;
  readonly message: string;
  readonly path: string[];
  readonly status?: number | null;
  readonly code?: string | null;
}

interface Deleted {
  readonly deletedDigest: string | null;
  readonly freedSize: number | null;
  readonly userErrors: UserError[];
}

const ERRORS = 'userErrors { __typename message path ... on RegistryRefused { status code } }';

async function deleteImage(input: Record<string, unknown>): Promise<Deleted> {
  const source = `mutation ($input: DeleteImageInput!) { deleteImage(input: $input) { deletedDigest freedSize ${ERRORS} } }`;
  return (await data<{ deleteImage: Deleted }>(source, { input }, true)).deleteImage;
}

async function deleteTag(
  input: Record<string, unknown>,
): Promise<{ removedId: string | null; userErrors: UserError[] }> {
  const source = `mutation ($input: DeleteTagInput!) { deleteTag(input: $input) { removedId ${ERRORS} } }`;
  type Answer = { deleteTag: { removedId: string | null; userErrors: UserError[] } };
  return (await data<Answer>(source, { input }, true)).deleteTag;
}

/** Which of these manifests the catalog has. */
async function has(...contents: Content[]): Promise<boolean[]> {
  const fields = contents.map(({ digest }, at) => `m${at}: manifest(digest: "${digest}") { digest }`);
  return Object.values(await data<Record<string, object | null>>(`{ ${fields.join(' ')} }`)).map(
    (each) => each !== null,
  );
}

/** A container of an image, asked for from the repository that most of these tests delete in. */
const containerOf = (image: Content, containerId: string = image.digest) =>
  observed({
    containerId,
    imageReference: 'one.example.com/team/app:1',
    evidence: [{ via: 'MANIFEST', digest: image.digest }],
  });

const MORNING = '2026-03-01T08:00:00Z';
const NOON = '2026-03-01T12:00:00Z';

/** Whether an image is there, and what its container is tied to. */
async function ends(image: ImageContent): Promise<{ isThere: boolean; tied: number | null }> {
  const [row] = await database.run<{ isThere: boolean; tied: number | null }>(
    `select exists (select from manifest where id = $1) as "isThere", image_id as tied from container where container_id = $2`,
    [image.id, image.digest],
  );
  return row as { isThere: boolean; tied: number | null };
}

const KEPT = (image: ImageContent) => ({ isThere: true, tied: image.id });
const GONE = { isThere: false, tied: null };

const after = async <T>(ms: number, work: () => Promise<T>): Promise<T> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return work();
};

describe('in the catalog', () => {
  let app: number;
  let amd64: ImageContent;
  let arm64: ImageContent;
  let index: Content;
  let signature: Content;

  beforeEach(async () => {
    app = await build.repository('one.example.com/team/app');
    amd64 = await build.image(app, { layers: ['base', 'amd64'] });
    arm64 = await build.image(app, { layers: ['base', 'arm64'], platform: 'linux/arm64' });
    index = await build.index(app, [
      { child: amd64, platform: 'linux/amd64' },
      { child: arm64, platform: 'linux/arm64' },
    ]);
    signature = await build.artifact(app, 'application/vnd.example.signature', index.digest);
  });

  test('an index goes with its tags, with what only it lists, and with what is about it; its history stays', async () => {
    await build.tag(app, '1', index);
    await build.tag(app, 'arm', arm64);
    const other = await build.image(app, { layers: ['base'] });

    expect(await deleteImage({ digest: index.digest })).toEqual({
      deletedDigest: index.digest,
      freedSize: 1000,
      userErrors: [],
    });
    expect(await has(index, signature, amd64, arm64, other)).toEqual([false, false, false, true, true]);

    const { tag, repository, layers } = await data<Record<string, unknown>>(`{
      tag(reference: "one.example.com/team/app:1") {
        manifest { digest } deletedAt
        history { nodes { kind from { digest } fromDigest to { digest } toDigest } }
      }
      repository(reference: "one.example.com/team/app") { tagCount storedSize images { totalCount } }
      layers { nodes { imageCount } totalCount }
    }`);
    expect(tag).toEqual({
      manifest: null,
      deletedAt: expect.any(String),
      history: {
        nodes: [
          { kind: 'DELETED', from: null, fromDigest: index.digest, to: null, toDigest: null },
          { kind: 'CREATED', from: null, fromDigest: null, to: null, toDigest: index.digest },
        ],
      },
    });
    expect(repository).toEqual({ tagCount: 1, storedSize: 2000, images: { totalCount: 2 } });
    expect(layers).toEqual({ nodes: expect.arrayContaining([{ imageCount: 2 }, { imageCount: 1 }]), totalCount: 2 });
  });

  test('history names a manifest again that comes back', async () => {
    await build.tag(app, '1', index);
    await deleteImage({ digest: index.digest });
    await database.run(
      `insert into manifest (digest, kind, media_type, size, raw, first_seen_at)
       values ($1, 'INDEX', 'application/vnd.oci.image.index.v1+json', 2, '{}', now())`,
      [Buffer.from(index.digest.slice(7), 'hex')],
    );
    expect(
      await data(
        '{ tag(reference: "one.example.com/team/app:1") { history(first: 1) { nodes { from { digest } } } } }',
      ),
    ).toEqual({ tag: { history: { nodes: [{ from: { digest: index.digest } }] } } });
  });

  test('what an index lists stays until the index goes, unless that is untagged and lists no other image', async () => {
    expect((await deleteImage({ digest: amd64.digest })).userErrors).toEqual([
      {
        __typename: 'InvalidInput',
        message: `The image is listed by ${index.digest}: delete that index, and what only it lists goes with it.`,
        path: ['input', 'digest'],
      },
    ]);
    const attestation = await build.artifact(app, 'application/vnd.in-toto+json');
    const single = await build.image(app, { layers: ['single'] });
    const wrapper = await build.index(app, [
      { child: single, platform: 'linux/amd64' },
      { child: attestation, platform: 'unknown/unknown' },
      { child: `sha256:${'9'.repeat(64)}`, platform: 'linux/s390x' },
    ]);
    expect((await deleteImage({ digest: attestation.digest })).userErrors).toMatchObject([
      { path: ['input', 'digest'] },
    ]);
    expect(await deleteImage({ digest: single.digest })).toMatchObject({ freedSize: 1000, userErrors: [] });
    expect(await has(single, wrapper, attestation, amd64, index)).toEqual([false, false, false, true, true]);
  });

  test('from one repository, it is gone there, and from the catalog when it is nowhere else', async () => {
    const mirror = await build.repository('two.example.com/mirror/app');
    for (const each of [amd64, arm64, index]) await build.holds(mirror, each);
    await build.tag(app, '1', index);
    await build.tag(mirror, '1', index);
    const repositories = `query ($digest: Digest!) {
      manifest(digest: $digest) { repositories { nodes { reference } } tags { nodes { reference } } }
    }`;

    expect(await deleteImage({ digest: index.digest, repository: 'one.example.com/team/app' })).toEqual({
      deletedDigest: index.digest,
      freedSize: 0,
      userErrors: [],
    });
    expect(await data(repositories, { digest: index.digest })).toEqual({
      manifest: {
        repositories: { nodes: [{ reference: 'two.example.com/mirror/app' }] },
        tags: { nodes: [{ reference: 'two.example.com/mirror/app:1' }] },
      },
    });
    expect(await has(signature)).toEqual([false]);
    expect(await deleteImage({ digest: index.digest, repository: 'two.example.com/mirror/app' })).toMatchObject({
      freedSize: 3000,
    });
    expect(await has(index, amd64, arm64)).toEqual([false, false, false]);
  });

  test('what is not there is not found, and nothing is changed', async () => {
    await build.repository('two.example.com/empty');
    const rows = await rowVersionsOf(database);
    const unknown = `sha256:${'0'.repeat(64)}`;
    const cases: [Record<string, unknown>, string][] = [
      [{ digest: unknown }, 'digest'],
      [{ digest: amd64.digest, repository: 'two.example.com/empty' }, 'digest'],
      [{ digest: amd64.digest, repository: 'two.example.com/other' }, 'repository'],
      [{ digest: unknown, deleteFromRegistry: true }, 'digest'],
    ];
    for (const [input, member] of cases) {
      expect((await deleteImage(input)).userErrors).toMatchObject([
        { __typename: 'NotFound', path: ['input', member] },
      ]);
    }
    for (const reference of ['one.example.com/team/app:none', 'one.example.com/team/app', 'other.example.com/a:1']) {
      expect((await deleteTag({ reference })).userErrors).toMatchObject([
        { __typename: 'NotFound', path: ['input', 'reference'] },
      ]);
    }
    expect((await deleteTag({ reference: `one.example.com/team/app@${amd64.digest}` })).userErrors).toMatchObject([
      { __typename: 'InvalidInput', path: ['input', 'reference'] },
    ]);
    expect(await rowVersionsOf(database)).toEqual(rows);
  });

  test('a tag goes, and leaves what it named; it can not go twice', async () => {
    const id = await build.tag(app, '1', index);
    const { removedId, userErrors } = await deleteTag({ reference: 'one.example.com/team/app:1' });
    expect(userErrors).toEqual([]);
    expect(removedId).toBe(Buffer.from(`Tag:${id}`).toString('base64url'));
    const source = `query ($id: ID!) {
      node(id: $id) { ... on Tag { manifest { digest } deletedAt history { nodes { kind from { digest } } } repository { tagCount } } }
    }`;
    expect(await data(source, { id: removedId })).toEqual({
      node: {
        manifest: null,
        deletedAt: expect.any(String),
        history: {
          nodes: [
            { kind: 'DELETED', from: { digest: index.digest } },
            { kind: 'CREATED', from: null },
          ],
        },
        repository: { tagCount: 0 },
      },
    });
    expect(await has(index)).toEqual([true]);
    expect((await deleteTag({ reference: 'one.example.com/team/app:1' })).userErrors).toMatchObject([
      { __typename: 'NotFound' },
    ]);
  });

  describe('an image in use', () => {
    let engine: number;

    beforeEach(async () => {
      engine = await addRuntime(database, 'host-1');
    });

    test.each<[string, () => Record<string, unknown>]>([
      ['itself', () => ({ digest: amd64.digest })],
      ['with an index that lists it', () => ({ digest: index.digest })],
      ['from one repository', () => ({ digest: index.digest, repository: 'one.example.com/team/app' })],
      ['at the registry, too', () => ({ digest: index.digest, deleteFromRegistry: true })],
    ])('is not deleted %s, and nothing is changed', async (_, input) => {
      await report(database, engine, MORNING, [{ ...containerOf(amd64), state: 'EXITED' }]);
      const rows = await rowVersionsOf(database);
      expect(await deleteImage(input())).toEqual({
        deletedDigest: null,
        freedSize: null,
        userErrors: [
          {
            __typename: 'ImageInUse',
            message: expect.stringMatching(/^The (image|index) is in use: remove the containers/),
            path: ['input', 'digest'],
          },
        ],
      });
      expect(await rowVersionsOf(database)).toEqual(rows);
    });

    test('is told with the containers of all that would have gone, page by page', async () => {
      await report(database, engine, MORNING, [
        { ...containerOf(amd64, 'c'), state: 'EXITED' },
        containerOf(amd64, 'a'),
        containerOf(arm64, 'b'),
        containerOf(await build.image(app, { layers: ['other'] }), 'other'),
      ]);
      const source = `mutation ($input: DeleteImageInput!, $after: String) {
        deleteImage(input: $input) {
          userErrors { ... on ImageInUse { containers(first: 2, after: $after) { nodes { name } totalCount pageInfo { endCursor } } } }
        }
      }`;
      const ask = async (after: string | null) => {
        const { deleteImage } = await data<{ deleteImage: { userErrors: { containers: InUsePage }[] } }>(
          source,
          { input: { digest: index.digest }, after },
          true,
        );
        return deleteImage.userErrors[0]?.containers as InUsePage;
      };
      interface InUsePage {
        readonly nodes: { name: string }[];
        readonly totalCount: number;
        readonly pageInfo: { endCursor: string };
      }
      const { nodes, totalCount, pageInfo } = await ask(null);
      expect({ nodes, totalCount }).toEqual({ nodes: [{ name: 'a' }, { name: 'b' }], totalCount: 3 });
      expect((await ask(pageInfo.endCursor)).nodes).toEqual([{ name: 'c' }]);
    });

    test('keeps the index that lists it, and so what else that lists', async () => {
      await report(database, engine, MORNING, [containerOf(amd64)]);
      expect((await deleteImage({ digest: arm64.digest })).userErrors).toMatchObject([
        { __typename: 'InvalidInput', message: expect.stringContaining(index.digest) },
      ]);
    });

    test('stands in the way of nothing that leaves it where it is', async () => {
      await report(database, engine, MORNING, [containerOf(amd64)]);
      await build.tag(app, 'amd', amd64);
      expect(await deleteImage({ digest: index.digest })).toMatchObject({ userErrors: [] });
      expect(await has(index, arm64, amd64)).toEqual([false, false, true]);
    });

    test('can be deleted when its containers are removed, and their history stays', async () => {
      await report(database, engine, MORNING, [containerOf(amd64)]);
      await report(database, engine, NOON, []);
      expect(await deleteImage({ digest: index.digest })).toMatchObject({ userErrors: [] });
      expect(await ends(amd64)).toEqual(GONE);
      await report(database, engine, '2026-03-01T13:00:00Z', [containerOf(amd64)]);
      expect(await ends(amd64)).toEqual(GONE);
    });
  });

  describe('while containers come', () => {
    let engine: number;

    beforeEach(async () => {
      engine = await addRuntime(database, 'host-1');
    });

    /** Until a transaction waits for a lock that another holds. */
    async function someoneWaits(): Promise<void> {
      for (;;) {
        const waiting = await database.run(`select from pg_locks where locktype = 'advisory' and not granted`, []);
        if (waiting.length > 0) return;
      }
    }

    test('a container that is written before a deletion keeps its image, though that began sooner than it was committed', async () => {
      const [written, committing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const writer = database.transaction(async (connection) => {
        const seen = [containerOf(amd64)];
        const at = new Date(MORNING);
        await recordContainers(connection, { runtimeId: engine, at, seen, present: null, removed: [], commits: [] });
        written.resolve();
        await committing.promise;
      });
      await written.promise;
      const deletion = deleteImage({ digest: index.digest });
      await someoneWaits();
      committing.resolve();
      await writer;
      expect((await deletion).userErrors).toMatchObject([{ __typename: 'ImageInUse' }]);
      expect(await ends(amd64)).toEqual(KEPT(amd64));
    });

    test('a container that comes while a deletion is at work is one of an unknown image', async () => {
      const [held, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const counting = database.transaction(async (connection) => {
        await connection.run('select pg_advisory_xact_lock($1::int, 0)', [LOCK_SPACES.counts]);
        held.resolve();
        await released.promise;
      });
      await held.promise;
      const deletion = deleteImage({ digest: index.digest });
      await someoneWaits();
      const writer = report(database, engine, MORNING, [containerOf(amd64)]);
      released.resolve();
      await Promise.all([counting, writer]);
      expect((await deletion).userErrors).toEqual([]);
      expect(await ends(amd64)).toEqual(GONE);
    });

    test('of a deletion and a container that come at once one is first, in every round', async () => {
      for (let round = 0; round < 25; round++) {
        const image = await build.image(app, { layers: ['base', `round ${round}`] });
        const seen = [containerOf(image)];
        const [{ userErrors }] = await Promise.all([
          after(round % 5, () => deleteImage({ digest: image.digest })),
          after(4 - (round % 5), () => report(database, engine, MORNING, seen, { present: null })),
        ]);
        expect(await ends(image)).toEqual(userErrors.length > 0 ? KEPT(image) : GONE);
      }
    });
  });

  test('no process that answers has it any more', async () => {
    const other = await openTestWeb(database);
    try {
      const source = `query ($digest: Digest!) {
        image(digest: $digest) { digest layers { digest } }
        images(filter: { repository: "team/app" }) { nodes { digest } }
      }`;
      const ask = async () => (await other.ask(source, { digest: arm64.digest })).data;
      expect(await ask()).toMatchObject({ image: { digest: arm64.digest }, images: { nodes: { length: 2 } } });
      await deleteImage({ digest: index.digest });
      expect(await ask()).toEqual({ image: null, images: { nodes: [] } });
    } finally {
      await other.close();
    }
  });
});

describe('a simulation', () => {
  interface Simulation {
    readonly simulateDeletion: Record<string, unknown>;
  }

  async function simulate(filter: object, fields: string): Promise<Record<string, unknown>> {
    const source = `query ($filter: ImageFilter!) { simulateDeletion(filter: $filter) { ${fields} } }`;
    return (await data<Simulation>(source, { filter })).simulateDeletion;
  }

  const IMAGES = 'nodes { image { digest } reasons { __typename } }';

  test('says what stands in the way of each image, and who would notice', async () => {
    const app = await build.repository('one.example.com/team/app');
    const base = await build.image(app, { layers: ['base'] });
    const built = await build.image(app, { layers: ['base', 'app'] });
    const child = await build.image(app, { layers: ['base', 'child'] });
    const index = await build.index(app, [{ child, platform: 'linux/amd64' }]);
    await build.tag(app, 'index', index);
    for (const name of ['b', 'a', 'c']) await build.tag(app, name, base);
    await build.tag(app, 'child', child);

    database.statements.length = 0;
    const answer = await simulate(
      {},
      `deletableCount blockedCount freedSize
       deletable { nodes { digest } totalCount }
       blocked { nodes { ...Reasons } totalCount pageInfo { hasNextPage } }
       warned { nodes { ...Reasons } totalCount }
     }
   }
   fragment Reasons on BlockedImage {
     image { digest }
     reasons {
       __typename
       ... on ReferencedByIndex { count indexes { digest } }
       ... on NamedByTags { count tags(first: 2) { name } }
       ... on BaseOfImages { count images { digest } }`,
    );
    expect(answer).toEqual({
      deletableCount: 2,
      blockedCount: 1,
      freedSize: 1000,
      deletable: { nodes: [{ digest: base.digest }, { digest: built.digest }], totalCount: 2 },
      blocked: {
        nodes: [
          {
            image: { digest: child.digest },
            reasons: [
              { __typename: 'ReferencedByIndex', count: 1, indexes: [{ digest: index.digest }] },
              { __typename: 'NamedByTags', count: 1, tags: [{ name: 'child' }] },
            ],
          },
        ],
        totalCount: 1,
        pageInfo: { hasNextPage: false },
      },
      warned: {
        nodes: [
          {
            image: { digest: base.digest },
            reasons: [
              { __typename: 'NamedByTags', count: 3, tags: [{ name: 'a' }, { name: 'b' }] },
              { __typename: 'BaseOfImages', count: 2, images: [{ digest: child.digest }, { digest: built.digest }] },
            ],
          },
        ],
        totalCount: 1,
      },
    });
    // The simulation, three pages and their lengths, the indexes and images of reasons with the records of those, and the
    // tags of either page.
    expect(database.statements.length).toBeLessThanOrEqual(12);
  });

  test('says which containers stand in the way, and that the indexes of their images stay', async () => {
    const app = await build.repository('one.example.com/team/app');
    const [used, other, free] = [
      await build.image(app, { layers: ['base', 'used'] }),
      await build.image(app, { layers: ['base', 'other'] }),
      await build.image(app, { layers: ['base', 'free'] }),
    ];
    const index = await build.index(app, [
      { child: used, platform: 'linux/amd64' },
      { child: other, platform: 'linux/arm64' },
    ]);
    const engine = await addRuntime(database, 'host-1');
    const names = ['a', 'b', 'c'];
    await report(
      database,
      engine,
      MORNING,
      names.map((name) => containerOf(used, name)),
    );
    const ReferencedByIndex = { __typename: 'ReferencedByIndex', count: 1, indexes: [{ digest: index.digest }] };
    const simulation = () =>
      simulate(
        {},
        `deletableCount blockedCount freedSize deletable { nodes { digest } }
         blocked { nodes { image { digest } reasons {
           __typename
           ... on ReferencedByIndex { count indexes { digest } }
           ... on UsedByContainers { count containers(first: 2) { name } }
         } } }`,
      );
    expect(await simulation()).toEqual({
      deletableCount: 1,
      blockedCount: 2,
      freedSize: 1000,
      deletable: { nodes: [{ digest: free.digest }] },
      blocked: {
        nodes: [
          {
            image: { digest: used.digest },
            reasons: [
              { __typename: 'UsedByContainers', count: 3, containers: [{ name: 'a' }, { name: 'b' }] },
              ReferencedByIndex,
            ],
          },
          { image: { digest: other.digest }, reasons: [ReferencedByIndex] },
        ],
      },
    });
    await report(database, engine, NOON, []);
    expect(await simulation()).toMatchObject({ deletableCount: 3, blockedCount: 0, freedSize: 4000 });
  });

  test('pages continue where they ended, from the field itself or from the simulation', async () => {
    const app = await build.repository('one.example.com/team/app');
    const images: ImageContent[] = [];
    for (const name of ['1', '2', '3']) {
      const child = await build.image(app, { layers: [name] });
      images.push(child);
      await build.tag(app, name, await build.index(app, [{ child, platform: 'linux/amd64' }]));
    }
    const first = await data<{ simulateDeletion: { blocked: { nodes: object[]; pageInfo: { endCursor: string } } } }>(
      `{ simulateDeletion(filter: {}, first: 2) { blocked { ${IMAGES} pageInfo { endCursor hasNextPage } } } }`,
    );
    const { nodes, pageInfo } = first.simulateDeletion.blocked;
    expect(nodes).toMatchObject(images.slice(0, 2).map(({ digest }) => ({ image: { digest } })));
    expect(pageInfo).toMatchObject({ hasNextPage: true });
    expect(
      await data(
        'query ($after: String) { simulateDeletion(filter: {}, after: $after) { blocked(first: 5) { nodes { image { digest } } } } }',
        {
          after: pageInfo.endCursor,
        },
      ),
    ).toEqual({ simulateDeletion: { blocked: { nodes: [{ image: { digest: images[2]?.digest } }] } } });
  });

  test('names the indexes that go along, and those within these', async () => {
    const app = await build.repository('one.example.com/team/app');
    const [amd64, arm64, kept] = [
      await build.image(app, { layers: ['a'] }),
      await build.image(app, { layers: ['b'], platform: 'linux/arm64' }),
      await build.image(app, { layers: ['c'] }),
    ];
    const inner = await build.index(app, [
      { child: amd64, platform: 'linux/amd64' },
      { child: arm64, platform: 'linux/arm64' },
    ]);
    const outer = await build.index(app, [{ child: inner, platform: 'linux/amd64' }]);
    await build.tag(app, 'kept', await build.index(app, [{ child: kept, platform: 'linux/amd64' }]));
    const answer = await simulate(
      { tagged: false },
      'deletableCount indexes { nodes { digest } totalCount pageInfo { hasNextPage } }',
    );
    expect(answer).toEqual({
      deletableCount: 2,
      indexes: {
        nodes: [{ digest: inner.digest }, { digest: outer.digest }],
        totalCount: 2,
        pageInfo: { hasNextPage: false },
      },
    });
    expect(
      await simulate({ tagged: false }, 'indexes(first: 1) { nodes { digest } pageInfo { hasNextPage } }'),
    ).toEqual({
      indexes: { nodes: [{ digest: inner.digest }], pageInfo: { hasNextPage: true } },
    });
  });

  test.each([
    ['first: 101', 'first'],
    ['after: "x"', 'after'],
  ])('%s of the simulation is refused, whatever is asked of it', async (argument, name) => {
    const { errors } = await web.ask(`{ simulateDeletion(filter: {}, ${argument}) { deletableCount } }`);
    expect(errors).toMatchObject([
      { message: expect.stringMatching(new RegExp(`^${name}`)) as string, extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  test('of more images than it can look at says so', async () => {
    await database.run(
      `with m as (
         insert into manifest (digest, kind, media_type, size, raw, first_seen_at)
         select sha256(n::text::bytea), 'IMAGE', 'm', 2, '{}', now() from generate_series(1, 100001) n returning id, digest
       )
       insert into image (manifest_id, config_digest, os, architecture, run_config, labels, history, layer_count, size, first_seen_at)
       select id, digest, case when id % 2 = 0 then 'linux' else 'windows' end, 'amd64', '{}', '{}', '[]', 0, 0, now() from m`,
      [],
    );
    const { errors } = await web.ask('{ simulateDeletion(filter: {}) { deletableCount } }');
    expect(errors).toMatchObject([
      {
        message: 'filter selects more than 100,000 images: narrow it, such as by repository or createdAt.',
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
    const { deletableCount } = await simulate({ os: 'linux' }, 'deletableCount');
    expect(Math.abs(Number(deletableCount) - 50_000)).toBeLessThan(2);
  }, 60_000);
});

describe('at the registry', () => {
  let server: ScriptedServer;
  let host: string;
  let app: number;
  let image: ImageContent;

  beforeEach(async () => {
    server = await startScriptedServer();
    host = server.url.host;
    app = await build.repository(`${host}/team/app`);
    await database.run('update registry set url = $1', [server.url.href]);
    image = await build.image(app);
    await build.tag(app, '1', image);
  });

  afterEach(() => server.close());

  const ACCESS = { username: 'AKIAEXAMPLE', password: 'its-secret-key' };

  const manifest = (target: string) => `/v2/team/app/manifests/${target}`;

  /** What a look sees that finds nothing. */
  const gone = (target: string): Entry[] => [
    { request: `HEAD ${manifest(target)}`, status: 404 },
    { request: `GET ${manifest(target)}`, status: 404, body: { errors: [{ code: 'MANIFEST_UNKNOWN' }] } },
  ];

  const there = (target: string, digest: Digest): Entry => ({
    request: `HEAD ${manifest(target)}`,
    headers: { 'docker-content-digest': digest, 'content-length': '100' },
    times: 'any',
  });

  const OTHER = `sha256:${'2'.repeat(64)}` as Digest;

  const listing = (...tags: string[]): Entry => ({
    request: 'GET /v2/team/app/tags/list?n=1000',
    body: { name: 'team/app', tags },
  });

  const refusal = (target: string, status: number, code: string): Entry => ({
    request: `DELETE ${manifest(target)}`,
    status,
    body: { errors: [{ code, message: 'no' }] },
  });

  test('it is deleted there first, with the right to do so, and here when it is gone', async () => {
    const challenge = `Bearer realm="${server.url.href}token",service="here",scope="repository:team/app:delete"`;
    server.script(
      { request: `DELETE ${manifest(image.digest)}`, status: 401, headers: { 'www-authenticate': challenge } },
      { request: 'GET /token?service=here&scope=repository%3Ateam%2Fapp%3Adelete', body: { token: 'may-delete' } },
      { request: `DELETE ${manifest(image.digest)}`, having: { authorization: 'Bearer may-delete' }, status: 202 },
      ...gone(image.digest),
    );
    expect(await deleteImage({ digest: image.digest, deleteFromRegistry: true })).toEqual({
      deletedDigest: image.digest,
      freedSize: 2000,
      userErrors: [],
    });
    server.verify();
    expect(await has(image)).toEqual([false]);
  });

  test('one that is gone there already is deleted here', async () => {
    server.script(refusal(image.digest, 404, 'MANIFEST_UNKNOWN'), ...gone(image.digest));
    expect(await deleteImage({ digest: image.digest, deleteFromRegistry: true })).toMatchObject({ userErrors: [] });
    server.verify();
  });

  test.each([
    [405, 'UNSUPPORTED'],
    [403, 'DENIED'],
    [404, 'MANIFEST_UNKNOWN'],
    [500, 'UNKNOWN'],
    [400, 'INVALID'],
  ])('a refusal with %i is handed on with its code %s, and nothing is changed here', async (status, code) => {
    server.script(refusal(image.digest, status, code), there(image.digest, image.digest));
    const rows = await rowVersionsOf(database);
    const outcome = await deleteImage({ digest: image.digest, deleteFromRegistry: true });
    expect(outcome).toEqual({
      deletedDigest: null,
      freedSize: null,
      userErrors: [
        {
          __typename: 'RegistryRefused',
          message: expect.stringContaining(`DELETE ${server.url.href}v2/team/app/manifests/${image.digest}`),
          path: ['input', 'deleteFromRegistry'],
          status,
          code,
        },
      ],
    });
    server.verify();
    expect(await rowVersionsOf(database)).toEqual(rows);
  });

  test('a registry that asks to sign in, one that does not answer, and files are refusals, too', async () => {
    const rows = await rowVersionsOf(database);
    server.script({ request: `DELETE ${manifest(image.digest)}`, status: 401, body: {} });
    expect((await deleteImage({ digest: image.digest, deleteFromRegistry: true })).userErrors).toMatchObject([
      { __typename: 'RegistryRefused', status: 401 },
    ]);
    await database.run(`update registry set url = 'http://127.0.0.1:1'`, []);
    expect((await deleteImage({ digest: image.digest, deleteFromRegistry: true })).userErrors).toMatchObject([
      { __typename: 'RegistryRefused', status: null, code: null },
    ]);
    const folder = new URL('../../samples/', import.meta.url).href;
    await database.run(`update registry set url = $1, kind = 'OCI_LAYOUT'`, [folder]);
    expect((await deleteImage({ digest: image.digest, deleteFromRegistry: true })).userErrors).toMatchObject([
      {
        __typename: 'RegistryRefused',
        message: `${host} is read from files, and Stowage deletes nothing in them.`,
        status: null,
      },
    ]);
    await database.run(`update registry set url = $1, kind = 'OCI'`, [server.url.href]);
    expect({ ...(await rowVersionsOf(database)), registry: null }).toEqual({ ...rows, registry: null });
  });

  test('one that says that it deleted it, and still has it, is not believed', async () => {
    server.script({ request: `DELETE ${manifest(image.digest)}`, status: 202 }, there(image.digest, image.digest));
    expect((await deleteImage({ digest: image.digest, deleteFromRegistry: true })).userErrors).toMatchObject([
      { __typename: 'RegistryRefused', message: expect.stringContaining('still there'), status: 202 },
    ]);
    expect(await has(image)).toEqual([true]);
  });

  test('of several repositories that hold it, the refusal of one says where it is gone already', async () => {
    await build.holds(await build.repository(`${host}/team/copy`), image);
    await database.run('update registry set url = $1', [server.url.href]);
    server.script({ request: `DELETE ${manifest(image.digest)}`, status: 202 }, ...gone(image.digest), {
      request: `DELETE /v2/team/copy/manifests/${image.digest}`,
      status: 405,
      body: { errors: [{ code: 'UNSUPPORTED' }] },
    });
    expect((await deleteImage({ digest: image.digest, deleteFromRegistry: true })).userErrors).toMatchObject([
      {
        __typename: 'RegistryRefused',
        message: expect.stringContaining(`it was deleted in ${host}/team/app before`),
        status: 405,
        code: 'UNSUPPORTED',
      },
    ]);
    server.verify();
    expect(await has(image)).toEqual([true]);
  });

  describe('while containers come', () => {
    let engine: number;

    beforeEach(async () => {
      engine = await addRuntime(database, 'host-1');
    });

    /** The registry deletes, or refuses to, when a container was reported. */
    function meanwhile(target: Content, status: number): Entry {
      return {
        request: `DELETE ${manifest(target.digest)}`,
        answer: (response) =>
          void report(database, engine, MORNING, [containerOf(target)], { present: null }).then(() =>
            response.writeHead(status).end(),
          ),
      };
    }

    test('one that is reported while the registry deletes its image is tied to none', async () => {
      server.script(meanwhile(image, 202), ...gone(image.digest));
      expect(await deleteImage({ digest: image.digest, deleteFromRegistry: true })).toMatchObject({ userErrors: [] });
      expect(await ends(image)).toEqual(GONE);
      expect(await database.run('select from image_deletion', [])).toEqual([]);
    });

    test('one that is reported while the registry refuses is tied by the next picture', async () => {
      server.script(meanwhile(image, 405), there(image.digest, image.digest));
      expect((await deleteImage({ digest: image.digest, deleteFromRegistry: true })).userErrors).toMatchObject([
        { __typename: 'RegistryRefused' },
      ]);
      expect(await ends(image)).toEqual({ isThere: true, tied: null });
      await report(database, engine, NOON, [containerOf(image)]);
      expect(await ends(image)).toEqual(KEPT(image));
    });

    test('one that was removed and comes back meanwhile does not get the image again that it had', async () => {
      await report(database, engine, '2026-02-01T00:00:00Z', [containerOf(image)]);
      await report(database, engine, '2026-02-02T00:00:00Z', []);
      server.script(meanwhile(image, 202), ...gone(image.digest));
      expect(await deleteImage({ digest: image.digest, deleteFromRegistry: true })).toMatchObject({ userErrors: [] });
      expect(await ends(image)).toEqual(GONE);
    });

    test('a deletion that fails, and one whose process ended long ago, stand in the way of no container', async () => {
      await database.run(`update registry set kind = 'NONE'`, []);
      const source = 'mutation ($input: DeleteImageInput!) { deleteImage(input: $input) { deletedDigest } }';
      const input = { digest: image.digest, deleteFromRegistry: true };
      expect((await web.ask(source, { input }, { asAdmin: true })).errors).toHaveLength(1);
      expect(await database.run('select from image_deletion', [])).toEqual([]);
      await database.run(`insert into image_deletion values ($1, now() - interval '11 minutes')`, [image.id]);
      await report(database, engine, MORNING, [containerOf(image)]);
      expect(await ends(image)).toEqual(KEPT(image));
    });

    test('of a deletion and a container that come at once one is first, in every round, whatever the registry does', async () => {
      for (let round = 0; round < 20; round++) {
        const each = await build.image(app, { layers: [`round ${round}`] });
        const refuses = round % 4 === 3;
        server.script(
          { request: `DELETE ${manifest(each.digest)}`, status: refuses ? 405 : 202, times: 'any' },
          { request: `HEAD ${manifest(each.digest)}`, status: refuses ? 200 : 404, times: 'any' },
          { request: `GET ${manifest(each.digest)}`, status: 404, times: 'any' },
        );
        const seen = [containerOf(each)];
        const [{ userErrors }] = await Promise.all([
          after(round % 7, () => deleteImage({ digest: each.digest, deleteFromRegistry: true })),
          after(round % 5, () => report(database, engine, MORNING, seen, { present: null })),
        ]);
        if (userErrors[0]?.__typename === 'RegistryRefused') expect(await ends(each)).toMatchObject({ isThere: true });
        else expect(await ends(each)).toEqual(userErrors.length > 0 ? KEPT(each) : GONE);
      }
    });

    test('a tag whose manifest would go with it stays while that is in use', async () => {
      await report(database, engine, MORNING, [containerOf(image)]);
      server.script(refusal('1', 405, 'UNSUPPORTED'), { ...there('1', image.digest), times: 1 }, listing('1'));
      expect(await deleteTag({ reference: `${host}/team/app:1`, deleteFromRegistry: true })).toEqual({
        removedId: null,
        userErrors: [
          {
            __typename: 'ImageInUse',
            message: expect.stringContaining('what 1 names is in use'),
            path: ['input', 'deleteFromRegistry'],
          },
        ],
      });
      server.verify();
      server.script(
        { request: `DELETE ${manifest('1')}`, status: 202 },
        ...gone('1'),
        there(image.digest, image.digest),
      );
      expect((await deleteTag({ reference: `${host}/team/app:1`, deleteFromRegistry: true })).userErrors).toEqual([]);
      expect(await ends(image)).toEqual(KEPT(image));
    });
  });

  test('an index in the way keeps the registry from being asked, an untagged one too', async () => {
    const index = await build.index(app, [{ child: image, platform: 'linux/amd64' }]);
    expect((await deleteImage({ digest: image.digest, deleteFromRegistry: true })).userErrors).toMatchObject([
      { __typename: 'InvalidInput', message: expect.stringContaining(index.digest) },
    ]);
    expect(server.requests).toEqual([]);
  });

  test('a tag is deleted by its name where the registry does that', async () => {
    await build.tag(app, '2', image);
    const deleted = { request: `DELETE ${manifest('1')}`, status: 202 };
    server.script(deleted, ...gone('1'), there(image.digest, image.digest));
    expect((await deleteTag({ reference: `${host}/team/app:1`, deleteFromRegistry: true })).userErrors).toEqual([]);
    server.verify();
    const source = `{ tag(reference: "${host}/team/app:2") { manifest { digest isAvailable tags { totalCount } } } }`;
    expect(await data(source)).toEqual({
      tag: { manifest: { digest: image.digest, isAvailable: true, tags: { totalCount: 1 } } },
    });
  });

  test.each<[string, () => Entry[], boolean]>([
    ['keeps no manifest without a tag', () => gone(image.digest), false],
    ['does not say', () => [{ request: `HEAD ${manifest(image.digest)}`, status: 403 }], true],
  ])('a registry that %s is asked for the manifest when its last tag is deleted', async (_name, look, isAvailable) => {
    server.script({ request: `DELETE ${manifest('1')}`, status: 202 }, ...gone('1'), ...look());
    expect((await deleteTag({ reference: `${host}/team/app:1`, deleteFromRegistry: true })).userErrors).toEqual([]);
    server.verify();
    expect(await data(`{ image(digest: "${image.digest}") { isAvailable } }`)).toEqual({ image: { isAvailable } });
  });

  test('who may not delete a tag does not have its manifest deleted, whatever the status says', async () => {
    const settings = `kind = 'ECR', host = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'`;
    await database.run(`update registry set ${settings} where url = $1`, [server.url.href]);
    const input = { host: '123456789012.dkr.ecr.eu-west-1.amazonaws.com', credential: ACCESS };
    const update = 'mutation ($input: UpdateRegistryInput!) { updateRegistry(input: $input) { registry { host } } }';
    await data(update, { input }, true);
    server.script({ request: 'POST /', status: 400, body: { __type: 'AccessDeniedException', message: 'no' } });
    const { userErrors } = await deleteTag({ reference: `${input.host}/team/app:1`, deleteFromRegistry: true });
    expect(userErrors).toMatchObject([{ __typename: 'RegistryRefused', code: 'AccessDeniedException' }]);
    server.verify();
  });

  test.each([400, 404, 405])(
    'where it does not, and says so with %i, the manifest that only this tag names is deleted',
    async (status) => {
      server.script(
        refusal('1', status, 'UNSUPPORTED'),
        there('1', image.digest),
        listing('1', '2'),
        there('2', OTHER),
        { request: `DELETE ${manifest(image.digest)}`, status: 202 },
        ...gone(image.digest),
      );
      expect((await deleteTag({ reference: `${host}/team/app:1`, deleteFromRegistry: true })).userErrors).toEqual([]);
      server.verify();
      const source = `{ image(digest: "${image.digest}") { isAvailable } }`;
      expect(await data(source)).toEqual({ image: { isAvailable: false } });
    },
  );

  test('a registry that is known to delete no tags by name is not asked to', async () => {
    const input = { host, credential: { username: 'me', password: 'its-token' } };
    const update = 'mutation ($input: UpdateRegistryInput!) { updateRegistry(input: $input) { registry { host } } }';
    expect(await data(update, { input }, true)).toEqual({ updateRegistry: { registry: { host } } });
    await database.run(`update registry set kind = 'GHCR'`, []);
    const versions = '/orgs/team/packages/container/app/versions';
    const version = { id: 7, name: image.digest, metadata: { container: { tags: ['1'] } } };
    server.script(
      { request: 'GET /users/team', body: { type: 'Organization' }, times: 'any' },
      there('1', image.digest),
      { request: `GET ${versions}?state=active&per_page=100`, body: [version], times: 2 },
      { request: `DELETE ${versions}/7`, having: { authorization: 'Bearer its-token' }, status: 204 },
      ...gone(image.digest),
    );
    expect((await deleteTag({ reference: `${host}/team/app:1`, deleteFromRegistry: true })).userErrors).toEqual([]);
    server.verify();
    expect(await data(`{ image(digest: "${image.digest}") { isAvailable } }`)).toEqual({
      image: { isAvailable: false },
    });
  });

  test('a tag that is gone there already takes no manifest with it', async () => {
    server.script(refusal('1', 405, 'UNSUPPORTED'), ...gone('1'), there(image.digest, image.digest));
    expect((await deleteTag({ reference: `${host}/team/app:1`, deleteFromRegistry: true })).userErrors).toEqual([]);
    server.verify();
    expect(await data(`{ image(digest: "${image.digest}") { isAvailable tags { totalCount } } }`)).toEqual({
      image: { isAvailable: true, tags: { totalCount: 0 } },
    });
  });

  test('a manifest that a tag names there which the catalog does not follow is not deleted', async () => {
    server.script(
      refusal('1', 405, 'UNSUPPORTED'),
      there('1', image.digest),
      listing('1', 'latest'),
      there('latest', image.digest),
    );
    const { userErrors } = await deleteTag({ reference: `${host}/team/app:1`, deleteFromRegistry: true });
    expect(userErrors).toMatchObject([
      { __typename: 'RegistryRefused', message: expect.stringContaining('it is also latest there') },
    ]);
    server.verify();
    expect(await data(`{ tag(reference: "${host}/team/app:1") { manifest { digest } } }`)).toEqual({
      tag: { manifest: { digest: image.digest } },
    });
  });

  test('a manifest that has other names, is in an index, or is another one there by now, is not deleted for a tag', async () => {
    const refused = async () => {
      server.script(refusal('1', 405, 'UNSUPPORTED'));
      const { userErrors } = await deleteTag({ reference: `${host}/team/app:1`, deleteFromRegistry: true });
      expect(userErrors).toMatchObject([{ __typename: 'RegistryRefused', status: 405, code: 'UNSUPPORTED' }]);
      return userErrors[0]?.message;
    };
    const moved: Entry = { ...there('1', `sha256:${'1'.repeat(64)}` as Digest), times: 1 };
    server.script(moved, there('1', image.digest));
    expect(await refused()).toMatch(/1 names another one there by now/);
    const second = await build.tag(app, '2', image);
    expect(await refused()).toMatch(/it is also 2\./);
    await database.run('update tag set manifest_id = null, deleted_at = now() where id = $1', [second]);
    const index = await build.index(app, [{ child: image, platform: 'linux/amd64' }]);
    expect(await refused()).toMatch(new RegExp(`it is also listed by ${index.digest}`));
    server.verify();
    expect(await data(`{ tag(reference: "${host}/team/app:1") { manifest { digest } } }`)).toEqual({
      tag: { manifest: { digest: image.digest } },
    });
  });
});
