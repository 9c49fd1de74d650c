import type { RegistryHost, RepositoryName } from '../../../src/domain/reference.ts';
import { openClient } from '../../../src/registries/client.ts';
import { openGitlab } from '../../../src/registries/gitlab/index.ts';
import type { Credential } from '../../../src/registries/registry.ts';
import {
  describeRegistry,
  namesAndAll,
  never,
  openPlayed,
  type RegistryPlay,
} from '../../support/registry-contract.ts';
import { startScriptedServer, type Entry } from '../../support/scripted-server.ts';

const repository = 'group/builder' as RepositoryName;
const LIST = '/gitlab/v1/repositories/group/builder/tags/list/';
const NAMES = 'GET /v2/group/builder/tags/list?n=1000';
const SCOPE = 'repository:group/builder:pull';
const DIGEST = 'sha256:c3490dcf10ffb6530c1303522a1405dfaf7daecd8f38d3e6a1ba19ea1f8a1751';
const credential: Credential = { kind: 'basic', username: 'me', password: 'glpat-x' };
const notThere = { errors: [{ code: 'NAME_UNKNOWN', message: 'repository name not known to registry' }] };

const challenge = (origin: string, scope = '') => ({
  status: 401,
  headers: { 'www-authenticate': `Bearer realm="${origin}/jwt/auth",service="container_registry"${scope}` },
});
const token = `GET /jwt/auth?service=container_registry&scope=${encodeURIComponent(SCOPE)}&account=me`;
/** How the registry says where its GitLab is. */
const root = (origin: string): Entry => ({ request: 'GET /v2/', ...challenge(origin), times: 'any' });

const play: RegistryPlay = {
  kind: 'GITLAB',
  addresses: ['https://registry.gitlab.com'],
  open: openGitlab,
  repository,
  always: (origin) => [root(origin)],
  pages: (origin) => [
    {
      request: `GET ${LIST}?n=1000`,
      body: [
        {
          name: 'latest',
          digest: DIGEST,
          created_at: '2019-01-06T16:49:51.272+00:00',
          published_at: '2022-06-07T14:37:49.251Z',
        },
        { name: 'a', digest: DIGEST, created_at: '2022-06-07T12:10:12.412Z', updated_at: '2022-06-08T12:10:12.412Z' },
      ],
      headers: { link: `<${LIST}?before=a&n=1000>; rel="previous", <${origin}${LIST}?last=a&n=1000>; rel="next"` },
    },
    {
      request: `GET ${LIST}?last=a&n=1000`,
      body: [{ name: 'b', created_at: '2022-06-07T12:10:12.412Z' }, { name: 'c d', digest: DIGEST }, { name: 'c' }],
    },
  ],
  tags: [
    { name: 'latest', digest: DIGEST, pushedAt: new Date('2022-06-07T14:37:49.251Z') },
    { name: 'a', digest: DIGEST, pushedAt: new Date('2022-06-08T12:10:12.412Z') },
    { name: 'b', pushedAt: new Date('2022-06-07T12:10:12.412Z') },
    { name: 'c' },
  ],
  signIn: {
    credential,
    right: (origin) => [
      { request: `GET ${LIST}?n=1000`, ...challenge(origin, `,scope="${SCOPE}"`) },
      { request: token, having: { authorization: 'Basic bWU6Z2xwYXQteA==' }, body: { token: 'jwt' } },
    ],
    authorization: 'Bearer jwt',
    wrong: (origin) => [
      { request: `GET ${LIST}?n=1000`, ...challenge(origin, `,scope="${SCOPE}"`) },
      {
        request: token,
        status: 401,
        body: { errors: [{ code: 'UNAUTHORIZED', message: 'HTTP Basic: Access denied' }] },
      },
    ],
  },
  missing: [
    { request: `GET ${LIST}?n=1000`, status: 404, body: notThere },
    { request: NAMES, status: 404, body: notThere },
  ],
  limited: (until) => ({
    status: 429,
    headers: {
      'ratelimit-limit': '2000',
      'ratelimit-remaining': '0',
      'ratelimit-reset': String(+until / 1000),
      'retry-after': String(Math.round((+until - Date.now()) / 1000)),
    },
    body: 'Retry later\n',
  }),
  described: {
    entries: [
      {
        request: 'GET /api/v4/projects/group%2Fbuilder',
        body: { description: 'Builds', visibility: 'internal', star_count: 3 },
      },
    ],
    expected: { description: 'Builds', isPrivate: true, starCount: 3, pullCount: null },
  },
  listed: {
    prefix: 'group/',
    entries: (origin) => [
      {
        request: listOf('groups/group'),
        body: [
          { path: 'group/builder', status: null },
          { path: 'group/going', status: 'delete_ongoing' },
        ],
        headers: { link: `<${origin}/api/v4/groups/group/registry/repositories?cursor=x>; rel="next"` },
      },
      {
        request: 'GET /api/v4/groups/group/registry/repositories?cursor=x',
        body: [{ path: 'group/sub/other/name' }, { path: '' }],
      },
    ],
    expected: ['group/builder', 'group/sub/other/name'],
  },
};

