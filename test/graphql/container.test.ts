import type { ImageEvidence } from '../../src/domain/container.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { catalogOf, type CatalogBuilder, type Content, type ImageContent } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addRuntime, observed, report } from '../support/observed-container.ts';
import { openTestWeb, type TestWeb } from '../support/web.ts';

let database: TestDatabase;
let build: CatalogBuilder;
let web: TestWeb;
let engine: number;
let cluster: number;
let nginx: number;
let amd64: ImageContent;
let arm64: ImageContent;
let index: Content;

const by = (via: ImageEvidence['via'], digest: Digest): ImageEvidence => ({ via, digest });
const MORNING = '2026-03-01T08:00:00.000Z';
const NOON = '2026-03-01T12:00:00.000Z';

beforeAll(async () => {
  database = await createTestDatabase();
  build = catalogOf(database);
  web = await openTestWeb(database);
  engine = await addRuntime(database, 'host-1');
  cluster = await addRuntime(database, 'cluster', 'KUBERNETES');
  nginx = await build.repository('docker.io/library/nginx');
  amd64 = await build.image(nginx, { layers: ['debian', 'nginx'] });
  arm64 = await build.image(nginx, { layers: ['debian-arm', 'nginx-arm'], platform: 'linux/arm64/v8' });
  index = await build.index(nginx, [
    { child: amd64, platform: 'linux/amd64' },
    { child: arm64, platform: 'linux/arm64/v8' },
  ]);
  await build.tag(nginx, '1.27', index);
  await report(database, engine, MORNING, [
    observed({
      containerId: '0123456789ab'.padEnd(64, 'c'),
      name: 'web',
      evidence: [by('MANIFEST', amd64.digest)],
      labels: { b: '2', a: '1' },
      ports: [{ containerPort: 80, protocol: 'tcp', hostIp: null, hostPort: 8080 }],
      mounts: [{ type: 'volume', source: 'data', destination: '/data', readOnly: true }],
      command: ['nginx', '-g'],
    }),
  ]);
  await report(database, cluster, NOON, []);
});

afterAll(async () => {
  await web.close();
  await database.close();
});

test('a container tells what its runtime told, and leads to its image, its tag and its runtime', async () => {
  const { data, errors } = await web.ask(`{
    container(runtime: "host-1", containerId: "0123456789ab") {
      name runtime { name } image { digest } imageVia imageDigests tag { reference } state isOutdated lastSeenAt
      command ports { containerPort protocol hostIp hostPort } mounts { type source destination readOnly }
      labels { name value } label(name: "b") newerTags { name } workload { kind }
    }
  }`);
  expect(errors).toBeUndefined();
  expect(data).toEqual({
    container: {
      name: 'web',
      runtime: { name: 'host-1' },
      image: { digest: amd64.digest },
      imageVia: 'MANIFEST',
      imageDigests: [amd64.digest],
      tag: { reference: 'docker.io/library/nginx:1.27' },
      state: 'RUNNING',
      isOutdated: false,
      lastSeenAt: MORNING,
      command: ['nginx', '-g'],
      ports: [{ containerPort: 80, protocol: 'tcp', hostIp: null, hostPort: 8080 }],
      mounts: [{ type: 'volume', source: 'data', destination: '/data', readOnly: true }],
      labels: [
        { name: 'a', value: '1' },
        { name: 'b', value: '2' },
      ],
      label: '2',
      newerTags: [],
      workload: null,
    },
  });
});
