import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkRuntime, tlsFilesIn } from '../../src/runtimes/index.ts';
import type { RuntimeSettings } from '../../src/runtimes/runtime.ts';
import { AUTHORITY, ELSEWHERE, EXPIRED, LOOPBACK, SELF } from '../support/certificates.ts';
import { writeFakeSsh } from '../support/fake-ssh.ts';
import { openAt, unaborted, watch } from '../support/runtime.ts';
import { startScriptedEngine, type EngineOptions, type ScriptedEngine } from '../support/scripted-engine.ts';

let folder: string;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stowage-endpoint-'));
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(folder, { recursive: true, force: true });
});

async function engineWith(options: EngineOptions): Promise<ScriptedEngine> {
  const engine = await startScriptedEngine(options);
  closing.push(() => engine.close());
  return engine;
}

/** Files of a client that has this certificate. */
async function certificatesOf({ cert, key }: { cert: string; key: string }, ca = AUTHORITY) {
  const files = tlsFilesIn(folder);
  await Promise.all([writeFile(files.ca, ca), writeFile(files.cert, cert), writeFile(files.key, key)]);
  return files;
}

const files = { ca: '/ca.pem', cert: '/cert.pem', key: '/key.pem' };

test.each<[string, Partial<RuntimeSettings>]>([
  ['unix:///var/run/docker.sock', {}],
  ['unix:///run/user/1000/podman/podman.sock', {}],
  ['tcp://build.example.com:2376', { tls: files }],
  ['tcp://build.example.com', {}],
  ['tcp://10.0.0.7:2375', { insecure: true }],
  ['tcp://[fd00::7]:2376', { tls: files }],
  ['ssh://ops@build.example.com', {}],
  ['ssh://build.example.com:2222/run/user/1000/docker.sock', {}],
  ['ssh://build_host', {}],
])('%s with %j is an endpoint', (endpoint, settings) => {
  for (const kind of ['DOCKER', 'PODMAN'] as const) {
    checkRuntime(kind, { endpoint, tls: null, insecure: false, namespaces: [], ...settings });
  }
});

test.each<[string, Partial<RuntimeSettings>, string]>([
  ['', {}, 'is no endpoint'],
  ['/var/run/docker.sock', {}, 'is no endpoint'],
  ['http://host:2375', {}, 'is no endpoint'],
  ['npipe:////./pipe/docker_engine', {}, 'named pipe'],
  ['unix://docker.sock', {}, 'names no socket'],
  [`unix:///${'x'.repeat(107)}`, {}, '107 bytes'],
  ['unix:///var/run/docker.sock', { insecure: true }, 'neither certificates nor insecure'],
  ['unix:///var/run/docker.sock', { tls: files }, 'neither certificates nor insecure'],
  ['unix:///var/run/docker.sock', { namespaces: ['default'] }, 'no namespaces'],
  ['tcp://host:2376', { tls: files, insecure: true }, 'leave out one'],
  ['tcp://host:2376/path', {}, 'nothing else'],
  ['tcp://host:2376?x=y', {}, 'nothing else'],
  ['tcp://me:secret@host:2376', {}, 'tcp://me:…@host'],
  ['tcp://:2376', {}, 'nothing else'],
  ['ssh://me:secret@host', {}, 'ssh://me:…@host'],
  ['ssh://-oProxyCommand=touch%20x/', {}, 'no host'],
  ['ssh://-oProxyCommand@host', {}, 'no host'],
  ['ssh://-v', {}, 'no host'],
  ['ssh://host/run/docker.sock;touch%20x', {}, 'no host'],
  ['ssh://host/run/$(x)', {}, 'no host'],
  ['ssh://host/run/`x`', {}, 'no host'],
  ['ssh://ho%20st', {}, 'no host'],
  ['ssh://', {}, 'no host'],
])('"%s" with %j is refused', (endpoint, settings, message) => {
  const check = () => checkRuntime('DOCKER', { endpoint, tls: null, insecure: false, namespaces: [], ...settings });
  expect(check).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) }),
  );
  expect(check).not.toThrow('secret');
});

