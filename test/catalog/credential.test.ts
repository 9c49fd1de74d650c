import { createCipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import pino from 'pino';
import {
  createSeal,
  findRegistry,
  renewSecrets,
  saveRegistry,
  type Sealed,
  type SealedCredential,
} from '../../src/catalog/write/index.ts';
import type { RegistryHost } from '../../src/domain/reference.ts';
import type { Credential } from '../../src/registries/registry.ts';
import { createTestDatabase } from '../support/database.ts';
import { startStowage, type RunningStowage } from '../support/stowage.ts';

const host = 'registry.example.com' as RegistryHost;
const other = 'other.example.com' as RegistryHost;
const credential: Credential = { kind: 'basic', username: 'reader', password: 'hunter2' };
const oldKey = Buffer.alloc(32, 1);
const newKey = Buffer.alloc(32, 2);
const refused = expect.objectContaining({ code: 'INVALID_CONFIGURATION', message: expect.stringContaining(host) });

/** As credentials were sealed before they were bound to their registry: nonce, tag, text. */
function sealedUnbound(key: Uint8Array): SealedCredential {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const text = Buffer.concat([cipher.update(JSON.stringify(credential)), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

describe('a sealed credential', () => {
  test('opens with its key, for its registry, and never looks the same twice', () => {
    const seal = createSeal(oldKey);
    const sealed = seal.close(credential, host);
    expect(seal.open(sealed, host)).toEqual(credential);
    expect(seal.close(credential, host)).not.toEqual(sealed);
    expect(Buffer.from(sealed).toString('latin1')).not.toContain('hunter2');
  });

  test('does not open with another key, for another registry, or when a bit of it was changed', () => {
    const seal = createSeal(oldKey);
    const sealed = seal.close(credential, host);
    expect(() => createSeal(newKey).open(sealed, host)).toThrow(refused as Error);
    expect(() => seal.open(sealed, other)).toThrow('of other.example.com was sealed with another key');
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => seal.open(changed, host)).toThrow(refused as Error);
    }
    for (const length of [0, 1, 5, 32, sealed.length - 1]) {
      expect(() => seal.open(sealed.subarray(0, length), host)).toThrow(refused as Error);
    }
  });

  test('opens with a key that seals no more, and is renewed with the one that does', () => {
    const sealed = createSeal(oldKey).close(credential, host);
    const both = createSeal(newKey, oldKey);
    expect(both.open(sealed, host)).toEqual(credential);
    const renewed = both.renew(sealed, host) as SealedCredential;
    expect(createSeal(newKey).open(renewed, host)).toEqual(credential);
    expect(both.renew(renewed, host)).toBeNull();
    expect(() => both.renew(renewed, other)).toThrow('of other.example.com');
  });

  test('that was bound to no registry opens only to be bound', () => {
    const seal = createSeal(newKey, oldKey);
    const unbound = sealedUnbound(oldKey);
    expect(() => seal.open(unbound, host)).toThrow(refused as Error);
    const renewed = seal.renew(unbound, host) as SealedCredential;
    expect(seal.open(renewed, host)).toEqual(credential);
    expect(() => seal.open(renewed, other)).toThrow('of other.example.com');
  });
});

test('all that the catalog holds is renewed with the first key, and what opens with none stays as it is', async () => {
  await using stack = new AsyncDisposableStack();
  const database = stack.adopt(await createTestDatabase(), (opened) => opened.close());
  const save = (name: string, sealed: SealedCredential | null, webhookSecret: Sealed<string> | null = null) =>
    saveRegistry(database, {
      host: name as RegistryHost,
      kind: 'OCI',
      title: null,
      url: `https://${name}`,
      managedBy: 'API',
      credential: sealed,
      webhookSecret,
    });
  const lost = createSeal(randomBytes(32)).close(credential, 'lost.example.com' as RegistryHost);
  await save(host, createSeal(oldKey).close(credential, host), createSeal(oldKey).close('of-sixteen-signs', host));
  await save(other, sealedUnbound(oldKey));
  await save('lost.example.com', lost);
  await save('anonymous.example.com', null);

  const seal = createSeal(newKey, oldKey);
  expect(await renewSecrets(database, seal)).toEqual({ renewed: 3, unopened: ['lost.example.com'] });
  expect(await renewSecrets(database, seal)).toEqual({ renewed: 0, unopened: ['lost.example.com'] });
  const stored = async (name: string) =>
    (await findRegistry(database, { host: name as RegistryHost }))?.credential as SealedCredential;
  for (const name of [host, other]) expect(createSeal(newKey).open(await stored(name), name)).toEqual(credential);
  const webhookSecret = (await findRegistry(database, { host }))?.webhookSecret as Sealed<string>;
  expect(createSeal(newKey).open(webhookSecret, host)).toBe('of-sixteen-signs');
  expect(Buffer.from(await stored('lost.example.com'))).toEqual(Buffer.from(lost));
});

describe('a secret is in no log, no answer and no stored error', () => {
  const SECRET = 'hunter2-SECRET-hunter2';
  const BASIC = Buffer.from(`reader:${SECRET}`).toString('base64');
  let lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  let stowage: RunningStowage;
  let server: Server;
  let listener: RequestListener;
  let address: string;

  beforeAll(async () => {
    stowage = await startStowage(pino({ level: 'trace' }, sink));
    server = createServer((request, response) => listener(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => void (lines = []));
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await stowage.close();
  });

  /** What stands before each secret that was told. */
  function leaksIn(...told: unknown[]): string[] {
    const text = JSON.stringify([told, lines]);
    return [SECRET, BASIC].flatMap((secret) => text.split(secret).slice(0, -1)).map((before) => before.slice(-100));
  }

  /** Says again, in each form, what it was sent. */
  function repeat(request: IncomingMessage, response: ServerResponse, status: number): void {
    const sent = request.headers.authorization ?? '';
    const plain = Buffer.from(sent.split(' ')[1] ?? '', 'base64').toString();
    const message = `no: ${sent}, ${plain}, password=${plain.split(':')[1] ?? ''}`;
    response.writeHead(status).end(JSON.stringify({ errors: [{ code: 'DENIED', message }] }));
  }

  const BASIC_CHALLENGE = { 'www-authenticate': 'Basic realm="x"' };

  /** What is told after the sign-in, or of it. */
  test.each<[string, RequestListener, string]>([
    [
      'a sign-in that is refused, and repeated',
      (request, response) => {
        response.setHeader('www-authenticate', 'Basic realm="x"');
        repeat(request, response, 401);
      },
      'the credential was refused',
    ],
    [
      'an answer that repeats it',
      (request, response) => {
        if (request.headers.authorization === undefined) response.writeHead(401, BASIC_CHALLENGE).end();
        else repeat(request, response, 400);
      },
      'no: Basic ***',
    ],
    [
      'a token service that repeats it',
      (request, response) => {
        if (request.url?.startsWith('/token')) repeat(request, response, 403);
        else response.writeHead(401, { 'www-authenticate': 'Bearer realm="/token",service="x"' }).end();
      },
      'no: Basic ***',
    ],
    [
      'a redirect that has it in the address',
      (request, response) => {
        if (request.headers.authorization === undefined) response.writeHead(401, BASIC_CHALLENGE).end();
        else response.writeHead(307, { location: `http://reader:${SECRET}@10.0.0.1/?s=${SECRET}` }).end();
      },
      'an address with a user name in it',
    ],
    [
      'a redirect with a signature, to a place that is refused',
      (request, response) => {
        if (request.headers.authorization === undefined) response.writeHead(401, BASIC_CHALLENGE).end();
        else response.writeHead(307, { location: `http://10.0.0.1/blob?signature=${SECRET}` }).end();
      },
      '10.0.0.1 is not a public address',
    ],
  ])('%s', async (_, answer, message) => {
    listener = answer;
    const added = await stowage.ask(ADD, {
      input: { host: address, credential: { username: 'reader', password: SECRET } },
    });
    const { addSyncSource } = await stowage.ask<{ addSyncSource: { source: { id: string } } }>(SOURCE, {
      input: { registry: address, repositories: 'a/b' },
    });
    const run = await stowage.sync(addSyncSource.source.id);
    expect(run.errors.nodes).toEqual([expect.objectContaining({ message: expect.stringContaining(message) })]);
    expect(lines.join('')).toContain(message);
    const shown = await stowage.ask('{ registries { nodes { host url title health { status message } } } }');
    const errors = await stowage.database.run('select * from sync_error', []);
    const health = await stowage.database.run('select * from registry_health', []);
    expect(leaksIn(added, run, shown, errors, health)).toEqual([]);
    await stowage.ask(REMOVE, { input: { host: address } });
  });

  test.each([`https://me:${SECRET}@${host}`, `https://me:${SECRET}@${host}:99999`, `me:${SECRET}@${host}`])(
    'an address that is refused: %s',
    async (url) => {
      const { addRegistry } = await stowage.ask<{ addRegistry: { userErrors: { message: string }[] } }>(ADD, {
        input: { host, url },
      });
      expect(addRegistry.userErrors).toEqual([{ message: expect.stringContaining(`${host}`) }]);
      expect(leaksIn(addRegistry)).toEqual([]);
    },
  );

  test('a credential that opens with no key', async () => {
    const source = await stowage.follow(other, 'a/b');
    const sealed = createSeal(randomBytes(32)).close({ ...credential, password: SECRET }, other);
    await stowage.database.run('update registry set credential = $1 where host = $2', [sealed, other]);
    const run = await stowage.sync(source);
    const message = expect.stringContaining('was sealed with another key');
    expect(run.errors.nodes).toEqual([expect.objectContaining({ message })]);
    expect(leaksIn(run)).toEqual([]);
  });
});

const REMOVE = 'mutation ($input: RemoveRegistryInput!) { removeRegistry(input: $input) { userErrors { message } } }';
const ADD =
  'mutation ($input: AddRegistryInput!) { addRegistry(input: $input) { registry { host } userErrors { message } } }';
const SOURCE =
  'mutation ($input: AddSyncSourceInput!) { addSyncSource(input: $input) { source { id } userErrors { message } } }';
