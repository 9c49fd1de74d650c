import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGzip, gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../../src/domain/digest.ts';
import type { DocumentReader } from '../../src/inspect/document.ts';
import { inspectLayer, type LayerClaim, type LayerInspection } from '../../src/inspect/layer.ts';
import { LAYER_LIMITS, type LayerLimits } from '../../src/inspect/limits.ts';
import { paxEntry, sealed, tarEntry, tarOf, type TarFields } from '../support/tar.ts';

const { signal } = new AbortController();
const GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** Takes every file named packages for one package a line, and refuses one that begins with an exclamation mark. */
const reader: DocumentReader = {
  recognises: (path) => path.endsWith('/packages'),
  recognisesContent: (head) => Buffer.from(head).toString('latin1').startsWith('PROGRAM'),
  maxBytes: 2_000_000,
  read(path, bytes) {
    const text = Buffer.from(bytes).toString();
    if (text.startsWith('!')) throw new Error('it begins with an exclamation mark');
    const names = path.endsWith('/packages') ? text.trim().split('\n') : [`program-of-${bytes.length}`];
    return names.map((name) => ({ type: 'NPM', name, version: '1', purl: `pkg:npm/${name}@1`, licenses: [] }));
  },
};

describe('a layer', () => {
  const entries: TarFields[] = [
    { name: './', type: '5', mode: 0o755 },
    { name: './etc/', type: '5', mode: 0o755 },
    { name: 'etc/os-release', body: 'ID=test\n' },
    { name: '/usr//bin/./tool', body: 'x'.repeat(700), mode: 0o4755 },
    { name: 'usr/bin/link', type: '2', linkName: '../../tool' },
    { name: 'usr/bin/hard', type: '1', linkName: './usr/bin/tool', size: 700 },
    { name: 'dev/null', type: '3' },
    { name: 'run/pipe', type: '6' },
    { name: 'etc/.wh.passwd' },
    { name: 'var/.wh..wh..opq' },
    { name: '.wh..wh.plnk', type: '5' },
    { name: 'empty' },
    { name: 'old-folder/' },
  ];
  const tar = tarOf(entries);

  test.each([
    ['gzip', gzipSync(tar)],
    ['gzip of many members', Buffer.concat(piecesOf(tar, 700).map((piece) => gzipSync(piece)))],
    ['gzip with padding after it', Buffer.concat([gzipSync(tar), Buffer.alloc(5000)])],
    ['zstd', zstdCompressSync(tar)],
    ['zstd with a frame for each piece, and frames to be skipped', chunked(tar)],
    ['no packing', tar],
  ])('is read whatever its packing is: %s', async (_packing, blob) => {
    for (const size of [7, 1000, 1_000_000]) {
      const inspection = await inspect(blob, { diffId: digestOf(tar) }, {}, size);
      expect(inspection).toMatchObject({ status: 'INSPECTED', reason: null, diffId: digestOf(tar), notes: [] });
      expect(inspection.uncompressedSize).toBe(tar.length);
      expect(listed(inspection)).toEqual([
        'DIRECTORY etc 0 755',
        'FILE etc/os-release 8 644',
        'FILE usr/bin/tool 700 4755',
        'SYMLINK usr/bin/link 0 644 -> ../../tool',
        'HARDLINK usr/bin/hard 0 644 -> usr/bin/tool',
        'DEVICE dev/null 0 644',
        'FIFO run/pipe 0 644',
        'without etc/passwd (FILE)',
        'without var (OPAQUE)',
        'FILE empty 0 644',
        'DIRECTORY old-folder 0 644',
      ]);
      expect(inspection.documents).toEqual([{ path: 'etc/os-release', text: 'ID=test\n' }]);
    }
  });

  test('may have long names, sparse files, and large numbers, as POSIX and GNU write them', async () => {
    const long = `${'folder/'.repeat(40)}file-ä`;
    const sparse = tarEntry({ name: 'old-sparse', type: 'S', body: 'some' }).subarray(0, 512);
    sparse.write('00000100000\0', 483);
    sparse[482] = 1;
    const blob = Buffer.concat([
      paxEntry({ path: long, size: '3', uid: '3000000', linkpath: 'unused' }),
      tarEntry({ name: 'short', body: 'abc', size: 0 }),
      tarEntry({ name: '././@LongLink', type: 'L', body: `${long}2\0` }),
      tarEntry({ name: '././@LongLink', type: 'K', body: `${long}\0` }),
      tarEntry({ name: 'short', type: '2' }),
      paxEntry({ 'GNU.sparse.major': '1', 'GNU.sparse.name': 'sparse', 'GNU.sparse.realsize': '1000000' }),
      tarEntry({ name: 'GNUSparseFile.0/sparse', body: '1\n0\n4\n'.padEnd(512, '\0') + 'data' }),
      sealed(sparse),
      Buffer.alloc(512),
      Buffer.from('some'.padEnd(512, '\0')),
      tarEntry({ name: 'bytes-\xff', body: '' }).fill('\xfe', 6, 8, 'latin1'),
    ]);
    sealed(blob.subarray(blob.length - 512));
    const inspection = await inspect(blob);
    expect(inspection.reason).toBeNull();
    expect(listed(inspection)).toEqual([
      `FILE ${long} 3 644`,
      `SYMLINK ${long}2 0 644 -> ${long}`,
      'FILE sparse 1000000 644',
      'FILE old-sparse 32768 644',
      'FILE bytes-\\xfe\\xfe 0 644',
    ]);
    expect([...inspection.entries][0]?.uid).toBe(3_000_000);
  });

  test('tells of packages by the paths of files, and by what programs begin with', async () => {
    const big = `PROGRAM${'x'.repeat(1_000_000)}`;
    const blob = tarOf([
      { name: 'a/packages', body: 'old' },
      { name: 'bin/program', body: big, mode: 0o755 },
      { name: 'bin/no-program', body: big },
      { name: 'a/packages', body: 'one\ntwo' },
      { name: 'b/packages', body: 'replaced' },
      { name: 'b/packages', type: '2', linkName: '/a/packages' },
      { name: 'c/packages', body: '!' },
      { name: 'd/packages', body: 'x'.repeat(2_000_001) },
    ]);
    const { status, documents, notes } = await inspect(gzipSync(blob));
    expect(status).toBe('INSPECTED');
    const names = documents.map((each) => [each.path, 'packages' in each && each.packages.map(({ name }) => name)]);
    expect(names).toEqual([
      ['bin/program', [`program-of-${big.length}`]],
      ['a/packages', ['one', 'two']],
    ]);
    expect(notes).toEqual([
      "c/packages can't be read: it begins with an exclamation mark",
      'd/packages is not read: it has 2000001 bytes, and 2000000 are read at most.',
    ]);
  });

  test('loses what leads out of the image, and says so', async () => {
    const blob = tarOf([
      { name: '../../etc/shadow', body: 'x' },
      { name: 'a/../../b', body: 'x' },
      { name: 'link', type: '2', linkName: '../../../etc' },
      { name: 'hard', type: '1', linkName: '../../etc/shadow' },
      { name: 'strange', type: 'V' },
      { name: 'a/.wh...' },
      { name: 'kept', body: 'x' },
    ]);
    const inspection = await inspect(blob);
    expect(listed(inspection)).toEqual(['SYMLINK link 0 644 -> ../../../etc', 'FILE kept 1 644']);
    expect(inspection.notes).toEqual([
      '"../../etc/shadow" is left out: its path leads out of the image.',
      '"a/../../b" is left out: its path leads out of the image.',
      '"hard" is left out: it is a link out of the image.',
      '"strange" is left out: it is of the unknown type "V".',
      '"a/.wh..." is left out: it takes away nothing that has a name.',
    ]);
  });

  test('without any entry, or any byte, holds nothing', async () => {
    for (const blob of [gzipSync(tarOf([])), gzipSync(''), tarOf([]), Buffer.alloc(0)]) {
      expect(await inspect(blob)).toMatchObject({ status: 'INSPECTED', entries: { count: 0 }, notes: [] });
    }
  });

  test('is read from a disk as from anywhere', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stowage-test-'));
    try {
      await writeFile(join(folder, 'blob'), gzipSync(tar));
      const claim = claimOf(gzipSync(tar));
      const options = { readers: [reader], limits: LAYER_LIMITS, signal };
      const { entries: found } = await inspectLayer(createReadStream(join(folder, 'blob')), claim, options);
      expect(found.count).toBe(11);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('a layer that is not what it should be has failed, and nothing of it counts:', () => {
  const tar = tarOf([{ name: 'a', body: 'x'.repeat(3000) }, { name: 'b' }]);
  const blob = gzipSync(tar);
  const other = digestOf(Buffer.from('other'));

  test.each<[string, Buffer, Partial<LayerClaim>, RegExp]>([
    ['another digest', blob, { digest: other }, /^The layer's digest is sha256:.*, not sha256:/],
    [
      'another diff id',
      blob,
      { diffId: other },
      /^The layer's diff id is sha256:.*, not sha256:.* as its configuration/,
    ],
    ['more bytes', blob, { size: blob.length - 1 }, /^The layer has more than the \d+ bytes that its manifest says\.$/],
    ['fewer bytes', blob, { size: blob.length + 1 }, /^The layer has \d+ bytes where its manifest says \d+\.$/],
    ['a cut gzip', blob.subarray(0, 60), {}, /^The layer can't be unpacked: unexpected end of file\.$/],
    ['a cut zstd', zstdCompressSync(tar).subarray(0, 30), {}, /^The layer can't be unpacked: /],
    ['a cut frame after a whole one', chunked(tar).subarray(0, -15), {}, /^The layer can't be unpacked: /],
    ['a cut tar', tar.subarray(0, 2000), {}, /^The layer is cut short/],
    ['a cut header', tar.subarray(0, 100), {}, /^The layer is cut short/],
    ['a broken gzip', Buffer.concat([blob.subarray(0, 30), blob.subarray(40)]), {}, /^The layer can't be unpacked: /],
    [
      'a gzip with something after it',
      Buffer.concat([blob, Buffer.from('trailer')]),
      {},
      /^The layer can't be unpacked/,
    ],
    ['a zstd with something after it', Buffer.concat([chunked(tar), Buffer.from('trailer')]), {}, /no frame\.$/],
    ['no tar', Buffer.alloc(2000, 'x'), {}, /^The layer is no tar/],
    ['a file of no size', tarOf([{ name: 'a', size: NaN }]), {}, /^The layer is a broken tar: an entry has no size\.$/],
    ['a broken header', tarOf([{ name: 'x', type: 'x', body: '9 a=b\n' }]), {}, /an entry has a broken header\.$/],
    ['an encrypted one', blob, { mediaType: `${GZIP}+encrypted` }, /^The layer is encrypted\.$/],
  ])('%s', async (_what, bytes, claim, reason) => {
    const inspection = await inspect(bytes, claim);
    expect(inspection).toMatchObject({ status: 'FAILED', entries: { count: 0 }, documents: [] });
    expect(inspection.reason).toMatch(reason);
  });
});

describe('a layer that goes beyond a limit is stopped there, and what was found counts:', () => {
  const some = { name: 'first', body: 'x' };
  const name = 'n'.repeat(1_000_000);
  const documents = ['a', 'b'].map((folder) => ({ name: `${folder}/packages`, body: 'one\ntwo' }));

  test.each<[string, Buffer, Partial<LayerLimits>, string, RegExp]>([
    ['stored bytes', tarOf([some]), { compressedBytes: 100 }, 'TOO_LARGE', /has 2048 bytes; 100 are read at most/],
    [
      'unpacked bytes',
      gzipSync(tarOf([some])),
      { uncompressedBytes: 1000 },
      'TOO_LARGE',
      /unpacks to more than 1000 b/,
    ],
    ['times its size', gzipSync(Buffer.alloc(1e6)), { ratioFrom: 1000 }, 'TOO_LARGE', /more than 300 times its size/],
    ['entries', tarOf([some, some, some]), { entries: 2 }, 'PARTIAL', /^The layer has more than 2 entries\.$/],
    ['a name, as GNU has it', long(tarEntry({ name: 'x', type: 'L', body: name })), {}, 'PARTIAL', /1000000 bytes/],
    ['a name, as POSIX has it', long(paxEntry({ path: name })), {}, 'PARTIAL', /a name of 1000000 characters/],
    ['a link', long(paxEntry({ linkpath: name }), '2'), {}, 'PARTIAL', /a name of 1000000 characters/],
    ['a header', long(tarEntry({ name: 'x', type: 'x', size: 2 ** 32 })), {}, 'PARTIAL', /header of 4294967296 bytes/],
    [
      'depth',
      long(paxEntry({ path: 'a/'.repeat(300) + 'b' })),
      {},
      'PARTIAL',
      /^The layer has a path of more than 256/,
    ],
    ['names together', tarOf([some, { name: 'second' }]), { entriesBytes: 15 }, 'PARTIAL', /more than 15 bytes\.$/],
    [
      'holes',
      long(paxEntry({ 'GNU.sparse.realsize': String(2 ** 50) })),
      {},
      'TOO_LARGE',
      /8796093022208 bytes, holes/,
    ],
    [
      'documents',
      tarOf([some, ...documents]),
      { documents: 1 },
      'PARTIAL',
      /more than 1 files that may tell of packages/,
    ],
    [
      'bytes of documents',
      tarOf([some, ...documents]),
      { documentsBytes: 5 },
      'PARTIAL',
      /of more than 5 bytes together/,
    ],
    ['packages', tarOf([some, ...documents]), { packages: 1 }, 'PARTIAL', /^The layer has more than 1 packages\.$/],
    ['what is kept', tarOf([some, ...documents]), { foundCharacters: 9 }, 'PARTIAL', /has more than 9 characters\.$/],
    ['time', gzipSync(tarOf([some])), { milliseconds: -1 }, 'PARTIAL', /^The layer could not be read within/],
  ])('%s', async (_what, blob, limits, status, reason) => {
    const inspection = await inspect(blob, {}, limits);
    expect(inspection.status).toBe(status);
    expect(inspection.reason).toMatch(reason);
    for (const { path } of inspection.entries) expect(path).toMatch(/^(first|second|\w\/packages)$/);
  });

  test('a gzip bomb and a zstd bomb, whose bytes are nowhere at once', async () => {
    const limits = { uncompressedBytes: 20_000_000, ratio: 1e9 };
    for (const bomb of [await gzipBomb(30_000_000), zstdCompressSync(Buffer.alloc(30_000_000))]) {
      expect(bomb.length).toBeLessThan(100_000);
      const inspection = await inspect(bomb, {}, limits);
      expect(inspection).toMatchObject({ status: 'TOO_LARGE', diffId: null });
      expect(inspection.uncompressedSize).toBeLessThan(21_000_000);
    }
  });

  test('a tar without end, of which no more is read', async () => {
    const entry = tarEntry(some);
    let sent = 0;
    async function* endless() {
      for (;;) {
        sent += entry.length;
        yield entry;
      }
    }
    const claim = { digest: digestOf(entry), mediaType: GZIP, size: 2 ** 40, diffId: null };
    const limits = { ...LAYER_LIMITS, compressedBytes: 2 ** 41, entries: 1000 };
    const inspection = await inspectLayer(endless(), claim, { readers: [], limits, signal });
    expect(inspection).toMatchObject({ status: 'PARTIAL', entries: { count: 1000 }, diffId: null });
    expect(sent).toBeLessThan(1100 * entry.length);
  });

  test('a window of zstd that would take all memory', async () => {
    // A frame of no known size whose window is 2^41 bytes, and a block of nothing.
    const blob = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 31 << 3, 1, 0, 0]);
    const { status, reason } = await inspect(blob);
    expect([status, reason]).toEqual(['TOO_LARGE', 'The layer is packed with a zstd window of more than 128 MiB.']);
  });
});

describe('an inspection', () => {
  test('ends with the error of the source, which is no fault of the layer', async () => {
    const blob = gzipSync(Buffer.alloc(100_000, 'x'));
    async function* broken() {
      yield blob.subarray(0, 50);
      throw new Error('the line is dead');
    }
    const options = { readers: [reader], limits: LAYER_LIMITS, signal };
    await expect(inspectLayer(broken(), claimOf(blob), options)).rejects.toThrow('the line is dead');
  });

  test('ends with the reason of its signal', async () => {
    const options = { readers: [reader], limits: LAYER_LIMITS, signal: AbortSignal.abort(new Error('no more')) };
    const blob = tarOf([]);
    await expect(inspectLayer(chunksOf(blob, 100), claimOf(blob), options)).rejects.toThrow('no more');
  });
});

async function inspect(
  blob: Buffer,
  claim: Partial<LayerClaim> = {},
  limits: Partial<LayerLimits> = {},
  chunk = 1000,
): Promise<LayerInspection> {
  const options = { readers: [reader], limits: { ...LAYER_LIMITS, ...limits }, signal };
  return inspectLayer(chunksOf(blob, chunk), { ...claimOf(blob), ...claim }, options);
}

function claimOf(blob: Buffer): LayerClaim {
  return { digest: digestOf(blob), mediaType: GZIP, size: blob.length, diffId: null };
}

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  yield* piecesOf(bytes, size);
}

function piecesOf(bytes: Buffer, size: number): Buffer[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

/** As zstd:chunked has it. */
function chunked(tar: Buffer): Buffer {
  const skipped = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
  return Buffer.concat([skipped, ...piecesOf(tar, 700).flatMap((piece) => [zstdCompressSync(piece), skipped])]);
}

/** An entry after one that is read, with a header before it. */
function long(header: Buffer, type = '0'): Buffer {
  return Buffer.concat([tarEntry({ name: 'first' }), header, tarOf([{ name: 'second', type }])]);
}

async function gzipBomb(size: number): Promise<Buffer> {
  const gzip = createGzip();
  for (let left = size; left > 0; left -= 1_000_000) gzip.write(Buffer.alloc(1_000_000));
  gzip.end();
  return Buffer.concat((await gzip.toArray()) as Buffer[]);
}

function listed({ entries }: LayerInspection): string[] {
  return [...entries].map(({ path, type, size, mode, linkTarget, whiteout }) =>
    whiteout !== null
      ? `without ${path} (${whiteout})`
      : `${type} ${path} ${size} ${mode.toString(8)}${linkTarget === null ? '' : ` -> ${linkTarget}`}`,
  );
}
