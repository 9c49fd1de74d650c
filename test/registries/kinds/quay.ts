import type { RepositoryName } from '../../../src/domain/reference.ts';
import { openQuay, quay } from '../../../src/registries/quay/index.ts';
import type { Credential } from '../../../src/registries/registry.ts';
import {
  describeRegistry,
  namesAndAll,
  never,
  openPlayed,
  type RegistryPlay,
} from '../../support/registry-contract.ts';
import { sampleJson, sampleTest } from '../../support/samples.ts';
import { startScriptedServer, type Entry } from '../../support/scripted-server.ts';

const repository = 'example/app' as RepositoryName;
const tagPage = (page: number) => `GET /api/v1/repository/example/app/tag/?limit=100&page=${page}&onlyActiveTags=true`;
const NAMES = '/v2/example/app/tags/list?n=1000';
const DIGEST = `sha256:${'a'.repeat(64)}`;
const oauth: Credential = { kind: 'basic', username: '$oauthtoken', password: 'app-token' };
const robot: Credential = { kind: 'basic', username: 'example+reader', password: 'robot-token' };

interface Page {
  readonly tags: readonly object[];
}

const play: RegistryPlay = {
  kind: 'QUAY',
  addresses: ['https://quay.io', 'https://quay.io/'],
  open: openQuay,
  repository,
  pages: () => {
    const { tags } = sampleJson<Page>('quay-tags.json') ?? { tags: [] };
    // One that expires is alive until then, whenever the test is run.
    const living = tags.map((tag) => ('expiration' in tag ? { ...tag, end_ts: 9_999_999_999 } : tag));
    return [
      { request: tagPage(1), body: { tags: living.slice(0, 2), page: 1, has_additional: true } },
      { request: tagPage(2), body: { tags: living.slice(1, 3), page: 2, has_additional: false } },
    ];
  },
  tags: [
    tag('latest', '1be42b183cd1e031d3eeb86feb4e8c446229b594a03e57182838ea77e687ae26', 1787328174),
    tag('1.4.0', '1be42b183cd1e031d3eeb86feb4e8c446229b594a03e57182838ea77e687ae26', 1787328170),
    tag('nightly', '1f16f2ae3c697e208d36d073c1e7220c60356260e696469c1a5ddae828c3cdcb', 1787300000),
  ],
  pagesAreLinked: false,
  signIn: {
    credential: oauth,
    right: () => [],
    authorization: 'Bearer app-token',
    wrong: () => [
      { request: tagPage(1), status: 401, body: { error_type: 'invalid_token', detail: 'Invalid bearer token' } },
      { request: `GET ${NAMES}`, status: 401, headers: challenge() },
      { request: tokenOf('$oauthtoken'), status: 401, body: { error: 'Invalid token' } },
    ],
  },
  missing: [
    { request: tagPage(1), status: 404, body: { error_type: 'not_found', detail: 'Not Found' } },
    { request: `GET ${NAMES}`, status: 404, body: { errors: [{ code: 'NAME_UNKNOWN' }] } },
  ],
  limited: () => ({ status: 429, body: '<html><body>429 Too Many Requests</body></html>' }),
  saysUntil: false,
  described: {
    entries: [
      {
        request: 'GET /api/v1/repository/example/app?includeTags=false',
        body: { description: '# App\n\nAn *app*\nfor examples.\n\nMore of it.', is_public: true, is_starred: false },
      },
    ],
    expected: { description: 'An *app* for examples.', isPrivate: false, starCount: null, pullCount: null },
  },
  listed: {
    prefix: 'example/',
    entries: () => {
      const first = sampleJson<object & { next_page: string }>('quay-repositories.json');
      const query = new URLSearchParams({ namespace: 'example', next_page: first?.next_page ?? '' });
      const chart = { namespace: 'example', name: 'chart', kind: 'application' };
      return [
        { request: 'GET /api/v1/repository?namespace=example', body: first ?? {} },
        { request: `GET /api/v1/repository?${query.toString()}`, body: { repositories: [chart] } },
      ];
    },
    expected: ['example/app', 'example/never-pushed'],
  },
};

