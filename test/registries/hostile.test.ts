import { brotliCompressSync, gzipSync } from 'node:zlib';
import { digestOf, type Digest } from '../../src/domain/digest.ts';
import { parseManifest } from '../../src/domain/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST, SCHEMA1_SIGNED } from '../../src/domain/media-type.ts';
import type { RegistryHost, RepositoryName, TagName } from '../../src/domain/reference.ts';
import type { HttpLimits } from '../../src/http/index.ts';
import { openClient } from '../../src/registries/client.ts';
import { openOciRegistry } from '../../src/registries/oci/index.ts';
import type { Credential, OpenRegistry } from '../../src/registries/registry.ts';
import { describeSamples, sample } from '../support/samples.ts';
import { startScriptedServer, type Entry, type ScriptedServer } from '../support/scripted-server.ts';

const signal = new AbortController().signal;
const repository = 'a/b' as RepositoryName;
const TAGGED = 'GET /v2/a/b/manifests/v1';
const LIST = '/v2/a/b/tags/list';
const FIRST = `GET ${LIST}?n=1000`;
const AS_MANIFEST = { 'content-type': OCI_MANIFEST };
const MANIFEST = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, layers: [], config: {} });
const MIB = 1024 * 1024;

let server: ScriptedServer;
let registry: OpenRegistry;

async function open(entries: Entry[], limits: Partial<HttpLimits> = {}, credential: Credential | null = null) {
  server = await startScriptedServer(...entries);
  const settings = { host: server.url.host as RegistryHost, url: server.url, credential };
  registry = openOciRegistry(settings, openClient(settings, { retryPauses: [1, 1], ...limits }));
}

afterEach(async () => {
  await registry.close();
  await server.close();
});

const fetchTag = () => registry.fetchManifest(repository, 'v1' as TagName, signal);
const fetchDigest = (digest: Digest) => registry.fetchManifest(repository, digest, signal);
const tags = async () => (await Array.fromAsync(registry.listTags(repository, signal))).flat().map(({ name }) => name);

/** Writes for as long as the other side reads. */
function endlessly(head: string, chunk: Buffer, onSent: (bytes: number) => void): NonNullable<Entry['answer']> {
  return (response) => {
    const more = () => {
      do onSent(chunk.length);
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more).writeHead(200, AS_MANIFEST).write(head);
    more();
  };
}

