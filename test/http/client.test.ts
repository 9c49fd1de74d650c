import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { gzipSync, brotliCompressSync, zstdCompressSync } from 'node:zlib';
import { checkedLookup, isPublicAddress, type Resolve } from '../../src/http/address.ts';
import { RegistryError } from '../../src/domain/errors.ts';
import { rateLimitsOf } from '../../src/http/rate-limit.ts';
import {
  nextLink,
  openHttpClient,
  parseChallenges,
  retryAtOf,
  type Gate,
  type HttpClient,
  type HttpRequest,
  type Turn,
} from '../../src/http/index.ts';
import type { HttpLimits } from '../../src/http/index.ts';
import { AUTHORITY, ELSEWHERE, EXPIRED, LOOPBACK, SELF } from '../support/certificates.ts';
import { describeSamples, sampleJson } from '../support/samples.ts';
import { startScriptedServer, type Entry, type ScriptedServer } from '../support/scripted-server.ts';

const signal = new AbortController().signal;
const limits: Partial<HttpLimits> = { retryPauses: [1, 1, 1] };

let server: ScriptedServer;
let client: HttpClient;

async function start(entries: Entry[], more: Partial<HttpLimits> = {}, allowedNetworks: string[] = []): Promise<void> {
  server = await startScriptedServer(...entries);
  client = openHttpClient({ trustedHostname: '127.0.0.1', allowedNetworks, limits: { ...limits, ...more } });
}

afterEach(async () => {
  await client?.close();
  await server?.close();
});

function get(path: string, more: Partial<HttpRequest> = {}): Promise<{ status: number; text: string }> {
  const request = { method: 'GET', origin: server.url.origin, path, headers: [], authorization: null, maxBytes: 1000 };
  return client
    .send({ ...request, ...more } as HttpRequest, signal)
    .then(({ status, body }) => ({ status, text: String(body) }));
}

describe('answers', () => {
  test('an answer of any status is handed on, and traffic is counted', async () => {
    await start([
      { request: 'GET /a', body: 'yes', having: { 'accept-encoding': 'identity', authorization: null } },
      { request: 'GET /b', status: 418, body: 'no' },
    ]);
    expect(await get('/a')).toEqual({ status: 200, text: 'yes' });
    expect(await get('/b')).toEqual({ status: 418, text: 'no' });
    expect(client.traffic).toEqual({ requests: 2, bytes: 5 });
    server.verify();
  });

  test('one connection serves many HEADs', async () => {
    const connections = new Set<number | undefined>();
    await start([
      {
        request: 'HEAD /a',
        times: 20,
        answer: (response) => {
          connections.add(response.req.socket.remotePort);
          response.writeHead(200, { 'content-length': '7' }).end();
        },
      },
    ]);
    for (let n = 0; n < 20; n++) await get('/a', { method: 'HEAD' });
    expect(connections.size).toBeLessThan(3);
    server.verify();
  });

  test.each([
    ['gzip', gzipSync('{"a":1}')],
    ['br', brotliCompressSync('{"a":1}')],
    ['zstd', zstdCompressSync('{"a":1}')],
  ])('a body that comes in %s although nobody asked for it is decoded', async (encoding, body) => {
    await start([{ request: 'GET /a', headers: { 'content-encoding': encoding }, body }]);
    expect((await get('/a')).text).toBe('{"a":1}');
  });

  test.each([
    ['several encodings', 'gzip, gzip', gzipSync(gzipSync('a')), 'MALFORMED'],
    ['an unknown encoding', 'rot13', 'a', 'MALFORMED'],
    ['broken data', 'gzip', 'not gzip', 'MALFORMED'],
    ['a bomb', 'gzip', gzipSync(Buffer.alloc(200_000_000)), 'TOO_LARGE'],
  ])('%s is refused', async (_name, encoding, body, code) => {
    const before = process.memoryUsage().rss;
    await start([{ request: 'GET /a', headers: { 'content-encoding': encoding }, body }], {}, []);
    await expect(get('/a', { maxBytes: 100_000 })).rejects.toMatchObject({ code });
    // Growth, since the process has run other tests before.
    expect(process.memoryUsage().rss - before).toBeLessThan(1.5e8);
  });

  test('a body that only explains an error is read as far as 64 KiB', async () => {
    await start([{ request: 'GET /a', status: 404, body: 'x'.repeat(1_000_000) }]);
    expect((await get('/a')).text).toHaveLength(65_536);
  });
});

