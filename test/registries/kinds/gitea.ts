import type { RepositoryName } from '../../../src/domain/reference.ts';
import { openGitea } from '../../../src/registries/gitea/index.ts';
import {
  describeRegistry,
  namesAndAll,
  never,
  openPlayed,
  type RegistryPlay,
} from '../../support/registry-contract.ts';
import { sampleJson } from '../../support/samples.ts';

const repository = 'example/team/app' as RepositoryName;
const LIST = '/v2/example/team/app/tags/list';
const OWNER = 'GET /api/v1/packages/example?type=container&page=1&limit=50';
const VERSIONS = `${OWNER}&q=team%2Fapp`;
const DIGEST = `sha256:${'a'.repeat(64)}`;
const version =
  sampleJson<{ package: { created_at: string } }>('gitea-package-webhook.json')?.package ??
  ({ name: 'team/app', version: '1.2.0', created_at: '2026-08-20T10:00:00Z' } as const);
const versions = [
  version,
  { ...version, version: DIGEST },
  { ...version, version: 'latest', created_at: '2026-08-21T12:00:00+02:00' },
  { ...version, name: 'team/app-of-others', version: 'other' },
];

const challenge = (origin: string) => {
  const common = 'service="container_registry",scope="*"';
  return {
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="${origin}/v2/token",${common},Basic realm="${origin}/v2",${common}` },
  };
};
const token = 'GET /v2/token?service=container_registry&scope=*&account=me';

const play: RegistryPlay = {
  kind: 'GITEA',
  addresses: ['https://codeberg.org'],
  open: openGitea,
  repository,
  always: () => [{ request: VERSIONS, body: versions, times: 'any' }],
  pages: (origin) => [
    {
      request: `GET ${LIST}?n=1000`,
      body: { tags: ['1.2.0', 'latest'] },
      headers: { link: `<${origin}${LIST}?last=latest&n=1000>; rel="next"` },
    },
    { request: `GET ${LIST}?last=latest&n=1000`, body: { tags: ['new'] } },
  ],
  tags: [
    { name: '1.2.0', pushedAt: new Date('2026-08-20T10:00:00.000Z') },
    { name: 'latest', pushedAt: new Date('2026-08-21T10:00:00.000Z') },
    { name: 'new' },
  ],
  signIn: {
    credential: { kind: 'basic', username: 'me', password: 'se:cret' },
    right: (origin) => [
      { request: `GET ${LIST}?n=1000`, ...challenge(origin) },
      { request: token, having: { authorization: 'Basic bWU6c2U6Y3JldA==' }, body: { token: 'jwt' } },
    ],
    authorization: 'Bearer jwt',
    wrong: (origin) => [
      { request: VERSIONS, status: 401, body: { message: 'user does not exist' } },
      { request: `GET ${LIST}?n=1000`, ...challenge(origin) },
      { request: token, status: 401 },
    ],
  },
  limited: (until) => ({ status: 429, headers: { 'retry-after': until.toUTCString() }, body: 'Too many requests' }),
  described: {
    entries: [
      {
        request: VERSIONS,
        body: [{ ...version, repository: { description: 'Builds', private: false, stars_count: 3 } }],
      },
    ],
    expected: { description: 'Builds', isPrivate: false, starCount: 3, pullCount: null },
  },
  listed: {
    prefix: 'example/team',
    entries: (origin) => [
      {
        request: OWNER,
        body: versions,
        headers: { link: `<${origin}/api/v1/packages/example?page=2>; rel="next",<${origin}/x>; rel="last"` },
      },
      { request: 'GET /api/v1/packages/example?page=2', body: [{ ...version, version: '1' }, { name: 'z' }, {}] },
    ],
    expected: ['example/team/app', 'example/team/app-of-others', 'example/z'],
  },
};

describeRegistry(play, () => {
  test('the link on the last page leads to an empty one, which ends the list', async () => {
    const link = { link: `<${LIST}?last=b&n=1000>; rel="next"` };
    const { registry, server } = await openPlayed(play, () => [
      { request: `GET ${LIST}?n=1000`, body: { tags: ['b'] }, headers: link },
      { request: `GET ${LIST}?last=b&n=1000`, body: { tags: [] }, headers: link },
    ]);
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([{ name: 'b' }]);
    server.verify();
  });

  test('many versions are not read for their dates', async () => {
    const next = (page: number) => ({ link: `<${VERSIONS.slice(4).replace('page=1', `page=${page}`)}>; rel="next"` });
    const pages = Array.from({ length: 11 }, (_, at) => ({
      request: VERSIONS.replace('page=1', `page=${at + 1}`),
      body: versions,
      headers: next(at + 2),
    }));
    const { registry, server } = await openPlayed({ ...play, always: () => pages }, () => [
      { request: `GET ${LIST}?n=1000`, body: { tags: ['latest'] } },
    ]);
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([{ name: 'latest' }]);
    server.verify();
  });

  test('without an owner, or where the API is not for us, repositories are those of the catalog', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: 'GET /v2/_catalog?n=1000', body: { repositories: ['a/b'] }, times: 2 },
      { request: OWNER, status: 403, body: { message: 'token does not have at least one of required scope(s)' } },
    ]);
    expect(await Array.fromAsync(registry.listRepositories?.('', never) ?? [])).toEqual([['a/b']]);
    expect(await Array.fromAsync(registry.listRepositories?.('example/', never) ?? [])).toEqual([['a/b']]);
    server.verify();
  });

  test('a package that was linked with no source is not described', async () => {
    const { registry } = await openPlayed(play, () => []);
    const nothing = { description: null, isPrivate: null, starCount: null, pullCount: null };
    expect(await registry.describeRepository?.(repository, never)).toEqual(nothing);
  });
});