describe('manifests', () => {
  test('bytes that are not what the digest names are refused, after one attempt past the caches', async () => {
    const digest = digestOf(Buffer.from('something else'));
    const request = `GET /v2/a/b/manifests/${digest}`;
    await open([
      { request, body: MANIFEST, headers: AS_MANIFEST, having: { 'cache-control': null } },
      { request, body: MANIFEST, headers: AS_MANIFEST, having: { 'cache-control': 'no-cache' } },
    ]);
    await expect(fetchDigest(digest)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    server.verify();
  });

  test('a cache that gave other bytes once is passed by', async () => {
    const digest = digestOf(Buffer.from(MANIFEST));
    const request = `GET /v2/a/b/manifests/${digest}`;
    await open([
      { request, body: '{"stale":true}', headers: AS_MANIFEST },
      { request, body: MANIFEST, headers: AS_MANIFEST },
    ]);
    expect((await fetchDigest(digest)).digest).toBe(digest);
    server.verify();
  });

  test('a signature that covers other bytes does not lend their digest', async () => {
    const protectedPart = { formatLength: 0, formatTail: Buffer.from(MANIFEST).toString('base64url') };
    const evil = JSON.stringify({
      schemaVersion: 1,
      fsLayers: [],
      signatures: [{ protected: Buffer.from(JSON.stringify(protectedPart)).toString('base64url') }],
    });
    const digest = digestOf(Buffer.from(MANIFEST));
    const headers = { 'content-type': SCHEMA1_SIGNED };
    await open([
      { request: `GET /v2/a/b/manifests/${digest}`, body: evil, headers, times: 2 },
      { request: TAGGED, body: evil, headers },
    ]);
    await expect(fetchDigest(digest)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect((await fetchTag()).digest).toBe(digestOf(Buffer.from(evil)));
    server.verify();
  });

  test.each([
    ['longer than 4 MiB', `{"a":"${'x'.repeat(4 * MIB)}"}`, {}],
    ['a gzip bomb', gzipSync(Buffer.alloc(200 * MIB)), { 'content-encoding': 'gzip' }],
    ['a brotli bomb', brotliCompressSync(Buffer.alloc(50 * MIB)), { 'content-encoding': 'br' }],
  ])('%s is TOO_LARGE, and is not held', async (_name, body, headers) => {
    await open([{ request: TAGGED, body, headers: { ...AS_MANIFEST, ...headers } }]);
    const before = process.memoryUsage().rss;
    await expect(fetchTag()).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
    server.verify();
  });

  test('an endless body is left at the limit', async () => {
    let sent = 0;
    await open([
      {
        request: TAGGED,
        answer: endlessly('{"a":"', Buffer.alloc(65_536, 'x'), (bytes) => (sent += bytes)),
      },
    ]);
    await expect(fetchTag()).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(sent).toBeLessThan(32 * MIB);
  });

  test('several encodings in one another are refused', async () => {
    await open([
      {
        request: TAGGED,
        body: gzipSync(gzipSync(MANIFEST)),
        headers: { ...AS_MANIFEST, 'content-encoding': 'gzip, gzip' },
      },
    ]);
    await expect(fetchTag()).rejects.toMatchObject({ code: 'MALFORMED' });
  });

  test('an encoding that a proxy added is undone before the digest is taken', async () => {
    await open([
      {
        request: TAGGED,
        body: gzipSync(MANIFEST),
        headers: { ...AS_MANIFEST, 'content-encoding': 'gzip' },
        having: { 'accept-encoding': 'identity' },
      },
    ]);
    expect((await fetchTag()).digest).toBe(digestOf(Buffer.from(MANIFEST)));
    server.verify();
  });

  test.each<[string, string | Buffer, Record<string, string>]>([
    ['a sign-in page', '<!DOCTYPE html><title>Sign in</title>', { 'content-type': 'text/html' }],
    ['a page that calls itself a manifest', '\n<html></html>', AS_MANIFEST],
    ['nothing', '', AS_MANIFEST],
    ['a list', '[]', AS_MANIFEST],
    ['zeroes', Buffer.alloc(100), AS_MANIFEST],
  ])('%s with status 200 is NOT_A_REGISTRY', async (_name, body, headers) => {
    await open([{ request: TAGGED, body, headers }]);
    await expect(fetchTag()).rejects.toMatchObject({ code: 'NOT_A_REGISTRY' });
  });

  test.each([
    ['an error of the distribution API', { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }],
    ['an error of something else', { message: 'not today' }],
    ['an object of no meaning', {}],
  ])('%s with status 200 is MALFORMED', async (_name, body) => {
    await open([{ request: TAGGED, body }]);
    await expect(fetchTag()).rejects.toMatchObject({ code: 'MALFORMED' });
  });

  test.each<[string, string | Buffer, boolean]>([
    ['both members of an index and of an image', JSON.stringify({ manifests: [], layers: [], config: {} }), false],
    [
      'the type of an index and the members of an image',
      JSON.stringify({ mediaType: OCI_INDEX, layers: [], config: {} }),
      false,
    ],
    ['JSON nested 10,000 deep', `{"layers":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, false],
    ['garbage after the end', '{"manifests":[]} x', false],
    ['a byte order mark', '\uFEFF{"manifests":[]}', true],
    ['__proto__ and constructor', '{"manifests":[],"__proto__":{"layers":[]},"constructor":1}', true],
    [
      'NUL, a lone surrogate, invalid UTF-8',
      Buffer.concat([
        Buffer.from('{"manifests":[],"annotations":{"a":"\\u0000\\ud800'),
        Buffer.from([0xff]),
        Buffer.from('"}}'),
      ]),
      true,
    ],
  ])('%s: the bytes are kept, and whether they can be read: %#', async (_name, body, isReadable) => {
    await open([{ request: TAGGED, body, headers: { 'content-type': OCI_INDEX } }]);
    const { raw, digest, mediaType } = await fetchTag();
    expect(Buffer.from(raw).equals(Buffer.from(body))).toBe(true);
    expect(digest).toBe(digestOf(Buffer.from(body)));
    if (isReadable) {
      const text = JSON.stringify(parseManifest(raw, mediaType));
      expect(text).not.toMatch(/\\u0000|\\ud800/);
    } else {
      expect(() => parseManifest(raw, mediaType)).toThrow(expect.objectContaining({ code: 'MALFORMED' }) as Error);
    }
  });

  test('a child that is missing is NOT_FOUND, not a fault of its index', async () => {
    const digest = digestOf(Buffer.from('child'));
    await open([{ request: `GET /v2/a/b/manifests/${digest}`, status: 404, times: 2 }]);
    await expect(fetchDigest(digest)).rejects.toMatchObject({ code: 'NOT_FOUND', isTransient: false });
    server.verify();
  });
});

describe('connections', () => {
  test.each<[string, Partial<HttpLimits>]>([
    ['the total time', { total: 400 }],
    ['the least throughput', { throughputWindow: 400, throughput: 1000 }],
  ])('a byte now and then runs into %s', async (_name, limits) => {
    const answer: Entry['answer'] = (response) => {
      response.writeHead(200, AS_MANIFEST);
      const drip = setInterval(() => response.write(' '), 40);
      response.on('close', () => clearInterval(drip));
    };
    await open([{ request: TAGGED, answer }], limits);
    await expect(fetchTag()).rejects.toMatchObject({ code: 'TIMEOUT', isTransient: true });
  });

  test('a body that stops, or never begins, is a timeout', async () => {
    await open(
      [
        { request: TAGGED, answer: (response) => void response.writeHead(200, AS_MANIFEST).write('{') },
        { request: TAGGED, answer: () => undefined },
      ],
      { idle: 100, firstByte: 100 },
    );
    await expect(fetchTag()).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(fetchTag()).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  test.each<[string, Entry['answer'] & object]>([
    ['a reset', (response) => void response.destroy()],
    [
      'a body shorter than its Content-Length',
      (response) => response.writeHead(200, { 'content-length': '500' }).write('{', () => response.destroy()),
    ],
    [
      'a body that ends in the middle of a chunk',
      (response) => void response.writeHead(200).write('{', () => response.destroy()),
    ],
  ])('after %s the request is repeated', async (_name, answer) => {
    await open([
      { request: TAGGED, answer, times: 2 },
      { request: TAGGED, body: MANIFEST, headers: AS_MANIFEST },
    ]);
    expect((await fetchTag()).digest).toBe(digestOf(Buffer.from(MANIFEST)));
    server.verify();
  });

  test('a body longer than its Content-Length ends there', async () => {
    const answer: Entry['answer'] = (response) => {
      const { socket } = response;
      socket?.end(
        `HTTP/1.1 200 OK\r\ncontent-type: ${OCI_MANIFEST}\r\ncontent-length: ${MANIFEST.length}\r\n\r\n${MANIFEST}{"more":1}`,
      );
    };
    await open([{ request: TAGGED, answer }]);
    expect((await fetchTag()).digest).toBe(digestOf(Buffer.from(MANIFEST)));
  });

  test('a body that comes with a HEAD harms no later request', async () => {
    const digest = digestOf(Buffer.from(MANIFEST));
    const answer: Entry['answer'] = (response) => {
      response.socket?.write(
        `HTTP/1.1 200 OK\r\ndocker-content-digest: ${digest}\r\ncontent-length: ${MANIFEST.length}\r\nconnection: keep-alive\r\n\r\n${MANIFEST}`,
      );
    };
    await open([
      { request: 'HEAD /v2/a/b/manifests/v1', answer },
      { request: TAGGED, body: MANIFEST, headers: AS_MANIFEST },
    ]);
    expect(await registry.resolveManifest(repository, 'v1' as TagName, signal)).toBe(digest);
    expect((await fetchTag()).digest).toBe(digest);
    server.verify();
  });

  test('cookies are not kept', async () => {
    await open([
      { request: TAGGED, body: MANIFEST, headers: { ...AS_MANIFEST, 'set-cookie': 'a=b', 'alt-svc': 'h3=":443"' } },
      { request: TAGGED, body: MANIFEST, headers: AS_MANIFEST, having: { cookie: null } },
    ]);
    await fetchTag();
    await fetchTag();
    server.verify();
  });

  test('5xx is tried again, then is UNAVAILABLE, whatever the body is', async () => {
    await open([{ request: TAGGED, status: 503, body: '<html>'.repeat(100_000), times: 3 }]);
    await expect(fetchTag()).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 503 });
    server.verify();
  });

  test('an explanation is shown without controls, and not all of it', async () => {
    const message = `\u001b[31mred\u0000 \u202Eback${'x'.repeat(10_000)}`;
    await open([{ request: FIRST, status: 403, body: { errors: [{ code: 'DENIED', message }] } }]);
    const error = (await tags().catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'FORBIDDEN', registryCode: 'DENIED' });
    expect(error.message).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(error.message.length).toBeLessThan(500);
  });
});

describe('addresses', () => {
  test.each([
    ['a private address', 'http://10.0.0.1/v2/'],
    ['the metadata service', 'http://169.254.169.254/latest/meta-data?key=secret'],
    ['another name of this machine', 'http://localhost:8080/'],
    ['a file', 'file:///etc/passwd'],
    ['another protocol', 'gopher://127.0.0.1:70/'],
  ])('a redirect to %s is refused', async (_name, location) => {
    await open([{ request: TAGGED, status: 307, headers: { location } }]);
    const error: unknown = await fetchTag().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'REFUSED_ADDRESS', isTransient: false });
    expect(String(error)).not.toContain('secret');
  });

  test('redirects in a circle end', async () => {
    await open([{ request: TAGGED, status: 302, headers: { location: '/v2/a/b/manifests/v1' } }]);
    await expect(fetchTag()).rejects.toMatchObject({ code: 'MALFORMED' });
    server.verify();
  });

  test('a next page on another host is not asked for', async () => {
    const other = await startScriptedServer();
    await open([
      { request: FIRST, body: { tags: ['a'] }, headers: { link: `<${other.url.origin}${LIST}?last=a>; rel="next"` } },
    ]);
    await expect(tags()).rejects.toMatchObject({ code: 'REFUSED_ADDRESS' });
    other.verify();
    await other.close();
  });

  test('a token service in a private network is not asked', async () => {
    const headers = { 'www-authenticate': 'Bearer realm="http://192.168.0.1/token",service="x"' };
    await open([{ request: FIRST, status: 401, headers }], {}, { kind: 'basic', username: 'me', password: 'secret' });
    await expect(tags()).rejects.toMatchObject({ code: 'REFUSED_ADDRESS' });
  });

  test('a token that can not stand in a header is none', async () => {
    await open([
      { request: FIRST, status: 401, headers: { 'www-authenticate': 'Bearer realm="/token"' } },
      { request: 'GET /token?scope=repository%3Aa%2Fb%3Apull', body: { token: 'a\r\nx: y' } },
    ]);
    await expect(tags()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    server.verify();
  });

  test('a token service that answers with a page, or endlessly, is an error', async () => {
    const refusal = { request: FIRST, status: 401, headers: { 'www-authenticate': 'Bearer realm="/token"' } };
    const request = 'GET /token?scope=repository%3Aa%2Fb%3Apull';
    await open([
      refusal,
      { request, body: '<html>' },
      refusal,
      { request, body: `{"token":"${'x'.repeat(2 * MIB)}"}` },
    ]);
    await expect(tags()).rejects.toMatchObject({ code: 'NOT_A_REGISTRY' });
    await expect(tags()).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });
});

describe('lists', () => {
  test('a list whose pages never end is cut off, and is not complete', async () => {
    let page = 0;
    await open([]);
    server.script({ request: FIRST, body: { tags: ['t0'] }, headers: { link: `<${LIST}?p=0>; rel="next"` } });
    for (; page < 1000; page++) {
      server.script({
        request: `GET ${LIST}?p=${page}`,
        body: { tags: [`t${page + 1}`] },
        headers: { link: `<${LIST}?p=${page + 1}>; rel="next"` },
        times: 'any',
      });
    }
    await expect(tags()).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(server.requests.length).toBe(1000);
  });

  test.each([
    ['to itself', `<${LIST}?n=1000>; rel="next"`],
    ['in a circle', `<${LIST}?p=1>; rel="next"`],
  ])('a page that leads %s is an error', async (_name, link) => {
    await open([
      { request: FIRST, body: { tags: ['a'] }, headers: { link } },
      {
        request: `GET ${LIST}?p=1`,
        body: { tags: ['b'] },
        headers: { link: `<${LIST}?n=1000>; rel="next"` },
        times: 'any',
      },
    ]);
    await expect(tags()).rejects.toMatchObject({ code: 'MALFORMED' });
  });

  test('a page of more than 16 MiB is TOO_LARGE', async () => {
    await open([{ request: FIRST, body: `{"tags":["${'x'.repeat(17 * MIB)}"]}` }]);
    await expect(tags()).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  test('more than 200,000 tags are TOO_LARGE', async () => {
    await open([{ request: FIRST, body: { tags: Array.from({ length: 200_001 }, (_, n) => `t${n}`) } }]);
    await expect(tags()).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  test.each<[string, string | object, string]>([
    ['a page of HTML', '<html></html>', 'NOT_A_REGISTRY'],
    ['an error', { errors: [{ code: 'DENIED', message: 'no' }] }, 'MALFORMED'],
    ['an object of something else', { data: {} }, 'MALFORMED'],
    ['a text for a list', { name: 'a/b', tags: 'a' }, 'MALFORMED'],
    ['broken JSON', '{"tags":["a"', 'MALFORMED'],
  ])('%s is no empty list', async (_name, body, code) => {
    await open([{ request: FIRST, body }]);
    await expect(tags()).rejects.toMatchObject({ code });
  });

  test('tags that differ in case only are two, and a tag named like a member of objects is one', async () => {
    await open([{ request: FIRST, body: { tags: ['a', 'A', '__proto__', 'constructor', 'x'.repeat(4096)] } }]);
    expect(await tags()).toEqual(['a', 'A', '__proto__', 'constructor']);
  });

  test('an abort ends a list between its pages', async () => {
    const abort = new AbortController();
    await open([{ request: FIRST, body: { tags: ['a'] }, headers: { link: `<${LIST}?p=1>; rel="next"` } }]);
    const pages = registry.listTags(repository, abort.signal)[Symbol.asyncIterator]();
    expect(await pages.next()).toMatchObject({ value: [{ name: 'a' }] });
    abort.abort(new Error('enough'));
    await expect(pages.next()).rejects.toThrow('enough');
    server.verify();
  });
});

describeSamples('documents as registries send them', () => {
  test('a list as Nexus and Artifactory send it is cleaned', async () => {
    await open([{ request: FIRST, body: sample('nexus-tags-null.json') }]);
    const found = await tags();
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((name) => /^[\w][\w.-]{0,127}$/.test(name))).toBe(true);
  });
});