describe('limits', () => {
  test('an endless body is cut off at the limit, and little of it is held', async () => {
    let sent = 0;
    await start([
      {
        request: 'GET /a',
        answer: (response) => {
          const more = () => {
            while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
          };
          response.on('drain', more).writeHead(200);
          more();
        },
      },
    ]);
    await expect(get('/a', { maxBytes: 4 * 1024 * 1024 })).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  test.each([
    ['no answer', { firstByte: 100 }, () => undefined],
    ['a body that stops', { idle: 100 }, (response: { write(text: string): void }) => response.write('a')],
  ])('%s ends in a timeout', async (_name, more, answer) => {
    await start([{ request: 'GET /a', answer: answer }], more);
    await expect(get('/a')).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  test.each([
    ['the total time', { total: 400 }],
    ['the least throughput', { throughputWindow: 400, throughput: 1000 }],
  ])('a byte now and then runs into %s', async (_name, more) => {
    await start(
      [
        {
          request: 'GET /a',
          answer: (response) => {
            response.writeHead(200);
            const drip = setInterval(() => response.write('a'), 50);
            response.on('close', () => clearInterval(drip));
          },
        },
      ],
      more,
    );
    await expect(get('/a')).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  test.each([
    ['40 KiB of headers', { big: 'x'.repeat(40_000) }],
    ['101 headers', Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`x-${n}`, 'a']))],
  ])('%s are refused', async (_name, headers) => {
    await start([{ request: 'GET /a', headers: headers }]);
    await expect(get('/a')).rejects.toMatchObject({ code: 'MALFORMED' });
  });

  test('an abort ends a request that waits, with the reason of the signal', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    await start([{ request: 'GET /a', answer: () => abort.abort(reason) }]);
    const request = {
      method: 'GET',
      origin: server.url.origin,
      path: '/a',
      headers: [],
      authorization: null,
      maxBytes: 9,
    } as const;
    await expect(client.send(request, abort.signal)).rejects.toBe(reason);
    await expect(client.send(request, abort.signal)).rejects.toBe(reason);
  });

  test('an abort ends the pause before another attempt', async () => {
    const abort = new AbortController();
    await start([{ request: 'GET /a', status: 502 }], { retryPauses: [60_000] });
    const request = {
      method: 'GET',
      origin: server.url.origin,
      path: '/a',
      headers: [],
      authorization: null,
      maxBytes: 9,
    } as const;
    const sent = client.send(request, abort.signal);
    const ended = expect(sent).rejects.toThrow('enough');
    setImmediate(() => abort.abort(new Error('enough')));
    await ended;
  });
});

describe('streams', () => {
  test('a body comes in pieces, and a reader who leaves ends the connection', async () => {
    let isClosed!: () => void;
    const closed = new Promise<void>((resolve) => (isClosed = resolve));
    await start([
      {
        request: 'GET /a',
        answer: (response) => {
          response.on('close', isClosed).writeHead(200);
          const more = () => {
            while (!response.destroyed && response.write(Buffer.alloc(65_536)));
          };
          response.on('drain', more);
          more();
        },
      },
    ]);
    const answer = await client.send(
      {
        method: 'GET',
        origin: server.url.origin,
        path: '/a',
        headers: [],
        authorization: null,
        maxBytes: 1e9,
        stream: true,
      },
      signal,
    );
    let bytes = 0;
    for await (const chunk of answer.chunks ?? []) {
      bytes += chunk.length;
      if (bytes > 5_000_000) break;
    }
    await closed;
    expect(bytes).toBeGreaterThan(5_000_000);
  });

  test('a stream is whole, decoded and capped', async () => {
    const bytes = Buffer.alloc(3_000_000, 'abc');
    await start([
      { request: 'GET /plain', body: bytes },
      { request: 'GET /gzip', headers: { 'content-encoding': 'gzip' }, body: gzipSync(bytes) },
      { request: 'GET /long', body: bytes },
      { request: 'GET /none', status: 404, body: 'gone' },
    ]);
    const read = async (path: string, maxBytes: number) => {
      const { chunks, body } = await client.send(
        { method: 'GET', origin: server.url.origin, path, headers: [], authorization: null, maxBytes, stream: true },
        signal,
      );
      return chunks ? Buffer.concat(await Array.fromAsync(chunks)) : body;
    };
    expect((await read('/plain', 3_000_000)).equals(bytes)).toBe(true);
    expect((await read('/gzip', 3_000_000)).equals(bytes)).toBe(true);
    await expect(read('/long', 2_999_999)).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(String(await read('/none', 9))).toBe('gone');
  });
});

describe('TLS', () => {
  const trusted = getCACertificates('default');
  afterAll(() => setDefaultCACertificates(trusted));

  test.each<[string, { cert: string; key: string } | null, string]>([
    ['has expired', EXPIRED, 'its certificate has expired'],
    ['is for another host', ELSEWHERE, 'its certificate is for another host'],
    ['is self-signed', SELF, 'its certificate is self-signed; give the certificate to Node with NODE_EXTRA_CA_CERTS'],
    ['is missing, since it speaks plain HTTP', null, 'it does not speak TLS; mark the registry insecure'],
  ])('a certificate that %s is a fault of its own kind, at once', async (_, certificate, message) => {
    setDefaultCACertificates([...trusted, AUTHORITY]);
    await using stack = new AsyncDisposableStack();
    const secure = certificate ? createTlsServer(certificate) : createHttpServer();
    stack.defer(() => void secure.close());
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    await start([]);
    const origin = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    const failed = get('/v2/', { origin });
    await expect(failed).rejects.toMatchObject({ code: 'TLS_FAILED' });
    await expect(failed).rejects.toThrow(`GET ${origin}/v2/: ${message}`);
    expect(client.traffic.requests).toBe(1);
  });

  test('a certificate of an authority counts once that is known', async () => {
    await using stack = new AsyncDisposableStack();
    const secure = createTlsServer(LOOPBACK, (_, response) => void response.end('yes'));
    stack.defer(() => {
      secure.closeAllConnections();
      secure.close();
    });
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const origin = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    await start([]);
    setDefaultCACertificates(trusted);
    await expect(get('/', { origin })).rejects.toThrow('its certificate is from an unknown authority');
    setDefaultCACertificates([...trusted, AUTHORITY]);
    expect((await get('/', { origin })).text).toBe('yes');
  });
});

describe('another attempt', () => {
  const reset: Entry['answer'] = (response) => response.destroy();
  const short: Entry['answer'] = (response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('abc', () => response.destroy());
  };

  test.each<[string, Entry]>([
    ['a reset', { request: 'GET /a', answer: reset }],
    ['a body shorter than its Content-Length', { request: 'GET /a', answer: short }],
    ['502', { request: 'GET /a', status: 502, body: '<html>' }],
    ['503', { request: 'GET /a', status: 503 }],
    ['504', { request: 'GET /a', status: 504 }],
  ])('follows %s', async (_name, entry) => {
    await start([
      { ...entry, times: 2 },
      { request: 'GET /a', body: 'yes' },
    ]);
    expect(await get('/a')).toEqual({ status: 200, text: 'yes' });
    server.verify();
  });

  test('there are as many as there are pauses, and none for a POST', async () => {
    await start([
      { request: 'GET /a', answer: reset, times: 4 },
      { request: 'POST /b', answer: reset },
      { request: 'GET /c', status: 503, times: 4 },
    ]);
    await expect(get('/a')).rejects.toMatchObject({ code: 'UNAVAILABLE', isTransient: true });
    await expect(get('/b', { method: 'POST', body: 'x' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect((await get('/c')).status).toBe(503);
    server.verify();
  });

  test('a short Retry-After is kept, a long one is handed on', async () => {
    await start([
      { request: 'GET /a', status: 429, headers: { 'retry-after': '1' } },
      { request: 'GET /a', body: 'yes' },
      { request: 'GET /b', status: 429, headers: { 'retry-after': '600' } },
      { request: 'GET /c', status: 429 },
    ]);
    const before = Date.now();
    expect((await get('/a')).status).toBe(200);
    expect(Date.now() - before).toBeGreaterThan(900);
    expect((await get('/b')).status).toBe(429);
    expect((await get('/c')).status).toBe(429);
    server.verify();
  });

  test('something that is not HTTP is given up with a clear error', async () => {
    const plain = createServer((socket) =>
      socket
        .resume()
        .on('error', () => undefined)
        .end('SSH-2.0-OpenSSH_9.2\r\n'),
    ).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    await start([]);
    const origin = `http://127.0.0.1:${(plain.address() as AddressInfo).port}`;
    await expect(get('/', { origin })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(get('/', { origin: origin.replace('http', 'https') })).rejects.toMatchObject({
      message: expect.stringMatching(/TLS/),
    });
    plain.close();
    await once(plain, 'close');
    await expect(get('/', { origin })).rejects.toMatchObject({
      message: expect.stringContaining('nothing listens there'),
    });
  });

  test.each([
    ['seconds', { 'retry-after': '30' }, 30],
    ['an HTTP date', { 'retry-after': new Date(1_800_000_060_000).toUTCString() }, 60],
    ['a Unix time', { 'x-retry-after': '1800000120' }, 120],
    ['a time that has passed', { 'x-retry-after': '1785758400' }, 1],
    ['an absurd time', { 'retry-after': '99999999' }, 900],
    ['a reset, with nothing remaining', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1800000300' }, 300],
    ['nothing that can be read', { 'retry-after': 'soon' }, null],
    ['nothing', {}, null],
  ])('when to come back is read from %s', (_name, headers, seconds) => {
    const now = 1_800_000_000_000;
    expect(retryAtOf(headers, now)?.getTime() ?? null).toBe(seconds === null ? null : now + seconds * 1000);
  });
});

describe('limits that a host announces', () => {
  const now = 1_800_000_000_000;
  const said = (more: object) => ({
    name: 'requests',
    limit: null,
    remaining: null,
    resetsIn: null,
    span: null,
    ...more,
  });

  test.each([
    [
      'Docker Hub, of pulls',
      {
        'ratelimit-limit': '100;w=21600',
        'ratelimit-remaining': '76;w=21600',
        'docker-ratelimit-source': '192.0.2.1',
      },
      [said({ name: 'pulls', limit: 100, remaining: 76, span: 21_600_000 })],
    ],
    [
      'the Hub API and GitHub, by their own clocks',
      {
        date: new Date(now - 3_600_000).toUTCString(),
        'x-ratelimit-limit': '180',
        'x-ratelimit-remaining': '9',
        'x-ratelimit-reset': String((now - 3_600_000) / 1000 + 20),
      },
      [said({ limit: 180, remaining: 9, resetsIn: 21_000 })],
    ],
    [
      'GitLab, by ours',
      { 'ratelimit-limit': '60', 'ratelimit-remaining': '0', 'ratelimit-reset': String(now / 1000 + 5) },
      [said({ limit: 60, remaining: 0, resetsIn: 6_000 })],
    ],
    [
      'drafts that have several windows in one limit',
      { 'ratelimit-limit': '10, 10;w=1, 50;w=60', 'ratelimit-remaining': '3', 'ratelimit-reset': '7' },
      [said({ limit: 10, remaining: 3, resetsIn: 8_000 })],
    ],
    [
      'drafts with one header',
      { ratelimit: 'limit=100, remaining=50, reset=5', 'ratelimit-policy': '100;w=60' },
      [said({ limit: 100, remaining: 50, resetsIn: 6_000, span: 60_000 })],
    ],
    [
      'drafts with names',
      { ratelimit: '"burst";r=5;t=1, "day";r=900', 'ratelimit-policy': '"burst";q=10;w=1, "day";q=1000;w=86400' },
      [
        said({ name: '"burst"', limit: 10, remaining: 5, resetsIn: 2_000, span: 1_000 }),
        said({ name: '"day"', limit: 1_000, remaining: 900, span: 86_400_000 }),
      ],
    ],
    ['hosts that write nonsense', { 'x-ratelimit-limit': 'many', 'x-ratelimit-remaining': '99999999999999' }, []],
    ['hosts that say nothing', {}, []],
  ])('are read as they come from %s', (_name, headers, expected) => {
    expect(rateLimitsOf(headers, now)).toEqual(expected);
  });
});

describe('the gate', () => {
  test('is asked before every exchange, by the host that it goes to, and told what became of it', async () => {
    const other = await startScriptedServer({ request: 'GET /there', body: 'yes' });
    await start([
      { request: 'GET /a', answer: (response) => response.destroy() },
      { request: 'GET /a', status: 307, headers: { location: `${other.url.origin}/there`, 'x-left': '3' } },
    ]);
    await client.close();
    const seen: string[] = [];
    const gate: Gate = {
      enter({ origin, isPull }) {
        const name = origin === server.url.origin ? 'own' : 'other';
        seen.push(`${name} enters${isPull ? ' to pull' : ''}`);
        const turn: Turn = {
          answered: (status, headers) => seen.push(`${name} answers ${status} ${String(headers['x-left'])}`),
          failed: (error) => seen.push(`${name} fails: ${(error as RegistryError).code}`),
          ended: () => seen.push(`${name} is free`),
        };
        return name === 'own' ? turn : Promise.resolve(turn);
      },
    };
    client = openHttpClient({ trustedHostname: '127.0.0.1', allowedNetworks: [], limits, gate });
    expect(await get('/a', { isPull: true })).toEqual({ status: 200, text: 'yes' });
    expect(seen).toEqual([
      ...['own enters to pull', 'own fails: UNAVAILABLE', 'own is free'],
      ...['own enters to pull', 'own answers 307 3', 'own is free'],
      ...['other enters to pull', 'other answers 200 undefined', 'other is free'],
    ]);
    await other.close();
  });

  test('nothing is sent where it refuses', async () => {
    await start([]);
    await client.close();
    const refusal = new RegistryError('RATE_LIMITED', 'later');
    const gate: Gate = { enter: () => Promise.reject(refusal) };
    client = openHttpClient({ trustedHostname: '127.0.0.1', allowedNetworks: [], limits, gate });
    await expect(get('/a')).rejects.toBe(refusal);
    expect(client.traffic).toEqual({ requests: 0, bytes: 0 });
    expect(server.requests).toEqual([]);
  });
});

describe('redirects', () => {
  const to = (location: string, status = 307): Partial<Entry> => ({ status, headers: { location } });

  test.each([301, 302, 303, 307, 308])('%d is followed, with the authorization to the same origin', async (status) => {
    await start([
      { request: 'GET /a', ...to('/b?x=1', status), having: { authorization: 'Basic x' } },
      { request: 'GET /b?x=1', body: 'yes', having: { authorization: 'Basic x' } },
    ]);
    expect(await get('/a', { authorization: 'Basic x' })).toEqual({ status: 200, text: 'yes' });
    server.verify();
  });

  test('the authorization stays behind when the origin is left, also on the way back', async () => {
    await start([]);
    const other = await startScriptedServer({
      request: 'GET /there',
      ...to(`${server.url.origin}/back`),
      having: { authorization: null, cookie: null },
    });
    server.script(
      { request: 'GET /a', ...to(`${other.url.origin}/there`), having: { authorization: 'Basic x' } },
      { request: 'GET /back', body: 'yes', having: { authorization: null } },
    );
    expect((await get('/a', { authorization: 'Basic x' })).text).toBe('yes');
    server.verify();
    other.verify();
    await other.close();
  });

  test.each([
    [
      'a circle',
      [
        { request: 'GET /a', ...to('/b') },
        { request: 'GET /b', ...to('/a') },
      ],
      'MALFORMED',
    ],
    [
      'more than five',
      Array.from({ length: 6 }, (_, n) => ({ request: `GET /${n || 'a'}`, ...to(`/${n + 1}`) })),
      'MALFORMED',
    ],
    ['another scheme', [{ request: 'GET /a', ...to('file:///etc/passwd') }], 'REFUSED_ADDRESS'],
    ['a user name', [{ request: 'GET /a', ...to('http://me:secret@127.0.0.1/') }], 'REFUSED_ADDRESS'],
    ['a port of another service', [{ request: 'GET /a', ...to('http://127.0.0.1:22/') }], 'REFUSED_ADDRESS'],
    ['no address', [{ request: 'GET /a', ...to('http://[') }], 'MALFORMED'],
    ['a private address', [{ request: 'GET /a', ...to('http://10.0.0.1/') }], 'REFUSED_ADDRESS'],
    ...['http://2130706434/', 'http://0x7f000002:8080/', 'http://017700000002:8080/', 'http://127.2:8080/'].map(
      (address): [string, Entry[], string] => [
        `loopback by number, ${address},`,
        [{ request: 'GET /a', ...to(address) }],
        'REFUSED_ADDRESS',
      ],
    ),
    ...['[::1]', '[::ffff:7f00:2]', '[::127.0.0.1]', '[64:ff9b::7f00:1]', 'LOCALHOST'].map(
      (host): [string, Entry[], string] => [
        `loopback by ${host}`,
        [{ request: 'GET /a', ...to(`http://${host}:8080/`) }],
        'REFUSED_ADDRESS',
      ],
    ),
    ['loopback in IPv6', [{ request: 'GET /a', ...to('http://[::ffff:127.0.0.1]:8080/') }], 'REFUSED_ADDRESS'],
    ['a name that means loopback', [{ request: 'GET /a', ...to('http://localhost:8080/') }], 'REFUSED_ADDRESS'],
    [
      'the metadata service',
      [{ request: 'GET /a', ...to('http://169.254.169.254/latest?token=1') }],
      'REFUSED_ADDRESS',
    ],
  ])('to %s end in an error', async (_name, entries, code) => {
    await start(entries);
    const error: unknown = await get('/a').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toMatch(/secret|token=1/);
    server.verify();
  });

  test('a network that the operator lists may be redirected to', async () => {
    await start([], {}, ['127.0.0.0/8']);
    server.script(
      { request: 'GET /a', ...to(`http://localhost:${server.url.port}/b`) },
      { request: 'GET /b', body: 'yes' },
    );
    expect((await get('/a')).text).toBe('yes');
  });

  test('a POST is not sent on', async () => {
    await start([{ request: 'POST /a', ...to('/b') }]);
    expect((await get('/a', { method: 'POST', body: 'x' })).status).toBe(307);
    server.verify();
  });

  describe('a name', () => {
    /** What a socket is handed by a lookup whose answers come one after the other. */
    async function looked(answers: string[][], networks: string[] = []) {
      const asked: string[] = [];
      const resolve: Resolve = (hostname, _, done) => {
        asked.push(hostname);
        done(
          null,
          (answers.shift() ?? []).map((address) => ({ address, family: 4 })),
        );
      };
      const lookup = checkedLookup(networks, resolve);
      const given = await new Promise((settle) => {
        lookup('rebound.example.com', { all: true }, (error, addresses) => settle(error ?? addresses));
      });
      return { given, asked };
    }

    test('is resolved once for a connection, which is made to the address that was checked', async () => {
      const { given, asked } = await looked([['93.184.216.34'], ['10.0.0.1']]);
      expect(given).toEqual([{ address: '93.184.216.34', family: 4 }]);
      expect(asked).toEqual(['rebound.example.com']);
    });

    test('that leads to several addresses is refused when one of them is', async () => {
      const { given } = await looked([['93.184.216.34', '10.0.0.1']]);
      expect(given).toMatchObject({ code: 'REFUSED_ADDRESS' });
      expect(String(given)).toContain('rebound.example.com (10.0.0.1) is not a public address');
      expect((await looked([['93.184.216.34', '10.0.0.1']], ['10.0.0.0/8'])).given).toHaveLength(2);
    });
  });

  test.each([
    ['8.8.8.8', true],
    ['1.1.1.1', true],
    ['2606:4700::1111', true],
    ['::ffff:8.8.8.8', true],
    ['127.0.0.1', false],
    ['0.0.0.0', false],
    ['10.1.2.3', false],
    ['100.64.0.1', false],
    ['169.254.169.254', false],
    ['172.31.255.255', false],
    ['192.168.1.1', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['::', false],
    ['::1', false],
    ['::ffff:10.0.0.1', false],
    ['::7f00:1', false],
    ['64:ff9b::a00:1', false],
    ['2002:a00:1::', false],
    ['fd00::1', false],
    ['fe80::1', false],
    ['ff02::1', false],
    ['not an address', false],
  ])('%s is public: %s', (address, expected) => {
    expect(isPublicAddress(address)).toBe(expected);
  });
});

describeSamples('headers as registries send them', () => {
  type Cases<T> = { base: string; cases: T[] };
  const read = <T>(name: string): Cases<T> => sampleJson<Cases<T>>(name) ?? { base: '', cases: [] };
  const challenges = read<{ headers: string[]; expect: Record<string, unknown>[] }>('www-authenticate.json');
  const links = read<{ link: string; next?: string | null; error?: string }>('link-headers.json');

  test.each(challenges.cases.map((one) => [one.headers.join(' | ').slice(0, 100), one] as const))(
    'challenge %s',
    (_name, one) => {
      const none = { realm: null, service: null, scope: [], error: null };
      expect(parseChallenges(one.headers)).toEqual(one.expect.map((expected) => ({ ...none, ...expected })));
    },
  );

  test.each(links.cases.map((one) => [one.link, one] as const))('link %s', (_name, one) => {
    const code = one.error === 'loop' ? 'MALFORMED' : 'REFUSED_ADDRESS';
    if (one.error) expect(() => nextLink(one.link, links.base)).toThrow(expect.objectContaining({ code }) as Error);
    else expect(nextLink(one.link, links.base)).toBe(one.next);
  });
});

test('hostile headers are read in no time', () => {
  const before = performance.now();
  parseChallenges(`Bearer ${'a="'.repeat(100_000)}`);
  parseChallenges(`Bearer ${'\\"'.repeat(100_000)}`);
  parseChallenges(',= '.repeat(100_000));
  nextLink(`<a>${'; a  '.repeat(100_000)}`, 'https://reg.example.com/');
  nextLink(`${'<a'.repeat(100_000)}`, 'https://reg.example.com/');
  nextLink(`<a>;rel=${' '.repeat(100_000)}"`, 'https://reg.example.com/');
  expect(performance.now() - before).toBeLessThan(1_000);
});
