import type { RepositoryName } from '../../../src/domain/reference.ts';
import { openDockerHub } from '../../../src/registries/docker-hub/index.ts';
import {
  asTag,
  describeRegistry,
  namesAndAll,
  never,
  openPlayed,
  type RegistryPlay,
} from '../../support/registry-contract.ts';
import { sampleJson } from '../../support/samples.ts';
import type { Entry } from '../../support/scripted-server.ts';

const repository = 'library/demo' as RepositoryName;
const REPOSITORY = '/v2/namespaces/library/repositories/demo';
const TAGS = `${REPOSITORY}/tags?page_size=100`;
const NAMES = '/v2/library/demo/tags/list?n=1000';
const HEAD = 'HEAD /v2/library/demo/manifests/old';
const DIGEST = `sha256:${'a'.repeat(64)}`;

const play: RegistryPlay = {
  kind: 'DOCKER_HUB',
  addresses: ['https://registry-1.docker.io', 'https://docker.io', 'https://index.docker.io/'],
  open: openDockerHub,
  repository,
  pages: (origin) => {
    const odd = sampleJson<object>('dockerhub-tags-odd.json');
    const second = `${REPOSITORY}/tags?page=2&page_size=6`;
    return [
      { request: `GET ${TAGS}`, body: { ...odd, next: origin + second } },
      { request: `GET ${second}`, body: sampleJson<object>('dockerhub-tags.json') ?? {} },
    ];
  },
  tags: [
    tag('1.27.1', 'b23603bf3aa984d41708ec38e768a412443cb99381810de99a7321e262af2d25', '2026-08-19T18:00:00.000Z'),
    tag('latest', 'b23603bf3aa984d41708ec38e768a412443cb99381810de99a7321e262af2d25', '2026-08-19T18:00:00.000Z'),
    { name: 'old-2015', pushedAt: new Date('2015-06-19T19:06:27.388Z') },
    { name: 'empty', digest: 'sha256:1886789c2f1b5ad19160f5277ddae5ec8bfbada965758c1cc3675917096d637a' },
    tag('chart-0.1.0', '470f112c036162ecafa3fdef1091f36102bdb88b9ba16621b6ba2a0be7080c33', '2026-08-19T18:00:00.000Z'),
    tag(
      'sha256-ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb.sig',
      'ab05a26fe9f9c765e1f191a36eb030bb1029db8812570fd286ad0ed54465f877',
      '2026-08-19T18:00:00.000Z',
    ),
    tag('test-0.15', 'd45c90ec473226597a2a4dae636b63f0ec06b713cd3233b865d77937fdaa03e0', '2024-05-14T11:00:47.871Z'),
    tag('test-0.14', 'c6a2222596d37028fcb292cc2f410cc47cefd255d88b1c40ee005a95e68dd53f', '2024-01-02T15:37:43.329Z'),
    tag('0.13', 'f2058fed7fa253e5764a119a6e4ed7cdaefca3e0702e3679fa010f7864367274', '2023-08-27T05:28:20.627Z'),
  ],
  signIn: {
    credential: { kind: 'basic', username: 'me', password: 'dckr_pat_x' },
    right: () => [signIn({ body: { access_token: 'jwt' } })],
    authorization: 'Bearer jwt',
    // The registry decides: some accounts are known to it alone.
    wrong: () => [
      signIn({ status: 401, body: { detail: 'Incorrect authentication credentials' } }),
      { request: `GET ${NAMES}`, status: 401, headers: { 'www-authenticate': 'Bearer realm="/token"' } },
      { request: 'GET /token?scope=repository%3Alibrary%2Fdemo%3Apull&account=me', status: 401, body: {} },
    ],
  },
  missing: [
    { request: `GET ${TAGS}`, status: 404, body: { message: 'object not found', errinfo: {} } },
    { request: `GET ${NAMES}`, status: 404, body: { errors: [{ code: 'NAME_UNKNOWN' }] } },
  ],
  limited: (until) => ({
    status: 429,
    headers: { 'x-ratelimit-limit': '180', 'x-ratelimit-remaining': '0', 'x-retry-after': String(+until / 1000) },
    body: { detail: 'Rate limit exceeded', error: false },
  }),
  described: {
    entries: [{ request: `GET ${REPOSITORY}`, body: sampleJson<object>('dockerhub-repository.json') ?? {} }],
    expected: { description: '', isPrivate: false, starCount: 0, pullCount: 2_200_000_000 },
  },
  listed: {
    prefix: 'docker/',
    entries: (origin) => {
      const page = sampleJson<object>('dockerhub-repositories.json');
      const next = '/v2/namespaces/docker/repositories?page=2&page_size=2';
      return [
        { request: listOf('docker'), body: { ...page, next: origin + next } },
        // The list became shorter while it was read.
        { request: `GET ${next}`, status: 404, body: { message: 'page not found' } },
      ];
    },
    expected: ['docker/highland_builder', 'docker/whalesay'],
  },
};

