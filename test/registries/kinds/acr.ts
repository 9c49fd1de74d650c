import type { RepositoryName, TagName } from '../../../src/domain/reference.ts';
import { openAcr } from '../../../src/registries/acr/index.ts';
import {
  describeRegistry,
  namesAndAll,
  never,
  openPlayed,
  type RegistryPlay,
} from '../../support/registry-contract.ts';
import { sampleJson } from '../../support/samples.ts';
import { startScriptedServer, type Entry } from '../../support/scripted-server.ts';

const repository = 'nanoserver' as RepositoryName;
const DIGEST = `sha256:${'a'.repeat(64)}`;
const TAGS = '/acr/v1/nanoserver/_tags?n=1000';
const NEXT = '/acr/v1/nanoserver/_tags?last=4.7.2-20180906-nanoserver-1803&n=1000&orderby=';
const NAMES = '/v2/nanoserver/tags/list?n=1000';
const METADATA = 'repository%3Ananoserver%3Ametadata_read';
const PRINCIPAL = { kind: 'basic', username: 'app-id', password: 'app-secret' } as const;

/** The registry asks to sign in for a scope. */
const challenged = (path: string, origin: string, scope: string): Entry => ({
  request: `GET ${path}`,
  status: 401,
  headers: {
    'www-authenticate': `Bearer realm="${origin}/oauth2/token",service="my.azurecr.io",scope="${scope}",error="invalid_token"`,
  },
});
const toRead = (origin: string) => challenged(TAGS, origin, 'repository:nanoserver:metadata_read');
const tokenFor = (scope: string, answer: Partial<Entry>): Entry => ({
  request: `GET /oauth2/token?service=my.azurecr.io&scope=${scope}&account=app-id`,
  having: { authorization: `Basic ${Buffer.from('app-id:app-secret').toString('base64')}` },
  ...answer,
});
const refused = { status: 401, body: { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] } };
const exchanged = (refreshToken: string, scope: string): Entry => ({
  request: 'POST /oauth2/token',
  having: { 'content-type': 'application/x-www-form-urlencoded', authorization: null },
  sending: `grant_type=refresh_token&refresh_token=${refreshToken}&client_id=stowage&service=my.azurecr.io&scope=${scope}`,
  body: { access_token: 'granted' },
});

const play: RegistryPlay = {
  kind: 'ACR',
  addresses: ['https://myregistry.azurecr.io', 'https://my-label-ab12cd34.azurecr.io', 'https://myregistry.azurecr.cn'],
  open: openAcr,
  repository,
  pages: (origin) => [
    {
      request: `GET ${TAGS}`,
      body: sampleJson<object>('acr-tags.json') ?? {},
      headers: { link: `<${origin}${NEXT}>; rel="next"` },
    },
    {
      request: `GET ${NEXT}`,
      body: { imageName: repository, tags: [{ name: 'latest', digest: DIGEST }, { name: 'no tag' }, null] },
    },
  ],
  tags: [
    {
      name: '4.7.2-20180905-nanoserver-1803',
      digest: 'sha256:110d2b6c84592561338aa040b1b14b7ab81c2f9edbd564c2285dd7d70d777086',
      pushedAt: new Date('2018-09-06T06:17:21.085Z'),
    },
    {
      name: '4.7.2-20180906-nanoserver-1803',
      digest: 'sha256:7af5cd1dde3e8f5c2c9103860afa4ca871a6075373b6564b0e7b1b47866dab52',
      pushedAt: new Date('2018-09-07T16:30:46.702Z'),
    },
    { name: 'latest', digest: DIGEST },
  ],
  signIn: {
    credential: PRINCIPAL,
    right: (origin) => [toRead(origin), tokenFor(METADATA, { body: { access_token: 'granted' } })],
    authorization: 'Bearer granted',
    wrong: (origin) => [
      toRead(origin),
      tokenFor(METADATA, refused),
      challenged(NAMES, origin, 'repository:nanoserver:pull'),
      tokenFor('repository%3Ananoserver%3Apull', refused),
    ],
  },
  limited: (until) => ({
    status: 429,
    headers: { 'retry-after': String(Math.round((until.getTime() - Date.now()) / 1000)) },
    body: { errors: [{ code: 'TOOMANYREQUESTS', message: 'too many requests' }] },
  }),
};

