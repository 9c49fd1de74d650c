import { EMPTY_LAYER } from '../../src/domain/image.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { LayoutWriter, programBytes, type Descriptor, type Layer, type Step } from './layout.ts';

/**
 * The bundled images: a base for two platforms that moved on once, a web server and a worker on it, a set of tools of
 * many layers, a Windows image whose base no registry holds, and what says more of them: an SBOM and a provenance.
 */
export async function sampleLayout(): Promise<Map<string, Buffer>> {
  const layout = new LayoutWriter();
  const first = await makeBase(layout, '1.0', '2026-02-03T08:00:00Z');
  const second = await makeBase(layout, '1.1', '2026-05-12T08:00:00Z');
  for (const { version, index } of [first, second]) {
    layout.name(`demo/base:${version}`, index);
    layout.name('demo/base:latest', index);
  }
  await makeWeb(layout, first, '2.0.0', '2026-03-02T09:30:00Z');
  await makeWeb(layout, second, '2.1.0', '2026-06-01T09:30:00Z');
  await makeWorker(layout, second);
  await makeTools(layout, first);
  await makeWindows(layout);
  return layout.finish();
}

interface Base {
  readonly version: string;
  readonly index: Descriptor;
  readonly amd64: readonly (Layer | Step)[];
  readonly arm64: readonly (Layer | Step)[];
}

type Architecture = 'amd64' | 'arm64';

const ARCHITECTURES: readonly Architecture[] = ['amd64', 'arm64'];
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const SOURCE = 'https://git.example.com/demo';

function platformOf(architecture: Architecture) {
  return { os: 'linux', architecture, ...(architecture === 'arm64' && { variant: 'v8' }) };
}

function run(created: string, command: string): Step {
  return { created, created_by: `RUN /bin/sh -c ${command} # buildkit`, comment: 'buildkit.dockerfile.v0' };
}

function copy(created: string, what: string): Step {
  return { created, created_by: `COPY ${what} # buildkit`, comment: 'buildkit.dockerfile.v0' };
}

function note(created: string, instruction: string): Step {
  return { created, created_by: instruction, comment: 'buildkit.dockerfile.v0', empty_layer: true };
}

function labels(title: string, description: string, version: string, revision: string) {
  return {
    'org.opencontainers.image.title': title,
    'org.opencontainers.image.description': description,
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.revision': revision.repeat(5),
    'org.opencontainers.image.source': `${SOURCE}/${title}`,
    'org.opencontainers.image.licenses': 'Apache-2.0',
  };
}

async function makeBase(layout: LayoutWriter, version: string, created: string): Promise<Base> {
  const described = labels('base', 'A small Linux to build on', version, version === '1.0' ? '0a1b2c3d' : '4e5f6a7b');
  const build = async (architecture: Architecture) => [
    await layout.layer(copy(created, 'rootfs /'), {
      'bin/': '',
      'bin/sh': programBytes(`sh ${version} ${architecture}`, 9000),
      'etc/': '',
      'etc/os-release': osRelease(version),
      'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n',
      'etc/group': 'root:x:0:\nnobody:x:65534:\n',
      'usr/lib/libc.so': programBytes(`libc ${version} ${architecture}`, 14_000),
    }),
    await layout.layer(run(created, 'install ca-certificates tzdata'), {
      'etc/ssl/certs/ca-certificates.crt': `# authorities as of ${created}\n${programBytes(version, 6000).toString('base64')}\n`,
      'usr/share/zoneinfo/UTC': 'TZif2',
    }),
    note(created, `ENV ${PATH}`),
    note(created, 'CMD ["/bin/sh"]'),
  ];
  const amd64 = await build('amd64');
  const arm64 = await build('arm64');
  const image = (architecture: Architecture, steps: readonly (Layer | Step)[]) =>
    layout.image({
      platform: platformOf(architecture),
      created,
      config: { Env: [PATH], Cmd: ['/bin/sh'], Labels: described },
      build: steps,
      annotations: described,
    });
  return { version, index: layout.index([image('amd64', amd64), image('arm64', arm64)], described), amd64, arm64 };
}

function osRelease(version: string): string {
  const lines = { NAME: 'Demo Linux', ID: 'demo', VERSION_ID: version, PRETTY_NAME: `Demo Linux ${version}`, HOME_URL: SOURCE };
  return Object.entries(lines).map(([name, value]) => `${name}="${value}"\n`).join('');
}

