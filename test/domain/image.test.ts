import type { Digest } from '../../src/domain/digest.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { RegistryError } from '../../src/domain/errors.ts';
import { parseImageConfig, stepsOfLayers, type ImageConfiguration } from '../../src/domain/image-config.ts';
import { compareConfigs, compareLayers } from '../../src/domain/image-diff.ts';
import { EMPTY_LAYER, stackLayers } from '../../src/domain/image.ts';
import { attestedBy, manifestDigest, parseManifest, type Manifest } from '../../src/domain/manifest.ts';
import {
  DOCKER_CONFIG,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  MANIFEST_ACCEPT,
  OCI_ARTIFACT_MANIFEST,
  OCI_CONFIG,
  OCI_EMPTY,
  OCI_INDEX,
  OCI_MANIFEST,
  SCHEMA1,
  SCHEMA1_SIGNED,
  essence,
  isForeignLayerType,
  isLayerType,
} from '../../src/domain/media-type.ts';
import { describeSamples, sample, sampleJson } from '../support/samples.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}` as Digest;
const bytes = (document: unknown) => Buffer.from(JSON.stringify(document));
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

const config = { mediaType: OCI_CONFIG, digest: digest('c'), size: 7 };
const layer = { mediaType: LAYER, digest: digest('1'), size: 10 };

function read<K extends Manifest['kind']>(kind: K, document: unknown, type: string | null = null) {
  const manifest = parseManifest(bytes(document), type);
  expect(manifest.kind).toBe(kind);
  return manifest as Extract<Manifest, { kind: K }>;
}

