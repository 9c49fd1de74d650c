import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, type Digest } from '../../src/domain/digest.ts';
import { MANIFEST_ACCEPT, OCI_INDEX, OCI_MANIFEST, SCHEMA1_SIGNED } from '../../src/domain/media-type.ts';
import type { RegistryHost, RepositoryName, TagName } from '../../src/domain/reference.ts';
import type { HttpLimits } from '../../src/http/index.ts';
import { credentialFromDockerConfig } from '../../src/registries/docker-config.ts';
import { withinTime } from '../../src/registries/deadline.ts';
import { checkCredential, defaultRegistryUrl, openRegistry, recogniseKind } from '../../src/registries/index.ts';
import { openClient } from '../../src/registries/client.ts';
import { KeptToken } from '../../src/registries/kept-token.ts';
import { openOciRegistry } from '../../src/registries/oci/index.ts';
import { isTrustedRealm, readToken } from '../../src/registries/oci/token.ts';
import { Once } from '../../src/registries/once.ts';
import type { Credential, OpenRegistry } from '../../src/registries/registry.ts';
import { describeSamples, sample, sampleJson } from '../support/samples.ts';
import { startScriptedServer, type Entry, type ScriptedServer } from '../support/scripted-server.ts';

const signal = new AbortController().signal;
const repository = 'a/b' as RepositoryName;
const tag = 'v1' as TagName;
const MANIFEST = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, layers: [], config: {} });
const DIGEST = digestOf(Buffer.from(MANIFEST));
const LIST = '/v2/a/b/tags/list';
const TAGGED = '/v2/a/b/manifests/v1';
const AS_MANIFEST = { 'content-type': OCI_MANIFEST };
const REFERRERS = `/v2/a/b/referrers/${DIGEST}`;

let server: ScriptedServer;
let registry: OpenRegistry;

async function open(entries: Entry[], credential: Credential | null = null, limits: Partial<HttpLimits> = {}) {
  server = await startScriptedServer(...entries);
  registry = openAt(server, credential, limits);
}

function openAt(at: ScriptedServer, credential: Credential | null = null, limits: Partial<HttpLimits> = {}) {
  const settings = { host: at.url.host as RegistryHost, url: at.url, credential, allowedNetworks: ['127.0.0.0/8'] };
  return openOciRegistry(settings, openClient(settings, { retryPauses: [1, 1], ...limits }));
}

afterEach(async () => {
  await registry?.close();
  await server?.close();
});

const tags = async () =>
  (await Array.fromAsync(registry.listTags(repository, signal))).map((page) => page.map(({ name }) => name));
const repositories = () => Array.fromAsync(registry.listRepositories?.('', signal) ?? []);
const resolve = () => registry.resolveManifest(repository, tag, signal);
const fetchTag = () => registry.fetchManifest(repository, tag, signal);
const referrers = () => registry.listReferrers?.(repository, DIGEST, signal);
const blob = async (digest: Digest, size: number) =>
  Buffer.concat(await Array.fromAsync(registry.fetchBlob(repository, digest, size, signal)));
const errors = (code: string) => ({ errors: [{ code, message: 'why' }] });
const bearer = (parameters = '') => ({ 'www-authenticate': `Bearer realm="/token",service="it"${parameters}` });
const basic: Credential = { kind: 'basic', username: 'me', password: 'se:cret' };
const BASIC = `Basic ${Buffer.from('me:se:cret').toString('base64')}`;

