import type { RegistryHost, RepositoryName } from '../../../src/domain/reference.ts';
import { openArtifactory } from '../../../src/registries/artifactory/index.ts';
import { addressOf } from '../../../src/registries/artifactory/keys.ts';
import {
  describeRegistry,
  namesAndAll,
  never,
  openPlayed,
  type RegistryPlay,
} from '../../support/registry-contract.ts';
import { sampleJson } from '../../support/samples.ts';
import type { Entry } from '../../support/scripted-server.ts';

const repository = 'docker-local/team/app' as RepositoryName;
const LIST = '/v2/docker-local/team/app/tags/list';
const KEYS = 'GET /artifactory/api/repositories?packageType=docker';
const QUERY = 'POST /artifactory/api/search/aql';
const HEX = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';
const challenge = { status: 401, headers: { 'www-authenticate': 'Basic realm="Artifactory Realm"' } };
const BASIC = 'Basic bWU6c2U6Y3JldA==';

const keys: Entry = {
  request: KEYS,
  body: [
    { key: 'docker-local', type: 'LOCAL', packageType: 'Docker' },
    { key: 'hub', type: 'REMOTE', packageType: 'Docker' },
    { key: '../x', type: 'LOCAL' },
  ],
};
const stored = (path: string, name = 'manifest.json', sha256: string | null = HEX) => ({
  repo: 'docker-local',
  path,
  name,
  sha256,
  updated: '2021-03-21T13:54:52.384+02:00',
});
const results = (...found: object[]) => ({ results: found, range: { start_pos: 0, end_pos: found.length } });
const catalog = (key: string, repositories: string[]): Entry => ({
  request: `GET /artifactory/api/docker/${key}/v2/_catalog?n=1000`,
  body: { repositories },
});

const play: RegistryPlay = {
  kind: 'ARTIFACTORY',
  addresses: ['https://acme.jfrog.io'],
  open: openArtifactory,
  repository,
  always: () => [
    { ...keys, times: 'any' },
    {
      request: QUERY,
      having: { 'content-type': 'text/plain' },
      sending:
        'items.find({"repo":"docker-local","path":{"$match":"team/app/*"},"name":{"$match":"*manifest.json"}})' +
        '.include("repo","path","name","sha256","updated")',
      body: results(
        stored('team/app/1.0.0', 'list.manifest.json'),
        stored('team/app/latest', 'manifest.json', null),
        stored('team/app/both'),
        stored('team/app/both', 'list.manifest.json'),
        stored(`team/app/sha256:${HEX}`),
        stored('team/app/more/2.0'),
        stored('team/app/new', 'other.manifest.json'),
      ),
      times: 'any',
    },
  ],
  pages: (origin) => [
    {
      request: `GET ${LIST}?n=1000`,
      // Digests among the tags, and no key in the link.
      body: sampleJson<object>('nexus-tags-null.json') ?? {},
      headers: { link: `<${origin}/v2/team/app/tags/list?last=latest&n=1000>; rel="next"` },
    },
    { request: `GET ${LIST}?last=latest&n=1000`, body: { tags: ['both', 'new'] } },
  ],
  tags: [
    { name: '1.0.0', digest: `sha256:${HEX}`, pushedAt: new Date('2021-03-21T11:54:52.384Z') },
    { name: 'latest', pushedAt: new Date('2021-03-21T11:54:52.384Z') },
    { name: 'both' },
    { name: 'new' },
  ],
  signIn: {
    credential: { kind: 'basic', username: 'me', password: 'se:cret' },
    right: () => [{ request: `GET ${LIST}?n=1000`, ...challenge }],
    authorization: BASIC,
    wrong: () => [
      { request: KEYS, having: { authorization: BASIC }, ...challenge },
      { request: `GET ${LIST}?n=1000`, ...challenge },
      { request: `GET ${LIST}?n=1000`, having: { authorization: BASIC }, ...challenge },
    ],
  },
  limited: (until) => ({
    status: 429,
    headers: { 'retry-after': until.toUTCString() },
    body: { errors: [{ status: 429, message: 'Too many requests' }] },
  }),
  listed: {
    prefix: 'docker-local/team',
    entries: () => [catalog('docker-local', ['team/app', 'other'])],
    expected: ['docker-local/team/app', 'docker-local/other'],
  },
};

