import type { RepositoryName, TagName } from '../../../src/domain/reference.ts';
import { openEcrPublic } from '../../../src/registries/ecr-public/index.ts';
import { ACCESS_KEY, awsCall, awsFault, SIGNED } from '../../support/aws.ts';
import {
  describeRegistry,
  namesAndAll,
  never,
  openPlayed,
  type RegistryPlay,
} from '../../support/registry-contract.ts';
import type { Entry } from '../../support/scripted-server.ts';

const repository = 'ours/team/app' as RepositoryName;
const foreign = 'docker/library/nginx' as RepositoryName;
const A = `sha256:${'a'.repeat(64)}`;
const B = `sha256:${'b'.repeat(64)}`;
const OWN = { registryId: '012345678910', repositoryName: 'team/app' };

const call = (action: string, input: object, answer: Partial<Entry>) =>
  awsCall(`SpencerFrontendService.${action}`, input, answer);

/** Which part of the registry is ours: asked once, before anything else. */
const registries = call(
  'DescribeRegistries',
  {},
  { body: { registries: [{ registryId: OWN.registryId, aliases: [{ name: 'ours' }, { name: 'a1b2c3d4' }] }] } },
);
const tagsPage = (answer: Partial<Entry>, token = {}) =>
  call('DescribeImageTags', { ...OWN, maxResults: 1000, ...token }, answer);
const listOf = (name: string) => `GET /v2/${name}/tags/list?n=1000`;

const play: RegistryPlay = {
  kind: 'ECR_PUBLIC',
  addresses: ['https://public.ecr.aws', 'https://ecr-public.aws.com'],
  open: openEcrPublic,
  repository,
  credential: ACCESS_KEY,
  always: () => [{ ...registries, times: 'any' }],
  pages: () => [
    tagsPage({
      body: {
        imageTagDetails: [
          { imageTag: '1.0', createdAt: 1, imageDetail: { imageDigest: A, imagePushedAt: 1565128275.5 } },
          { imageTag: 'no tag', imageDetail: { imageDigest: A } },
        ],
        nextToken: 'x',
      },
    }),
    tagsPage(
      { body: { imageTagDetails: [{ imageTag: 'latest', imageDetail: { imageDigest: B } }] } },
      { nextToken: 'x' },
    ),
  ],
  tags: [
    { name: '1.0', digest: A, pushedAt: new Date(1565128275_500) },
    { name: 'latest', digest: B },
  ],
  pagesAreLinked: false,
  signIn: {
    credential: ACCESS_KEY,
    right: () => [],
    authorization: SIGNED,
    wrong: () => [tagsPage(awsFault('UnrecognizedClientException'))],
  },
  missing: [tagsPage(awsFault('RepositoryNotFoundException'))],
  limited: () => awsFault('TooManyRequestsException', 429),
  saysUntil: false,
  listed: {
    prefix: 'ours/te',
    entries: () => [
      call(
        'DescribeRepositories',
        { registryId: OWN.registryId, maxResults: 1000 },
        { body: { repositories: [{ repositoryName: 'team/app' }, { repositoryName: 'web' }] } },
      ),
    ],
    expected: ['ours/team/app', 'ours/web'],
  },
};

describeRegistry(play, () => {
  const challenged = (origin: string) => ({
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="${origin}/token/",service="public.ecr.aws",scope="aws"` },
  });
  const token = 'GET /token/?service=public.ecr.aws&scope=aws';

  test('whoever has not signed in gets an anonymous token, and the names on all pages', async () => {
    const next = `/v2/${foreign}/tags/list?last=b3BhcXVl&n=1000`;
    const having = { authorization: 'Bearer anonymous' };
    const script = (origin: string) => [
      { request: listOf(foreign), ...challenged(origin) },
      { request: token, having: { authorization: null }, body: { token: 'anonymous' } },
      { request: listOf(foreign), having, body: { tags: ['1'] }, headers: { link: `<${next}>; rel="next"` } },
      { request: `GET ${next}`, having, body: { tags: ['2'] } },
    ];
    const { registry, server } = await openPlayed({ ...play, always: () => [] }, script, null);
    expect(await namesAndAll(registry.listTags(foreign, never))).toEqual([{ name: '1' }, { name: '2' }]);
    expect(registry.listRepositories).toBeUndefined();
    server.verify();
  });

  test('of what is not ours the registry itself is asked, with the password that the API issued', async () => {
    const authorizationToken = Buffer.from('AWS:issued').toString('base64');
    const authorization = `Basic ${authorizationToken}`;
    const expiresAt = Date.now() / 1000 + 43_200;
    const { registry, server } = await openPlayed(play, (origin) => [
      { request: listOf(foreign), ...challenged(origin) },
      { ...registries },
      call('GetAuthorizationToken', {}, { body: { authorizationData: { authorizationToken, expiresAt } } }),
      { request: `${token}&account=AWS`, having: { authorization }, body: { token: 'granted' } },
      { request: listOf(foreign), having: { authorization: 'Bearer granted' }, body: { tags: ['1'] } },
    ]);
    expect(await namesAndAll(registry.listTags(foreign, never))).toEqual([{ name: '1' }]);
    server.verify();
  });

  test('what is ours is described as its page in the gallery says', async () => {
    const described = (answer: Partial<Entry>) => call('GetRepositoryCatalogData', OWN, answer);
    const { registry, server } = await openPlayed(play, () => [
      { ...registries },
      described({ body: { catalogData: { description: 'Our app' } } }),
      described(awsFault('RepositoryCatalogDataNotFoundException')),
      described(awsFault('RepositoryNotFoundException')),
    ]);
    const describe = async (name: RepositoryName) => registry.describeRepository?.(name, never);
    const nothing = { description: '', isPrivate: false, starCount: null, pullCount: null };
    expect(await describe(repository)).toEqual({ ...nothing, description: 'Our app' });
    expect(await describe(repository)).toEqual(nothing);
    expect(await describe(repository)).toBeNull();
    expect(await describe(foreign)).toEqual({ ...nothing, description: null });
    server.verify();
  });

  test('lists and deletes nothing that is not ours', async () => {
    const { registry } = await openPlayed(play, () => []);
    const listed = async (prefix: string) => Array.fromAsync(registry.listRepositories?.(prefix, never) ?? []);
    await expect(listed('docker/')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(listed('')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(async () => registry.deleteManifest?.(foreign, '1' as TagName, never)).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
  });
});