describe('listing tags', () => {
  test('pages follow the links, each as it comes, without what is no tag and what was there before', async () => {
    await open([
      {
        request: `GET ${LIST}?n=1000`,
        body: { tags: ['a', null, '', 'b c', `sha256:${'a'.repeat(64)}`, 'b'] },
        headers: { link: `<${LIST}?n=1000&last=b>; rel="next"` },
      },
      { request: `GET ${LIST}?n=1000&last=b`, body: { tags: ['b', 'C', 'c'] } },
    ]);
    expect(await tags()).toEqual([
      ['a', 'b'],
      ['C', 'c'],
    ]);
    server.verify();
  });

  test('a page of nothing but invalid names does not end the list', async () => {
    await open([
      { request: `GET ${LIST}?n=1000`, body: { tags: [null] }, headers: { link: `<${LIST}?x=2>; rel=next` } },
      { request: `GET ${LIST}?x=2`, body: { tags: ['a'] } },
    ]);
    expect(await tags()).toEqual([['a']]);
    server.verify();
  });

  test.each<[string, object]>([
    ['null', { name: 'a/b', tags: null }],
    ['an empty list', { name: 'a/b', tags: [] }],
    ['no member at all', { name: 'a/b' }],
  ])('%s means that there are no tags', async (_name, body) => {
    await open([{ request: `GET ${LIST}?n=1000`, body }]);
    expect(await tags()).toEqual([]);
  });

  test.each([
    ['an empty page', []],
    ['a page that was there before', ['a']],
  ])('%s ends the list, whatever it links to', async (_name, second) => {
    const link = { link: `<${LIST}?last=x>; rel="next"` };
    await open([
      { request: `GET ${LIST}?n=1000`, body: { tags: ['a'] }, headers: link },
      { request: `GET ${LIST}?last=x`, body: { tags: second }, headers: { link: `<${LIST}?last=y>; rel="next"` } },
    ]);
    expect(await tags()).toEqual([['a']]);
    server.verify();
  });

  test.each<[string, Entry]>([
    [
      '400 PAGINATION_NUMBER_INVALID',
      { request: `GET ${LIST}?n=1000`, status: 400, body: errors('PAGINATION_NUMBER_INVALID') },
    ],
    ['405', { request: `GET ${LIST}?n=1000`, status: 405, body: errors('UNSUPPORTED') }],
  ])('after %s smaller pages are asked for, from then on', async (_name, refusal) => {
    await open([refusal, { request: `GET ${LIST}?n=100`, body: { tags: ['a'] }, times: 2 }]);
    expect(await tags()).toEqual([['a']]);
    expect(await tags()).toEqual([['a']]);
    server.verify();
  });

  test('a listing whose last tag vanished begins again, once', async () => {
    const first = {
      request: `GET ${LIST}?n=1000`,
      body: { tags: ['a'] },
      headers: { link: `<${LIST}?last=a>; rel="next"` },
    };
    await open([
      first,
      { request: `GET ${LIST}?last=a`, status: 404 },
      first,
      { request: `GET ${LIST}?last=a`, body: { tags: ['b'] } },
    ]);
    expect(await tags()).toEqual([['a'], ['b']]);
    server.script(first, first, { request: `GET ${LIST}?last=a`, status: 404, times: 2 });
    await expect(tags()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    server.verify();
  });

  test('a repository that is not there is NOT_FOUND', async () => {
    await open([{ request: `GET ${LIST}?n=1000`, status: 404, body: errors('NAME_UNKNOWN') }]);
    await expect(tags()).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404, registryCode: 'NAME_UNKNOWN' });
  });

  test('a registry below a path is asked there, also when its links forget the path', async () => {
    server = await startScriptedServer(
      { request: `GET /proxy${LIST}?n=1000`, body: { tags: ['a'] }, headers: { link: `<${LIST}?last=a>; rel="next"` } },
      { request: `GET /proxy${LIST}?last=a`, body: { tags: ['b'] } },
    );
    registry = openOciRegistry({
      host: server.url.host as RegistryHost,
      url: new URL('/proxy/', server.url),
      credential: null,
    });
    expect(await tags()).toEqual([['a'], ['b']]);
    server.verify();
  });
});

describe('listing repositories', () => {
  test('names outside the grammar are dropped', async () => {
    await open([{ request: 'GET /v2/_catalog?n=1000', body: { repositories: ['a/b', 'A', null, '../x', 'c'] } }]);
    expect(await repositories()).toEqual([['a/b', 'c']]);
  });

  test('1000 at once, then 100', async () => {
    await open([
      { request: 'GET /v2/_catalog?n=1000', status: 400, body: errors('PAGINATION_NUMBER_INVALID') },
      { request: 'GET /v2/_catalog?n=100', body: { repositories: ['a'] } },
    ]);
    expect(await repositories()).toEqual([['a']]);
    server.verify();
  });
});

