import type { RepositoryName, TagName } from '../../../src/domain/reference.ts';
import { openHarbor } from '../../../src/registries/harbor/index.ts';
import {
  describeRegistry,
  namesAndAll,
  never,
  openPlayed,
  type RegistryPlay,
} from '../../support/registry-contract.ts';
import { sampleJson } from '../../support/samples.ts';

const repository = 'usr/team/maven' as RepositoryName;
const REPOSITORY = '/api/v2.0/projects/usr/repositories/team%252Fmaven';
const TAGS = `${REPOSITORY}/artifacts?with_tag=true&q=tags%3D*&sort=push_time&page=1&page_size=100`;
const NAMES = 'GET /v2/usr/team/maven/tags/list?n=1000';
const ME = `Basic ${Buffer.from('robot$usr+me:se:cret').toString('base64')}`;
const DIGEST = 'sha256:9ea6c870aa2a3cd0e0f5d42246cf3514af29af0bce5c36d73fa15de47bcb1cdf';
const [single, index] = sampleJson<object[]>('harbor-artifacts.json') ?? [];
const denied = { errors: [{ code: 'FORBIDDEN', message: 'forbidden' }] };
const unknown = { errors: [{ code: 'NOT_FOUND', message: 'repository usr/team/maven not found' }] };

const play: RegistryPlay = {
  kind: 'HARBOR',
  addresses: [],
  open: openHarbor,
  repository,
  pages: (origin) => {
    const second = `${TAGS.replace('page=1', 'page=2')}`;
    const tags = [
      { name: '3.9', push_time: '2026-08-20T10:00:00.123Z', immutable: false },
      { name: 'never', push_time: '0001-01-01T00:00:00.000Z', immutable: true },
    ];
    return [
      {
        request: `GET ${TAGS}`,
        having: { 'x-is-resource-name': 'true' },
        // The index has no tags there.
        body: [single, index],
        headers: { link: `<${origin}${second}>; rel="next"`, 'x-total-count': '101' },
      },
      { request: `GET ${second}`, body: [{ ...index, tags }], headers: { link: `<${TAGS}>; rel="prev"` } },
    ];
  },
  tags: [
    {
      name: 'latest',
      digest: 'sha256:22a8fc6284b823ddc0382bebd69c85a72f3ae0d057f6c6bd89c8b3edb279c2bd',
      pushedAt: new Date('2024-03-17T05:50:12.988Z'),
    },
    { name: '3.9', digest: DIGEST, pushedAt: new Date('2026-08-20T10:00:00.123Z') },
    { name: 'never', digest: DIGEST },
  ],
  signIn: {
    credential: { kind: 'basic', username: 'robot$usr+me', password: 'se:cret' },
    right: () => [],
    authorization: ME,
    wrong: (origin) => [
      { request: `GET ${TAGS}`, status: 401, body: { errors: [{ code: 'UNAUTHORIZED', message: 'unauthorized' }] } },
      {
        request: NAMES,
        status: 401,
        headers: { 'www-authenticate': `Bearer realm="${origin}/service/token",service="harbor-registry"` },
      },
      {
        request:
          'GET /service/token?service=harbor-registry&scope=repository%3Ausr%2Fteam%2Fmaven%3Apull&account=robot%24usr%2Bme',
        status: 401,
      },
    ],
  },
  missing: [
    { request: `GET ${TAGS}`, status: 404, body: unknown },
    { request: NAMES, status: 404, body: { errors: [{ code: 'NAME_UNKNOWN' }] } },
  ],
  limited: (until) => ({
    status: 429,
    headers: { 'retry-after': until.toUTCString() },
    body: '<html>429 Too Many Requests</html>',
  }),
  described: {
    entries: [
      { request: `GET ${REPOSITORY}`, body: { name: repository, description: 'Builds', pull_count: 5 } },
      { request: 'GET /api/v2.0/projects/usr', body: { name: 'usr', metadata: { public: 'false' } } },
    ],
    expected: { description: 'Builds', isPrivate: true, starCount: null, pullCount: 5 },
  },
  listed: {
    prefix: 'web/',
    entries: () => [
      {
        request: 'GET /api/v2.0/projects/web/repositories?page=1&page_size=100',
        body: sampleJson<object>('harbor-repositories.json') ?? [],
      },
    ],
    expected: ['web/app-feature-1315', 'web/app', 'web/team/app-builder'],
  },
};

describeRegistry(play, () => {
  test('a robot that may only pull gets names', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: `GET ${TAGS}`, status: 403, body: denied },
      { request: NAMES, body: { tags: ['a'] } },
    ]);
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([{ name: 'a' }]);
    server.verify();
  });

  test('a robot that may only pull is told nothing of the repository', async () => {
    const { registry } = await openPlayed(play, () => [{ request: `GET ${REPOSITORY}`, status: 403, body: denied }]);
    expect(await registry.describeRepository?.(repository, never)).toBeNull();
  });

  test('a list whose rest is refused is not complete', async () => {
    const [first, second] = play.pages('');
    const { registry, server } = await openPlayed(play, () => [first, { ...second, status: 403, body: denied }]);
    await expect(namesAndAll(registry.listTags(repository, never))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    server.verify();
  });

  test('without a project all repositories are listed that may be seen', async () => {
    const { registry, server } = await openPlayed(play, () => [
      {
        request: 'GET /api/v2.0/repositories?page=1&page_size=100',
        body: [{ name: 'a/b' }, { name: 'NO/name' }, { name: '2048/c' }],
      },
    ]);
    const pages = await Array.fromAsync(registry.listRepositories?.('lib', never) ?? []);
    expect(pages).toEqual([['a/b', '2048/c']]);
    server.verify();
  });

  describe('deleting a tag by its name', () => {
    const tag = '3.9' as TagName;
    const deletion = `DELETE ${REPOSITORY}/artifacts/3.9/tags/3.9`;
    const at = '/v2/usr/team/maven/manifests/3.9';

    test('is asked of the API, and believed when it is gone', async () => {
      const { registry, server } = await openPlayed(play, () => [
        { request: deletion },
        { request: `HEAD ${at}`, status: 404 },
        { request: `GET ${at}`, status: 404 },
      ]);
      await registry.deleteManifest?.(repository, tag, never);
      server.verify();
    });

    test('is refused with 412 where the tag is immutable', async () => {
      const why = { errors: [{ code: 'PRECONDITION', message: 'configured as immutable' }] };
      const { registry, server } = await openPlayed(play, () => [{ request: deletion, status: 412, body: why }]);
      await expect(registry.deleteManifest?.(repository, tag, never)).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        status: 412,
        message: expect.stringContaining('configured as immutable'),
      });
      server.verify();
    });

    // UNSUPPORTED would have the manifest deleted in place of the tag.
    test.each([
      ['does not know the tag', { status: 404, body: unknown }, 1, 'FORBIDDEN'],
      ['says that it deleted the tag', { status: 200 }, 4, 'UNAVAILABLE'],
    ])('is refused where the API %s, and it is still there', async (_name, answer, times, code) => {
      const there = { headers: { 'docker-content-digest': DIGEST, 'content-length': '10' } };
      const { registry, server } = await openPlayed(play, () => [
        { request: deletion, ...answer },
        { request: `HEAD ${at}`, ...there, times },
      ]);
      await expect(registry.deleteManifest?.(repository, tag, never)).rejects.toMatchObject({ code });
      server.verify();
    });
  });
});