function fault(work: () => unknown): RegistryError {
  try {
    work();
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describeSamples('the samples', () => {
  const set = sampleJson<{ files: Record<string, { digest: Digest; size: number }> }>('oci-consistent/digests.json');
  const ofSet = (name: string) => sample(`oci-consistent/${name}`);

  test('an index of two platforms and an attestation', () => {
    const index = parseManifest(ofSet('index.json'), null);
    if (index.kind !== 'INDEX') throw new Error(index.kind);
    expect(index.mediaType).toBe(OCI_INDEX);
    expect(index.annotations).toEqual({ 'org.opencontainers.image.version': '1.2.0' });
    expect(index.entries.map(({ digest, size }) => ({ digest, size }))).toEqual(
      ['manifest-amd64.json', 'manifest-arm64.json', 'manifest-attestation.json'].map((name) => set?.files[name]),
    );
    expect(index.entries.map(attestedBy)).toEqual([null, null, set?.files['manifest-amd64.json']?.digest]);
    expect(index.entries[1]?.platform).toEqual({
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      osVersion: null,
      osFeatures: [],
    });
  });

  test.each(Object.entries(set?.files ?? {}))('%s has its digest', (name, { digest, size }) => {
    const raw = ofSet(name);
    expect([manifestDigest(raw, null), raw.length]).toEqual([digest, size]);
  });

  test('an image with its configuration', () => {
    const manifest = parseManifest(ofSet('manifest-amd64.json'), OCI_MANIFEST);
    if (manifest.kind !== 'IMAGE') throw new Error(manifest.kind);
    const configuration = parseImageConfig(ofSet('config-amd64.json'));
    expect(configuration.run).toEqual({
      entrypoint: ['/app'],
      command: ['--port', '8080'],
      environment: [
        { name: 'PATH', value: '/usr/bin:/bin' },
        { name: 'EMPTY', value: '' },
        { name: 'WITH_EQUALS', value: 'a=b=c' },
      ],
      user: '1000:1000',
      workingDirectory: '/srv',
      exposedPorts: [
        { port: 53, protocol: 'udp' },
        { port: 8080, protocol: 'tcp' },
      ],
      volumes: ['/data'],
      stopSignal: 'SIGTERM',
      shell: ['/bin/sh', '-c'],
      onBuild: [],
      healthcheck: {
        test: ['CMD-SHELL', 'wget -q -O- localhost:8080/health'],
        intervalSeconds: 30,
        timeoutSeconds: 3,
        startPeriodSeconds: 5,
        retries: 3,
      },
    });
    expect(configuration.labels['unicode']).toBe('grüße 世界');
    expect(configuration.createdAt?.toISOString()).toBe('2026-08-19T18:00:00.123Z');
    expect(manifest.annotations['org.opencontainers.image.revision']).toBe('0123456789abcdef0123456789abcdef01234567');

    const steps = stepsOfLayers(configuration.history, manifest.layers.length);
    expect(steps.map((step) => step?.createdBy)).toEqual([
      '/bin/sh -c #(nop) ADD file:0123456789abcdef in / ',
      'COPY app /app # buildkit',
    ]);
    const stack = stackLayers(manifest, configuration);
    expect(stack.map(({ position, diffId, blob }) => [position, diffId, blob.digest])).toEqual(
      configuration.diffIds.map((diffId, at) => [at, diffId, diffId]),
    );
    expect(stack[0]?.chainId).toBe(configuration.diffIds[0]);
    expect(stack[1]?.chainId).toBe(digestOf(Buffer.from(configuration.diffIds.join(' '))));
  });

  test('artifacts about another manifest', () => {
    expect(parseManifest(ofSet('manifest-attestation.json'), null)).toMatchObject({
      kind: 'ARTIFACT',
      artifactType: 'application/vnd.docker.attestation.manifest.v1+json',
      subject: set?.files['manifest-amd64.json']?.digest,
    });
    expect(parseManifest(ofSet('manifest-sbom-referrer.json'), null)).toMatchObject({
      kind: 'ARTIFACT',
      artifactType: 'application/spdx+json',
      subject: set?.files['index.json']?.digest,
      blobs: [{ mediaType: 'application/spdx+json', size: 39 }],
    });
    expect(parseManifest(sample('oci-attestation-manifest.json'), null)).toMatchObject({
      kind: 'ARTIFACT',
      blobs: [{ annotations: { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' } }],
    });
  });

  test('an answer of the referrers API is an index whose entries have their artifact type', () => {
    const index = parseManifest(ofSet('referrers-response.json'), OCI_INDEX);
    expect(index).toMatchObject({
      kind: 'INDEX',
      entries: [{ artifactType: 'application/spdx+json', platform: null }],
    });
  });

  test('an index with an attestation of a single image', () => {
    const index = parseManifest(sample('oci-index-attestations.json'), null);
    if (index.kind !== 'INDEX') throw new Error(index.kind);
    expect(index.entries.map(attestedBy)).toEqual([null, index.entries[0]?.digest]);
  });

  test('a Windows image of foreign layers', () => {
    const raw = sample('windows-config.json');
    const manifest = parseManifest(sample('windows-manifest.json'), null);
    if (manifest.kind !== 'IMAGE') throw new Error(manifest.kind);
    expect(manifest.mediaType).toBe(DOCKER_MANIFEST);
    expect([manifest.config.digest, manifest.config.size]).toEqual([digestOf(raw), raw.length]);
    const configuration = parseImageConfig(raw);
    expect(configuration.platform).toEqual({
      os: 'windows',
      architecture: 'amd64',
      variant: null,
      osVersion: '10.0.17134.165',
      osFeatures: [],
    });
    expect(configuration.run).toMatchObject({
      entrypoint: null,
      command: ['c:\\windows\\system32\\cmd.exe'],
      user: null,
    });
    const stack = stackLayers(manifest, configuration);
    expect(stack.map(({ isForeign, isEmpty }) => [isForeign, isEmpty])).toEqual([
      [true, false],
      [true, false],
    ]);
    expect(stack[0]?.blob.urls).toEqual(['https://go.microsoft.com/fwlink/?linkid=873595']);
  });

  test('a Docker list with a Windows build', () => {
    const list = parseManifest(sample('docker-manifest-list-windows.json'), DOCKER_LIST);
    if (list.kind !== 'INDEX') throw new Error(list.kind);
    expect(list.mediaType).toBe(DOCKER_LIST);
    expect(list.entries.map(({ platform }) => [platform?.os, platform?.architecture, platform?.osVersion])).toEqual([
      ['linux', 'amd64', null],
      ['linux', 'arm64', null],
      ['windows', 'amd64', '10.0.17763.1697'],
    ]);
  });

  test('schema 1, signed or not, is one artifact with one digest', () => {
    const known = 'sha256:7364fea9d84ee548ab67d4c46c6006289800c98de3fbf8c0a97138dfcc23f000';
    const signed = sample('docker-schema1-manifest.json');
    const unsigned = sample('docker-schema1-unsigned-manifest.json');
    expect(manifestDigest(signed, `${SCHEMA1_SIGNED}; charset=utf-8`)).toBe(known);
    expect(manifestDigest(unsigned, SCHEMA1)).toBe(known);
    expect(parseManifest(signed, null)).toMatchObject({ kind: 'ARTIFACT', artifactType: SCHEMA1_SIGNED, blobs: [] });
    expect(parseManifest(unsigned, null)).toMatchObject({ kind: 'ARTIFACT', artifactType: SCHEMA1, blobs: [] });
  });
});

describe('a manifest', () => {
  test('without a media type is known by its members', () => {
    expect(read('INDEX', { manifests: [] }).mediaType).toBe(OCI_INDEX);
    expect(read('IMAGE', { config, layers: [layer] }).mediaType).toBe(OCI_MANIFEST);
    expect(read('ARTIFACT', { blobs: [] }).mediaType).toBe(OCI_ARTIFACT_MANIFEST);
    expect(read('ARTIFACT', { schemaVersion: 1, fsLayers: [] }).mediaType).toBe(SCHEMA1);
  });

  test('is called as its body, or else its parent or registry, calls it', () => {
    const index = { manifests: [] };
    expect(read('INDEX', index, `${DOCKER_LIST}; charset=utf-8`).mediaType).toBe(DOCKER_LIST);
    expect(read('INDEX', { ...index, mediaType: OCI_INDEX }, DOCKER_LIST).mediaType).toBe(OCI_INDEX);
    expect(read('INDEX', { ...index, mediaType: 'x/y' }, 'application/json').mediaType).toBe(OCI_INDEX);
  });

  test('with null where a list or map belongs has an empty one', () => {
    expect(read('INDEX', { manifests: null, annotations: null, subject: null })).toMatchObject({
      entries: [],
      annotations: {},
      subject: null,
    });
    expect(read('IMAGE', { config: { ...config, urls: null, annotations: null }, layers: null }).layers).toEqual([]);
  });

  test.each<[string, unknown, string | null, string]>([
    ['has both kinds of members', { manifests: [], layers: [] }, null, 'it could be read two ways'],
    [
      'calls itself what it is not',
      { mediaType: OCI_INDEX, config, layers: [] },
      null,
      `has the members of ${OCI_MANIFEST}`,
    ],
    ['is called what it is not', { manifests: [] }, OCI_MANIFEST, `has the members of ${OCI_INDEX}`],
    ['is an error', { errors: [{ code: 'X' }] }, OCI_MANIFEST, 'the document is no manifest'],
    ['is empty', {}, OCI_INDEX, 'the document is no manifest'],
    ['has a list that is none', { manifests: {} }, null, 'manifests is not a list'],
    ['has a layer that is none', { config, layers: [3] }, null, 'layers[0] is not a descriptor'],
    [
      'has a digest that is none',
      { config, layers: [{ ...layer, digest: 'x' }] },
      null,
      'layers[0].digest is "x", not a digest',
    ],
    ['has an unknown algorithm', { config, layers: [{ ...layer, digest: 'blake3:00' }] }, null, "can't be verified"],
    ['has no size', { config, layers: [{ ...layer, size: undefined }] }, null, 'layers[0].size is missing'],
    ['has a negative size', { config, layers: [{ ...layer, size: -1 }] }, null, 'layers[0].size is -1'],
    ['has half a byte', { config, layers: [{ ...layer, size: 0.5 }] }, null, 'layers[0].size is 0.5'],
    ['has a size beyond numbers', { config, layers: [{ ...layer, size: 2 ** 53 }] }, null, 'not a number of bytes'],
    ['has a size as text', { config, layers: [{ ...layer, size: '1' }] }, null, 'layers[0].size is "1"'],
  ])('that %s is refused', (_, document, type, message) => {
    const error = fault(() => parseManifest(bytes(document), type));
    expect(error.code).toBe('MALFORMED');
    expect(error.message).toContain(message);
  });

  test('with too many members is refused as too large', () => {
    expect(fault(() => parseManifest(bytes({ manifests: Array(501).fill(layer) }), null)).code).toBe('TOO_LARGE');
    expect(fault(() => parseManifest(bytes({ config, layers: Array(1001).fill(layer) }), null)).code).toBe('TOO_LARGE');
    expect(read('IMAGE', { config, layers: Array(1000).fill(layer) }).layers).toHaveLength(1000);
  });

  test('in an index may have an unknown algorithm or no platform; half a platform is none', () => {
    const { entries } = read('INDEX', {
      manifests: [
        { mediaType: OCI_MANIFEST, digest: 'blake3:0a', size: 1 },
        { mediaType: OCI_MANIFEST, digest: digest('2'), size: 1, platform: { os: 'linux' } },
        {
          mediaType: OCI_INDEX,
          digest: digest('3'),
          size: 1,
          platform: { os: 'w', architecture: 'a', 'os.features': ['x', 1] },
        },
      ],
    });
    expect(entries.map((entry) => entry.digest)).toEqual(['blake3:0a', digest('2'), digest('3')]);
    expect(entries.map((entry) => entry.platform?.osFeatures ?? null)).toEqual([null, null, ['x']]);
  });

  test('attests an image only with both marks', () => {
    const marked = (annotations: Record<string, string>) =>
      read('INDEX', { manifests: [{ ...layer, annotations }] }).entries.map(attestedBy);
    expect(marked({ 'vnd.docker.reference.type': 'other', 'vnd.docker.reference.digest': digest('1') })).toEqual([
      null,
    ]);
    expect(marked({ 'vnd.docker.reference.type': 'attestation-manifest' })).toEqual([null]);
  });
});

describe('what is an image, and what an artifact', () => {
  test.each<[string, Manifest['kind'], unknown, string | null]>([
    ['an image configuration and layers', 'IMAGE', { config, layers: [layer] }, null],
    ['a Docker configuration', 'IMAGE', { config: { ...config, mediaType: DOCKER_CONFIG }, layers: [layer] }, null],
    ['no layers', 'IMAGE', { config, layers: [] }, null],
    [
      'an image configuration and signature layers, as cosign writes',
      'ARTIFACT',
      { config, layers: [{ ...layer, mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json' }] },
      'application/vnd.dev.cosign.simplesigning.v1+json',
    ],
    [
      'a chart',
      'ARTIFACT',
      { config: { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' } },
      'application/vnd.cncf.helm.config.v1+json',
    ],
    [
      'an artifact type',
      'ARTIFACT',
      { artifactType: 'a/b', config: { ...config, mediaType: OCI_EMPTY }, layers: [layer] },
      'a/b',
    ],
    ['an empty configuration alone', 'ARTIFACT', { config: { ...config, mediaType: OCI_EMPTY } }, OCI_MANIFEST],
    [
      'an artifact of the release candidates',
      'ARTIFACT',
      { mediaType: OCI_ARTIFACT_MANIFEST, artifactType: 'a/b', blobs: [layer] },
      'a/b',
    ],
  ])('%s: %s', (_, kind, document, artifactType) => {
    const manifest = read(kind, document);
    expect(manifest.kind === 'ARTIFACT' ? manifest.artifactType : null).toBe(artifactType);
  });

  test('a layer type may be of any packing', () => {
    expect(
      [
        'application/vnd.oci.image.layer.v1.tar',
        'application/vnd.oci.image.layer.v1.tar+zstd',
        'application/vnd.oci.image.layer.v1.tar+gzip+encrypted',
        'application/vnd.docker.image.rootfs.diff.tar',
        'application/vnd.docker.image.rootfs.diff.tar.zstd',
      ].map((type) => [isLayerType(type), isForeignLayerType(type)]),
    ).toEqual(Array(5).fill([true, false]));
    expect(
      [
        'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
        'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
      ].map((type) => [isLayerType(type), isForeignLayerType(type)]),
    ).toEqual(Array(2).fill([true, true]));
    expect(isLayerType('application/vnd.in-toto+json')).toBe(false);
    expect(essence(' Application/JSON ; charset=utf-8')).toBe('application/json');
    expect(MANIFEST_ACCEPT.split(', ')).toHaveLength(4);
  });
});

test('a document cannot choose its digest by carrying the signatures of schema 1', () => {
  const wanted = bytes({ config, layers: [layer] });
  const signature = Buffer.from(JSON.stringify({ formatLength: 0, formatTail: wanted.toString('base64url') }));
  const evil = bytes({ config, layers: [], signatures: [{ protected: signature.toString('base64url') }] });
  expect(manifestDigest(evil, SCHEMA1_SIGNED)).toBe(digestOf(evil));
});

describe('an image configuration', () => {
  const parse = (document: unknown) => parseImageConfig(bytes(document));

  test('may say nothing', () => {
    const empty = parse({});
    expect(empty).toMatchObject({
      platform: { os: 'unknown', architecture: 'unknown', variant: null, osVersion: null, osFeatures: [] },
      createdAt: null,
      author: null,
      labels: {},
      history: [],
      diffIds: [],
      run: { entrypoint: null, command: null, environment: [], exposedPorts: [], volumes: [], healthcheck: null },
    });
    const nulls = { created: null, config: null, rootfs: null, history: null, 'os.features': null, author: '' };
    expect(parse(nulls)).toEqual(empty);
    expect(parse({ config: { Env: null, Labels: null, Volumes: null, OnBuild: null, Healthcheck: null } })).toEqual(
      empty,
    );
  });

  test('tells an empty command from none, and takes a plain one', () => {
    expect(parse({ config: { Entrypoint: [], Cmd: 'sh -c x' } }).run).toMatchObject({
      entrypoint: [],
      command: ['sh -c x'],
    });
  });

  test('keeps odd variables, ports and labels as far as they mean something', () => {
    const { run, labels } = parse({
      config: {
        Env: ['A', 'A=1', '=x', 'B=c=d', 3, null],
        ExposedPorts: { '80': {}, '443/TCP': {}, '8000-8002/udp': {}, '70000': {}, '9-8': {}, http: {}, '': {} },
        Labels: { number: 1.5, yes: true, list: [], none: null, text: 'x' },
        Healthcheck: { Test: ['NONE'], Interval: '30s', Retries: 1.5, Timeout: 1_500_000_000 },
      },
    });
    expect(run.environment).toEqual([
      { name: 'A', value: '' },
      { name: 'A', value: '1' },
      { name: '', value: 'x' },
      { name: 'B', value: 'c=d' },
    ]);
    expect(run.exposedPorts).toEqual([
      { port: 443, protocol: 'tcp' },
      { port: 80, protocol: 'tcp' },
      { port: 8000, protocol: 'udp' },
      { port: 8001, protocol: 'udp' },
      { port: 8002, protocol: 'udp' },
    ]);
    expect(labels).toEqual({ number: '1.5', text: 'x', yes: 'true' });
    expect(run.healthcheck).toEqual({
      test: ['NONE'],
      intervalSeconds: null,
      timeoutSeconds: 1.5,
      startPeriodSeconds: null,
      retries: null,
    });
  });

  test.each<[unknown, boolean]>([
    ['0a'.repeat(32), true],
    ['0A'.repeat(32), false],
    ['0a'.repeat(31), false],
    [' '.repeat(64), false],
    [null, false],
    [{}, false],
  ])('is made from %p: %p', (container, isContainer) => {
    expect(parse({ container, container_config: { Image: 'x' } }).madeFrom).toBe(isContainer ? container : null);
  });

  test('is bounded in every list and text', () => {
    const { run } = parse({
      config: {
        Env: Array(2000)
          .fill(`A=${'😀'.repeat(20_000)}`)
          .slice(0, 3)
          .concat(Array(1500).fill('B=')),
        ExposedPorts: { '1-65535/tcp': {} },
        Volumes: Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`/v${at}`, {}])),
      },
    });
    expect([run.environment.length, run.exposedPorts.length, run.volumes.length]).toEqual([1000, 1000, 1000]);
    expect(run.environment[0]?.value.length).toBe(32 * 1024 - 2);
    expect(run.environment[0]?.value.isWellFormed()).toBe(true);
    expect(fault(() => parse({ history: Array(1001).fill({}) })).code).toBe('TOO_LARGE');
    expect(fault(() => parse({ rootfs: { diff_ids: Array(1001).fill(digest('1')) } })).code).toBe('TOO_LARGE');
  });

  test.each<[string, unknown]>([
    ['a diff id that is none', { rootfs: { diff_ids: [`sha256:${'A'.repeat(64)}`] } }],
    ['a diff id that is a number', { rootfs: { diff_ids: [1] } }],
    ['a history that is no list', { history: {} }],
  ])('with %s is refused', (_, document) => expect(fault(() => parse(document)).code).toBe('MALFORMED'));

  test('without the step of each layer names none', () => {
    const { history } = parse({ history: [{ created_by: 'a' }, { empty_layer: true }, null, { created: 'x' }] });
    expect(history.map((step) => [step.createdBy, step.isEmptyLayer, step.createdAt])).toEqual([
      ['a', false, null],
      [null, true, null],
      [null, false, null],
      [null, false, null],
    ]);
    expect(stepsOfLayers(history, 3).map((step) => step?.createdBy)).toEqual(['a', null, null]);
    expect(stepsOfLayers(history, 2)).toEqual([null, null]);
    expect(stepsOfLayers([], 1)).toEqual([null]);
  });
});

describe('a stack of layers', () => {
  const manifest = (count: number) => read('IMAGE', { config, layers: Array(count).fill(layer) });
  const configuration = (diffIds: Digest[]) => parseImageConfig(bytes({ rootfs: { diff_ids: diffIds } }));

  test('may hold one layer twice, and the empty one', () => {
    const stack = stackLayers(manifest(3), configuration([digest('1'), EMPTY_LAYER, digest('1')]));
    expect(stack.map(({ position, isEmpty }) => [position, isEmpty])).toEqual([
      [0, false],
      [1, true],
      [2, false],
    ]);
    expect(new Set(stack.map(({ chainId }) => chainId)).size).toBe(3);
  });

  test('that disagrees with the configuration is refused, with both numbers', () => {
    const error = fault(() => stackLayers(manifest(2), configuration([digest('1')])));
    expect([error.code, error.message]).toEqual([
      'MALFORMED',
      'the manifest has 2 layers, its configuration 1 diff ids',
    ]);
  });

  test('of no layers is empty', () => expect(stackLayers(manifest(0), configuration([]))).toEqual([]));
});

describe('two stacks compared', () => {
  const at = (diffId: string, blob = diffId, size = 10) => ({
    digest: digest(blob),
    size,
    layer: { diffId: digest(diffId) },
  });

  test('share every layer that both have, wherever it stands', () => {
    const [base, old, fresh, top] = [at('1'), at('2'), at('3'), at('4')] as const;
    const changes = compareLayers([base, old, top], [base, fresh, top]);
    expect(changes).toEqual({ common: [base, top], added: [fresh], removed: [old], pullSize: 10 });
  });

  test('share a layer that was packed again, which nobody has to pull', () => {
    const repacked = at('1', 'f', 7);
    expect(compareLayers([at('1')], [repacked])).toEqual({ common: [repacked], added: [], removed: [], pullSize: 0 });
  });

  test('cost each blob once, and never more than a number carries', () => {
    expect(compareLayers([], [at('1'), at('1'), at('2', '1')])).toMatchObject({ pullSize: 10 });
    const huge = Number.MAX_SAFE_INTEGER;
    expect(compareLayers([], [at('1', '1', huge), at('2', '2', huge)])).toMatchObject({ pullSize: huge });
  });
});

describe('two configurations compared', () => {
  const comparable = (document: object) => {
    const { labels, ...rest }: ImageConfiguration = parseImageConfig(bytes({ os: 'linux', ...document }));
    return { ...rest, labels: Object.entries(labels).map(([name, value]) => ({ name, value })) };
  };
  const changes = (before: object, after: object) =>
    compareConfigs(comparable(before), comparable(after)).map((change) => [change.field, change.before, change.after]);

  test('differ member by member, by name', () => {
    const before = {
      architecture: 'arm64',
      created: '2026-01-01T00:00:00Z',
      author: 'a',
      config: { Env: ['PATH=/bin', 'A=1'], Labels: { v: '1', gone: '' }, Cmd: ['run', '--fast'], User: 'www' },
    };
    const after = {
      architecture: 'arm64',
      variant: 'v8',
      created: '2026-01-02T00:00:00Z',
      config: {
        Env: ['PATH=/bin:/sbin', 'A=1', 'NEW='],
        Labels: { v: '2' },
        Cmd: ['run'],
        Entrypoint: [],
        ExposedPorts: { '80/tcp': {} },
        Volumes: { '/data': {} },
        WorkingDir: '/srv',
        StopSignal: 'SIGQUIT',
        Shell: ['/bin/ash', '-c'],
        OnBuild: ['RUN make'],
        Healthcheck: { Test: ['CMD', 'true'], Interval: 30e9 },
      },
    };
    const expected = [
      ['author', 'a', null],
      ['command', '["run","--fast"]', '["run"]'],
      ['createdAt', '2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'],
      ['entrypoint', null, '[]'],
      ['environment.NEW', null, ''],
      ['environment.PATH', '/bin', '/bin:/sbin'],
      ['exposedPorts', null, '["80/tcp"]'],
      ['healthcheck', null, '{"test":["CMD","true"],"intervalSeconds":30}'],
      ['labels.gone', '', null],
      ['labels.v', '1', '2'],
      ['onBuild', null, '["RUN make"]'],
      ['platform', 'linux/arm64', 'linux/arm64/v8'],
      ['shell', null, '["/bin/ash","-c"]'],
      ['stopSignal', null, 'SIGQUIT'],
      ['user', 'www', null],
      ['volumes', null, '["/data"]'],
      ['workingDirectory', null, '/srv'],
    ];
    expect(changes(before, after)).toEqual(expected);
    expect(changes(after, before)).toEqual(expected.map(([field, one, other]) => [field, other, one]));
    expect(changes(after, after)).toEqual([]);
  });

  test('do not differ by the order of variables, nor by an empty list where none is written', () => {
    const before = { config: { Env: ['A=1', 'B=2', 'A=3'], ExposedPorts: {}, OnBuild: [] } };
    expect(changes(before, { config: { Env: ['B=2', 'A=3'] } })).toEqual([]);
  });

  test('tell the version and the features of an operating system apart from its name', () => {
    const windows = (version: string, features: string[]) => ({
      os: 'windows',
      architecture: 'amd64',
      'os.version': version,
      'os.features': features,
    });
    expect(changes(windows('10.0.20348.1', []), windows('10.0.26100.1', ['win32k']))).toEqual([
      ['platform.osFeatures', null, '["win32k"]'],
      ['platform.osVersion', '10.0.20348.1', '10.0.26100.1'],
    ]);
  });
});
