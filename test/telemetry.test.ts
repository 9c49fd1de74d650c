import { OCI_INDEX, OCI_MANIFEST } from '../src/domain/media-type.ts';
import { openHttpClient } from '../src/http/index.ts';
import { startTracing } from '../src/telemetry/index.ts';
import { startCollector, type CollectedSpan, type Collector } from './support/collector.ts';
import { anImage } from './support/content.ts';
import { startScriptedServer, type ScriptedServer } from './support/scripted-server.ts';
import { startStowage, type RunningStowage } from './support/stowage.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SECRET = 'hunter2-SECRET';
const VARIABLE = 'hunter2-VARIABLE';

let collector: Collector;
let stopTracing: () => Promise<void>;
let server: ScriptedServer;
let stowage: RunningStowage;
let source: string;
/** Without what found out the kind of the registry. */
let sentBySync: string[];

beforeAll(async () => {
  collector = await startCollector();
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url;
  stopTracing = await startTracing(
    '0.0.0-test',
    { sampler: { name: 'parentbased_always_on', ratio: 1 } },
    (message) => {
      throw new Error(message);
    },
  );
  const image = anImage();
  const config = image.parts[0] as { digest: string; raw: Buffer };
  const manifest = {
    headers: {
      'content-type': OCI_MANIFEST,
      'docker-content-digest': image.digest,
      'ratelimit-limit': '100;w=21600',
      'ratelimit-remaining': '76;w=21600',
    },
    body: image.raw,
    times: 'any',
  } as const;
  const blob = `/v2/team/shop/blobs/${config.digest}`;
  server = await startScriptedServer(
    // What finds out its kind.
    ...['/v2/', '/v2/_oci/ext/discover', '/v2/_zot/ext/mgmt'].map((path) => ({
      request: `GET ${path}`,
      status: 404,
      times: 'any' as const,
    })),
    { request: 'GET /v2/team/shop/tags/list?n=1000', body: { name: 'team/shop', tags: ['1', '2'] }, times: 'any' },
    ...['1', '2', image.digest].flatMap((target) => [
      { request: `HEAD /v2/team/shop/manifests/${target}`, ...manifest, body: '' },
      { request: `GET /v2/team/shop/manifests/${target}`, ...manifest },
    ]),
    {
      request: `GET /v2/team/shop/referrers/${image.digest}`,
      body: { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] },
      headers: { 'content-type': OCI_INDEX },
      times: 'any',
    },
    { request: `GET ${blob}`, status: 307, headers: { location: `/store?signature=${SECRET}` }, times: 'any' },
    { request: `GET /store?signature=${SECRET}`, body: config.raw, times: 'any' },
  );
  stowage = await startStowage();
  source = await stowage.follow(server.url.host, 'team/shop');
  const before = server.requests.length;
  await stowage.database.run(`update sync_source set schedule = '0 0 1 1 *'`, []);
  expect(await stowage.sync(source)).toMatchObject({ status: 'SUCCEEDED', tagsSeen: 2 });
  sentBySync = server.requests.slice(before);
  server.verify();
});

afterAll(async () => {
  await stowage.close();
  await server.close();
  await collector.close();
});