describeRegistry(play, () => {
  const opened = (entries: readonly Entry[], always: readonly Entry[] = [keys]) =>
    openPlayed({ ...play, always: () => always }, () => entries);
  const listed = async (entries: readonly Entry[], prefix = '') => {
    const { registry, server } = await opened(entries);
    const pages = await Array.fromAsync(registry.listRepositories?.(prefix, never) ?? []);
    server.verify();
    return pages.flat();
  };

  test.each([
    ['https://acme.jfrog.io', 'https://acme.jfrog.io/artifactory/', null, 'acme'],
    [
      'https://x.example.com/artifactory/api/docker/docker-local/',
      'https://x.example.com/artifactory/',
      'docker-local',
      'x',
    ],
    ['https://x.example.com/api/docker/docker-local', 'https://x.example.com/', 'docker-local', 'x'],
  ])('%s has its APIs at %s, and is of the key %s', (url, base, key, label) => {
    const address = addressOf(new URL(url));
    expect({ ...address, base: address.base.href }).toEqual({ base, key, label });
  });

  test('a copy of another server is asked for each tag, for the other may have moved it', async () => {
    const { registry, server } = await opened([
      { request: 'GET /v2/hub/library/alpine/tags/list?n=1000', body: { tags: ['3'] } },
    ]);
    const tags = await namesAndAll(registry.listTags('hub/library/alpine' as RepositoryName, never));
    expect(tags).toEqual([{ name: '3' }]);
    server.verify();
  });

  test.each<[string, Partial<Entry>]>([
    ['is refused', { status: 403, body: { errors: [{ status: 403, message: 'Forbidden' }] } }],
    ['finds more than can be read', { body: ' '.repeat(16 * 1024 * 1024 + 1) }],
  ])('whose query %s gets names', async (_name, answer) => {
    const { registry, server } = await opened([
      { request: QUERY, ...answer },
      { request: `GET ${LIST}?n=1000`, body: { tags: ['1'] } },
    ]);
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([{ name: '1' }]);
    server.verify();
  });

  test('an address below a key has names without it', async () => {
    const at = '/artifactory/api/docker/docker-local';
    const below = {
      ...play,
      open: ({ url, ...settings }: Parameters<typeof play.open>[0], http: Parameters<typeof play.open>[1]) =>
        openArtifactory({ ...settings, host: 'x' as RegistryHost, url: new URL(at, url) }, http),
      always: () => [keys],
    };
    const { registry, server } = await openPlayed(below, () => [
      { request: QUERY, body: results(stored('team/app/1')) },
      { request: `GET ${at}/v2/team/app/tags/list?n=1000`, body: { tags: ['1'] } },
      { request: `GET ${at}/v2/_catalog?n=1000`, body: { repositories: ['team/app'] } },
    ]);
    expect(await namesAndAll(registry.listTags('team/app' as RepositoryName, never))).toMatchObject([
      { name: '1', digest: `sha256:${HEX}` },
    ]);
    expect(await Array.fromAsync(registry.listRepositories?.('', never) ?? [])).toEqual([['team/app']]);
    server.verify();
  });

  test('a port that stands for a key has names without it', async () => {
    expect(await listed([{ request: 'GET /v2/_catalog?n=1000', body: { repositories: ['team/app'] } }])).toEqual([
      'team/app',
    ]);
  });

  test.each<[string, Partial<Entry>]>([
    ['none', { status: 404, body: { errors: [{ code: 'NAME_UNKNOWN' }] } }],
    ['an empty one', { body: { repositories: [] } }],
  ])('where the address has no catalog, but %s, each key is asked for its own', async (_name, answer) => {
    const script = [
      { request: 'GET /v2/_catalog?n=1000', ...answer },
      catalog('docker-local', ['team/app']),
      catalog('hub', ['library/alpine']),
    ];
    expect(await listed(script)).toEqual(['docker-local/team/app', 'hub/library/alpine']);
  });
});
