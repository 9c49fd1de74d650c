import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RegistryHost, RepositoryName, TagName } from '../../../src/domain/reference.ts';
import { openArtifactRegistry } from '../../../src/registries/artifact-registry/index.ts';
import { readTagPage } from '../../../src/registries/artifact-registry/tag-page.ts';
import { openClient } from '../../../src/registries/client.ts';
import type { OpenRegistry } from '../../../src/registries/registry.ts';
import {
  describeRegistry,
  namesAndAll,
  never,
  openPlayed,
  type RegistryPlay,
} from '../../support/registry-contract.ts';
import { sampleJson } from '../../support/samples.ts';
import { startScriptedServer, type Entry } from '../../support/scripted-server.ts';

const repository = 'google-containers/kube-example' as RepositoryName;
const A = `sha256:${'a'.repeat(64)}`;
const B = `sha256:${'b'.repeat(64)}`;
const listOf = (name: string) => `GET /v2/${name}/tags/list?n=10000`;
const TAGS = listOf(repository);
const NEXT = `/v2/${repository}/tags/list?n=10000&last=v1.9.1-beta.0`;
const INDEX = 'sha256:a3e305e94fcbd7e0d770e3baddf1bf6035e0705da6947bc88d283226c33b5cfb';
const KEY = { kind: 'basic', username: '_json_key', password: '{"type":"service_account"}' } as const;

const challenged = (origin: string): Entry => ({
  request: TAGS,
  status: 401,
  headers: {
    'www-authenticate': `Bearer realm="${origin}/v2/token",service="gcr.io",scope="repository:${repository}:pull"`,
  },
});
const token = (user: string, password: string, answer: Partial<Entry>): Entry => ({
  request: `GET /v2/token?service=gcr.io&scope=repository%3A${encodeURIComponent(repository)}%3Apull&account=${user}`,
  having: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
  ...answer,
});

const play: RegistryPlay = {
  kind: 'ARTIFACT_REGISTRY',
  addresses: [
    'https://gcr.io',
    'https://eu.gcr.io',
    'https://mirror.gcr.io',
    'https://europe-west1-docker.pkg.dev',
    'https://registry.k8s.io',
  ],
  open: openArtifactRegistry,
  repository,
  pages: (origin) => [
    {
      request: TAGS,
      body: sampleJson<object>('gar-tags-list.json') ?? {},
      headers: { link: `<${origin}${NEXT}>; rel="next"` },
    },
    { request: `GET ${NEXT}`, body: { name: repository, tags: ['v2', 'no tag', null], manifest: {} } },
  ],
  tags: [
    tag('v1.4.3', '009083f7d4569e56826bf10a4cca87a51228c90c59dfafea6955aeedef2df266', 1476605657097),
    tag('v1.9.1-beta.0', '00ac3585f4e3a41bda30286be1d3b812b2d9bbb6193682a7b5f46dbdadfe41da', 1513378485105),
    tag('v1.11.0', '01b8d1436f32c78e19aff309055080d585897f4f5b858583c782975fc3c60ee1', 1530135858556),
    tag('latest', INDEX.slice(7), 1538000000000),
    tag('v1.12.0', INDEX.slice(7), 1538000000000),
    { name: 'v2' },
  ],
  signIn: {
    credential: KEY,
    right: (origin) => [challenged(origin), token(KEY.username, KEY.password, { body: { token: 'granted' } })],
    authorization: 'Bearer granted',
    wrong: (origin) => [challenged(origin), token(KEY.username, KEY.password, { status: 401, body: { errors: [] } })],
  },
  limited: (until) => ({
    status: 429,
    headers: { 'retry-after': until.toUTCString() },
    body: { errors: [{ code: 'TOOMANYREQUESTS', message: 'Quota exceeded' }] },
  }),
  listed: {
    prefix: 'project/team-',
    entries: () => [
      { request: listOf('project'), body: { child: ['team-a', 'other', 'team-b', 'bad name', '..'], tags: [] } },
      { request: listOf('project/team-b'), status: 404, body: { errors: [{ code: 'NAME_UNKNOWN' }] } },
      { request: listOf('project/team-a'), body: { child: ['app', 'untagged'], tags: [] } },
      {
        request: listOf('project/team-a/untagged'),
        body: { tags: [], manifest: { [A]: { tag: [], timeUploadedMs: '1' } } },
      },
      { request: listOf('project/team-a/app'), body: { child: null, tags: ['1.0'] } },
    ],
    expected: ['project/team-a/untagged', 'project/team-a/app'],
  },
};