describeRegistry(play, () => {
  const list = async (script: (origin: string) => Entry[], credential: Credential | null = null) => {
    const { registry, server } = await openPlayed(play, script, credential);
    return namesAndAll(registry.listTags(repository, never)).finally(() => server.verify());
  };
  const refused: Entry = { request: tagPage(1), status: 401, body: { error_type: 'insufficient_scope' } };

  sampleTest('what a tag named before is not what it names, on servers that tell the history, too', async () => {
    const body = sampleJson<Page>('quay-tags.json') ?? {};
    const tags = await list(() => [{ request: tagPage(1), body }]);
    expect(tags.slice(0, 2)).toEqual(play.tags.slice(0, 2));
    expect(tags.filter(({ name }) => name === 'latest')).toHaveLength(1);
  });

  sampleTest('servers that tell no digests give names and dates', async () => {
    const old = { ...(sampleJson<Page>('quay-tags-history-2016.json') ?? {}), has_additional: false };
    expect(await list(() => [{ request: tagPage(1), body: old }])).toEqual([
      { name: 'development', pushedAt: new Date(1470957215_000) },
      { name: '2016-08-11-1153', pushedAt: new Date(1470916419_000) },
      { name: 'soul3', pushedAt: new Date(1470669097_000) },
    ]);
  });

  test('a tag whose end is past is not there', async () => {
    const ended = { name: 'old', manifest_digest: DIGEST, start_ts: 1, end_ts: 2 };
    const odd = { name: 'odd', manifest_digest: DIGEST, start_ts: 'soon' };
    const body = { tags: [ended, odd], has_additional: false };
    expect(await list(() => [{ request: tagPage(1), body }])).toEqual([{ name: 'odd', digest: DIGEST }]);
  });

  test('a robot account is no user of the API: where that refuses, the registry gives names, on linked pages', async () => {
    const bearer = { authorization: 'Bearer robots' };
    const script = (origin: string): Entry[] => [
      { ...refused, having: { authorization: null } },
      { request: `GET ${NAMES}`, status: 401, headers: challenge() },
      { request: tokenOf('example+reader'), body: { token: 'robots' } },
      {
        request: `GET ${NAMES}`,
        having: bearer,
        body: { tags: ['1'] },
        headers: { link: `<${origin}/v2/example/app/tags/list?n=100&last=1>; rel="next"` },
      },
      { request: 'GET /v2/example/app/tags/list?n=100&last=1', having: bearer, body: { tags: ['2'] } },
    ];
    expect(await list(script, robot)).toEqual([{ name: '1' }, { name: '2' }]);
  });

  test('what is not there looks as what is private does, and so is not said to be gone', async () => {
    const script: Entry[] = [
      { request: tagPage(1), status: 404, body: { error_type: 'not_found' } },
      { request: `GET ${NAMES}`, status: 401, headers: challenge(), times: 2 },
      { request: tokenOf(null), body: { token: 'anybody' }, times: 2 },
      { request: `GET ${NAMES}`, status: 401, headers: challenge() },
    ];
    await expect(list(() => script)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('a linked page that another host is said to have is refused, and that host is not asked', async () => {
    const foreign = await startScriptedServer();
    const link = { link: `<${foreign.url.origin}/v2/example/app/tags/list?last=1>; rel="next"` };
    const listing = list(() => [refused, { request: `GET ${NAMES}`, body: { tags: ['1'] }, headers: link }]);
    await expect(listing).rejects.toMatchObject({ code: 'REFUSED_ADDRESS' });
    expect(foreign.requests).toEqual([]);
    await foreign.close();
  });

  test('the repositories of a robot account are those of everybody, and those that the registry shows it', async () => {
    const { registry, server } = await openPlayed(
      play,
      () => [
        { request: 'GET /api/v1/repository?namespace=example', body: { repositories: [{ name: 'app' }] } },
        { request: 'GET /v2/_catalog?n=1000', body: { repositories: ['example/secret', 'other/thing'] } },
      ],
      robot,
    );
    const pages = await Array.fromAsync(registry.listRepositories?.('example/', never) ?? []);
    expect(pages.flat()).toEqual(['example/app', 'example/secret']);
    server.verify();
  });

  test('what the API does not show is not described', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: 'GET /api/v1/repository/example/app?includeTags=false', status: 401 },
    ]);
    expect(await registry.describeRepository?.(repository, never)).toBeNull();
    server.verify();
  });

  test('Red Hat Quay is known by where it signs in', () => {
    const isQuay = (header: string | undefined, url: string) =>
      quay.recognisesAnswer?.({ 'www-authenticate': header }, new URL(url));
    const at = 'https://quay.example.com/';
    expect(isQuay('Bearer realm="https://quay.example.com/v2/auth",service="quay.example.com"', at)).toBe(true);
    expect(isQuay('Bearer realm="https://other.example.com/v2/auth",service="x"', at)).toBe(false);
    expect(isQuay('Bearer realm="https://quay.example.com/v2/token",service="x"', at)).toBe(false);
    expect(isQuay('Basic realm="https://quay.example.com/v2/auth"', at)).toBe(false);
    expect(isQuay(undefined, at)).toBe(false);
  });

  test('a pattern that names no namespace can not be expanded', async () => {
    const { registry } = await openPlayed(play, () => []);
    const listed = Array.fromAsync(registry.listRepositories?.('', never) ?? []);
    await expect(listed).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('prometheus/*'),
    });
  });
});

function tag(name: string, hex: string, start: number): RegistryPlay['tags'][number] {
  return { name, digest: `sha256:${hex}`, pushedAt: new Date(start * 1000) };
}

function challenge() {
  return { 'www-authenticate': 'Bearer realm="/v2/auth",service="quay.io",scope="repository:example/app:pull"' };
}

function tokenOf(account: string | null): string {
  const query = new URLSearchParams({ service: 'quay.io', scope: 'repository:example/app:pull' });
  if (account !== null) query.set('account', account);
  return `GET /v2/auth?${query.toString()}`;
}
