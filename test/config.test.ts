import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { INSPECTION_LIMITS } from '../src/domain/inspection-limits.ts';
import { InvalidConfiguration, readConfig, type Environment } from '../src/config/index.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'stowage-config-'))));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => rmSync(join(folder, 'stowage.yaml'), { force: true }));

function read(environment: Environment, yaml?: string) {
  if (yaml !== undefined) writeFileSync(join(folder, 'stowage.yaml'), yaml);
  return readConfig(environment, folder);
}

function faultsOf(environment: Environment, yaml?: string): readonly string[] {
  try {
    read(environment, yaml);
  } catch (error) {
    if (error instanceof InvalidConfiguration) return error.faults;
    throw error;
  }
  return [];
}

test('with nothing set, everything has its default', () => {
  expect(read({})).toEqual({
    port: null,
    host: '127.0.0.1',
    databaseUrl: null,
    dataDirectory: join(folder, 'data'),
    adminToken: null,
    agentToken: null,
    dockerCertificates: null,
    credentialKeys: null,
    allowedNetworks: [],
    samples: true,
    logLevel: 'info',
    trustedDocuments: null,
    isSubgraph: false,
    tracing: null,
    declarations: null,
  });
});

test('an empty variable is one that is not set', () => {
  expect(read({ PORT: '', DATABASE_URL: ' ', STOWAGE_CONFIG: '', STOWAGE_ADMIN_TOKEN: '' })).toEqual(read({}));
});

test('every variable is taken over', () => {
  const config = read({
    PORT: '0',
    HOST: '::',
    DATABASE_URL: 'postgresql://me:secret@db:5432/catalog?sslmode=require',
    STOWAGE_DATA: '/srv/stowage',
    STOWAGE_ADMIN_TOKEN: 'a-token.of~mine',
    STOWAGE_AGENT_TOKEN: 'of.agents',
    DOCKER_CERT_PATH: 'certificates',
    STOWAGE_CREDENTIAL_KEY: `${'0a'.repeat(32)}, ${Buffer.alloc(32, 255).toString('base64')}`,
    STOWAGE_ALLOW_NETWORKS: '10.0.0.0/8, fd00::/8,192.168.1.7',
    STOWAGE_SAMPLES: '0',
    STOWAGE_TRUSTED_DOCUMENTS: 'documents.json',
    STOWAGE_FEDERATION: '0',
    LOG_LEVEL: 'debug',
    STOWAGE_GHCR_TOKEN: 'anything',
    STOWAGE_PORT: 'tcp://10.0.0.1:80',
  });
  expect(config).toEqual({
    port: 0,
    host: '::',
    databaseUrl: 'postgresql://me:secret@db:5432/catalog?sslmode=require',
    dataDirectory: '/srv/stowage',
    adminToken: 'a-token.of~mine',
    agentToken: 'of.agents',
    dockerCertificates: join(folder, 'certificates'),
    credentialKeys: [Buffer.alloc(32, 10), Buffer.alloc(32, 255)],
    allowedNetworks: ['10.0.0.0/8', 'fd00::/8', '192.168.1.7'],
    samples: false,
    logLevel: 'debug',
    trustedDocuments: join(folder, 'documents.json'),
    isSubgraph: false,
    tracing: null,
    declarations: null,
  });
});

test('every fault of the environment is told at once, and no secret with it', () => {
  const faults = faultsOf({
    PORT: '99999',
    HOST: 'http://here',
    DATABASE_URL: 'mysql://me:hunter2@db/x',
    STOWAGE_ADMIN_TOKEN: 'hunter2 and a blank',
    STOWAGE_CREDENTIAL_KEY: `hunter2,${'0a'.repeat(32)}`,
    STOWAGE_ALLOW_NETWORKS: '10.0.0.0/8,10.0.0.0/33,intranet,::/129,,1.2.3.4/,fe80::1%eth0',
    STOWAGE_SAMPLES: 'no',
    STOWAGE_SAMPLE: '0',
    LOG_LEVEL: 'loud',
    STOWAGE_CONFIG: 'missing.yaml',
  });
  expect(faults).toEqual([
    'environment STOWAGE_SAMPLE: is not known; did you mean STOWAGE_SAMPLES?',
    'environment PORT: "99999" is not a port: write a number from 0 to 65535, such as 4000.',
    'environment HOST: "http://here" is not an address to listen on: write one such as 127.0.0.1 or 0.0.0.0.',
    'environment DATABASE_URL: is not the address of a PostgreSQL database: write postgresql://user:password@host:5432/name.',
    'environment STOWAGE_ADMIN_TOKEN: cannot be sent as a bearer token: write letters, digits and -._~+/ only.',
    'environment STOWAGE_CREDENTIAL_KEY: is not a key: write 32 bytes as base64 or as 64 hex digits, such as "openssl rand -base64 32" prints; several with commas, the one that seals first.',
    ...['10.0.0.0/33', 'intranet', '::/129', '1.2.3.4/', 'fe80::1%eth0'].map(
      (text) =>
        `environment STOWAGE_ALLOW_NETWORKS: "${text}" is not a network: write addresses with the length of their prefix, such as 10.0.0.0/8 or fd00::/8, several with commas.`,
    ),
    'environment STOWAGE_SAMPLES: "no" is neither 1 (catalog the samples) nor 0 (do not).',
    'environment LOG_LEVEL: "loud" is not one of fatal, error, warn, info, debug, trace, silent.',
    `environment STOWAGE_CONFIG: ${join(folder, 'missing.yaml')} cannot be read (ENOENT): name a YAML file.`,
  ]);
  expect(faults.join()).not.toContain('hunter2');
});