describe('over TCP', () => {
  const served = { ...LOOPBACK, ca: AUTHORITY, requestCert: true, rejectUnauthorized: true };

  test('an engine is spoken to where both show certificates that the other takes', async () => {
    const engine = await engineWith({ tcp: served });
    const runtime = await openAt('DOCKER', engine.endpoint, { tls: await certificatesOf(LOOPBACK) });
    closing.push(() => runtime.close());
    expect(await runtime.describe(unaborted())).toMatchObject({ version: '27.5.1' });
    const watched = await watch(runtime);
    engine.tell({ Type: 'image', Action: 'load' });
    expect(await watched.next()).toMatchObject({ hasOtherImages: true });
  });

  test.each([
    ['is of another name', ELSEWHERE, LOOPBACK, 'UNREACHABLE', 'for another name'],
    ['has expired', EXPIRED, LOOPBACK, 'UNREACHABLE', 'certificate'],
    ['was signed by nobody', SELF, LOOPBACK, 'UNREACHABLE', 'did not sign'],
    ["is right, and the client's was signed by nobody", LOOPBACK, SELF, 'UNREACHABLE', "can't be reached"],
  ])('an engine whose certificate %s is not spoken to', async (_, server, client, code, message) => {
    const engine = await engineWith({ tcp: { ...served, ...server } });
    const runtime = await openAt('DOCKER', engine.endpoint, { tls: await certificatesOf(client) });
    closing.push(() => runtime.close());
    await expect(runtime.describe(unaborted())).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(engine.requests).toEqual([]);
  });

  test('an engine that refuses the certificate of the client is told to do so', async () => {
    const unknownAuthority = Buffer.from([0x15, 3, 3, 0, 2, 2, 48]);
    const server = createServer((socket) => socket.once('data', () => socket.end(unknownAuthority)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const runtime = await openAt('DOCKER', `tcp://127.0.0.1:${port}`, { tls: await certificatesOf(SELF) });
    closing.push(async () => server.close());
    closing.push(() => runtime.close());
    await expect(runtime.describe(unaborted())).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining('refuses the certificate that Stowage shows'),
    });
  });

  test('an engine is not spoken to without TLS unless that is said to be all right', async () => {
    const engine = await engineWith({ tcp: null });
    await expect(openAt('DOCKER', engine.endpoint)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('only spoken to with TLS'),
    });
    await expect(openAt('DOCKER', engine.endpoint, { tls: tlsFilesIn(folder) })).rejects.toMatchObject({
      message: expect.stringContaining(`${folder}/ca.pem`),
    });
    const runtime = await openAt('DOCKER', engine.endpoint, { insecure: true });
    closing.push(() => runtime.close());
    expect(await runtime.describe(unaborted())).toMatchObject({ version: '27.5.1' });
  });
});

describe('over ssh', () => {
  /** Runs in a process of its own, for that is where a PATH belongs to. */
  async function describedBy(endpoint: string, path: string): Promise<string> {
    const program = `
      import { openRuntime } from ${JSON.stringify(join(import.meta.dirname, '../../src/runtimes/index.ts'))};
      const settings = { endpoint: ${JSON.stringify(endpoint)}, tls: null, insecure: false, namespaces: [] };
      const runtime = await openRuntime('DOCKER', settings);
      const { signal } = new AbortController();
      try {
        const { version } = await runtime.describe(signal);
        const names = [];
        for await (const batch of runtime.listContainers(signal)) names.push(...batch.map(({ name }) => name));
        console.log(version, names.join());
      } catch (error) {
        console.log(error.code, error.message);
      }
      await runtime.close();`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, NODE_OPTIONS: '', PATH: path },
    });
    return stdout.trim();
  }

  const containers = Array.from({ length: 30 }, (_, at) => ({
    Id: at.toString(16).padStart(64, '0'),
    Names: [`/c${at}`],
    Image: 'nginx',
    State: 'running',
  }));

  test('an engine is asked through the docker command of its host, by few connections', async () => {
    const inspected = Object.fromEntries(containers.map(({ Id }) => [Id, {}]));
    const engine = await engineWith({ containers, inspected });
    const ssh = await writeFakeSsh(folder, engine.endpoint.slice('unix://'.length));
    const path = `${ssh.folder}:${process.env['PATH']}`;
    const names = containers.map((_, at) => `c${at}`).join();
    expect(await describedBy('ssh://ops@build.example.com:2222/run/user/1000/docker.sock', path)).toBe(
      `27.5.1 ${names}`,
    );
    const calls = await ssh.calls();
    expect(calls.length).toBeLessThanOrEqual(4);
    expect(calls[0]?.slice(calls[0].indexOf('-l'))).toEqual([
      ...['-l', 'ops', '-p', '2222', '--', 'build.example.com'],
      ...['docker', '--host=unix:///run/user/1000/docker.sock', 'system', 'dial-stdio'],
    ]);
  });

  test('what ssh says is told where it does not get through', async () => {
    const ssh = await writeFakeSsh(folder, null);
    const told = await describedBy('ssh://ops@build.example.com', `${ssh.folder}:${process.env['PATH']}`);
    expect(told).toBe(
      "UNREACHABLE ssh://ops@build.example.com can't be reached by ssh: Warning: a line before it.; ops@build.example.com: Permission denied (publickey).",
    );
    expect(await describedBy('ssh://ops@build.example.com', folder + '/none')).toContain("ssh can't be started");
  });
});
