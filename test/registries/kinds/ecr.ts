import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '../../../src/domain/digest.ts';
import { RegistryError } from '../../../src/domain/errors.ts';
import type { RegistryHost, RepositoryName, TagName } from '../../../src/domain/reference.ts';
import type { Gate, HttpClient } from '../../../src/http/index.ts';
import { openEcr } from '../../../src/registries/ecr/index.ts';
import { parseEcrHost } from '../../../src/registries/ecr/host.ts';
import { openClient } from '../../../src/registries/client.ts';
import type { OpenRegistry, RegistrySettings } from '../../../src/registries/registry.ts';
import { ACCESS_KEY, awsCall, awsFault, SIGNED } from '../../support/aws.ts';
import {
  asTag,
  describeRegistry,
  namesAndAll,
  never,
  openPlayed,
  type RegistryPlay,
} from '../../support/registry-contract.ts';
import { sampleJson } from '../../support/samples.ts';
import { startScriptedServer, type Entry } from '../../support/scripted-server.ts';

const repository = 'cluster-autoscaler' as RepositoryName;
const DIGEST = `sha256:${'a'.repeat(64)}`;
const REGISTRY = { registryId: '012345678910' };
const IMAGES = { ...REGISTRY, repositoryName: repository, maxResults: 1000, filter: { tagStatus: 'TAGGED' } };
const TAGS = `GET /v2/${repository}/tags/list?n=1000`;
const HEAD = `HEAD /v2/${repository}/manifests/v1`;
const PASSWORD = 'eyJwYXlsb2FkIjoi';
const ASSUME_ROLE = 'AssumeRoleWithWebIdentity';

const call = (action: string, input: object, answer: Partial<Entry>) =>
  awsCall(`AmazonEC2ContainerRegistry_V20150921.${action}`, input, answer);

/** References name the registry by its account and region; it is reached on loopback, and its API, too. */
const open = (settings: RegistrySettings, http: HttpClient) =>
  openEcr({ ...settings, host: '012345678910.dkr.ecr.eu-west-1.amazonaws.com' as RegistryHost }, http);

const play: RegistryPlay = {
  kind: 'ECR',
  addresses: [
    'https://012345678910.dkr.ecr.eu-west-1.amazonaws.com',
    'https://012345678910.dkr.ecr-fips.us-gov-west-1.amazonaws.com',
    'https://012345678910.dkr.ecr.cn-north-1.amazonaws.com.cn',
    'https://012345678910.dkr-ecr.eu-west-1.on.aws',
    'https://012345678910.dkr-ecr-fips.us-east-1.on.aws',
    'https://012345678910.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn',
  ],
  open,
  repository,
  credential: ACCESS_KEY,
  pages: () => [
    call('DescribeImages', IMAGES, { body: sampleJson<object>('ecr-describe-images.json') ?? {} }),
    call(
      'DescribeImages',
      { ...IMAGES, nextToken: 'ZXhhbXBsZQ==' },
      {
        body: {
          imageDetails: [{ imageDigest: DIGEST, imageTags: ['v2', 'no tag', 'latest'] }, { imageDigest: 'odd' }],
        },
      },
    ),
  ],
  tags: [
    {
      name: 'v1.13.6',
      digest: 'sha256:4a1c6567c38904384ebc64e35b7eeddd8451110c299e3368d2210066487d97e5',
      pushedAt: new Date(1565128275_000),
    },
    { name: 'v2', digest: DIGEST },
    { name: 'latest', digest: DIGEST },
  ],
  pagesAreLinked: false,
  signIn: {
    credential: ACCESS_KEY,
    right: () => [],
    authorization: SIGNED,
    wrong: () => [call('DescribeImages', IMAGES, awsFault('UnrecognizedClientException'))],
  },
  missing: [call('DescribeImages', IMAGES, awsFault('RepositoryNotFoundException'))],
  limited: () => awsFault('ThrottlingException'),
  saysUntil: false,
  listed: {
    prefix: '',
    entries: () => [
      call(
        'DescribeRepositories',
        { ...REGISTRY, maxResults: 1000 },
        {
          body: { repositories: [{ repositoryName: 'team/app', createdAt: 1565128275.5 }, {}], nextToken: 'x' },
        },
      ),
      call(
        'DescribeRepositories',
        { ...REGISTRY, maxResults: 1000, nextToken: 'x' },
        {
          body: { repositories: [{ repositoryName: 'docker-hub/library/nginx' }] },
        },
      ),
    ],
    expected: ['team/app', 'docker-hub/library/nginx'],
  },
};

