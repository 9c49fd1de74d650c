import { existsSync } from 'node:fs';
import { readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { digestOf, type Digest } from '../../src/domain/digest.ts';
import { RegistryError, type RegistryErrorCode } from '../../src/domain/errors.ts';
import { parseManifest } from '../../src/domain/manifest.ts';
import { DOCKER_MANIFEST } from '../../src/domain/media-type.ts';
import { parseRegistryHost, type RepositoryName, type TagName } from '../../src/domain/reference.ts';
import { ociLayout } from '../../src/registries/oci-layout/index.ts';
import type { ListedTag, OpenRegistry } from '../../src/registries/registry.ts';
import { LayoutBuilder, json, tarOf, temporaryFolder, writeFolder, type LayoutContent } from '../support/layout.ts';

const host = parseRegistryHost('layout.localhost');
const never = new AbortController().signal;
const repository = (name: string) => name as RepositoryName;
const tag = (name: string) => name as TagName;

let folder: string;
let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
const opened: OpenRegistry[] = [];

beforeEach(async () => {
  temporary = await temporaryFolder();
  folder = temporary.path;
});

afterEach(async () => {
  for (const registry of opened.splice(0)) await registry.close();
  await temporary.remove();
});

async function openPath(path: string): Promise<OpenRegistry> {
  const registry = await ociLayout.open({ host, url: pathToFileURL(path), credential: null });
  opened.push(registry);
  return registry;
}

async function openContent(content: LayoutContent, name = 'images'): Promise<OpenRegistry> {
  const path = join(folder, name);
  await writeFolder(path, content);
  return openPath(path);
}

async function openTarOf(bytes: Buffer, name = 'images.tar'): Promise<OpenRegistry> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return openPath(path);
}

async function collect<T>(pages: AsyncIterable<readonly T[]> | undefined): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages ?? []) all.push(...page);
  return all;
}

async function namesIn(registry: OpenRegistry): Promise<Record<string, ListedTag[]>> {
  const names: Record<string, ListedTag[]> = {};
  for (const name of await collect(registry.listRepositories?.('', never))) {
    names[name] = await collect(registry.listTags(name, never));
  }
  return names;
}

