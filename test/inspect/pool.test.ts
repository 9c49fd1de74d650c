import { gzipSync } from 'node:zlib';
import { digestOf } from '../../src/domain/digest.ts';
import { LAYER_LIMITS, LayerPool, decodeInspection, inspectLayer, type LayerClaim } from '../../src/inspect/index.ts';
import { packageReaders } from '../../src/inspect/packages/index.ts';
import { tarOf } from '../support/tar.ts';

const { signal } = new AbortController();
const pool = new LayerPool({ size: 2 });

afterAll(() => pool.close());

describe('threads that inspect layers', () => {
  test('find what is found without them', async () => {
    const blob = gzipSync(
      tarOf([
        { name: 'lib/apk/db/installed', body: 'P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\n\n' },
        { name: 'etc/os-release', body: 'ID=alpine\n' },
        { name: '../out' },
      ]),
    );
    const claim = claimOf(blob);
    const plain = await inspectLayer(chunksOf(blob), claim, { readers: packageReaders, limits: LAYER_LIMITS, signal });
    const { encoded, ...facts } = await pool.inspect(chunksOf(blob), claim, { signal });
    expect(plain.documents).toHaveLength(2);
    const { entries, documents, ...plainFacts } = plain;
    expect(facts).toEqual(plainFacts);
    const decoded = decodeInspection(encoded);
    expect(decoded.documents).toEqual(documents);
    expect([...decoded.entries]).toEqual([...entries]);
  });

  test('have as many layers at a time as there are threads, and take all in the end', async () => {
    let reading = 0;
    let most = 0;
    const blobs = Array.from({ length: 7 }, (_, at) => gzipSync(tarOf([{ name: `file-${at}`, body: 'x'.repeat(at) }])));
    async function* counted(blob: Buffer) {
      most = Math.max(most, ++reading);
      yield* chunksOf(blob);
      reading--;
    }
    const found = await Promise.all(blobs.map((blob) => pool.inspect(counted(blob), claimOf(blob), { signal })));
    const paths = found.map(({ encoded }) => Array.from(decodeInspection(encoded).entries, ({ path }) => path));
    expect(paths).toEqual(blobs.map((_, at) => [`file-${at}`]));
    expect(most).toBe(2);
  });

  test('leave a layer at its limit, and take the next', async () => {
    const tar = tarOf([{ name: 'a', body: Buffer.alloc(5_000_000) }]);
    const limits = { ...LAYER_LIMITS, uncompressedBytes: 1_000_000 };
    for (let times = 0; times < 3; times++) {
      const stopped = await pool.inspect(chunksOf(tar), claimOf(tar), { limits, signal });
      expect(stopped).toMatchObject({ status: 'TOO_LARGE', reason: 'The layer unpacks to more than 1000000 bytes.' });
      expect(await pool.inspect(chunksOf(tar), claimOf(tar), { signal })).toMatchObject({ status: 'INSPECTED' });
    }
  });

  test('give back the error of a source, and take the next', async () => {
    const blob = tarOf([]);
    async function* broken() {
      yield blob.subarray(0, 100);
      throw new Error('the line is dead');
    }
    for (let times = 0; times < 3; times++) {
      await expect(pool.inspect(broken(), claimOf(blob), { signal })).rejects.toThrow('the line is dead');
    }
    expect(await pool.inspect(chunksOf(blob), claimOf(blob), { signal })).toMatchObject({ status: 'INSPECTED' });
  });

  test('leave a layer that is aborted, even one that nothing comes of, and those that wait', async () => {
    const blob = tarOf([]);
    const abort = new AbortController();
    const stalled = [1, 2, 3].map(() => pool.inspect(nothing(), claimOf(blob), { signal: abort.signal }));
    const next = pool.inspect(chunksOf(blob), claimOf(blob), { signal });
    abort.abort(new Error('no more'));
    for (const each of stalled) await expect(each).rejects.toThrow('no more');
    expect(await next).toMatchObject({ status: 'INSPECTED' });
  });

  test('leave a layer that nothing comes of when its time is over', async () => {
    const limits = { ...LAYER_LIMITS, milliseconds: 50 };
    const stopped = await pool.inspect(nothing(), claimOf(tarOf([])), { limits, signal });
    expect(stopped.status).toBe('PARTIAL');
    expect(stopped.reason).toMatch(/or more than 0\.05 seconds\.$/);
    expect(decodeInspection(stopped.encoded)).toMatchObject({ status: 'PARTIAL', entries: { count: 0 } });
  });
});

function claimOf(blob: Buffer): LayerClaim {
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
  return { digest: digestOf(blob), mediaType, size: blob.length, diffId: null };
}

/** Some that are greater than what a thread is sent at a time, and some that are not. */
async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0, size = 100; at < bytes.length; at += size, size *= 3) yield bytes.subarray(at, at + size);
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  await new Promise(() => {});
  yield new Uint8Array();
}