describeRegistry(play, () => {
  const tags = (registry: OpenRegistry) => namesAndAll(registry.listTags(repository, never));

  test('members may come in any order; numbers are strings, and 0 is no time', async () => {
    const body = {
      tags: ['a', 'b', 'c'],
      manifest: {
        [A]: { tag: ['a', 'd'], mediaType: { tag: ['e'] }, timeUploadedMs: '0', timeCreatedMs: '315532800000' },
        [B]: { timeUploadedMs: '1538000000001', tag: ['b'], layerId: ['x', { y: 'z' }] },
        odd: { timeUploadedMs: 5, tag: ['c'] },
      },
      name: repository,
    };
    const { registry, server } = await openPlayed(play, () => [{ request: TAGS, body }]);
    expect(await tags(registry)).toEqual([
      { name: 'a', digest: A },
      { name: 'b', digest: B, pushedAt: new Date(1538000000001) },
      { name: 'c' },
      { name: 'd', digest: A },
    ]);
    server.verify();
  });

  test.each([
    ['an error with status 200', '{"errors":[{"code":"DENIED"}]}'],
    ['what breaks off in a digest', `{"name":"x","tags":["a"],"manifest":{"sha256:00`],
    ['what goes on after its end', '{"tags":["a"]}{"tags":["b"]}'],
    ['lists in lists', `{"tags":[],"x":${'['.repeat(100)}`],
    ['nothing', ''],
  ])('%s is no list of tags', async (_name, body) => {
    const { registry, server } = await openPlayed(play, () => [{ request: TAGS, body }]);
    await expect(tags(registry)).rejects.toMatchObject({ code: expect.stringMatching(/^(MALFORMED|NOT_A_REGISTRY)$/) });
    server.verify();
  });

  test('an answer of 40 MB is read as it comes, and only what is wanted of it is kept', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const count = 10_000;
    const padding = 'x'.repeat(4_000);
    let kept = 0;
    async function* chunks() {
      collectGarbage();
      const before = process.memoryUsage().heapUsed;
      yield Buffer.from('{"name":"big","tags":[],"manifest":{"x":{}');
      for (let at = 0; at < count; at++) {
        const manifest = { layerId: padding, tag: at % 10 === 0 ? [`v${at}`] : [], timeUploadedMs: '1538000000000' };
        yield Buffer.from(`,"sha256:${String(at).padStart(64, '0')}":${JSON.stringify(manifest)}`);
      }
      collectGarbage();
      kept = process.memoryUsage().heapUsed - before;
      yield Buffer.from('}}');
    }
    const page = await readTagPage(chunks(), 'a big list');
    expect(page.tags).toHaveLength(count / 10);
    expect(kept).toBeLessThan(10 * 1024 * 1024);
  });

  test('who gives up while an answer comes gets the reason, and no word of broken JSON', async () => {
    const [leaving, reason] = [new AbortController(), new Error('cancelled')];
    const answer: Entry['answer'] = (response) => {
      response.writeHead(200).write('{"tags":["a",', () => leaving.abort(reason));
    };
    const { registry } = await openPlayed(play, () => [{ request: TAGS, answer }]);
    await expect(namesAndAll(registry.listTags(repository, leaving.signal))).rejects.toBe(reason);
  });

  test('more than 64 MiB are refused', async () => {
    const megabyte = Buffer.alloc(1024 * 1024, 0x20);
    const answer: Entry['answer'] = (response) => {
      response.writeHead(200).write('{"tags":[],"x":');
      const write = (left: number) => {
        if (left === 0 || response.destroyed) response.end('1}');
        else if (response.write(megabyte)) setImmediate(write, left - 1);
        else response.once('drain', () => write(left - 1));
      };
      write(65);
    };
    const { registry, server } = await openPlayed(play, () => [{ request: TAGS, answer }]);
    await expect(tags(registry)).rejects.toMatchObject({ code: 'TOO_LARGE' });
    server.verify();
  });

  test("the worker's own identity signs in with an access token of the metadata server", async () => {
    const scopes = encodeURIComponent('https://www.googleapis.com/auth/cloud-platform');
    const flavor = { 'metadata-flavor': 'Google' };
    const metadata = await startScriptedServer(
      { request: 'GET /computeMetadata/v1/instance', having: flavor, headers: flavor, times: 'any' },
      {
        request: 'GET /computeMetadata/v1/universe/universe-domain',
        headers: flavor,
        body: 'googleapis.com',
        times: 'any',
      },
      { request: 'GET /computeMetadata/v1/project/project-id', headers: flavor, body: 'project', times: 'any' },
      {
        request: `GET /computeMetadata/v1/instance/service-accounts/default/token?scopes=${scopes}`,
        having: flavor,
        headers: flavor,
        body: { access_token: 'of-google', expires_in: 3599, token_type: 'Bearer' },
      },
    );
    const script = (origin: string) => [
      challenged(origin),
      token('oauth2accesstoken', 'of-google', { body: { token: 'granted' } }),
      { request: TAGS, having: { authorization: 'Bearer granted' }, body: { tags: [] } },
    ];
    const { registry, server } = await openPlayed(play, script, { kind: 'ambient' });
    const environment = { ...process.env };
    Object.assign(process.env, { GCE_METADATA_HOST: metadata.url.host, HOME: '/nowhere', NO_GCE_CHECK: '' });
    try {
      expect(await tags(registry)).toEqual([]);
    } finally {
      process.env = environment;
    }
    server.verify();
    metadata.verify();
    await metadata.close();
  });

  test('registry.k8s.io leads to Artifact Registry for tags and for manifests', async () => {
    const regional = await startScriptedServer(
      { request: TAGS, having: { authorization: null }, body: { tags: ['a'], manifest: { [A]: { tag: ['a'] } } } },
      {
        request: `HEAD /v2/${repository}/manifests/a`,
        having: { authorization: null },
        headers: { 'docker-content-digest': A, 'content-length': '9' },
      },
    );
    const moved = (request: string): Entry => ({
      request,
      status: 307,
      headers: { location: regional.url.origin + (request.split(' ')[1] ?? '') },
    });
    const { registry, server } = await openPlayed(play, () => [
      moved(TAGS),
      moved(`HEAD /v2/${repository}/manifests/a`),
    ]);
    expect(await tags(registry)).toEqual([{ name: 'a', digest: A }]);
    expect(await registry.resolveManifest(repository, 'a' as TagName, never)).toBe(A);
    server.verify();
    regional.verify();
    await regional.close();
  });

  test('mirror.gcr.io is a mirror, and nothing else is', () => {
    const url = new URL('http://127.0.0.1:1');
    const isMirror = (host: string) => {
      const settings = { host: host as RegistryHost, url, credential: null };
      return openArtifactRegistry(settings, openClient(settings)).isMirror;
    };
    expect(['mirror.gcr.io', 'gcr.io', 'registry.k8s.io'].map(isMirror)).toEqual([true, false, false]);
  });

  test('a digest is deleted when its tags are', async () => {
    const gone = (target: string) =>
      ['HEAD', 'GET'].map((method) => ({ request: `${method} /v2/${repository}/manifests/${target}`, status: 404 }));
    const deleted = (target: string) => ({ request: `DELETE /v2/${repository}/manifests/${target}`, status: 202 });
    const { registry, server } = await openPlayed(play, () => [
      { request: TAGS, body: { tags: ['a', 'b', 'c'], manifest: { [A]: { tag: ['a', 'c'] }, [B]: { tag: ['b'] } } } },
      ...['a', 'c', A].flatMap((target) => [deleted(target), ...gone(target)]),
    ]);
    await registry.deleteManifest?.(repository, A as TagName, never);
    expect(server.requests.filter((request) => request.startsWith('DELETE'))).toEqual(
      ['a', 'c', A].map((target) => deleted(target).request),
    );
    server.verify();
  });

  test('a pattern that names no project can not be expanded', async () => {
    const { registry } = await openPlayed(play, () => []);
    for (const prefix of ['', 'proj']) {
      const listed = Array.fromAsync(registry.listRepositories?.(prefix, never) ?? []);
      await expect(listed).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringContaining('"project/*"'),
      });
    }
  });
});

function tag(name: string, hex: string, uploaded: number): RegistryPlay['tags'][number] {
  return { name, digest: `sha256:${hex}`, pushedAt: new Date(uploaded) };
}
