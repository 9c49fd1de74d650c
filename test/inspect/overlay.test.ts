import fc from 'fast-check';
import { decodeInspection, encodeInspection } from '../../src/inspect/encoding.ts';
import { overlayImage, type ImageContents } from '../../src/inspect/image.ts';
import { LayerEntriesWriter, type FileType, type LayerEntry } from '../../src/inspect/layer-entry.ts';
import type { LayerDocument } from '../../src/inspect/layer-document.ts';
import type { LayerInspection } from '../../src/inspect/layer.ts';

const CLAIM = { os: 'linux', osVersion: null, env: ['PATH=/opt/bin:relative'], documentsSize: 0 };

describe('layers on one another', () => {
  test.each<[string, string[][], string[]]>([
    ['a file is replaced', [['a 1'], ['a 2']], ['a 2 @1']],
    ['a file is taken away', [['a 1', 'b 1'], ['-a']], ['b 1 @0']],
    ['a directory is taken away whole', [['d/e/a 1', 'd/b 1'], ['-d']], []],
    [
      'an opaque directory keeps what its layer brings',
      [
        ['d/a 1', 'd/e/b 1'],
        ['d/c 1', '*d'],
      ],
      ['d/ @0', 'd/c 1 @1'],
    ],
    [
      'an opaque root',
      [
        ['a 1', 'd/b 1'],
        ['c 1', '*'],
      ],
      ['c 1 @1'],
    ],
    ['a whiteout is about layers below, wherever it stands', [['a 1'], ['a 2', '-a']], ['a 2 @1']],
    ['a whiteout of what is not there', [['a 1'], ['-b', '-c/d', '*e']], ['a 1 @0']],
    [
      'a directory is merged',
      [
        ['d/', 'd/a 1'],
        ['d/', 'd/b 1'],
      ],
      ['d/ @0', 'd/a 1 @0', 'd/b 1 @1'],
    ],
    ['a directory becomes a file, and one again', [['d/a 1'], ['d 5'], ['d/b 2']], ['d/ @2', 'd/b 2 @2']],
    ['the last of two entries of one name wins', [['a 1', 'a 2', 'd/b 1', 'd 3']], ['a 2 @0', 'd 3 @0']],
    ['a hard link is the file', [['a 1', 'b = a'], ['a 2']], ['a 2 @1', 'b 1 @0']],
    ['a hard link to a file of a lower layer', [['a 1'], ['b = a'], ['-a']], ['b 1 @0']],
    ['a hard link to nothing, or to a directory', [['d/', 'a = b', 'c = d']], ['d/ @0']],
    [
      'a link to a directory is gone through',
      [['usr/bin/', 'bin -> usr/bin'], ['bin/sh 1']],
      ['bin -> usr/bin @0', 'usr/ @0', 'usr/bin/ @0', 'usr/bin/sh 1 @1'],
    ],
    [
      'and so it is by whiteouts',
      [['usr/bin/sh 1', 'bin -> /usr/bin'], ['-bin/sh']],
      ['bin -> /usr/bin @0', 'usr/ @0', 'usr/bin/ @0'],
    ],
    ['a link out of the image stays inside', [['up -> ../../..', 'up/a 1']], ['a 1 @0', 'up -> ../../.. @0']],
    [
      'a link to nothing gets what is put into it',
      [['l -> x/y', 'l/a 1']],
      ['l -> x/y @0', 'x/ @0', 'x/y/ @0', 'x/y/a 1 @0'],
    ],
    [
      'a directory takes the place of a link',
      [
        ['l -> x', 'x/a 1'],
        ['l/', 'l/b 1'],
      ],
      ['l/ @1', 'l/b 1 @1', 'x/ @0', 'x/a 1 @0'],
    ],
    ['links in a circle hold nothing', [['a -> b', 'b -> a', 'a/x 1']], ['a -> b @0', 'b -> a @0']],
  ])('%s', (_what, layers, files) => {
    expect(
      filesOf(
        overlayImage(
          layers.map((lines) => layerOf(lines)),
          CLAIM,
        ),
      ),
    ).toEqual(files);
  });

  test('of random files are what a naive model says, also after they were kept', () => {
    const path = fc
      .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join('/'));
    const line = fc.oneof(
      fc.tuple(path, fc.nat(100)).map(([at, size]) => `${at} ${size}`),
      path.map((at) => `${at}/`),
      fc.tuple(path, path).map(([at, target]) => `${at} = ${target}`),
      path.map((at) => `-${at}`),
      path.map((at) => `*${at}`),
    );
    const layers = fc.array(fc.array(line, { maxLength: 8 }), { maxLength: 5 });
    fc.assert(
      fc.property(layers, (stack) => {
        const kept = stack.map((lines) => decodeInspection(encodeInspection(layerOf(lines))));
        const found = overlayImage(kept, CLAIM);
        const model = modelOf(stack);
        expect(filesOf(found)).toEqual(model.files);
        expect([found.fileCount, found.fileBytes, found.wastedSize]).toEqual([model.count, model.bytes, model.wasted]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('an image', () => {
  test('tells the layer from which on a package is there without a gap, whatever layer wrote the database', () => {
    const database = (...names: string[]) => packagesAt('lib/apk/db/installed', names);
    const found = overlayImage(
      [
        layerOf(
          ['lib/apk/db/installed 1', 'etc/os-release 1'],
          [
            database('musl', 'gap', 'gone'),
            { path: 'etc/os-release', text: 'ID="alpine"\nVERSION_ID=3.20.3\nPRETTY_NAME=\'Alpine Linux v3.20\'\n' },
          ],
        ),
        layerOf(['lib/apk/db/installed 2'], [database('musl', 'curl')]),
        layerOf(
          ['lib/apk/db/installed 3', 'srv/hidden 1'],
          [database('musl', 'curl', 'gap'), packagesAt('srv/hidden', ['hidden'])],
        ),
        layerOf(['-srv']),
      ],
      CLAIM,
    );
    expect(found.packages.map(({ name, layer, purl }) => [name, layer, purl])).toEqual([
      ['curl', 1, 'pkg:apk/alpine/curl@1'],
      ['gap', 2, 'pkg:apk/alpine/gap@1'],
      ['musl', 0, 'pkg:apk/alpine/musl@1'],
    ]);
    expect(found.operatingSystem).toEqual({
      id: 'alpine',
      versionId: '3.20.3',
      prettyName: 'Alpine Linux v3.20',
      endOfLifeAt: new Date('2026-04-01'),
    });
  });

  test('counts as wasted what a later layer replaced or took away, and nothing else', () => {
    const wasted = (...layers: string[][]) =>
      overlayImage(
        layers.map((lines) => layerOf(lines)),
        CLAIM,
      ).wastedSize;
    expect(wasted(['a 10', 'b 5'], ['a 20', '-b'])).toBe(15);
    expect(wasted(['a 10', 'a 20'])).toBe(0);
    expect(wasted(['a 10', 'b = a'], ['-a'])).toBe(0);
    expect(wasted(['a 10', 'b = a'], ['-a'], ['-b'])).toBe(10);
    expect(wasted(['d/a 10', 'd/b 10'], ['*d'], ['d/c 1'])).toBe(20);
  });

  test('is composed of its system, what was added to it, its own and what only tells of it', () => {
    const found = overlayImage(
      [
        layerOf(
          ['usr/lib/libc.so 1000', 'var/lib/dpkg/status 100', 'usr/share/doc/libc/copyright 10'],
          [packagesAt('var/lib/dpkg/status', ['libc6'], 'DEB')],
        ),
        layerOf(
          ['usr/lib/libcurl.so 2000', 'var/lib/dpkg/status 200', 'app/with-it 7'],
          [packagesAt('var/lib/dpkg/status', ['libc6', 'curl'], 'DEB')],
        ),
        layerOf(['app/node_modules/express/index.js 300', 'app/main.js 40', 'usr/bin/own 5']),
      ],
      { ...CLAIM, documentsSize: 1 },
    );
    expect(found.composition).toEqual({
      operatingSystemSize: 1000,
      dependencySize: 2300,
      applicationSize: 52,
      metadataSize: 211,
    });
    expect(found.fileBytes).toBe(3562);
  });

  test('has the shells and package managers that can be started, by whatever name', () => {
    const found = overlayImage(
      [
        layerOf([
          'bin -> usr/bin',
          'usr/bin/busybox 1 x',
          'usr/bin/sh -> /bin/busybox',
          'usr/bin/rpm = usr/bin/busybox',
          'usr/bin/bash 1',
          'usr/bin/zsh -> nowhere',
          'usr/bin/apk 1 x',
          'opt/bin/fish 1 x',
          'relative/ksh 1 x',
          'usr/sbin -> bin',
        ]),
      ],
      CLAIM,
    );
    expect(found.shells).toEqual([
      { path: '/opt/bin/fish', resolvesTo: '/opt/bin/fish', isBusyboxApplet: false },
      { path: '/usr/bin/busybox', resolvesTo: '/usr/bin/busybox', isBusyboxApplet: false },
      { path: '/usr/bin/sh', resolvesTo: '/usr/bin/busybox', isBusyboxApplet: true },
    ]);
    expect(found.packageManagers.map(({ path }) => path)).toEqual(['/usr/bin/apk']);
  });

  test('of whose layers one is unknown, or was not read to its end, says so', () => {
    const cut = { ...layerOf(['a 1']), status: 'PARTIAL' as const, reason: 'The layer has more than 1 entries.' };
    const found = overlayImage([layerOf(['b 1']), null, cut], CLAIM);
    expect(found.reason).toBe('Nothing is known of layer 1. Layer 2: The layer has more than 1 entries.');
    expect(found.fileCount).toBe(2);
  });

  test('with too many files, or too long ways to them, is told of as far as it goes', () => {
    const many = layerOf(Array.from({ length: 20 }, (_, at) => `f${at} 1`));
    expect(overlayImage([many], CLAIM, { nodes: 10, steps: 1000 })).toMatchObject({
      reason: 'The image has more than 10 files and directories.',
      fileCount: 11,
    });
    const links = layerOf(['l -> ./././././.', ...Array.from({ length: 20 }, (_, at) => `l/l/l/d${at}/f 1`)]);
    expect(overlayImage([links], CLAIM, { nodes: 1000, steps: 100 })).toMatchObject({
      reason: 'The ways through the files of the image take more than 100 steps.',
    });
  });

  test('of Windows is what its configuration says', () => {
    const { operatingSystem } = overlayImage([], { ...CLAIM, os: 'windows', osVersion: '10.0.20348.2461' });
    expect(operatingSystem).toEqual({
      id: 'windows',
      versionId: '10.0.20348.2461',
      prettyName: 'Windows 10.0.20348.2461',
      endOfLifeAt: new Date('2031-10-14'),
    });
  });

  test.each([
    ['os-release behind links', ['etc/os-release -> ../usr/lib/os-release', 'usr/lib/os-release 1'], 'x 1'],
    ['the file of Debian', ['etc/debian_version 1'], 'debian 12.5'],
    ['the file of Alpine', ['etc/alpine-release 1'], 'alpine 12.5'],
    ['nothing', ['etc/os-release -> nowhere'], undefined],
  ])('is known by %s', (_what, lines, known) => {
    const texts = lines
      .map((line) => line.split(' ')[0] ?? '')
      .map((path) => ({
        path,
        text: path.includes('os-release') ? 'ID=x\nVERSION_ID=1\n' : '12.5\n',
      }));
    const { operatingSystem: os } = overlayImage([layerOf(lines, texts)], CLAIM);
    expect(os ? `${os.id} ${os.versionId}` : undefined).toBe(known);
  });
});

/**
 * A layer of lines: `a 3` a file of 3 bytes, `a 3 x` one to be started, `a/` a directory, `a -> b` a link, `a = b` a hard
 * link, `-a` takes away, `*a` takes away what is in it.
 */
function layerOf(lines: readonly string[], documents: readonly LayerDocument[] = []): LayerInspection {
  const writer = new LayerEntriesWriter();
  for (const line of lines) writer.add(entryOf(line));
  const facts = { status: 'INSPECTED', reason: null, diffId: null, uncompressedSize: 0, notes: [] } as const;
  return { ...facts, entries: writer.entries(), documents };
}

function entryOf(line: string): LayerEntry {
  const entry = { size: 0, mode: 0o644, uid: 0, gid: 0, linkTarget: null, whiteout: null };
  if (line.startsWith('-')) return { ...entry, mode: 0, path: line.slice(1), type: 'FILE', whiteout: 'FILE' };
  if (line.startsWith('*')) return { ...entry, mode: 0, path: line.slice(1), type: 'FILE', whiteout: 'OPAQUE' };
  if (line.endsWith('/')) return { ...entry, path: line.slice(0, -1), type: 'DIRECTORY' };
  const [path = '', mark = '', target = ''] = line.split(' ');
  if (mark === '->') return { ...entry, path, type: 'SYMLINK', linkTarget: target };
  if (mark === '=') return { ...entry, path, type: 'HARDLINK', linkTarget: target };
  return { ...entry, path, type: 'FILE', size: Number(mark), mode: target === 'x' ? 0o755 : 0o644 };
}

function packagesAt(path: string, names: readonly string[], type: 'APK' | 'DEB' = 'APK'): LayerDocument {
  const purl = (name: string) => `pkg:${type.toLowerCase()}/${name}@1`;
  return { path, packages: names.map((name) => ({ type, name, version: '1', purl: purl(name), licenses: [] })) };
}

/** As the lines of `layerOf`, with the position of the layer. */
function filesOf(contents: ImageContents): string[] {
  return [...contents.files()].map(({ path, type, size, linkTarget, layer }) => {
    const text: Record<FileType, string> = {
      FILE: ` ${size}`,
      DIRECTORY: '/',
      SYMLINK: ` -> ${linkTarget}`,
      HARDLINK: ` = ${linkTarget?.slice(1)}`,
      DEVICE: '',
      FIFO: '',
    };
    return `${path.slice(1)}${text[type]} @${layer}`;
  });
}

/** What is at a path: null is a directory. */
interface ModelFile {
  readonly size: number | null;
  readonly layer: number;
}

/** The same by the simplest means: a map of paths, of which all is looked at each time. Knows no symbolic links. */
function modelOf(stack: readonly (readonly string[])[]) {
  const files = new Map<string, ModelFile>();
  const below = (path: string) => [...files.keys()].filter((key) => path === '' || key.startsWith(`${path}/`));
  const remove = (path: string) => [path, ...below(path)].forEach((key) => files.delete(key));
  let wasted = 0;
  for (const [layer, lines] of stack.entries()) {
    const before = new Set([...files.values()]);
    const entries = lines.map(entryOf);
    for (const { path, whiteout } of entries) {
      if (whiteout === 'FILE') remove(path);
      if (whiteout === 'OPAQUE') below(path).forEach((key) => files.delete(key));
    }
    for (const { path, type, size, linkTarget, whiteout } of entries) {
      if (whiteout !== null) continue;
      const parts = path.split('/');
      for (let count = 1; count < parts.length; count++) {
        const parent = parts.slice(0, count).join('/');
        if (files.get(parent)?.size !== null) files.set(parent, { size: null, layer });
      }
      const target = type === 'HARDLINK' ? files.get(linkTarget ?? '') : { size: type === 'FILE' ? size : null, layer };
      const isMerged = type === 'DIRECTORY' && files.get(path)?.size === null;
      if (isMerged || target === undefined || (type === 'HARDLINK' && target.size === null)) continue;
      remove(path);
      files.set(path, target);
    }
    const after = new Set([...files.values()]);
    for (const file of before) if (!after.has(file)) wasted += file.size ?? 0;
  }
  const names = new Map<ModelFile, string>();
  const listed = [...files]
    .sort(([a], [b]) => (inOrder(a) < inOrder(b) ? -1 : 1))
    .map(([path, file]) => {
      if (file.size === null) return `${path}/ @${file.layer}`;
      const first = names.get(file);
      names.set(file, first ?? path);
      return `${path}${first === undefined ? ` ${file.size}` : ` = ${first}`} @${file.layer}`;
    });
  return {
    files: listed,
    count: names.size,
    bytes: [...names.keys()].reduce((sum, { size }) => sum + (size ?? 0), 0),
    wasted,
  };
}

/** A directory comes before what is in it, and all of that before what follows the directory. */
function inOrder(path: string): string {
  return path.replaceAll('/', '\0');
}