test('a subgraph answers what a gateway writes, and so no list of documents', () => {
  expect(read({ STOWAGE_FEDERATION: '1' })).toMatchObject({ isSubgraph: true, trustedDocuments: null });
  expect(faultsOf({ STOWAGE_FEDERATION: 'yes' })).toEqual([
    'environment STOWAGE_FEDERATION: "yes" is neither 1 (be a subgraph) nor 0 (do not).',
  ]);
  expect(faultsOf({ STOWAGE_FEDERATION: '1', STOWAGE_TRUSTED_DOCUMENTS: 'a.json' })).toEqual([
    'environment STOWAGE_TRUSTED_DOCUMENTS: cannot be used with STOWAGE_FEDERATION, since a gateway writes documents of its own: let the gateway keep the list.',
  ]);
});

test('traces are sent where OpenTelemetry’s variables say', () => {
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://localhost:4318';
  const all = { sampler: { name: 'parentbased_always_on', ratio: 1 } };
  expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT }).tracing).toEqual(all);
  expect(read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://c.example.com/v1/traces' }).tracing).toEqual(all);
  const sampled = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' };
  expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT, ...sampled }).tracing).toEqual({
    sampler: { name: 'traceidratio', ratio: 0.1 },
  });
  for (const off of [{ OTEL_SDK_DISABLED: 'true' }, { OTEL_TRACES_EXPORTER: 'none' }]) {
    expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT, ...off }).tracing).toBeNull();
  }
  expect(
    faultsOf({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_TRACES_SAMPLER: 'some',
      OTEL_TRACES_SAMPLER_ARG: '10%',
    }),
  ).toEqual([
    'environment OTEL_EXPORTER_OTLP_ENDPOINT: is not the address of a collector: write one such as http://localhost:4318.',
    'environment OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" is not spoken: write http/protobuf, or nothing.',
    expect.stringContaining('OTEL_TRACES_SAMPLER: "some" is not one of always_on, always_off, traceidratio,'),
    'environment OTEL_TRACES_SAMPLER_ARG: "10%" is not a share from 0 to 1, such as 0.1.',
  ]);
});

test('a file declares registries and sources, and secrets come from the environment', () => {
  const { declarations } = read(
    { GHCR_TOKEN: 'ghp_x', GHCR_HOOK: 'of-sixteen-signs', NEXUS: 'p' },
    `
registries:
  - host: ghcr.io
    title: GitHub
    credential: { token: { env: GHCR_TOKEN } }
    webhook: { secret: { env: GHCR_HOOK } }
    limits: { concurrency: 4 }
  - host: nexus.example.com:5000
    insecure: true
    credential: { username: reader, password: { env: NEXUS } }
  - host: layout.localhost
    kind: oci-layout
    url: file:///srv/layout
  - host: index.docker.io
    credential: { docker-config: true }
  - host: public.ecr.aws
    kind: ecr-public
    credential: { ambient: true }
sources:
  - registry: docker.io
    repositories: library/*,!library/tmp-*
    tags: "3.*"
    maxTags: 10
    newestBy: pushed-at
    platforms: [linux/amd64, linux/arm64/v8]
    schedule: 0 */6 * * *
  - { registry: ghcr.io, repositories: org/app, paused: true, inspectContents: true }
inspection: { maxLayerBytes: 1000000 }
`,
  );
  expect(declarations).toEqual({
    file: 'stowage.yaml',
    runtimes: [],
    deniedLabels: [],
    inspection: { ...INSPECTION_LIMITS, maxLayerBytes: 1_000_000 },
    registries: [
      {
        host: 'ghcr.io',
        kind: null,
        url: null,
        title: 'GitHub',
        insecure: null,
        credential: { kind: 'bearer', token: 'ghp_x' },
        webhookSecret: 'of-sixteen-signs',
        limits: { concurrency: 4, requestsPerSecond: null },
      },
      {
        host: 'nexus.example.com:5000',
        kind: null,
        url: null,
        title: null,
        insecure: true,
        credential: { kind: 'basic', username: 'reader', password: 'p' },
        webhookSecret: null,
        limits: { concurrency: null, requestsPerSecond: null },
      },
      {
        host: 'layout.localhost',
        kind: 'OCI_LAYOUT',
        url: new URL('file:///srv/layout'),
        title: null,
        insecure: null,
        credential: null,
        webhookSecret: null,
        limits: { concurrency: null, requestsPerSecond: null },
      },
      {
        host: 'docker.io',
        kind: null,
        url: null,
        title: null,
        insecure: null,
        credential: { kind: 'docker-config' },
        webhookSecret: null,
        limits: { concurrency: null, requestsPerSecond: null },
      },
      {
        host: 'public.ecr.aws',
        kind: 'ECR_PUBLIC',
        url: null,
        title: null,
        insecure: null,
        credential: { kind: 'ambient' },
        webhookSecret: null,
        limits: { concurrency: null, requestsPerSecond: null },
      },
    ],
    sources: [
      {
        registry: 'docker.io',
        repositories: 'library/*, !library/tmp-*',
        tags: '3.*',
        maxTags: 10,
        newestBy: 'PUSHED_AT',
        platforms: ['linux/amd64', 'linux/arm64/v8'],
        schedule: '0 */6 * * *',
        inspectContents: false,
        paused: false,
      },
      {
        registry: 'ghcr.io',
        repositories: 'org/app',
        tags: null,
        maxTags: null,
        newestBy: 'VERSION',
        platforms: [],
        schedule: null,
        inspectContents: true,
        paused: true,
      },
    ],
  });
});

