import type { Digest } from '../../../src/domain/digest.ts';
import type { RepositoryName } from '../../../src/domain/reference.ts';
import { openGhcr } from '../../../src/registries/ghcr/index.ts';
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

const repository = 'example/app' as RepositoryName;
const VERSIONS = '/orgs/example/packages/container/app/versions?state=active&per_page=100';
const NAMES = 'GET /v2/example/app/tags/list?n=1000';
const DIGEST = `sha256:${'a'.repeat(64)}` as Digest;
const token = { authorization: 'Bearer ghp_x' };

interface Version {
  readonly id: number;
  readonly name: string;
  readonly metadata: { readonly container: { readonly tags: readonly string[] } };
}

const play: RegistryPlay = {
  kind: 'GHCR',
  addresses: ['https://ghcr.io', 'https://ghcr.io/'],
  open: openGhcr,
  repository,
  credential: { kind: 'basic', username: 'me', password: 'ghp_x' },
  always: () => [account('example', 'Organization')],
  pages: (origin) => {
    const [first, ...rest] = sampleJson<Version[]>('ghcr-package-versions.json') ?? [];
    const second = '/organizations/1/packages/container/app/versions?page=2';
    return [
      { request: `GET ${VERSIONS}`, body: [first], headers: { link: `<${origin}${second}>; rel="next"` } },
      { request: `GET ${second}`, body: rest },
    ];
  },
  tags: [
    tag('1.2.0', '3bfc269594ef649228e9a74bab00f042efc91d5acc6fbee31a382e80d42388fe', '2026-08-19T18:00:01Z'),
    tag('latest', '3bfc269594ef649228e9a74bab00f042efc91d5acc6fbee31a382e80d42388fe', '2026-08-19T18:00:01Z'),
    tag('1.1.0', '0270da4daac514f30bece5788a87ad7b800f59476d0d7e6f70d4b61fbc4f5e9e', '2025-01-02T03:04:05Z'),
  ],
  signIn: {
    credential: { kind: 'basic', username: 'me', password: 'ghp_x' },
    right: () => [],
    authorization: token.authorization,
    wrong: () => [
      { ...account('example', 'Organization'), times: 1, status: 401, body: { message: 'Bad credentials' } },
      { request: NAMES, status: 401, headers: { 'www-authenticate': 'Bearer realm="/token",service="ghcr.io"' } },
      {
        request: 'GET /token?service=ghcr.io&scope=repository%3Aexample%2Fapp%3Apull&account=me',
        status: 403,
        body: { errors: [{ code: 'DENIED' }] },
      },
    ],
  },
  missing: [
    { request: `GET ${VERSIONS}`, status: 404, body: { message: 'Package not found.' } },
    { request: NAMES, status: 404, body: { errors: [{ code: 'NAME_UNKNOWN' }] } },
  ],
  limited: (until) => ({
    status: 403,
    headers: { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(+until / 1000) },
    body: { message: 'API rate limit exceeded for user ID 1.' },
  }),
  described: {
    entries: [
      {
        request: 'GET /orgs/example/packages/container/app',
        body: { name: 'app', visibility: 'internal', repository: { description: 'An app', private: true } },
      },
    ],
    expected: { description: 'An app', isPrivate: true, starCount: null, pullCount: null },
  },
  listed: {
    prefix: 'example/a',
    entries: (origin) => {
      const next = '/orgs/example/packages?page=2';
      return [
        {
          request: 'GET /orgs/example/packages?package_type=container&per_page=100',
          body: [{ name: 'app' }, { name: 'Group/Tool' }],
          headers: { link: `<${origin}${next}>; rel="next"` },
        },
        { request: `GET ${next}`, body: [{ name: 'web' }] },
      ];
    },
    expected: ['example/app', 'example/group/tool', 'example/web'],
  },
};