describeRegistry(play, () => {
  const tags = async (registry: Awaited<ReturnType<typeof openPlayed>>['registry']) =>
    namesAndAll(registry.listTags(repository, never));

  test('a page without tags is the end, and a link may be relative', async () => {
    const { registry, server } = await openPlayed(play, () => [
      { request: `GET ${TAGS}`, body: { tags: [{ name: 'a' }] }, headers: { link: `<${NEXT}>; rel="next"` } },
      { request: `GET ${NEXT}`, body: { registry: 'my.azurecr.io', imageName: repository } },
    ]);
    expect(await tags(registry)).toEqual([{ name: 'a' }]);
    server.verify();
  });

  test('who may pull and not read metadata gets names', async () => {
    const { registry, server } = await openPlayed(play, (origin) => [
      toRead(origin),
      { request: `GET /oauth2/token?service=my.azurecr.io&scope=${METADATA}`, body: { access_token: 'less' } },
      toRead(origin),
      { request: `GET /oauth2/token?service=my.azurecr.io&scope=${METADATA}`, body: { access_token: 'less' } },
      { request: `GET ${TAGS}`, ...refused },
      { request: `GET ${NAMES}`, body: { name: repository, tags: ['a'] } },
    ]);
    expect(await tags(registry)).toEqual([{ name: 'a' }]);
    server.verify();
  });

  test('the null GUID says that the password is a refresh token', async () => {
    const credential = {
      kind: 'basic',
      username: '00000000-0000-0000-0000-000000000000',
      password: 'a-refresh-token',
    } as const;
    const script = (origin: string) => [
      toRead(origin),
      exchanged('a-refresh-token', METADATA),
      { request: `GET ${TAGS}`, having: { authorization: 'Bearer granted' }, body: { tags: [] } },
    ];
    const { registry, server } = await openPlayed(play, script, credential);
    expect(await tags(registry)).toEqual([]);
    server.verify();
  });

  test("the worker's own identity is exchanged for a refresh token once, and that for a token of each scope", async () => {
    const azure = await startScriptedServer({
      request: 'GET /identity?api-version=2019-08-01&resource=https%3A%2F%2Fcontainerregistry.azure.net',
      having: { 'x-identity-header': 'of-the-machine' },
      body: { access_token: 'of-azure', expires_on: String(Math.ceil(Date.now() / 1000) + 3600), token_type: 'Bearer' },
    });
    const catalog = '/v2/_catalog?n=1000';
    const script = (origin: string): Entry[] => [
      toRead(origin),
      {
        request: 'POST /oauth2/exchange',
        having: { authorization: null },
        sending: `grant_type=access_token&service=${new URL(origin).host.replace(':', '%3A')}&access_token=of-azure`,
        body: { refresh_token: 'of-the-registry' },
      },
      exchanged('of-the-registry', METADATA),
      { request: `GET ${TAGS}`, having: { authorization: 'Bearer granted' }, body: { tags: [] } },
      challenged(catalog, origin, 'registry:catalog:*'),
      exchanged('of-the-registry', 'registry%3Acatalog%3A*'),
      {
        request: `GET ${catalog}`,
        having: { authorization: 'Bearer granted' },
        body: { repositories: ['a', 'b/c'] },
        headers: { link: '</v2/_catalog?last=b%2Fc&n=1000&orderby=>; rel="next"' },
      },
      { request: 'GET /v2/_catalog?last=b%2Fc&n=1000&orderby=', body: { repositories: ['d'] } },
    ];
    const { registry, server } = await openPlayed(play, script, { kind: 'ambient' });
    process.env['IDENTITY_ENDPOINT'] = `${azure.url.origin}/identity`;
    process.env['IDENTITY_HEADER'] = 'of-the-machine';
    try {
      expect(await tags(registry)).toEqual([]);
    } finally {
      delete process.env['IDENTITY_ENDPOINT'];
      delete process.env['IDENTITY_HEADER'];
    }
    const listed = await Array.fromAsync(registry.listRepositories?.('', never) ?? []);
    expect(listed.flat()).toEqual(['a', 'b/c', 'd']);
    server.verify();
    azure.verify();
    await azure.close();
  });

  test('a tag is deleted alone, and a digest with its tags', async () => {
    const gone = (target: string) =>
      ['HEAD', 'GET'].map((method) => ({
        request: `${method} /v2/nanoserver/manifests/${target}`,
        status: 404,
      }));
    const { registry, server } = await openPlayed(play, () => [
      { request: 'DELETE /acr/v1/nanoserver/_tags/a', status: 202 },
      ...gone('a'),
      { request: `DELETE /v2/nanoserver/manifests/${DIGEST}`, status: 202 },
      ...gone(DIGEST),
    ]);
    await registry.deleteManifest?.(repository, 'a' as TagName, never);
    await registry.deleteManifest?.(repository, DIGEST as TagName, never);
    server.verify();
  });
});