test('a file declares runtimes, and which labels of containers are not kept', () => {
  const { declarations } = read(
    {},
    `
runtimes:
  - { name: host-1, kind: docker, endpoint: 'unix:///var/run/docker.sock' }
  - name: host-2
    kind: podman
    endpoint: tcp://host-2:2376
    tls: { ca: /certs/ca.pem, cert: /certs/cert.pem, key: /certs/key.pem }
  - { name: eu, kind: kubernetes, endpoint: in-cluster, namespaces: [shop] }
containers:
  denyLabels: ['com.example.secret*']
`,
  );
  const usual = { tls: null, insecure: false, namespaces: [] };
  expect(declarations).toMatchObject({
    runtimes: [
      { ...usual, name: 'host-1', kind: 'DOCKER', endpoint: 'unix:///var/run/docker.sock' },
      {
        ...usual,
        name: 'host-2',
        kind: 'PODMAN',
        endpoint: 'tcp://host-2:2376',
        tls: { ca: '/certs/ca.pem', cert: '/certs/cert.pem', key: '/certs/key.pem' },
      },
      { ...usual, name: 'eu', kind: 'KUBERNETES', endpoint: 'in-cluster', namespaces: ['shop'] },
    ],
    deniedLabels: ['com.example.secret*'],
  });
});

test('an empty file declares nothing', () => {
  expect(read({}, '# nothing yet\n').declarations).toEqual({
    file: 'stowage.yaml',
    registries: [],
    sources: [],
    runtimes: [],
    deniedLabels: [],
    inspection: INSPECTION_LIMITS,
  });
});

test('every fault of the file is told with its line, in their order, beside those of the environment', () => {
  const yaml = `registries:
  - host: ghcr.io
    kind: ocii
    url: ftp://x
    credential:
      username: joe
      password: hunter2
  - host: GHCR.io:443
    credental: {}
    insecure: yes
  - host: quay.io
    credential: {token: {env: NOPE}, username: 5}
  - title: no host
  - host: bad host
    credential: {ambient: true, username: x}
  - https://ghcr.io
sources:
  - registry: docker.io
    repositories: "lib rary/*"
    tags: ""
    maxTags: 0
    newestBy: date
    schedule: hourly
    platforms: [linux, linux/amd64]
    pausd: true
source: []
`;
  const faults = faultsOf({ PORT: 'x' }, yaml);
  expect(faults.map((fault) => /^(\S+ [A-Z]+|\S+:\d+: [^:]+):/.exec(fault)?.[1])).toEqual([
    'environment PORT',
    'stowage.yaml:3: registries[0].kind',
    'stowage.yaml:4: registries[0].url',
    'stowage.yaml:7: registries[0].credential.password',
    'stowage.yaml:9: registries[1].credental',
    'stowage.yaml:10: registries[1].insecure',
    'stowage.yaml:12: registries[2].credential.token.env',
    'stowage.yaml:12: registries[2].credential.username',
    'stowage.yaml:13: registries[3].host',
    'stowage.yaml:14: registries[4].host',
    'stowage.yaml:15: registries[4].credential',
    'stowage.yaml:16: registries[5]',
    'stowage.yaml:19: sources[0].repositories',
    'stowage.yaml:20: sources[0].tags',
    'stowage.yaml:21: sources[0].maxTags',
    'stowage.yaml:22: sources[0].newestBy',
    'stowage.yaml:23: sources[0].schedule',
    'stowage.yaml:24: sources[0].platforms[0]',
    'stowage.yaml:25: sources[0].pausd',
    'stowage.yaml:26: source',
  ]);
  expect(faults.join('\n')).not.toContain('hunter2');
  expect(faults).toContainEqual(
    expect.stringMatching(
      /^stowage.yaml:3: registries\[0\].kind: "ocii" is not one of docker-hub, .*, oci, oci-layout\.$/,
    ),
  );
  expect(faults).toContain('stowage.yaml:9: registries[1].credental: is not known; did you mean credential?');
  expect(faults).toContain('stowage.yaml:13: registries[3].host: is missing.');
  expect(faults).toContain('stowage.yaml:21: sources[0].maxTags: 0 is too small: the least is 1.');
  expect(faults).toContain('stowage.yaml:22: sources[0].newestBy: "date" is not one of version, pushed-at.');
});

