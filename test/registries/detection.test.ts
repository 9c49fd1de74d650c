import { detectKind } from '../../src/registries/index.ts';
import { startScriptedServer, type Entry, type ScriptedServer } from '../support/scripted-server.ts';

const never = new AbortController().signal;
let server: ScriptedServer;

afterEach(() => server?.close());

async function detect(...entries: Entry[]) {
  server = await startScriptedServer(...entries);
  const found = await detectKind(server.url, [], never);
  server.verify();
  return found;
}

const asks = (challenge: string | string[], headers: Record<string, string> = {}): Entry => ({
  request: 'GET /v2/',
  status: 401,
  headers: { ...headers, 'www-authenticate': challenge },
});
const open: Entry = { request: 'GET /v2/', body: {}, having: { authorization: null } };
const noExtensions: Entry = { request: 'GET /v2/_oci/ext/discover', status: 404, body: { errors: [] } };
const noManagement: Entry = { request: 'GET /v2/_zot/ext/mgmt', status: 404, body: '404 page not found' };

describe('a registry of which only the address is known', () => {
  test.each<[string, Entry]>([
    ['HARBOR', asks('Bearer realm="https://harbor.example.com/service/token",service="harbor-registry"')],
    ['GITLAB', asks('Bearer realm="https://gitlab.example.com/jwt/auth",service="container_registry"')],
    ['GITLAB', asks('Bearer realm="https://example.com/gitlab/jwt/auth?x=1",service="container_registry"')],
    ['GITEA', asks('Bearer realm="https://git.example.com/v2/token",service="container_registry",scope="*"')],
    [
      'GITEA',
      asks(
        'Bearer realm="https://codeberg.org/v2/token",service="container_registry",scope="*",Basic realm="https://codeberg.org/v2",service="container_registry",scope="*"',
      ),
    ],
    ['ARTIFACTORY', asks('Basic realm="Artifactory Realm"')],
    ['ARTIFACTORY', asks('Bearer realm="https://x.example.com/artifactory/api/docker/docker-local/v2/token"')],
    ['ARTIFACTORY', asks('Basic realm="private"', { 'X-JFrog-Version': 'Artifactory/7.77.5 77705900' })],
    ['ARTIFACTORY', { ...open, headers: { 'X-Artifactory-Id': 'b861212bf606c9ab' } }],
  ])('is known as %s by its answer', async (kind, answer) => {
    expect(await detect(answer)).toEqual({ kind, fault: null });
  });

  test.each<[string, Entry[]]>([
    [
      'its extensions',
      [open, { request: 'GET /v2/_oci/ext/discover', body: { extensions: [{ name: '_zot', endpoints: [] }] } }],
    ],
    [
      'its management, which is open to everybody',
      [
        asks('Basic realm="Authorization Required"'),
        { ...noExtensions, status: 401 },
        { request: 'GET /v2/_zot/ext/mgmt', body: { distSpecVersion: '1.1.1', http: { auth: {} } } },
      ],
    ],
  ])('is known as ZOT by %s', async (_name, entries) => {
    expect(await detect(...entries)).toEqual({ kind: 'ZOT', fault: null });
  });

  test.each<[string, Entry[]]>([
    ['is open', [open, noExtensions, noManagement]],
    ['asks to sign in', [asks('Basic realm="Registry Realm"'), noExtensions, noManagement]],
    [
      'signs in as others do, for another service',
      [asks('Bearer realm="https://nexus.example.com/v2/token",service="nexus"'), noExtensions, noManagement],
    ],
    [
      'has other extensions',
      [open, { ...noExtensions, status: 200, body: { extensions: [{ name: '_docker' }, null] } }, noManagement],
    ],
    [
      'has a page for every path',
      [open, { ...noExtensions, status: 200, body: '<html></html>' }, { ...noManagement, status: 200, body: '{' }],
    ],
  ])('is OCI where it %s, and says no more', async (_name, entries) => {
    expect(await detect(...entries)).toEqual({ kind: 'OCI', fault: null });
  });

  test('is asked below its path', async () => {
    server = await startScriptedServer({ ...asks('Basic realm="Artifactory Realm"'), request: 'GET /proxy/v2/' });
    expect(await detectKind(new URL('/proxy/', server.url), [], never)).toMatchObject({ kind: 'ARTIFACTORY' });
    server.verify();
  });

  test('is not asked where the address tells', async () => {
    const told = ['https://registry.gitlab.com', 'https://codeberg.org', 'file:///srv/images'];
    const found = await Promise.all(told.map((address) => detectKind(new URL(address), [], never)));
    expect(found.map(({ kind }) => kind)).toEqual(['GITLAB', 'GITEA', 'OCI_LAYOUT']);
  });
});

describe('what can not be found out', () => {
  test('is OCI, with the reason', async () => {
    const found = await detect({ request: 'GET /v2/', status: 404, body: '<html>Not found</html>' });
    expect(found).toMatchObject({ kind: 'OCI', fault: { code: 'NOT_A_REGISTRY', status: 404 } });
    await server.close();
    expect(await detectKind(server.url, [], never)).toMatchObject({ kind: 'OCI', fault: { code: 'UNAVAILABLE' } });
  });

  test('is OCI where the answer is too large, or is redirected to where requests may not go', async () => {
    const large = await detect({ ...open, body: 'x'.repeat(65 * 1024) });
    expect(large).toMatchObject({ kind: 'OCI', fault: { code: 'TOO_LARGE' } });
    await server.close();
    const elsewhere = await detect({
      request: 'GET /v2/',
      status: 307,
      headers: { location: 'http://127.0.0.2:1/v2/' },
    });
    expect(elsewhere).toMatchObject({ kind: 'OCI', fault: { code: 'REFUSED_ADDRESS' } });
  });

  test('a registry that takes its time is not waited for longer than five seconds', async () => {
    server = await startScriptedServer({ request: 'GET /v2/', answer: () => undefined });
    expect(await detectKind(server.url, [], never)).toMatchObject({ kind: 'OCI', fault: { code: 'TIMEOUT' } });
  });

  test('whoever asks can stop it', async () => {
    const stop = new AbortController();
    server = await startScriptedServer({ request: 'GET /v2/', answer: () => stop.abort(new Error('enough')) });
    await expect(detectKind(server.url, [], stop.signal)).rejects.toThrow('enough');
  });
});