describe('resolving', () => {
  const head = (headers: Record<string, string>, status = 200): Entry => ({
    request: `HEAD ${TAGGED}`,
    status,
    headers,
    having: { accept: MANIFEST_ACCEPT },
  });
  const getIt: Entry = {
    request: `GET ${TAGGED}`,
    body: MANIFEST,
    headers: AS_MANIFEST,
    having: { accept: MANIFEST_ACCEPT },
  };

  test('HEAD is enough where it names the digest', async () => {
    await open([head({ 'docker-content-digest': DIGEST, 'content-length': '9' })]);
    expect(await resolve()).toBe(DIGEST);
    server.verify();
  });

  test.each<[string, Entry]>([
    ['names no digest', head({ 'content-length': '9' })],
    ['names an upper-case digest', head({ 'docker-content-digest': DIGEST.toUpperCase(), 'content-length': '9' })],
    [
      'names a digest of another algorithm',
      head({ 'docker-content-digest': `sha512:${'a'.repeat(128)}`, 'content-length': '9' }),
    ],
    ['has length 0', head({ 'docker-content-digest': `sha256:${'a'.repeat(64)}`, 'content-length': '0' })],
    ['is not allowed', head({}, 405)],
    ['is not implemented', head({}, 501)],
  ])('where HEAD %s, GET tells, from then on', async (_name, entry) => {
    await open([entry, { ...getIt, times: 2 }]);
    expect(await resolve()).toBe(DIGEST);
    expect(await resolve()).toBe(DIGEST);
    server.verify();
  });

  test('a 404 is believed when GET says it too', async () => {
    await open([head({}, 404), { request: `GET ${TAGGED}`, status: 404, body: errors('MANIFEST_UNKNOWN') }]);
    expect(await resolve()).toBeNull();
    server.verify();
  });

  test('a 404 is an absence whatever its code says, as at registry.redhat.io', async () => {
    const body = { errors: [{ code: 'UNKNOWN', message: 'Not Found' }] };
    await open([head({}, 404), { request: `GET ${TAGGED}`, status: 404, body }]);
    expect(await resolve()).toBeNull();
    server.verify();
  });

  test('a 404 that GET contradicts counts against HEAD', async () => {
    await open([
      { ...head({}, 404), times: 3 },
      { request: `GET ${TAGGED}`, body: MANIFEST, headers: AS_MANIFEST, times: 4 },
    ]);
    for (let n = 0; n < 4; n++) expect(await resolve()).toBe(DIGEST);
    server.verify();
  });

  test('a 404 is one whatever code stands in it', async () => {
    const body = errors('UNKNOWN');
    await open([head({}, 404), { request: `GET ${TAGGED}`, status: 404, body }]);
    expect(await resolve()).toBeNull();
  });

  test('a 404 because of the Accept header is no absence', async () => {
    const body = {
      errors: [
        { code: 'MANIFEST_UNKNOWN', message: 'OCI index found, but accept header does not support OCI indexes' },
      ],
    };
    await open([head({}, 404), { request: `GET ${TAGGED}`, status: 404, body }]);
    await expect(resolve()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test.each([
    [304, 'UNSUPPORTED'],
    [403, 'FORBIDDEN'],
    [500, 'UNAVAILABLE'],
  ])('%d is %s, and proves nothing', async (status, code) => {
    await open([head({}, status)]);
    await expect(resolve()).rejects.toMatchObject({ code });
  });
});

describe('fetching manifests', () => {
  test('the digest is that of the bytes, whatever the header says', async () => {
    await open([
      {
        request: `GET ${TAGGED}`,
        body: MANIFEST,
        headers: { ...AS_MANIFEST, 'docker-content-digest': `sha256:${'0'.repeat(64)}` },
      },
    ]);
    const fetched = await fetchTag();
    expect({ ...fetched, raw: String(fetched.raw) }).toEqual({
      digest: DIGEST,
      mediaType: OCI_MANIFEST,
      raw: MANIFEST,
    });
  });

  test('a sha512 digest is checked as such', async () => {
    const digest = digestOf(Buffer.from(MANIFEST), 'sha512');
    await open([{ request: `GET /v2/a/b/manifests/${digest}`, body: MANIFEST, headers: AS_MANIFEST }]);
    expect((await registry.fetchManifest(repository, digest, signal)).digest).toBe(digest);
  });

  test('a media type is stripped of its parameters, and JSON of no type must look like a manifest', async () => {
    await open([
      {
        request: `GET ${TAGGED}`,
        body: MANIFEST,
        headers: { 'content-type': 'Application/Vnd.OCI.Image.Manifest.v1+json; charset=utf-8' },
      },
      { request: `GET ${TAGGED}`, body: MANIFEST, headers: { 'content-type': 'application/json' } },
      { request: `GET ${TAGGED}`, body: MANIFEST },
      { request: `GET ${TAGGED}`, body: { hello: 'world' } },
    ]);
    expect((await fetchTag()).mediaType).toBe(OCI_MANIFEST);
    expect((await fetchTag()).mediaType).toBe('application/json');
    expect((await fetchTag()).mediaType).toBeNull();
    await expect(fetchTag()).rejects.toMatchObject({ code: 'MALFORMED' });
  });

  test('what is gone is NOT_FOUND after a second attempt that takes schema 1 too', async () => {
    await open([
      { request: `GET ${TAGGED}`, status: 404, having: { accept: MANIFEST_ACCEPT } },
      {
        request: `GET ${TAGGED}`,
        status: 404,
        body: errors('TAG_EXPIRED'),
        having: {
          accept: `${MANIFEST_ACCEPT}, ${SCHEMA1_SIGNED}, application/vnd.docker.distribution.manifest.v1+json`,
        },
      },
    ]);
    await expect(fetchTag()).rejects.toMatchObject({ code: 'NOT_FOUND', registryCode: 'TAG_EXPIRED' });
    server.verify();
  });
});

describeSamples('documents as registries send them', () => {
  const SIGNED = 'sha256:7364fea9d84ee548ab67d4c46c6006289800c98de3fbf8c0a97138dfcc23f000' as Digest;

  test.each([SCHEMA1_SIGNED, 'application/json'])(
    'signed schema 1, sent as %s, has the digest of its payload',
    async (type) => {
      const answer = { body: sample('docker-schema1-manifest.json'), headers: { 'content-type': type } };
      await open([
        { request: `GET ${TAGGED}`, status: 404 },
        { request: `GET ${TAGGED}`, ...answer },
        { request: `GET /v2/a/b/manifests/${SIGNED}`, ...answer },
      ]);
      expect(await fetchTag()).toMatchObject({ digest: SIGNED, mediaType: SCHEMA1_SIGNED });
      expect(await registry.fetchManifest(repository, SIGNED, signal)).toMatchObject({
        digest: SIGNED,
        mediaType: SCHEMA1_SIGNED,
      });
      server.verify();
    },
  );

  test('a consistent set is read as it is: index, manifests, configurations, layers, referrers', async () => {
    const file = (name: string) => sample(`oci-consistent/${name}`);
    const names = [
      'index.json',
      'manifest-amd64.json',
      'manifest-arm64.json',
      'manifest-attestation.json',
      'manifest-sbom-referrer.json',
    ];
    const blobs = ['config-amd64.json', 'config-arm64.json', 'layer-a.bin', 'layer-b.bin', 'layer-c.bin', 'empty.json'];
    await open([
      ...names.map((name) => ({ request: `GET /v2/a/b/manifests/${digestOf(file(name))}`, body: file(name) })),
      ...blobs.map((name) => ({ request: `GET /v2/a/b/blobs/${digestOf(file(name))}`, body: file(name) })),
      { request: REFERRERS, body: '', times: 'any' },
      {
        request: `GET /v2/a/b/referrers/${digestOf(file('manifest-amd64.json'))}`,
        body: file('referrers-response.json'),
      },
    ]);
    for (const name of names) {
      const digest = digestOf(file(name));
      expect(Buffer.compare((await registry.fetchManifest(repository, digest, signal)).raw, file(name))).toBe(0);
    }
    for (const name of blobs) expect(await blob(digestOf(file(name)), file(name).length)).toEqual(file(name));
    const found = await registry.listReferrers?.(repository, digestOf(file('manifest-amd64.json')), signal);
    expect(found).toEqual([digestOf(file('manifest-sbom-referrer.json'))]);
    server.verify();
  });

  type ErrorCase = {
    from: string;
    status: number;
    headers?: Record<string, string>;
    contentType: string;
    body: string;
    meaning: string;
  };
  const cases = sampleJson<{ cases: ErrorCase[] }>('registry-errors.json')?.cases ?? [];
  const MEANINGS: Record<string, { code: string; [name: string]: unknown }> = {
    'not-found': { code: 'NOT_FOUND' },
    accept: { code: 'UNSUPPORTED' },
    'page-size': { code: 'UNSUPPORTED' },
    'rate-limit': { code: 'RATE_LIMITED', retryAt: expect.any(Date) },
    'partial-list': { code: 'FORBIDDEN' },
    unauthorized: { code: 'UNAUTHORIZED' },
    denied: { code: 'FORBIDDEN' },
    'not-a-registry': { code: 'NOT_A_REGISTRY' },
    'restart-listing': { code: 'NOT_FOUND' },
    retry: { code: 'UNAVAILABLE', isTransient: true },
    'bad-request': { code: 'UNSUPPORTED' },
  };
  test.each(cases.map((one) => [`${one.from}: ${one.status} is ${one.meaning}`, one] as const))(
    '%s',
    async (_name, one) => {
      const { status, body, contentType } = one;
      const headers = { ...one.headers, ...(contentType && { 'content-type': contentType }) };
      await open(
        [
          { request: `GET ${LIST}?n=1000`, status, body, headers, times: 'any' },
          { request: `GET ${LIST}?n=100`, status, body, headers, times: 'any' },
        ],
        null,
        { longestAskedPause: 0 },
      );
      await expect(tags()).rejects.toMatchObject(MEANINGS[one.meaning] ?? { code: 'no such meaning' });
    },
  );

  type TokenCase = { name: string; status: number; body: Record<string, string | number> };
  const tokens = sampleJson<{ cases: TokenCase[] }>('token-responses.json')?.cases ?? [];
  test.each(tokens.map((one) => [one.name, one] as const))('token: %s', async (_name, { status, body }) => {
    const value = body['access_token'] ?? body['token'];
    await open([
      { request: `GET ${LIST}?n=1000`, status: 401, headers: bearer(), having: { authorization: null } },
      { request: 'GET /token?service=it&scope=repository%3Aa%2Fb%3Apull', status, body },
      ...(value
        ? [{ request: `GET ${LIST}?n=1000`, body: { tags: ['a'] }, having: { authorization: `Bearer ${value}` } }]
        : []),
    ]);
    if (value) expect(await tags()).toEqual([['a']]);
    else await expect(tags()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    server.verify();
  });
});

describe('signing in', () => {
  const refused = (headers: Record<string, string | string[]>, authorization: string | null = null): Entry => ({
    request: `GET ${LIST}?n=1000`,
    status: 401,
    headers,
    having: { authorization },
  });
  const given = (authorization: string | null, more: Partial<Entry> = {}): Entry => ({
    request: `GET ${LIST}?n=1000`,
    body: { tags: ['a'] },
    having: { authorization },
    ...more,
  });
  const TOKEN = 'GET /token?service=it&scope=repository%3Aa%2Fb%3Apull';

  test('a password is sent after the registry asked for it, and at once from then on', async () => {
    await open([refused({ 'www-authenticate': ['Negotiate', 'Basic realm="r"'] }), given(BASIC, { times: 2 })], basic);
    await tags();
    await tags();
    server.verify();
  });

  test('a refused password is not sent again', async () => {
    await open(
      [refused({ 'www-authenticate': 'Basic realm="r"' }), refused({ 'www-authenticate': 'Basic realm="r"' }, BASIC)],
      basic,
    );
    await expect(tags()).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining('the credential was refused'),
    });
    server.verify();
  });

  test('a token is asked for with the password, and kept for its scope', async () => {
    await open(
      [
        refused(bearer(',scope="repository:a/b:pull"')),
        { request: `${TOKEN}&account=me`, body: { token: 't' }, having: { authorization: BASIC } },
        given('Bearer t', { times: 2 }),
        { request: 'GET /v2/_catalog?n=1000', body: { repositories: [] }, having: { authorization: null } },
      ],
      basic,
    );
    await tags();
    await tags();
    await repositories();
    server.verify();
  });

  test('requests that wait for one token ask for it once', async () => {
    await open([
      { ...refused(bearer()), times: 5 },
      { request: TOKEN, body: { token: 't' } },
      given('Bearer t', { times: 5 }),
    ]);
    await Promise.all(Array.from({ length: 5 }, tags));
    server.verify();
  });

  test('an identity token is exchanged, also where the token service is busy at first', async () => {
    await open(
      [
        refused(bearer()),
        { request: 'POST /token', status: 503 },
        {
          request: 'POST /token',
          sending:
            'grant_type=refresh_token&refresh_token=id&client_id=stowage&service=it&scope=repository%3Aa%2Fb%3Apull',
          body: { access_token: 't' },
          having: { authorization: null },
        },
        given('Bearer t'),
      ],
      { kind: 'identity', token: 'id' },
    );
    await tags();
    server.verify();
  });

  test('a ready token is sent as it is, and a refusal ends it', async () => {
    await open([given('Bearer ready'), refused(bearer(), 'Bearer ready')], { kind: 'bearer', token: 'ready' });
    await tags();
    await expect(tags()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    server.verify();
  });

  test('the scope that a refusal asks for is got, once more', async () => {
    await open([
      refused(bearer()),
      { request: TOKEN, body: { token: 't' } },
      refused(bearer(',error="insufficient_scope",scope="repository:a/b:pull registry:catalog:*"'), 'Bearer t'),
      { request: `${TOKEN}&scope=registry%3Acatalog%3A*`, body: { token: 'u' } },
      given('Bearer u'),
    ]);
    await tags();
    server.verify();
  });

  test('a registry that refuses every token is left after two', async () => {
    await open([
      { ...refused(bearer()), having: {}, times: 3 },
      { request: TOKEN, body: { token: 't' }, times: 2 },
    ]);
    await expect(tags()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    server.verify();
  });

  test.each([
    ['no challenge', {}],
    ['an empty challenge', { 'www-authenticate': '' }],
    ['a bearer challenge without a realm', { 'www-authenticate': 'Bearer' }],
    ['a password that we do not have', { 'www-authenticate': 'Basic realm="r"' }],
  ])('%s is UNAUTHORIZED', async (_name, headers) => {
    await open([refused(headers)]);
    await expect(tags()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    server.verify();
  });

  test('a token that grants less than was asked is no reason to go on', async () => {
    await open([
      refused(bearer()),
      { request: TOKEN, body: { token: 't' } },
      { request: `GET ${LIST}?n=1000`, status: 403, body: errors('DENIED') },
    ]);
    await expect(tags()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    server.verify();
  });

  test('the realm keeps its own query', async () => {
    await open([
      refused({ 'www-authenticate': 'Bearer realm="/token?kind=x",scope="s"' }),
      { request: 'GET /token?kind=x&scope=s', body: { token: 't' } },
      given('Bearer t'),
    ]);
    await tags();
    server.verify();
  });

  test('a realm on another host gets no credential, and says so when it refuses', async () => {
    await open([], basic);
    const stranger = await startScriptedServer({ request: TOKEN, status: 401, having: { authorization: null } });
    const realm = `http://localhost:${stranger.url.port}/token`;
    server.script(refused({ 'www-authenticate': `Bearer realm="${realm}",service="it"` }));
    await expect(tags()).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining('was not sent'),
    });
    server.verify();
    stranger.verify();
    await stranger.close();
  });

  test('a realm in a private network is refused', async () => {
    await open([refused({ 'www-authenticate': 'Bearer realm="http://10.0.0.1/token"' })], basic);
    await expect(tags()).rejects.toMatchObject({ code: 'REFUSED_ADDRESS' });
  });

  test.each([
    ['https://reg.example.com', 'https://reg.example.com/token', true],
    ['https://reg.example.com', 'https://reg.example.com:8443/token', true],
    ['https://reg.example.com', 'http://reg.example.com/token', false],
    ['http://reg.example.com', 'http://reg.example.com/token', true],
    ['https://reg.example.com', 'https://evil.example.net/token', false],
    ['https://registry-1.docker.io', 'https://auth.docker.io/token', true],
    ['https://registry-1.docker.io', 'http://auth.docker.io/token', false],
    ['https://reg.example.com', 'https://auth.docker.io/token', false],
    ['https://registry.redhat.io', 'https://sso.redhat.com/auth/realms/rhcc', true],
    ['https://lscr.io', 'https://ghcr.io/token', true],
    ['https://lscr.example.com', 'https://ghcr.io/token', false],
    ['https://registry.gitlab.com', 'https://gitlab.com/jwt/auth', true],
    ['https://registry.example.com', 'https://gitlab.example.com/jwt/auth', true],
    ['https://registry.example.com', 'https://other.example.com/jwt/auth', false],
    ['https://registry.example.com', 'https://example.com/token', false],
    ['https://registry.com', 'https://com/jwt/auth', false],
  ])('credentials of %s go to %s: %s', (url, realm, expected) => {
    expect(isTrustedRealm(new URL(url), new URL(realm))).toBe(expected);
  });

  test.each([
    ['none', {}, 50],
    ['0', { expires_in: 0 }, 50],
    ['a negative one', { expires_in: -1 }, 50],
    ['5 minutes', { expires_in: 300 }, 290],
    ['a text', { expires_in: '300' }, 290],
    ['nonsense', { expires_in: 'soon' }, 50],
    ['an absurd one', { expires_in: 1e12 }, 12 * 3600 - 10],
    ['one that began a minute ago', { expires_in: 300, issued_at: '2026-01-01T00:00:00Z' }, 230],
    ['one that began in the future', { expires_in: 300, issued_at: '2999-01-01T00:00:00Z' }, 290],
    ['one that has ended', { expires_in: 300, issued_at: '2009-11-10T23:00:00Z' }, 290],
  ])('a lifetime: %s', (_name, members, seconds) => {
    const now = Date.parse('2026-01-01T00:01:00Z');
    expect(readToken({ token: 't', ...members }, now, 'the token').expiresAt).toBe(now + seconds * 1000);
  });
});

describe('blobs', () => {
  const bytes = Buffer.alloc(5_000_000, 'layer');
  const small = Buffer.from('{"os":"linux"}');

  test('small and large ones come whole, over redirects without the authorization', async () => {
    await open([], basic);
    const store = await startScriptedServer({
      request: 'GET /signed?key=1',
      body: bytes,
      having: { authorization: null },
    });
    server.script(
      { request: `GET /v2/a/b/blobs/${digestOf(small)}`, status: 401, headers: { 'www-authenticate': 'Basic' } },
      {
        request: `GET /v2/a/b/blobs/${digestOf(small)}`,
        body: small,
        having: { 'accept-encoding': 'identity', authorization: BASIC },
      },
      {
        request: `GET /v2/a/b/blobs/${digestOf(bytes)}`,
        status: 307,
        headers: { location: `${store.url.origin}/signed?key=1` },
        having: { authorization: BASIC },
      },
    );
    expect(await blob(digestOf(small), small.length)).toEqual(small);
    expect((await blob(digestOf(bytes), bytes.length)).equals(bytes)).toBe(true);
    expect(registry.traffic).toMatchObject({ requests: 4, bytes: small.length + bytes.length });
    server.verify();
    store.verify();
    await store.close();
  });

  test.each([
    ['other bytes', small.length, Buffer.from('{"os":"Linux"}')],
    ['fewer bytes', small.length, small.subarray(1)],
    ['more bytes', small.length, Buffer.concat([small, small])],
  ])('%s are refused after a second attempt past the caches', async (_name, size, body) => {
    const digest = digestOf(small);
    await open([
      { request: `GET /v2/a/b/blobs/${digest}`, body, having: { 'cache-control': null } },
      { request: `GET /v2/a/b/blobs/${digest}`, body, having: { 'cache-control': 'no-cache' } },
    ]);
    await expect(blob(digest, size)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    server.verify();
  });

  test.each([
    ['other bytes', Buffer.alloc(5_000_000, 'LAYER'), 'DIGEST_MISMATCH'],
    ['fewer bytes', bytes.subarray(1), 'DIGEST_MISMATCH'],
    ['more bytes', Buffer.concat([bytes, small]), 'TOO_LARGE'],
  ])('a large one of %s is refused at its end', async (_name, body, code) => {
    await open([{ request: `GET /v2/a/b/blobs/${digestOf(bytes)}`, body }]);
    await expect(blob(digestOf(bytes), bytes.length)).rejects.toMatchObject({ code });
  });

  test('one that is not there is NOT_FOUND', async () => {
    await open([{ request: `GET /v2/a/b/blobs/${DIGEST}`, status: 404, body: errors('BLOB_UNKNOWN') }]);
    await expect(blob(DIGEST, 10)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('referrers', () => {
  const other = `sha256:${createHash('sha256').update('x').digest('hex')}`;
  const index = (...digests: unknown[]) => ({ mediaType: OCI_INDEX, manifests: digests.map((digest) => ({ digest })) });

  test('pages are followed, and what is no digest is dropped', async () => {
    await open([
      {
        request: `GET ${REFERRERS}`,
        body: index(DIGEST, 'md5:x', 7, null),
        headers: { link: `<${REFERRERS}?page=2>; rel="next"` },
      },
      { request: `GET ${REFERRERS}?page=2`, body: index(other, DIGEST) },
    ]);
    expect(await referrers()).toEqual([DIGEST, other]);
    server.verify();
  });

  test.each<[string, Partial<Entry>]>([
    ['404', { status: 404 }],
    ['400', { status: 400 }],
    ['405', { status: 405 }],
    ['501', { status: 501 }],
    ['an empty object', { body: {} }],
    ['a page', { body: '<html>' }],
  ])('where the list is answered with %s there is none, and none is asked for again', async (_name, answer) => {
    await open([{ request: `GET ${REFERRERS}`, ...answer }]);
    expect(await Promise.all([referrers(), referrers()])).toEqual([null, null]);
    expect(await referrers()).toBeNull();
    server.verify();
  });

  test('are asked for by the others where the first that asked gives up', async () => {
    const [leaving, reason] = [new AbortController(), new Error('cancelled')];
    await open([
      { request: `GET ${REFERRERS}`, answer: () => leaving.abort(reason) },
      { request: `GET ${REFERRERS}`, body: index(DIGEST) },
    ]);
    const first = registry.listReferrers?.(repository, DIGEST, leaving.signal);
    const other = referrers();
    await expect(first).rejects.toBe(reason);
    expect(await other).toEqual([DIGEST]);
    server.verify();
  });

  test('more than 1000 of one manifest are not read', async () => {
    const many = Array.from({ length: 1200 }, (_, n) => digestOf(Buffer.from(String(n))));
    await open([
      { request: `GET ${REFERRERS}`, body: index(...many), headers: { link: `<${REFERRERS}?page=2>; rel="next"` } },
    ]);
    expect(await referrers()).toHaveLength(1000);
    server.verify();
  });
});

describe('the door', () => {
  test.each([
    ['docker.io', undefined, 'https://registry-1.docker.io/'],
    ['ghcr.io', undefined, 'https://ghcr.io/'],
    ['reg.example.com:5000', true, 'http://reg.example.com:5000/'],
    ['localhost:5000', undefined, 'http://localhost:5000/'],
    ['127.0.0.1:5000', undefined, 'http://127.0.0.1:5000/'],
    ['127.0.0.1:5000', false, 'https://127.0.0.1:5000/'],
    ['[::1]:5000', undefined, 'http://[::1]:5000/'],
  ])('%s, insecure %s, is spoken to at %s', (host, insecure, url) => {
    expect(defaultRegistryUrl(host as RegistryHost, insecure).href).toBe(url);
  });

  test('a kind is known by the address, and an unknown one is refused', () => {
    expect(recogniseKind(new URL('https://registry.example.com'))).toBe('OCI');
    expect(recogniseKind(new URL('ftp://ghcr.io'))).toBeNull();
    expect(() =>
      openRegistry('FTP' as 'OCI', { host: 'x' as RegistryHost, url: new URL('ftp://x'), credential: null }),
    ).toThrow('"FTP" is no kind of registry');
  });

  test("the worker's own identity goes to the hosts of its cloud alone, and to loopback", () => {
    const check = (kind: 'OCI' | 'ECR', url: string) => () => checkCredential(kind, new URL(url), { kind: 'ambient' });
    expect(check('ECR', 'https://123456789012.dkr.ecr.eu-west-1.amazonaws.com')).not.toThrow();
    expect(check('ECR', 'http://127.0.0.1:5000')).not.toThrow();
    expect(check('ECR', 'http://123456789012.dkr.ecr.eu-west-1.amazonaws.com')).toThrow('by HTTPS');
    expect(check('OCI', 'http://127.0.0.1:5000')).toThrow('as OCI');
    expect(check('ECR', 'https://ecr.example.com')).toThrow("The worker's own identity can't sign in");
    expect(check('OCI', 'https://123456789012.dkr.ecr.eu-west-1.amazonaws.com')).toThrow('as OCI');
    const settings = { host: 'x' as RegistryHost, url: new URL('https://x'), credential: { kind: 'ambient' } as const };
    expect(() => openRegistry('OCI', settings)).toThrow("The worker's own identity can't sign in at https://x");
  });
});

describe('work that does not heed its signal', () => {
  const endless = () => new Promise<never>(() => undefined);

  test('is waited for until its time is over', async () => {
    await expect(withinTime(10, 'it', null, endless)).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'it took longer than 0.01 s',
    });
    await expect(withinTime(10_000, 'it', null, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withinTime(10_000, 'it', null, () => Promise.resolve(1))).toBe(1);
  });

  test('is left when the one who waits is aborted', async () => {
    const reason = new Error('cancelled');
    await expect(withinTime(10_000, 'it', AbortSignal.abort(reason), endless)).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = withinTime(10_000, 'it', controller.signal, endless);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});

describe('what is asked once for all', () => {
  const reason = new Error('cancelled');

  /** Answers by hand; a question that ends rejects. */
  function asking() {
    const questions: { signal: AbortSignal; resolve(text: string): void; reject(error: Error): void }[] = [];
    const ask = (of: AbortSignal) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      of.addEventListener('abort', () => reject(of.reason as Error));
      questions.push({ signal: of, resolve, reject });
      return promise;
    };
    return { questions, ask };
  }

  test('goes on for those that wait when another gives up, and is remembered', async () => {
    const { questions, ask } = asking();
    const [once, leaving] = [new Once(ask), new AbortController()];
    const [left, waiting] = [once.get(leaving.signal), once.get(signal)];
    leaving.abort(reason);
    await expect(left).rejects.toBe(reason);
    expect(questions[0]?.signal.aborted).toBe(false);
    questions[0]?.resolve('it');
    expect([await waiting, await once.get(signal)]).toEqual(['it', 'it']);
    expect(questions).toHaveLength(1);
  });

  test('ends when all have given up, and is asked again then, as after a failure', async () => {
    const { questions, ask } = asking();
    const [once, leaving] = [new Once(ask), new AbortController()];
    const left = [once.get(leaving.signal), once.get(leaving.signal)];
    leaving.abort(reason);
    expect(await Promise.allSettled(left)).toEqual(left.map(() => ({ status: 'rejected', reason })));
    expect(questions[0]?.signal.aborted).toBe(true);
    const failing = once.get(signal);
    questions[1]?.reject(new Error('no'));
    await expect(failing).rejects.toThrow('no');
    const last = once.get(signal);
    questions[2]?.resolve('it');
    expect(await last).toBe('it');
  });

  test('a token is not lost to the others by the run that asked for it first', async () => {
    const { questions, ask } = asking();
    const leaving = new AbortController();
    const token = new KeptToken(async (of) => ({ value: await ask(of), expiresAt: Date.now() + 60_000 }));
    const [left, waiting] = [token.authorization(leaving.signal), token.authorization(signal)];
    leaving.abort(reason);
    await expect(left).rejects.toBe(reason);
    questions[0]?.resolve('t');
    expect([await waiting, token.authorization(signal)]).toEqual(['Bearer t', 'Bearer t']);
  });
});

describe("credentials of Docker's config.json", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stowage-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') });
  const environment = () => ({ DOCKER_CONFIG: folder, PATH: `${folder}:/usr/bin:/bin` });
  const credential = (host: string, config: object) => {
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    return credentialFromDockerConfig(host as RegistryHost, { environment: environment() });
  };
  const helper = (name: string, script: string) => {
    const path = join(folder, `docker-credential-${name}`);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  };

  test.each<[string, string, object, Credential | null]>([
    [
      'a host',
      'reg.example.com',
      { 'reg.example.com': auth('me:a:b') },
      { kind: 'basic', username: 'me', password: 'a:b' },
    ],
    [
      'a host with a port',
      'reg.example.com:5000',
      { 'reg.example.com:5000': auth('me:x') },
      { kind: 'basic', username: 'me', password: 'x' },
    ],
    [
      'an old address',
      'reg.example.com',
      { 'https://reg.example.com/v2/': auth('me:x') },
      { kind: 'basic', username: 'me', password: 'x' },
    ],
    [
      "Docker Hub's key",
      'docker.io',
      { 'https://index.docker.io/v1/': auth('me:x\0\0') },
      { kind: 'basic', username: 'me', password: 'x' },
    ],
    [
      'members',
      'r.io',
      { 'r.io': { username: 'me', password: 'x' } },
      { kind: 'basic', username: 'me', password: 'x' },
    ],
    [
      'an identity token',
      'r.io',
      { 'r.io': { ...auth('me:x'), identitytoken: 'i' } },
      { kind: 'identity', token: 'i' },
    ],
    ['a registry token', 'r.io', { 'r.io': { registrytoken: 't' } }, { kind: 'bearer', token: 't' }],
    ['an empty entry', 'r.io', { 'r.io': {} }, null],
    ['another host', 'r.io', { 'x.r.io': auth('me:x') }, null],
    ["another host's path", 'r.io', { 'r.io/org': auth('me:x') }, null],
    ['a name of objects', 'constructor', {}, null],
  ])('are found under %s', async (_name, host, auths, expected) => {
    expect(await credential(host, { auths })).toEqual(expected);
  });

  test('are none where there is no file, and an error where it is broken', async () => {
    expect(await credentialFromDockerConfig('r.io' as RegistryHost, { environment: environment() })).toBeNull();
    writeFileSync(join(folder, 'config.json'), '{');
    await expect(
      credentialFromDockerConfig('r.io' as RegistryHost, { environment: environment() }),
    ).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
    await expect(credential('r.io', { auths: { 'r.io': { auth: '!!!' } } })).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
    });
  });

  test('are asked of the helper of the host, else of the store', async () => {
    helper(
      'one',
      'read url; test "$1 $url" = "get r.io" && echo \'{"ServerURL":"r.io","Username":"me","Secret":"x"}\'',
    );
    helper(
      'two',
      'read url; test "$url" = "https://index.docker.io/v1/" && echo \'{"Username":"<token>","Secret":"i"}\'',
    );
    const config = { credHelpers: { 'r.io': 'one' }, credsStore: 'two', auths: { 'r.io': auth('no:no') } };
    expect(await credential('r.io', config)).toEqual({ kind: 'basic', username: 'me', password: 'x' });
    expect(await credential('docker.io', config)).toEqual({ kind: 'identity', token: 'i' });
  });

  test('are none where the helper knows none, and then those of the file', async () => {
    helper('none', 'echo credentials not found in native keychain; exit 1');
    expect(await credential('r.io', { credsStore: 'none' })).toBeNull();
    expect(await credential('r.io', { credsStore: 'none', auths: { 'r.io': auth('me:x') } })).toMatchObject({
      username: 'me',
    });
  });

  test('are an error where the helper fails, is missing or has a name that is none', async () => {
    helper('bad', 'echo secret; exit 3');
    const error: unknown = await credential('r.io', { credsStore: 'bad' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'INVALID_CONFIGURATION', message: expect.stringContaining('exit code 3') });
    expect(String(error)).not.toContain('secret');
    await expect(credential('r.io', { credsStore: 'missing' })).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
    });
    await expect(credential('r.io', { credsStore: '../x; rm' })).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
    });
  });
});