test('limits of inspections that are no whole numbers, or leave no day for a layer, are faults', () => {
  expect(faultsOf({}, 'inspection: { maxLayerBytes: 0, maxImageBytes: 4 GB }\n')).toEqual([
    'stowage.yaml:1: inspection.maxLayerBytes: 0 is too small: the least is 1.',
    'stowage.yaml:1: inspection.maxImageBytes: "4 GB" is not a number.',
  ]);
  expect(faultsOf({}, 'inspection: { maxBytesPerDay: 1000 }\n')).toEqual([
    'stowage.yaml:1: inspection: maxBytesPerDay is 1000, less than the 4294967296 of maxLayerBytes: a layer is downloaded on one day.',
  ]);
});

test('limits that are no whole numbers, or out of bounds, are faults', () => {
  const declare = (limits: string) => `registries:\n- host: ghcr.io\n  limits: { ${limits} }\n`;
  for (const limits of ['concurrency: 0', 'concurrency: 257', 'requestsPerSecond: 0.5', 'requestsPerSecond: many']) {
    expect(faultsOf({}, declare(limits))).toEqual([expect.stringMatching(/^stowage\.yaml:3: registries\[0\]\.limits/)]);
  }
});

test('a secret of a webhook that can be guessed, or stands in the file, is a fault and not told', () => {
  const declare = (secret: string) => `registries:\n- host: ghcr.io\n  webhook: { secret: ${secret} }\n`;
  const faults = faultsOf({ SHORT: 'of-fifteen-sign' }, declare('{ env: SHORT }'));
  expect(faults).toEqual([
    `stowage.yaml:3: registries[0].webhook.secret: a webhook's secret has 16 to 255 letters, digits and signs of ASCII, and no blanks: let "openssl rand -hex 24" make one.`,
  ]);
  expect(faultsOf({}, declare('of-sixteen-signs'))).toEqual([
    expect.stringMatching(/^stowage\.yaml:3: registries\[0\]\.webhook\.secret: a secret does not stand in this file/),
  ]);
});

test('what stands twice is a fault', () => {
  expect(
    faultsOf(
      {},
      'registries:\n- host: ghcr.io\n- host: GHCR.io\nsources:\n- &a {registry: ghcr.io, repositories: a}\n- *a\n',
    ),
  ).toEqual([
    'stowage.yaml:3: registries[1]: the host "ghcr.io" stands here twice.',
    'stowage.yaml:6: sources[1]: the source "ghcr.io/a" stands here twice.',
  ]);
});

test.each([
  [
    'runtimes: [{ name: a, kind: docker, endpoint: x }, { name: a, kind: podman, endpoint: y }]\n',
    /^stowage\.yaml:1: runtimes\[1\]: the runtime "a" stands here twice\.$/,
  ],
  ['runtimes: [{ name: "a b", kind: docker, endpoint: x }]\n', /is not a name for a runtime/],
  ['containers: { denyLabels: ["a b"] }\n', /label "a b" is not a pattern/],
  ['registries: [\n', /^stowage\.yaml:\d+: .+/],
  ['registries: []\nregistries: []\n', /^stowage\.yaml:2: Map keys must be unique\.$/],
  ['- a list\n', /^stowage\.yaml:1: \["a list"\] is not a group of names and values\.$/],
  ['registries: ghcr.io\n', /^stowage\.yaml:1: registries: "ghcr\.io" is not a list\.$/],
])('a file that is no such document is refused: %j', (yaml, fault) => {
  const faults = faultsOf({}, yaml);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(fault);
});