describeRegistry(play, () => {
  const list = async (name: string, script: Entry[]) => {
    const { registry, server } = await openPlayed(play, () => script);
    const listed = await namesAndAll(registry.listTags(name as RepositoryName, never));
    server.verify();
    return listed;
  };
  const versionOf = (id: number, name: string, ...tags: string[]) => ({ id, name, metadata: { container: { tags } } });

  test('without a token, tags are names, nothing is described, and repositories can not be listed', async () => {
    const { registry, server } = await openPlayed({ open: openGhcr }, () => [
      { request: NAMES, status: 401, headers: { 'www-authenticate': 'Bearer realm="/token",service="ghcr.io"' } },
      {
        request: 'GET /token?service=ghcr.io&scope=repository%3Aexample%2Fapp%3Apull',
        body: '{"token":"djE6ZXhhbXBsZTpub3QtYS1yZWFsLXRva2Vu"}',
      },
      {
        request: NAMES,
        having: { authorization: 'Bearer djE6ZXhhbXBsZTpub3QtYS1yZWFsLXRva2Vu' },
        body: { tags: ['1'] },
      },
    ]);
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([{ name: '1' }]);
    expect([registry.listRepositories, registry.describeRepository]).toEqual([undefined, undefined]);
    server.verify();
  });

  test('a token that may not read packages still reads names', async () => {
    const forbidden: Entry = { request: `GET ${VERSIONS}`, status: 403, body: { message: 'Resource not accessible' } };
    expect(await list('example/app', [forbidden, { request: NAMES, body: { tags: ['1'] } }])).toEqual([{ name: '1' }]);
  });

  test('DENIED says nothing of whether a package is there', async () => {
    const { registry, server } = await openPlayed({ open: openGhcr }, () => [
      { request: NAMES, status: 403, body: { errors: [{ code: 'DENIED', message: 'denied' }] } },
    ]);
    await expect(namesAndAll(registry.listTags(repository, never))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    server.verify();
  });

  test.each([
    ['a user', 'somebody', '/users/somebody'],
    ['who the token belongs to', 'me', '/user'],
  ])('packages of %s are at another path, and the slashes in their names are none there', async (_who, owner, path) => {
    const self: Entry = { request: 'GET /user', body: { login: 'Me' }, having: token };
    const versions = `GET ${path}/packages/container/group%2Fapp/versions?state=active&per_page=100`;
    const script = [account(owner, 'User'), self, { request: versions, body: [versionOf(1, DIGEST, '1')] }];
    expect(await list(`${owner}/group/app`, script)).toEqual([{ name: '1', digest: DIGEST }]);
  });

  test("the token of a workflow is nobody's", async () => {
    const script: Entry[] = [
      account('somebody', 'User'),
      { request: 'GET /user', status: 403, body: { message: 'Resource not accessible by integration' } },
      { request: 'GET /users/somebody/packages/container/app/versions?state=active&per_page=100', body: [] },
    ];
    expect(await list('somebody/app', script)).toEqual([]);
  });

  test('tags that hold what refers to a digest are listed, for there is no other list of it', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: `GET ${VERSIONS}`, body: [versionOf(1, DIGEST, `sha256-${'b'.repeat(64)}`, 'not a tag')] },
      { request: `GET /v2/example/app/referrers/${DIGEST}`, status: 404 },
    ]);
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([
      { name: `sha256-${'b'.repeat(64)}`, digest: DIGEST },
    ]);
    expect(await registry.listReferrers?.(repository, DIGEST, never)).toBeNull();
    server.verify();
  });

  describe('deleting', () => {
    const HEAD = `/v2/example/app/manifests/${DIGEST}`;
    const versions: Entry = { request: `GET ${VERSIONS}`, body: [versionOf(1, 'sha256:x'), versionOf(2, DIGEST, '1')] };
    const deletion = 'DELETE /orgs/example/packages/container/app/versions/2';
    const gone: Entry[] = ['HEAD', 'GET'].map((method) => ({ request: `${method} ${HEAD}`, status: 404 }));
    const there: Entry = {
      request: `HEAD ${HEAD}`,
      headers: { 'docker-content-digest': DIGEST, 'content-length': '9' },
    };
    const remove = async (target: string, ...script: Entry[]) => {
      const { registry, server } = await openPlayed(play, () => script);
      await registry.deleteManifest?.(repository, target as Digest, never).finally(() => server.verify());
    };

    test('a manifest is deleted by the id of its version', async () => {
      await remove(DIGEST, versions, { request: deletion, status: 204, having: token }, ...gone);
    });

    test('the last tagged version is refused, in the words of GitHub', async () => {
      const message = 'You cannot delete the last tagged version of a package. You must delete the package instead.';
      await expect(
        remove(DIGEST, versions, { request: deletion, status: 400, body: { message } }),
      ).rejects.toMatchObject({ code: 'UNSUPPORTED', status: 400, message: expect.stringContaining(message) });
    });

    test('what GitHub does not show is gone when the registry says so, too', async () => {
      const none: Entry = { request: `GET ${VERSIONS}`, body: [] };
      await remove(DIGEST, none, ...gone);
      await expect(remove(DIGEST, none, there)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(
        remove(DIGEST, versions, { request: deletion, status: 404 }, { ...there, times: 1 }),
      ).rejects.toMatchObject({ code: 'FORBIDDEN' });
    });

    test('a tag alone can not be deleted', async () => {
      await expect(remove(asTag('1'))).rejects.toMatchObject({ code: 'UNSUPPORTED', status: null });
    });
  });
});

function tag(name: string, hex: string, pushedAt: string): RegistryPlay['tags'][number] {
  return { name, digest: `sha256:${hex}`, pushedAt: new Date(pushedAt) };
}

function account(login: string, type: string): Entry {
  return { request: `GET /users/${login}`, having: token, body: { login, type }, times: 'any' };
}