/** Two platforms, a provenance of each, and an SBOM that is found by the index's digest. */
async function makeWeb(layout: LayoutWriter, base: Base, version: string, created: string): Promise<void> {
  const described = labels('web', 'The web server of the demo shop', version, version === '2.0.0' ? '11aa22bb' : '33cc44dd');
  const images: Descriptor[] = [];
  for (const architecture of ARCHITECTURES) {
    const build = [
      ...base[architecture],
      await layout.layer(run(created, 'install web-server'), {
        'usr/bin/web-server': programBytes(`web-server ${architecture}`, 12_000),
        'etc/web-server.conf': 'listen 8080;\nroot /srv/www;\nhealth /healthz;\n',
      }),
      note(created, 'WORKDIR /srv/www'),
      await layout.layer(copy(created, 'dist/ /srv/www/'), {
        'srv/www/index.html': `<!doctype html><title>Demo shop ${version}</title><h1>Welcome</h1>\n`,
        'srv/www/app.js': `document.title += ' (${version})';\n`,
      }),
      note(created, 'EXPOSE [8080/tcp 9090/tcp]'),
      note(created, 'USER 1000:1000'),
      note(created, 'HEALTHCHECK &{["CMD-SHELL" "wget -q -O- localhost:8080/healthz"] "30s" "3s" "5s" "0s" \'\\x03\'}'),
      note(created, 'ENTRYPOINT ["web-server"]'),
      note(created, 'CMD ["--config" "/etc/web-server.conf"]'),
    ];
    images.push(
      layout.image({
        platform: platformOf(architecture),
        created,
        author: 'Demo team <demo@example.com>',
        config: {
          User: '1000:1000',
          ExposedPorts: { '8080/tcp': {}, '9090/tcp': {} },
          Env: [PATH, 'NODE_ENV=production', `SHOP_VERSION=${version}`],
          Entrypoint: ['web-server'],
          Cmd: ['--config', '/etc/web-server.conf'],
          WorkingDir: '/srv/www',
          Labels: { ...described, 'com.example.team': 'storefront' },
          StopSignal: 'SIGQUIT',
          Healthcheck: {
            Test: ['CMD-SHELL', 'wget -q -O- localhost:8080/healthz'],
            Interval: 30_000_000_000,
            Timeout: 3_000_000_000,
            StartPeriod: 5_000_000_000,
            Retries: 3,
          },
        },
        build,
        annotations: {
          ...described,
          'org.opencontainers.image.base.name': `samples.localhost/demo/base:${base.version}`,
          'org.opencontainers.image.base.digest': base.index.digest,
        },
      }),
    );
  }
  const index = layout.index([...images, ...images.map((image) => provenanceOf(layout, image))], described);
  for (const tag of [version, '2', 'latest']) layout.name(`demo/web:${tag}`, index);
  nameSbom(layout, index, version, created);
}

function nameSbom(layout: LayoutWriter, index: Descriptor, version: string, created: string): void {
  const document = layout.json('application/spdx+json', {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `demo/web:${version}`,
    documentNamespace: `${SOURCE}/sbom/web-${version}`,
    creationInfo: { created, creators: ['Organization: Demo team'] },
    packages: [
      { SPDXID: 'SPDXRef-Package-web-server', name: 'web-server', versionInfo: '3.4.1', downloadLocation: 'NOASSERTION' },
      { SPDXID: 'SPDXRef-Package-ca-certificates', name: 'ca-certificates', versionInfo: '20260101', downloadLocation: 'NOASSERTION' },
    ],
  });
  const sbom = layout.artifact('application/spdx+json', document, index, created);
  layout.name(`demo/web:${index.digest.replace(':', '-')}`, layout.index([sbom]));
}

/** As BuildKit writes it: an entry of the index, of no platform. */
function provenanceOf(layout: LayoutWriter, image: Descriptor): Descriptor {
  const statement = layout.json('application/vnd.in-toto+json', {
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: 'https://slsa.dev/provenance/v1',
    subject: [{ name: 'pkg:docker/demo/web', digest: { sha256: image.digest.slice('sha256:'.length) } }],
    predicate: { buildDefinition: { buildType: 'https://mobyproject.org/buildkit@v1', externalParameters: { source: SOURCE } } },
  });
  const about = { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v1' };
  const { mediaType, digest, size } = layout.artifact(
    'application/vnd.docker.attestation.manifest.v1+json',
    { ...statement, annotations: about },
    image,
    '2026-06-01T09:31:00Z',
  );
  return {
    mediaType,
    digest,
    size,
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': image.digest,
    },
    platform: { os: 'unknown', architecture: 'unknown' },
  };
}