describeRegistry(play, () => {
  const challenged = {
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="https://x/",service="ecr.amazonaws.com"' },
  };
  const signedIn = (request: string, answer: Partial<Entry>): Entry => ({
    request,
    having: { authorization: basic(PASSWORD) },
    ...answer,
  });
  const manifest = { headers: { 'docker-content-digest': DIGEST, 'content-length': '9' } };

  test('the host says the account, the region, and which endpoints are meant', () => {
    const hosts = [...play.addresses, 'https://x.dkr.ecr.eu-west-1.amazonaws.com', 'https://amazonaws.com'];
    expect(hosts.map((address) => parseEcrHost(new URL(address).hostname)?.region)).toEqual([
      'eu-west-1',
      'us-gov-west-1',
      'cn-north-1',
      'eu-west-1',
      'us-east-1',
      'cn-north-1',
      undefined,
      undefined,
    ]);
    expect(parseEcrHost('012345678910.dkr-ecr-fips.us-east-1.on.aws')).toEqual({
      account: '012345678910',
      region: 'us-east-1',
      isFips: true,
      isDualStack: true,
    });
  });

  test('an access key is exchanged for a password, which is kept for as long as it is good, also by the next that is opened', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: HEAD, having: { authorization: null }, ...challenged },
      issue(PASSWORD, Date.now() + 43_200_000),
      signedIn(HEAD, { ...manifest, times: 2 }),
      { request: HEAD, having: { authorization: null }, ...challenged },
      signedIn(HEAD, manifest),
    ]);
    const resolve = async (opened: OpenRegistry) => opened.resolveManifest(repository, asTag('v1'), never);
    expect(await resolve(registry)).toBe(DIGEST);
    expect(await resolve(registry)).toBe(DIGEST);
    const settings = { host: server.url.host as RegistryHost, url: server.url, credential: ACCESS_KEY };
    const again = open(settings, openClient(settings));
    expect(await resolve(again)).toBe(DIGEST);
    expect(again.traffic.requests).toBe(2);
    await again.close();
    server.verify();
  });

  test('a password that is about to expire is not used', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: HEAD, having: { authorization: null }, ...challenged },
      issue('old', Date.now() + 60_000),
      { request: HEAD, having: { authorization: basic('old') }, ...manifest },
      issue(PASSWORD, Date.now() + 43_200_000),
      signedIn(HEAD, manifest),
    ]);
    await registry.resolveManifest(repository, asTag('v1'), never);
    await registry.resolveManifest(repository, asTag('v1'), never);
    server.verify();
  });

  test('a password that is refused is asked for again, unless it was just issued', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: HEAD, having: { authorization: null }, ...challenged },
      issue('old', Date.now() + 43_200_000),
      { request: HEAD, having: { authorization: basic('old') }, ...challenged, times: 2 },
      issue(PASSWORD, Date.now() + 43_200_000),
      signedIn(HEAD, manifest),
    ]);
    const resolve = () => registry.resolveManifest(repository, asTag('v1'), never);
    await expect(resolve()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const now = Date.now;
    Date.now = () => now() + 61_000;
    try {
      expect(await resolve()).toBe(DIGEST);
    } finally {
      Date.now = now;
    }
    server.verify();
  });

  test('many who ask at once sign in once', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: HEAD, having: { authorization: null }, ...challenged, times: 8 },
      issue(PASSWORD, Date.now() + 43_200_000),
      signedIn(HEAD, { ...manifest, times: 8 }),
    ]);
    const asked = Array.from({ length: 8 }, () => registry.resolveManifest(repository, asTag('v1'), never));
    expect(await Promise.all(asked)).toEqual(Array.from(asked, () => DIGEST));
    server.verify();
  });

  test('with the user AWS and a password the registry itself is asked, which lists names and no repositories', async () => {
    const credential = { kind: 'basic', username: 'AWS', password: PASSWORD } as const;
    const script = () => [
      { request: TAGS, having: { authorization: null }, ...challenged },
      signedIn(TAGS, { body: { name: repository, tags: ['v1'] } }),
    ];
    const { registry, server } = await openPlayed(play, script, credential);
    expect(registry.listRepositories).toBeUndefined();
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([{ name: 'v1' }]);
    server.verify();
  });

  test('who may pull and not describe gets the names that the registry lists', async () => {
    const { registry, server } = await openPlayed(play, () => [
      call('DescribeImages', IMAGES, awsFault('AccessDeniedException')),
      { request: TAGS, ...challenged },
      issue(PASSWORD, Date.now() + 43_200_000),
      signedIn(TAGS, {
        body: { name: repository, tags: ['v1'] },
        headers: { link: `</v2/${repository}/tags/list?last=b3BhcXVl%3D&n=1000>; rel="next"` },
      }),
      signedIn(`GET /v2/${repository}/tags/list?last=b3BhcXVl%3D&n=1000`, { body: { name: repository, tags: ['v2'] } }),
    ]);
    expect(await namesAndAll(registry.listTags(repository, never))).toEqual([{ name: 'v1' }, { name: 'v2' }]);
    server.verify();
  });

  test('a blob is read from S3 without the authorization, which S3 would refuse', async () => {
    const body = Buffer.from('{}');
    const s3 = await startScriptedServer({
      request: 'GET /layer?X-Amz-Signature=x',
      having: { authorization: null },
      body,
    });
    const blob = `GET /v2/${repository}/blobs/${digestOf(body)}`;
    const { registry, server } = await openPlayed(play, () => [
      { request: blob, ...challenged },
      issue(PASSWORD, Date.now() + 43_200_000),
      signedIn(blob, { status: 307, headers: { location: `${s3.url.origin}/layer?X-Amz-Signature=x` } }),
    ]);
    const chunks = await Array.fromAsync(registry.fetchBlob(repository, digestOf(body), body.length, never));
    expect(Buffer.concat(chunks)).toEqual(body);
    server.verify();
    s3.verify();
    await s3.close();
  });

  test('is deleted by the API of AWS, and believed gone when the registry says so', async () => {
    const images = (imageIds: object[], answer: Partial<Entry>) =>
      call('BatchDeleteImage', { ...REGISTRY, repositoryName: repository, imageIds }, answer);
    const failed = (failureCode: string) => ({ body: { failures: [{ failureCode, failureReason: 'as it is' }] } });
    const gone = [HEAD, HEAD.replace('HEAD', 'GET')].map((request) => ({ request, status: 404 }));
    const { registry, server } = await openPlayed(play, () => [
      images([{ imageTag: 'v1' }], { body: { imageIds: [{ imageTag: 'v1' }], failures: [] } }),
      ...gone,
      images([{ imageTag: 'v1' }], failed('ImageNotFound')),
      ...gone,
      images([{ imageDigest: DIGEST }], failed('ImageReferencedByManifestList')),
      images([{ imageTag: 'v1' }], awsFault('AccessDeniedException')),
    ]);
    const remove = async (target: string) => registry.deleteManifest?.(repository, target as TagName, never);
    await remove('v1');
    await remove('v1');
    await expect(remove(DIGEST)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      // Without one it would mean that tags can not be deleted.
      status: 200,
      registryCode: 'ImageReferencedByManifestList',
    });
    await expect(remove('v1')).rejects.toMatchObject({ code: 'FORBIDDEN', registryCode: 'AccessDeniedException' });
    server.verify();
  });

  test('pages that lead in a circle are refused', async () => {
    const page = { body: { imageDetails: [], nextToken: 'x' } };
    const { registry, server } = await openPlayed(play, () => [
      call('DescribeImages', IMAGES, page),
      call('DescribeImages', { ...IMAGES, nextToken: 'x' }, page),
    ]);
    await expect(namesAndAll(registry.listTags(repository, never))).rejects.toMatchObject({ code: 'MALFORMED' });
    server.verify();
  });

  test('the identity of the process is found by the SDK itself', async () => {
    const { registry, server } = await openPlayed(play, () => [call('DescribeImages', IMAGES, { body: {} })], {
      kind: 'ambient',
    });
    process.env['AWS_ACCESS_KEY_ID'] = ACCESS_KEY.username;
    process.env['AWS_SECRET_ACCESS_KEY'] = ACCESS_KEY.password;
    try {
      expect(await namesAndAll(registry.listTags(repository, never))).toEqual([]);
    } finally {
      delete process.env['AWS_ACCESS_KEY_ID'];
      delete process.env['AWS_SECRET_ACCESS_KEY'];
    }
    server.verify();
  });

  test('a role is taken with the token of a pod', async () => {
    const { registry, server } = await openPlayed(play, () => [call('DescribeImages', IMAGES, { body: {} })], {
      kind: 'ambient',
    });
    const [role, token] = ['arn:aws:iam::012345678910:role/reader', 'token-of-the-pod'];
    const wanted = { RoleArn: role, RoleSessionName: 'worker', WebIdentityToken: token };
    server.script({
      request: 'POST /',
      having: { authorization: null },
      sending: String(new URLSearchParams({ Action: ASSUME_ROLE, Version: '2011-06-15', ...wanted })),
      headers: { 'content-type': 'text/xml' },
      body: `<${ASSUME_ROLE}Response><${ASSUME_ROLE}Result><Credentials><AccessKeyId>${ACCESS_KEY.username}</AccessKeyId><SecretAccessKey>${ACCESS_KEY.password}</SecretAccessKey><SessionToken>of-the-session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></${ASSUME_ROLE}Result></${ASSUME_ROLE}Response>`,
    });
    const folder = await mkdtemp(join(tmpdir(), 'stowage-'));
    const file = join(folder, 'token');
    await writeFile(file, token);
    const environment = {
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_ARN: role,
      AWS_ROLE_SESSION_NAME: 'worker',
      AWS_ENDPOINT_URL_STS: server.url.origin.replace('127.0.0.1', 'localhost'),
    };
    Object.assign(process.env, environment);
    try {
      expect(await namesAndAll(registry.listTags(repository, never))).toEqual([]);
      expect(registry.traffic.requests).toBe(2);
    } finally {
      for (const name of Object.keys(environment)) Reflect.deleteProperty(process.env, name);
      await rm(folder, { recursive: true });
    }
    server.verify();
  });

  test.each([
    ['012345678910.dkr.ecr.eu-west-1.amazonaws.com', 'https://api.ecr.eu-west-1.amazonaws.com'],
    ['012345678910.dkr.ecr-fips.us-east-1.amazonaws.com', 'https://api.ecr-fips.us-east-1.amazonaws.com'],
    ['012345678910.dkr.ecr.cn-north-1.amazonaws.com.cn', 'https://api.ecr.cn-north-1.amazonaws.com.cn'],
    ['012345678910.dkr-ecr.eu-west-1.on.aws', 'https://ecr.eu-west-1.api.aws'],
  ])('the API of %s is asked at %s', async (host, origin) => {
    const asked: string[] = [];
    const gate: Gate = {
      enter: (request) => {
        asked.push(request.origin);
        throw new RegistryError('UNAVAILABLE', 'nothing leaves this test');
      },
    };
    const url = new URL(`https://${host}`);
    const registry = openEcr({ host: host as RegistryHost, url, credential: ACCESS_KEY, gate });
    await expect(namesAndAll(registry.listTags(repository, never))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(asked).toEqual([origin]);
    await registry.close();
  });

  test('a host that is none of ECR is refused', () => {
    const url = new URL('https://registry.example.com');
    expect(() => openEcr({ host: 'registry.example.com' as RegistryHost, url, credential: ACCESS_KEY })).toThrow(
      '"registry.example.com" is no host of Amazon ECR',
    );
  });
});

function basic(password: string): string {
  return `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`;
}

function issue(password: string, expiresAt: number): Entry {
  const authorizationToken = Buffer.from(`AWS:${password}`).toString('base64');
  return call(
    'GetAuthorizationToken',
    {},
    {
      body: { authorizationData: [{ authorizationToken, expiresAt: expiresAt / 1000 }] },
    },
  );
}