/** Values by name and labels, as the page has them. */
async function metrics(address = stowage.address): Promise<Map<string, number>> {
  const response = await fetch(`${address}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

describe('/metrics', () => {
  test('tells what was asked of the outside, by host, and what syncs came to', async () => {
    const values = await metrics();
    const { host } = server.url;
    expect(values.get(`stowage_http_client_requests_total{host="${host}",status="200"}`)).toBe(
      sentBySync.filter((line) => !line.includes('/blobs/')).length,
    );
    expect(values.get(`stowage_http_client_requests_total{host="${host}",status="307"}`)).toBe(1);
    expect(values.get(`stowage_http_client_request_duration_seconds_count{host="${host}"}`)).toBe(
      server.requests.length,
    );
    expect(values.get(`stowage_http_client_received_bytes_total{host="${host}"}`)).toBeGreaterThan(500);
    expect(values.get(`stowage_sync_tags_seen_total{registry="${host}"}`)).toBe(2);
    expect(values.get(`stowage_sync_tags_changed_total{registry="${host}"}`)).toBe(2);
    expect(values.get(`stowage_sync_manifests_fetched_total{registry="${host}"}`)).toBe(1);
    expect(values.get(`stowage_sync_runs_total{registry="${host}",outcome="succeeded"}`)).toBe(1);
  });

  test('tells what the database knows: the queue, quotas, and how long ago a source was synced', async () => {
    const values = await metrics();
    const { host } = server.url;
    expect(values.get('stowage_database_up')).toBe(1);
    expect(values.get(`stowage_registry_quota_limit{registry="${host}"}`)).toBe(100);
    // What it said, less what was asked of it since, as far as that counts.
    const remaining = values.get(`stowage_registry_quota_remaining{registry="${host}"}`) ?? 0;
    expect(remaining).toBeGreaterThan(76 - server.requests.length);
    expect(remaining).toBeLessThanOrEqual(76);
    expect(values.get(`stowage_registry_consecutive_failures{registry="${host}"}`)).toBe(0);
    expect(values.get(`stowage_sync_source_oldest_age_seconds{registry="${host}"}`)).toBeGreaterThan(0);

    const queued = await startStowage();
    await queued.database.run(
      `select graphile_worker.add_job('sync-repositories', '{}', run_at => now() + interval '1 day') from generate_series(1, 3)`,
      [],
    );
    expect((await metrics(queued.address)).get('stowage_queue_jobs{job="sync-repositories",state="scheduled"}')).toBe(
      3,
    );
    await queued.close();
  });

  test('tells operations by their type and outcome, and never their names', async () => {
    const before = await metrics();
    const ask = (query: string) =>
      fetch(`${stowage.address}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
    await ask('query NameOfMine { registries { nodes { host } } }');
    await ask('{ nothing }');
    await ask('{');
    await ask('mutation { removeRegistry(input: { host: "x" }) { userErrors { message } } }');
    const after = await metrics();
    const grown = (labels: string) => {
      const name = `stowage_graphql_operation_duration_seconds_count{${labels}}`;
      return (after.get(name) ?? 0) - (before.get(name) ?? 0);
    };
    expect(grown('type="query",outcome="answered"')).toBe(1);
    expect(grown('type="unknown",outcome="refused"')).toBe(2);
    expect(grown('type="mutation",outcome="refused"')).toBe(1);
    expect([...after.keys()].join()).not.toContain('NameOfMine');
  });

  test('names no host that an answer points to, however many there are', async () => {
    await using stack = new AsyncDisposableStack();
    const to = (location: string) => ({ status: 307, headers: { location } });
    const registry = stack.adopt(
      await startScriptedServer(
        { request: 'GET /a', ...to(`http://127.0.0.2:${server.url.port}/nobody-listens`) },
        { request: 'GET /refused', ...to('http://10.0.0.1/') },
      ),
      (opened) => opened.close(),
    );
    const http = openHttpClient({ trustedHostname: registry.url.hostname, allowedNetworks: ['127.0.0.2'] });
    stack.defer(() => http.close());
    const get = (path: string) =>
      http.send(
        { method: 'GET', origin: registry.url.origin, path, headers: [], authorization: null, maxBytes: 10 },
        new AbortController().signal,
      );
    await expect(get('/a')).rejects.toThrow('nothing listens there');
    await expect(get('/refused')).rejects.toThrow('not a public address');
    const values = await metrics();
    expect(values.get(`stowage_http_client_requests_total{host="${registry.url.host}",status="307"}`)).toBe(2);
    for (const status of ['unavailable', 'refused_address']) {
      expect(values.get(`stowage_http_client_requests_total{host="other",status="${status}"}`)).toBe(1);
    }
    expect([...values.keys()].join()).not.toMatch(/127\.0\.0\.2|10\.0\.0\.1/);
  });

  test('names, units and texts follow the conventions of Prometheus', async () => {
    const text = await (await fetch(`${stowage.address}/metrics`)).text();
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].filter(([, name]) => name?.startsWith('stowage_'));
    expect(types.length).toBeGreaterThan(15);
    for (const [, name = '', type] of types) {
      expect(name).toMatch(/^[a-z_]+$/);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      if (type === 'histogram') expect(name).toMatch(/_seconds$/);
      expect(text).toMatch(new RegExp(`^# HELP ${name} [A-Z].*\\.$`, 'm'));
    }
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    expect(text).toContain('process_resident_memory_bytes');
  });
});

describe('traces', () => {
  let spans: CollectedSpan[];

  beforeAll(async () => {
    const response = await fetch(`${stowage.address}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
      },
      body: JSON.stringify({
        query: 'query OfShops($text: String!) { search(query: $text) { edges { score } } }',
        variables: { text: VARIABLE },
      }),
    });
    expect(response.status).toBe(200);
    await stopTracing();
    ({ spans } = collector);
  });

  const only = (predicate: (span: CollectedSpan) => boolean) => {
    const found = spans.filter(predicate);
    expect(found).toHaveLength(1);
    return found[0] as CollectedSpan;
  };

  test('a query continues the trace of who asked it, with its name', () => {
    expect(only(({ traceId }) => traceId === TRACE)).toMatchObject({
      parentId: 'b7ad6b7169203331',
      name: 'query OfShops',
      attributes: { 'graphql.operation.name': 'OfShops', 'stowage.outcome': 'answered' },
    });
  });

  test('a sync is one trace, from the mutation through the queue to each request', () => {
    const repository = only(({ name }) => name === 'sync-repository');
    const run = only(({ name }) => name === 'start-sync-run');
    const ofTrace = spans.filter(({ traceId }) => traceId === repository.traceId);
    expect(repository.attributes).toMatchObject({ 'stowage.repository': 'team/shop' });
    expect(only(({ name }) => name === 'sync-repositories').attributes).toMatchObject({
      'stowage.run.id': 1,
      'stowage.repositories': 1,
    });
    const byId = new Map(ofTrace.map((span) => [span.spanId, span]));
    const chainOf = (span: CollectedSpan): string[] => {
      const parent = byId.get(span.parentId);
      return [span.name, ...(parent ? chainOf(parent) : [])];
    };
    expect(chainOf(repository)).toEqual([
      'sync-repository',
      'sync-repositories',
      'transaction',
      'start-sync-run',
      'transaction',
      'mutation',
    ]);
    expect(run.traceId).toBe(repository.traceId);
    const requests = ofTrace.filter(({ attributes }) => attributes['http.request.method'] !== undefined);
    expect(requests).toHaveLength(sentBySync.length);
    for (const request of requests) {
      expect(request.attributes).toMatchObject({
        'server.address': '127.0.0.1',
        'server.port': Number(server.url.port),
      });
      expect(chainOf(request).slice(1, 2)).toEqual(['sync-repository']);
    }
  });

  test('hold no query string, no variable and no document', () => {
    const sent = Buffer.concat(collector.bodies).toString('latin1');
    expect(sent).toContain('OfShops');
    for (const text of [SECRET, VARIABLE, 'signature', 'score']) expect(sent).not.toContain(text);
  });
});