describeRegistry(play, () => {
  const page = (next: string | null, ...results: object[]) => ({ count: 2, next, previous: null, results });
  const isTooDeep = { message: 'pagination offset too large for anonymous requests; sign in to page further' };

  test.each<[string, Partial<Entry>]>([
    ['in JSON', { body: isTooDeep }],
    ['as a page', { body: '<html><body>403 Forbidden</body></html>' }],
  ])('who has not signed in is refused deep pages, %s, and gets the rest as names', async (_name, answer) => {
    const second = `${REPOSITORY}/tags?page=2`;
    const { registry, server } = await openPlayed(play, (origin) => [
      { request: `GET ${TAGS}`, body: page(origin + second, { name: 'new', digest: DIGEST }) },
      { request: `GET ${second}`, status: 403, ...answer },
      { request: `GET ${NAMES}`, body: { tags: ['new', 'old'] } },
    ]);
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([
      { name: 'new', digest: DIGEST },
      { name: 'old' },
    ]);
    server.verify();
  });

  test('a list whose rest can not be had is not complete', async () => {
    const second = `${REPOSITORY}/tags?page=2`;
    const { registry, server } = await openPlayed(play, (origin) => [
      { request: `GET ${TAGS}`, body: page(origin + second, { name: 'new', digest: DIGEST }) },
      { request: `GET ${second}`, status: 403, body: isTooDeep },
      { request: `GET ${NAMES}`, status: 500 },
    ]);
    await expect(namesAndAll(registry.listTags(repository, never))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    server.verify();
  });

  test('a mirror without the Hub API gives names', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: `GET ${TAGS}`, status: 404, body: 'no such page' },
      { request: `GET ${NAMES}`, body: { tags: ['a'] } },
    ]);
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([{ name: 'a' }]);
    server.verify();
  });

  test('a limit without headers is kept to for a minute', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: `GET ${TAGS}`, status: 429, body: 'Too many requests' },
    ]);
    const error: unknown = await namesAndAll(registry.listTags(repository, never)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'RATE_LIMITED' });
    expect((error as { retryAt: Date }).retryAt.getTime()).toBeGreaterThan(Date.now() + 50_000);
    server.verify();
  });

  test('a token that the Hub API does not take any more is asked for again, once for all', async () => {
    const entry = (authorization: string, status: number): Entry => ({
      request: `GET ${REPOSITORY}`,
      having: { authorization },
      status,
      body: { description: 'it' },
      times: 2,
    });
    const script = () => [
      signIn({ body: { access_token: 'old' } }),
      entry('Bearer old', 401),
      signIn({ body: { access_token: 'new' } }),
      entry('Bearer new', 200),
    ];
    const { registry, server } = await openPlayed(play, script, play.signIn.credential);
    const describe = async () => registry.describeRepository?.(repository, never);
    expect(await Promise.all([describe(), describe()])).toMatchObject([{ description: 'it' }, { description: 'it' }]);
    server.verify();
  });

  test('a credential that the Hub API refused is not sent there again', async () => {
    const names: Entry = { request: `GET ${NAMES}`, body: { tags: ['a'] }, times: 2 };
    const refused = signIn({ status: 401, body: {} });
    const { registry, server } = await openPlayed(play, () => [refused, names], play.signIn.credential);
    for (let n = 0; n < 2; n++)
      expect(await namesAndAll(registry.listTags(repository, never))).toEqual([{ name: 'a' }]);
    server.verify();
  });

  test('a tag is deleted through the Hub API, and is believed gone when the registry says so', async () => {
    const gone = [
      { request: HEAD, status: 404 },
      { request: HEAD.replace('HEAD', 'GET'), status: 404 },
    ];
    const there = { request: HEAD, headers: { 'docker-content-digest': DIGEST, 'content-length': '9' } };
    const deletion = 'DELETE /v2/repositories/library/demo/tags/old/';
    const { registry, server } = await openPlayed(play, () => [
      { request: deletion, status: 204 },
      there,
      ...gone,
      { request: deletion, status: 404, times: 2 },
      ...gone,
      there,
    ]);
    const remove = () => registry.deleteManifest?.(repository, asTag('old'), never);
    await remove();
    await remove();
    await expect(remove()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(registry.deleteManifest?.(repository, DIGEST as never, never)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    server.verify();
  });

  test('a tag that Docker Hub says that it deleted, and that the registry still has, is not believed gone', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: 'DELETE /v2/repositories/library/demo/tags/old/', status: 204 },
      { request: HEAD, headers: { 'docker-content-digest': DIGEST, 'content-length': '9' }, times: 4 },
    ]);
    const removal = registry.deleteManifest?.(repository, asTag('old'), never);
    await expect(removal).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('still there'),
    });
    server.verify();
  });

  test('repositories that only those who have signed in are shown all of are not listed by halves', async () => {
    const second = '/v2/namespaces/library/repositories?page=2';
    const { registry, server } = await openPlayed(play, (origin) => [
      { request: listOf('library'), body: page(origin + second, { name: 'alpine' }) },
      { request: `GET ${second}`, status: 403, body: isTooDeep },
    ]);
    const listed = Array.fromAsync(registry.listRepositories?.('library/', never) ?? []);
    await expect(listed).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('sign in') });
    server.verify();
  });

  test('a pattern that names no namespace can not be expanded', async () => {
    const { registry } = await openPlayed(play, () => []);
    const listed = Array.fromAsync(registry.listRepositories?.('lib', never) ?? []);
    await expect(listed).rejects.toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('library/*') });
  });
});

function tag(name: string, hex: string, pushedAt: string): RegistryPlay['tags'][number] {
  return { name, digest: `sha256:${hex}`, pushedAt: new Date(pushedAt) };
}

function signIn(answer: Partial<Entry>): Entry {
  const sending = JSON.stringify({ identifier: 'me', secret: 'dckr_pat_x' });
  return { request: 'POST /v2/auth/token', having: { authorization: null }, sending, ...answer };
}

function listOf(namespace: string): string {
  return `GET /v2/namespaces/${namespace}/repositories?page_size=100&ordering=name`;
}