async function readBlob(registry: OpenRegistry, digest: Digest, size: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of registry.fetchBlob(repository('any'), digest, size, never)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function expectRefusal(work: Promise<unknown>, code: RegistryErrorCode, message: string | RegExp): Promise<void> {
  const error = await work.then(
    () => new Error('nothing was refused'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RegistryError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
}

test('a file address is a layout, others are not', () => {
  expect(ociLayout.kind).toBe('OCI_LAYOUT');
  expect(ociLayout.recognises(new URL('file:///srv/images'))).toBe(true);
  expect(ociLayout.recognises(new URL('https://ghcr.io'))).toBe(false);
});

describe('names', () => {
  test('come from annotations, whose host is dropped; entries without one are skipped', async () => {
    const layout = new LayoutBuilder();
    const image = layout.image('x');
    layout.name(image, null);
    layout.name(image, 'v1');
    layout.name(image, 'demo/web:1.0');
    layout.name(image, 'base:1');
    layout.name(image, 'ghcr.io/org/app:2');
    layout.name(image, 'localhost:5000/local:3');
    layout.name(image, 'ignored', 'docker.io/library/alpine:3.20');
    layout.name(image, `demo/by-digest@${image.digest}`);
    layout.name(image, 'no/tag');
    layout.name(image, 'NOT A NAME');
    layout.name(image, 'fallback', 'Not//A name');
    const registry = await openContent(layout.content(), 'My Images');

    const digest = image.digest;
    expect(await namesIn(registry)).toEqual({
      'my-images': [
        { name: 'v1', digest, previous: [] },
        { name: 'fallback', digest, previous: [] },
      ],
      'demo/web': [{ name: '1.0', digest, previous: [] }],
      base: [{ name: '1', digest, previous: [] }],
      'org/app': [{ name: '2', digest, previous: [] }],
      local: [{ name: '3', digest, previous: [] }],
      'library/alpine': [{ name: '3.20', digest, previous: [] }],
      'no/tag': [{ name: 'latest', digest, previous: [] }],
    });
    expect(registry.host).toBe('layout.localhost');
  });

  test('that stand several times are a history, and the last is what they name now', async () => {
    const layout = new LayoutBuilder();
    const [first, second, third] = [layout.image('1'), layout.image('2'), layout.image('3')];
    for (const image of [first, second, second, first, third]) layout.name(image, 'demo/app:latest');
    const registry = await openContent(layout.content());

    expect(await collect(registry.listTags(repository('demo/app'), never))).toEqual([
      { name: 'latest', digest: third.digest, previous: [first.digest, second.digest, first.digest] },
    ]);
    expect(await registry.resolveManifest(repository('demo/app'), tag('latest'), never)).toBe(third.digest);
  });

  test('of which there are many come in pages', async () => {
    const layout = new LayoutBuilder();
    const image = layout.image('x');
    for (let at = 0; at < 2500; at++) layout.name(image, `many:${at}`);
    const registry = await openContent(layout.content());
    const sizes: number[] = [];
    for await (const page of registry.listTags(repository('many'), never)) sizes.push(page.length);
    expect(sizes).toEqual([1000, 1000, 500]);
  });

  test.each([
    ['backup.tar', 'backup'],
    ['App_v2.oci.tar', 'app-v2'],
    ['---.tar', 'layout'],
  ])('a tag alone in %s is in %s', async (file, expected) => {
    const layout = new LayoutBuilder();
    layout.name(layout.image('x'), 'latest');
    const registry = await openTarOf(await tarOf(layout.content()), file);
    expect(Object.keys(await namesIn(registry))).toEqual([expected]);
  });
});

describe.each(['folder', 'tar'])('an OCI layout in a %s', (form) => {
  async function openLayout(layout: LayoutBuilder) {
    const content = layout.content();
    return form === 'folder' ? openContent(content) : openTarOf(await tarOf(content));
  }

  test('gives manifests by tag and by digest, and their blobs', async () => {
    const layout = new LayoutBuilder();
    const image = layout.image('hello');
    layout.name(image, 'demo/app:1');
    const registry = await openLayout(layout);

    const manifest = await registry.fetchManifest(repository('demo/app'), tag('1'), never);
    expect(manifest).toMatchObject({ digest: image.digest, mediaType: image.mediaType });
    expect(await registry.fetchManifest(repository('demo/app'), image.digest, never)).toEqual(manifest);
    const parsed = parseManifest(manifest.raw, manifest.mediaType);
    if (parsed.kind !== 'IMAGE') throw new Error(parsed.kind);
    const layer = await readBlob(registry, parsed.layers[0]!.digest, 1024);
    expect(layer.toString()).toMatch(/^hello\0+$/);
    expect(registry.traffic).toMatchObject({ requests: 3, bytes: 2 * manifest.raw.length + 1024 });
  });

  test('says what is not there', async () => {
    const layout = new LayoutBuilder();
    layout.name(layout.image('x'), 'demo/app:1');
    const registry = await openLayout(layout);
    const absent = digestOf(Buffer.from('absent'));
    const app = repository('demo/app');

    expect(await registry.resolveManifest(app, tag('2'), never)).toBeNull();
    expect(await registry.resolveManifest(app, absent, never)).toBeNull();
    await expectRefusal(registry.fetchManifest(app, tag('2'), never), 'NOT_FOUND', 'demo/app has no manifest 2');
    await expectRefusal(registry.fetchManifest(app, absent, never), 'NOT_FOUND', absent);
    await expectRefusal(readBlob(registry, absent, 1), 'NOT_FOUND', `the layout has no blob ${absent}`);
    await expectRefusal(collect(registry.listTags(repository('other'), never)), 'NOT_FOUND', 'nothing named other');
  });

  test('refuses bytes that are not those of the digest', async () => {
    const layout = new LayoutBuilder();
    const image = layout.image('x');
    layout.name(image, 'demo/app:1');
    const blob = layout.blob(Buffer.from('right'), 'x/y');
    layout.files.set(`blobs/sha256/${image.digest.slice(7)}`, json({ config: {}, layers: [] }));
    layout.files.set(`blobs/sha256/${blob.digest.slice(7)}`, Buffer.from('wrong'));
    const registry = await openLayout(layout);

    await expectRefusal(
      registry.fetchManifest(repository('demo/app'), tag('1'), never),
      'DIGEST_MISMATCH',
      /^the bytes of blobs\/sha256\/[0-9a-f]{64} are not those of its name$/,
    );
    await expectRefusal(readBlob(registry, blob.digest, 5), 'DIGEST_MISMATCH', 'are not those of its name');
    await expectRefusal(readBlob(registry, blob.digest, 6), 'DIGEST_MISMATCH', 'has 5 bytes, its manifest says 6');
  });

  test('takes a manifest by sha512', async () => {
    const layout = new LayoutBuilder();
    const raw = json({ schemaVersion: 2, manifests: [] });
    const digest = digestOf(raw, 'sha512');
    layout.files.set(`blobs/sha512/${digest.slice(7)}`, raw);
    layout.entries.push({ digest, size: raw.length, annotations: { 'org.opencontainers.image.ref.name': 'a/b:1' } });
    const registry = await openLayout(layout);
    const manifest = await registry.fetchManifest(repository('a/b'), tag('1'), never);
    expect(manifest).toEqual({ digest, mediaType: null, raw });
  });

  test('skips entries of index.json that say nothing', async () => {
    const layout = new LayoutBuilder();
    layout.entries.push({}, { digest: 'sha256:x' }, null as unknown as object, { digest: 3 });
    layout.name(layout.image('x'), 'demo/app:1');
    expect(Object.keys(await namesIn(await openLayout(layout)))).toEqual(['demo/app']);
  });

  test('without an image is an empty registry', async () => {
    expect(await namesIn(await openLayout(new LayoutBuilder()))).toEqual({});
  });

  test.each<[string, Buffer, RegistryErrorCode, string]>([
    ['is not JSON', Buffer.from('{'), 'MALFORMED', 'index.json is not JSON'],
    ['has no list', json({ manifests: {} }), 'MALFORMED', 'manifests in index.json is not a list'],
    ['is too deep', Buffer.from('{"a":'.repeat(99)), 'MALFORMED', 'index.json is JSON nested more than 64 deep'],
    ['is huge', Buffer.alloc(4 * 1024 * 1024 + 1), 'TOO_LARGE', 'index.json has 4194305 bytes, more than 4194304'],
  ])('is refused when its index %s', async (_, bytes, code, message) => {
    const content = new LayoutBuilder().content().set('index.json', bytes);
    const open = form === 'folder' ? openContent(content) : openTarOf(await tarOf(content));
    await expectRefusal(open, code, message);
  });

  test('refuses a huge manifest and cataloges the rest', async () => {
    const layout = new LayoutBuilder();
    layout.name(layout.blob(Buffer.alloc(4 * 1024 * 1024 + 1, ' '), 'a/b'), 'demo/huge:1');
    layout.name(layout.image('x'), 'demo/app:1');
    const registry = await openLayout(layout);
    await expectRefusal(registry.fetchManifest(repository('demo/huge'), tag('1'), never), 'TOO_LARGE', '4194305 bytes');
    expect((await registry.fetchManifest(repository('demo/app'), tag('1'), never)).raw.length).toBeGreaterThan(0);
  });

  test('obeys an abort, also in the middle of a blob', async () => {
    const layout = new LayoutBuilder();
    const blob = layout.blob(Buffer.alloc(300_000, 'x'), 'a/b');
    const image = layout.image('x');
    layout.name(image, 'demo/app:1');
    const registry = await openLayout(layout);
    const reason = new Error('enough');
    const stopped = AbortSignal.abort(reason);
    const app = repository('demo/app');
    await expect(registry.fetchManifest(app, image.digest, stopped)).rejects.toBe(reason);
    await expect(registry.resolveManifest(app, image.digest, stopped)).rejects.toBe(reason);
    await expect(collect(registry.listTags(app, stopped))).rejects.toBe(reason);

    const controller = new AbortController();
    let seen = 0;
    const reading = (async () => {
      for await (const chunk of registry.fetchBlob(app, blob.digest, blob.size, controller.signal)) {
        seen += chunk.length;
        controller.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
    expect(seen).toBeLessThan(300_000);
  });

  test('whose blobs are links within it is read, and no link out of it is followed', async () => {
    const layout = new LayoutBuilder();
    const image = layout.image('x');
    layout.name(image, 'demo/app:1');
    const bytes = layout.files.get(`blobs/sha256/${image.digest.slice(7)}`)!;
    layout.files.delete(`blobs/sha256/${image.digest.slice(7)}`);
    layout.files.set('store/manifest', bytes);
    const outside = digestOf(Buffer.from('outside'));
    await writeFile(join(folder, 'secret'), 'outside');
    const links = [
      { at: `blobs/sha256/${image.digest.slice(7)}`, to: '../../store/manifest' },
      { at: `blobs/sha256/${outside.slice(7)}`, to: '../../../secret' },
    ];
    let registry: OpenRegistry;
    if (form === 'tar') {
      const headers = links.map(({ at, to }) => ({ name: at, type: 'symlink' as const, linkname: to }));
      registry = await openTarOf(await tarOf(layout.content(), headers));
    } else {
      await writeFolder(join(folder, 'images'), layout.content());
      for (const { at, to } of links) await symlink(to, join(folder, 'images', at));
      registry = await openPath(join(folder, 'images'));
    }
    expect((await registry.fetchManifest(repository('demo/app'), tag('1'), never)).raw).toEqual(bytes);
    await expectRefusal(readBlob(registry, outside, 7), 'MALFORMED', 'leads out of the layout');
  });
});

describe('a docker archive', () => {
  const layers = [Buffer.alloc(2048, 'a'), Buffer.alloc(1024, 'b')];
  const config = json({
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: layers.map((bytes) => digestOf(bytes)) },
  });
  const archive = (images: unknown, more: [string, Buffer][] = []): LayoutContent =>
    new Map([
      ['config.json', config],
      ['0/layer.tar', layers[0]!],
      ['1/layer.tar', layers[1]!],
      ['manifest.json', json(images)],
      ['repositories', json({})],
      ...more,
    ]);
  const image = {
    Config: 'config.json',
    RepoTags: ['alpine:3.20', 'ghcr.io/org/app:1', 'demo/app:1'],
    Layers: ['0/layer.tar', '1/layer.tar'],
  };

  test('has the same manifests in a folder and in a tar, made of its configurations', async () => {
    const content = archive([image, { ...image, RepoTags: null }]);
    const unpacked = await openContent(content);
    const packed = await openTarOf(await tarOf(content));
    const names = await namesIn(unpacked);
    expect(await namesIn(packed)).toEqual(names);
    expect(Object.keys(names)).toEqual(['library/alpine', 'org/app', 'demo/app']);

    for (const registry of [unpacked, packed]) {
      const { raw, mediaType, digest } = await registry.fetchManifest(repository('org/app'), tag('1'), never);
      expect([mediaType, digest]).toEqual([DOCKER_MANIFEST, digestOf(raw)]);
      expect(JSON.parse(Buffer.from(raw).toString())).toEqual({
        schemaVersion: 2,
        mediaType: DOCKER_MANIFEST,
        config: {
          mediaType: 'application/vnd.docker.container.image.v1+json',
          size: config.length,
          digest: digestOf(config),
        },
        layers: layers.map((bytes) => ({
          mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
          size: bytes.length,
          digest: digestOf(bytes),
        })),
      });
      expect(await registry.resolveManifest(repository('org/app'), digest, never)).toBe(digest);
      expect(await registry.resolveManifest(repository('org/app'), digestOf(layers[0]!), never)).toBeNull();
      expect(await readBlob(registry, digestOf(config), config.length)).toEqual(config);
      expect(await readBlob(registry, digestOf(layers[1]!), 1024)).toEqual(layers[1]);
    }
  });

  test('may name one layer by a link to another, as older versions of docker save do', async () => {
    const content = archive([image]);
    content.delete('1/layer.tar');
    content.set('2/layer.tar', layers[1]!);
    const link = { name: '1/layer.tar', type: 'symlink' as const, linkname: '../2/layer.tar' };
    const registry = await openTarOf(await tarOf(content, [link]));
    expect(await readBlob(registry, digestOf(layers[1]!), 1024)).toEqual(layers[1]);
  });

  test('that is an OCI layout too is read as one', async () => {
    const layout = new LayoutBuilder();
    layout.name(layout.image('x'), 'demo/oci:1');
    const registry = await openContent(new Map([...archive([image]), ...layout.content()]));
    expect(Object.keys(await namesIn(registry))).toEqual(['demo/oci']);
  });

  test('keeps the name of an image that is broken, and says why it is', async () => {
    const broken = [
      { ...image, RepoTags: ['a/layers:1'], Layers: ['0/layer.tar'] },
      { ...image, RepoTags: ['a/missing:1'], Layers: ['0/layer.tar', 'gone/layer.tar'] },
      { ...image, RepoTags: ['a/outside:1'], Config: '../../etc/passwd' },
      { ...image, RepoTags: ['a/config:1'], Config: '0/layer.tar' },
      { ...image, RepoTags: ['a/wrong:1'], Layers: ['1/layer.tar', '0/layer.tar'] },
    ];
    const registry = await openTarOf(await tarOf(archive([...broken, image])));
    const fetch = (name: string) => registry.fetchManifest(repository(name), tag('1'), never);
    expect(await collect(registry.listTags(repository('a/layers'), never))).toEqual([{ name: '1' }]);
    await expectRefusal(fetch('a/layers'), 'MALFORMED', 'config.json has 2 diff ids, manifest.json 1 layers for it');
    await expectRefusal(fetch('a/missing'), 'MALFORMED', 'names gone/layer.tar, which is not there');
    await expectRefusal(fetch('a/outside'), 'MALFORMED', '"../../etc/passwd" leads out of the layout');
    await expectRefusal(fetch('a/config'), 'MALFORMED', 'the image configuration is not JSON');
    expect((await fetch('demo/app')).mediaType).toBe(DOCKER_MANIFEST);
  });

  test('refuses a layer that is not the one of its diff id', async () => {
    const content = archive([image]).set('1/layer.tar', Buffer.alloc(1024, 'c'));
    const registry = await openContent(content);
    await expectRefusal(readBlob(registry, digestOf(layers[1]!), 1024), 'DIGEST_MISMATCH', 'not those of its name');
  });

  test.each<[string, unknown, string]>([
    ['is no list', { Config: 'x' }, 'manifest.json is not a list'],
    ['names no configuration', [{}], /manifest\.json\[0] names no Config/.source],
    ['has layers that are no list', [{ ...image, Layers: 'x' }], 'Layers is not a list'],
  ])('is refused when manifest.json %s', async (_, images, message) => {
    await expectRefusal(openContent(archive(images)), 'MALFORMED', message);
  });
});

describe('a tar', () => {
  test('may have long names, folders, a later copy of a file, and paths that begin with a dot', async () => {
    const layout = new LayoutBuilder();
    layout.name(layout.image('x'), 'demo/app:1');
    const long = `${'folder/'.repeat(40)}file-ä`;
    const content = new Map([...layout.content()].map(([path, bytes]) => [`./${path}`, bytes]));
    const stale = new Map([['./index.json', json({ manifests: [] })]]);
    const parts = [await tarOf(stale), await tarOf(new Map([[long, Buffer.from('x')], ...content]))];
    // tar's end is two empty blocks; appending replaces it.
    const joined = Buffer.concat([parts[0]!.subarray(0, -1024), parts[1]!]);
    expect(Object.keys(await namesIn(await openTarOf(joined)))).toEqual(['demo/app']);
  });

  test('with GNU long names and binary sizes is read', async () => {
    const layout = new LayoutBuilder();
    layout.name(layout.image('x'), 'demo/app:1');
    const tar = await tarOf(layout.content());
    const longName = gnuHeader('././@LongLink', 'L', 12);
    const entry = gnuHeader('index.json.truncated', '0', 0);
    const name = Buffer.alloc(512);
    name.write('ignored.json');
    const registry = await openTarOf(Buffer.concat([longName, name, entry, tar]));
    expect(Object.keys(await namesIn(registry))).toEqual(['demo/app']);
  });

  test('that is cut short, packed, or none at all is refused', async () => {
    const layout = new LayoutBuilder();
    layout.name(layout.image('x'), 'demo/app:1');
    const tar = await tarOf(layout.content());
    await expectRefusal(openTarOf(tar.subarray(0, 515)), 'MALFORMED', 'is cut short');
    await expectRefusal(openTarOf(gzipSync(tar)), 'UNSUPPORTED', 'is a compressed tar: decompress it');
    await expectRefusal(openTarOf(Buffer.alloc(2000, 'x')), 'NOT_A_REGISTRY', 'is no tar: give a folder or a tar');
    await expectRefusal(openTarOf(Buffer.alloc(0)), 'NOT_A_REGISTRY', 'is no tar');
    await expectRefusal(
      openTarOf(Buffer.concat([tar.subarray(0, 1024), Buffer.alloc(512, 'x')])),
      'MALFORMED',
      'is a broken tar',
    );
    await expectRefusal(openTarOf(await tarOf(new Map([['a', Buffer.from('b')]]))), 'NOT_A_REGISTRY', 'is no layout');
  });

  test('that grows shorter while it is read is noticed', async () => {
    const layout = new LayoutBuilder();
    const blob = layout.blob(Buffer.alloc(200_000, 'x'), 'a/b');
    const registry = await openTarOf(await tarOf(layout.content()));
    await truncate(join(folder, 'images.tar'), 100_000);
    await expectRefusal(readBlob(registry, blob.digest, blob.size), 'DIGEST_MISMATCH', 'not those of its name');
  });

  test('of links that go round, or lead out, holds nothing there', async () => {
    const links = [
      { name: 'index.json', type: 'symlink' as const, linkname: 'other.json' },
      { name: 'other.json', type: 'symlink' as const, linkname: 'index.json' },
    ];
    await expectRefusal(openTarOf(await tarOf(new Map(), links)), 'NOT_A_REGISTRY', 'has neither index.json');
    const out = { name: 'index.json', type: 'symlink' as const, linkname: '/etc/passwd' };
    await expectRefusal(openTarOf(await tarOf(new Map(), [out])), 'MALFORMED', 'leads out of the layout');
  });

  test('of too many entries is refused', async () => {
    const header = gnuHeader('x', '0', 0);
    const tar = Buffer.concat([...Array<Buffer>(100_001).fill(header), Buffer.alloc(1024)]);
    await expectRefusal(openTarOf(tar), 'TOO_LARGE', 'more than 100000 entries');
  });
});

test('a path that is missing, or no layout, is refused with what is expected', async () => {
  const missing = join(folder, 'missing');
  await expectRefusal(openPath(missing), 'UNAVAILABLE', `${missing} can't be read: .*ENOENT`);
  await expectRefusal(openPath(folder), 'NOT_A_REGISTRY', 'neither index.json .OCI layout. nor manifest.json');
  await expectRefusal(openPath('/dev/null'), 'NOT_A_REGISTRY', '/dev/null is neither a folder nor a tar file');
  const elsewhere = ociLayout.open({ host, url: new URL('file://server/share'), credential: null });
  await expectRefusal(elsewhere, 'NOT_A_REGISTRY', 'write file:///path');
});

const shared = fileURLToPath(new URL('../../../shared/images/', import.meta.url));

(existsSync(shared) ? describe : describe.skip)('a layout of real images', () => {
  test('gives every manifest that its index names, by tag and digest', async () => {
    const registry = await openPath(join(shared, 'oci'));
    const index = JSON.parse((await readFile(join(shared, 'oci/index.json'))).toString()) as {
      manifests: { digest: string; annotations: Record<string, string> }[];
    };
    const listed = await collect(registry.listTags(repository('oci'), never));
    expect(listed.map(({ name, digest }) => [name, digest])).toEqual(
      index.manifests.map(({ digest, annotations }) => [annotations['org.opencontainers.image.ref.name'], digest]),
    );
    const kinds = new Map<string, number>();
    for (const { name, digest } of listed) {
      const manifest = await registry.fetchManifest(repository('oci'), name, never);
      expect(manifest.digest).toBe(digest);
      const { kind } = parseManifest(manifest.raw, manifest.mediaType);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    expect([...kinds.keys()].sort()).toEqual(['ARTIFACT', 'IMAGE', 'INDEX']);
  });
});

/** A header as GNU tar writes it, its size in binary. */
function gnuHeader(name: string, type: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header[124] = 0x80;
  header.writeUInt32BE(size, 132);
  header.write(type, 156);
  header.write('ustar  \0', 257);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