describeRegistry(play, () => {
  const list = async (prefix: string, entries: readonly Entry[]) => {
    const { registry, server } = await openPlayed(play, () => entries, credential);
    const pages = await Array.fromAsync(registry.listRepositories?.(prefix, never) ?? []);
    server.verify();
    return pages.flat();
  };

  test('a registry without a database is found out once, and gives names', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: `GET ${LIST}?n=1000`, status: 404, body: '404 page not found' },
      { request: NAMES, body: { tags: ['a'] }, times: 2 },
    ]);
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([{ name: 'a' }]);
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([{ name: 'a' }]);
    server.verify();
  });

  test('whom the list of its own refuses gets names', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: `GET ${LIST}?n=1000`, status: 403, body: { errors: [{ code: 'DENIED' }] } },
      { request: NAMES, body: { tags: ['a'] } },
    ]);
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([{ name: 'a' }]);
    server.verify();
  });

  test('a GitLab is on the host that signs in, whatever path it signs in at', async () => {
    const strange = { ...play, always: (origin: string) => [root(`${origin}//other.example`)] };
    const api = { request: listOf('groups/group').replace('/api', '//other.example/api'), body: [{ path: 'group/a' }] };
    const { registry, server } = await openPlayed(strange, () => [api], credential);
    const pages = await Array.fromAsync(registry.listRepositories?.('group/', never) ?? []);
    expect(pages).toEqual([['group/a']]);
    server.verify();
  });

  test('a project is listed where no group is of that name, and above a beginning of names', async () => {
    const missing = { status: 404, body: { message: '404 Group Not Found' } };
    const found = await list('group/builder/cache/a-', [
      { request: listOf('groups/group%2Fbuilder%2Fcache'), ...missing },
      { request: listOf('projects/group%2Fbuilder%2Fcache'), ...missing },
      { request: listOf('groups/group%2Fbuilder'), ...missing },
      {
        request: listOf('projects/group%2Fbuilder'),
        having: { authorization: 'Bearer glpat-x' },
        body: [{ path: 'group/builder/cache/a-b' }],
      },
    ]);
    expect(found).toEqual(['group/builder/cache/a-b']);
  });

  test('repositories are listed by group alone', async () => {
    await expect(list('gro', [])).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('group/*'),
    });
    const none = { request: listOf('groups/none'), status: 404, body: { message: '404 Group Not Found' } };
    await expect(list('none/', [none])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a GitLab on a host that signs in for others gets no credential', async () => {
    const gitlab = await startScriptedServer({
      request: listOf('groups/group'),
      having: { authorization: null, 'private-token': null },
      body: [{ path: 'group/a' }],
    });
    const server = await startScriptedServer(root(`http://localhost:${gitlab.url.port}`));
    const settings = { host: server.url.host as RegistryHost, url: server.url, credential };
    const allowedNetworks = ['127.0.0.0/8', '::1'];
    const registry = openGitlab({ ...settings, allowedNetworks }, openClient({ ...settings, allowedNetworks }));
    try {
      const pages = await Array.fromAsync(registry.listRepositories?.('group/', never) ?? []);
      expect(pages).toEqual([['group/a']]);
      gitlab.verify();
    } finally {
      await registry.close();
      await Promise.all([gitlab.close(), server.close()]);
    }
  });

  test('a registry that names no GitLab lists nothing', async () => {
    const silent = { ...play, always: () => [{ request: 'GET /v2/', body: {} }] };
    const { registry } = await openPlayed(silent, () => []);
    const pages = Array.fromAsync(registry.listRepositories?.('group/', never) ?? []);
    await expect(pages).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

function listOf(owner: string): string {
  return `GET /api/v4/${owner}/registry/repositories?per_page=100`;
}