/** One platform, a layer packed with zstd, a volume. */
async function makeWorker(layout: LayoutWriter, base: Base): Promise<void> {
  const created = '2026-06-02T10:00:00Z';
  const described = labels('worker', 'Sends the mails of the demo shop', '1.4.2', '55ee66ff');
  const image = layout.image({
    platform: platformOf('amd64'),
    created,
    config: {
      User: 'nobody',
      Env: [PATH, 'QUEUE=mail', 'QUEUE_OPTIONS=retries=5,delay=30'],
      Entrypoint: ['/usr/local/bin/worker'],
      Volumes: { '/var/spool/worker': {} },
      WorkingDir: '/var/spool/worker',
      Labels: { ...described, 'com.example.team': 'messaging' },
    },
    build: [
      ...base.amd64,
      await layout.layer(
        copy(created, 'worker /usr/local/bin/worker'),
        { 'usr/local/bin/worker': programBytes('worker', 10_000), 'usr/local/share/worker/mail.txt': 'Dear customer,\n'.repeat(400) },
        'zstd',
      ),
      note(created, 'VOLUME [/var/spool/worker]'),
      note(created, 'USER nobody'),
      note(created, 'ENTRYPOINT ["/usr/local/bin/worker"]'),
    ],
    annotations: described,
  });
  layout.name('demo/worker:1.4.2', image);
  layout.name('demo/worker:latest', image);
}

/** In Docker's own form, on the older base, with a layer that holds nothing. */
async function makeTools(layout: LayoutWriter, base: Base): Promise<void> {
  const created = '2026-04-20T16:45:00Z';
  const step = (command: string): Step => ({ created, created_by: `/bin/sh -c ${command}` });
  const empty = await layout.layer(step('#(nop) WORKDIR /work'), {}, 'docker');
  if (empty.diffId !== EMPTY_LAYER) throw new Error(`a tar of nothing has the diff id ${empty.diffId}`);
  const build: (Layer | Step)[] = [...base.amd64];
  for (const tool of ['curl', 'jq', 'git', 'openssl']) {
    build.push(await layout.layer(step(`install ${tool}`), { [`usr/bin/${tool}`]: programBytes(tool, 5000) }, 'docker'));
  }
  build.push(empty, { ...step('#(nop)  CMD ["/bin/sh" "-l"]'), empty_layer: true });
  const image = layout.image({
    platform: platformOf('amd64'),
    created,
    config: { Env: [PATH], Cmd: ['/bin/sh', '-l'], WorkingDir: '/work', Labels: { maintainer: 'demo@example.com' } },
    build,
    form: 'docker',
  });
  layout.name('demo/tools:0.3', image);
}

/** Windows bases are not for every registry to hold: the lowest layer is named, and its blob is not here. */
async function makeWindows(layout: LayoutWriter): Promise<void> {
  const created = '2026-03-10T12:00:00Z';
  const foreign: Layer = {
    descriptor: {
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
      digest: digestOf(Buffer.from('the packed base of Windows')),
      size: 120_412_345,
      urls: ['https://example.com/windows/nanoserver-ltsc2022.tar.gz'],
    },
    diffId: digestOf(Buffer.from('the base of Windows')),
    step: { created, created_by: 'Apply image 10.0.20348.2402' },
  };
  const image = layout.image({
    platform: { os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348.2402' },
    created,
    config: {
      User: 'ContainerUser',
      Env: ['PATH=C:\\Windows\\system32;C:\\Windows'],
      Cmd: ['c:\\app\\agent.exe'],
      WorkingDir: 'C:\\app',
      Labels: { 'org.opencontainers.image.title': 'agent' },
    },
    build: [
      foreign,
      await layout.layer({ created, created_by: 'cmd /S /C copy agent.exe C:\\app' }, {
        'Files/app/agent.exe': programBytes('agent', 6000),
        'Hives/': '',
      }),
    ],
  });
  layout.name('demo/windows-agent:ltsc2022', layout.index([image]));
}
