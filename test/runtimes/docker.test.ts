import type { ObservedContainer } from '../../src/domain/container.ts';
import { parseImageConfig } from '../../src/domain/image-config.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { containersOf, openAt, unaborted, watch } from '../support/runtime.ts';
import { describeSamples, sample, sampleJson } from '../support/samples.ts';
import { startScriptedEngine, type EngineOptions, type ScriptedEngine } from '../support/scripted-engine.ts';

type Document = Record<string, unknown>;

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function engineWith(options: EngineOptions = {}): Promise<ScriptedEngine> {
  const engine = await startScriptedEngine(options);
  closing.push(() => engine.close());
  return engine;
}

async function open(engine: ScriptedEngine, settings: Parameters<typeof openAt>[2] = {}) {
  const runtime = await openAt('DOCKER', engine.endpoint, settings);
  closing.push(() => runtime.close());
  return runtime;
}

async function listed(options: EngineOptions): Promise<Map<string, ObservedContainer>> {
  return containersOf(await open(await engineWith(options)));
}

const ID = 'c'.repeat(64);
const IMAGE = digest('45d983c91b11');
const PULLED = digest('1c5dd7096e25');
const OTHER = digest('80d049f85f84');
const MANIFEST = digest('cd78ca58eb75');
const LAYERS = [digest('aaaa'), digest('bbbb')];

/** Sixty-four digits that begin so. */
function digest(start: string): Digest {
  return `sha256:${start.padEnd(64, '0')}` as Digest;
}

function entry(more: Document = {}): Document {
  return {
    Id: ID,
    Names: ['/web'],
    Image: 'nginx:1.27',
    ImageID: IMAGE,
    Command: 'nginx -g x',
    Created: 1787327000,
    State: 'running',
    Status: 'Up 3 days',
    Ports: null,
    Labels: null,
    Mounts: null,
    ...more,
  };
}

function inspection(reference: string, more: Document = {}): Document {
  return {
    Id: ID,
    Created: '2026-08-06T07:06:40.123456789Z',
    Path: 'nginx',
    Args: ['-g', 'daemon off;'],
    State: { Status: 'running', ExitCode: 0, StartedAt: '2026-08-06T07:06:41.5Z', FinishedAt: '0001-01-01T00:00:00Z' },
    Image: IMAGE,
    Name: '/web',
    RestartCount: 2,
    Config: { Image: reference, Env: ['PASSWORD=of-the-container'] },
    ...more,
  };
}

function image(repoDigests: string[] | null, more: Document = {}): Document {
  return {
    Id: IMAGE,
    RepoTags: null,
    RepoDigests: repoDigests,
    Os: 'linux',
    Architecture: 'arm64',
    Variant: 'v8',
    RootFS: { Type: 'layers', Layers: LAYERS },
    ...more,
  };
}

/** One container, asked for so, of an image with these names. */
function one(reference: string, repoDigests: string[] | null, more: Document = {}): EngineOptions {
  return {
    containers: [entry()],
    inspected: { [ID]: inspection(reference) },
    inspectedImages: { [IMAGE]: image(repoDigests, more) },
  };
}

async function evidenceOf(options: EngineOptions): Promise<[string, string][]> {
  const { image } = (await listed(options)).get('web') as ObservedContainer;
  return image.evidence.map(({ via, digest }) => [via, digest]);
}

describeSamples('containers of a recorded engine', () => {
  const graph = sampleJson<Document[]>('docker-containers-graph.json') ?? [];
  const images = sampleJson<Document[]>('docker-images-graph.json') ?? [];

  test('a tag that moved on is still told by the name that the container was asked for by', async () => {
    const moved = sampleJson<Document>('docker-container-inspect-graph.json') as Document;
    const containers = await listed({ containers: graph, inspected: { [moved['Id'] as string]: moved } });
    expect(containers.get('moved')).toMatchObject({
      containerId: moved['Id'],
      imageReference: 'nginx:1.27',
      state: 'RUNNING',
      createdAt: new Date('2026-08-06T07:06:40.123Z'),
      startedAt: new Date('2026-08-06T07:06:41.500Z'),
      finishedAt: null,
      command: ['/docker-entrypoint.sh', 'nginx', '-g', 'daemon off;'],
      restartCount: 0,
    });
    expect([...containers.keys()]).toEqual(['moved']);
  });

  test('every state is told, with its own name rather than the one of a link, and ports of either family', async () => {
    const refused = /^\/containers\/[0-9a-f]+\/json/;
    const containers = await listed({ containers: graph, refused });
    expect([...containers].map(([name, { state, status }]) => [name, state, status])).toEqual([
      ['web', 'RUNNING', 'Up (healthy)'],
      ['moved', 'RUNNING', 'Up'],
      ['digest', 'RUNNING', 'Up'],
      ['byid', 'RUNNING', 'Up'],
      ['local', 'EXITED', 'Exited (137)'],
      ['never', 'CREATED', 'Created'],
      ['oops', 'RESTARTING', 'Restarting (1)'],
      ['froz', 'PAUSED', 'Up (Paused)'],
    ]);
    expect(containers.get('web')?.ports).toEqual([
      { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 },
      { containerPort: 80, protocol: 'tcp', hostIp: '::', hostPort: 8080 },
    ]);
    expect(containers.get('local')).toMatchObject({ labels: {}, mounts: [], exitCode: null });
  });

  test('two containers of one image keep what each was asked for by', async () => {
    const inspectedImages = Object.fromEntries(images.map((document) => [document['Id'] as string, document]));
    const refused = /^\/containers\/[0-9a-f]+\/json/;
    const containers = await listed({ containers: graph, refused, inspectedImages });
    expect(['web', 'digest', 'byid'].map((name) => containers.get(name)?.imageReference)).toEqual([
      'nginx:1.27',
      `nginx:1.27@${'sha256:1c5dd7096e25efb6d09bb70ee932be69a41fd15bb96e6b557086dc91704d9dd1'}`,
      '45d983c91b11',
    ]);
    expect(['web', 'digest', 'byid'].map((name) => containers.get(name)?.image.evidence[0]?.via)).toEqual([
      'PULLED_DIGEST',
      'REQUESTED_DIGEST',
      'OTHER_REPOSITORY',
    ]);
  });

  test('the containerd store tells the manifest itself, and the platform of it', async () => {
    const containers = sampleJson<Document[]>('docker-containers-containerd.json') ?? [];
    const inspectedImages = Object.fromEntries(
      (sampleJson<Document[]>('docker-images-containerd.json') ?? []).map((found) => [found['Id'] as string, found]),
    );
    const found = await listed({ containers, refused: /^\/containers\/[0-9a-f]+\/json/, inspectedImages });
    expect(found.get('postgres')).toMatchObject({
      image: {
        evidence: [
          { via: 'MANIFEST', digest: 'sha256:cd78ca58eb75f929698e117a589488ccb2bd45107247fe02400b50ff6c418324' },
          { via: 'PULLED_DIGEST', digest: 'sha256:06cad38a5d9f5d24b4d83d86def30795d5e4b757fedbf5281172b576dedcd941' },
        ],
        platform: { os: 'linux', architecture: 'amd64', variant: null, osVersion: null },
      },
      workload: { kind: 'ComposeService', namespace: 'generated' },
      mounts: [
        {
          type: 'volume',
          source: '24c736685e9325736ac11b3a25be80dda70271dfc536af0aff4a6ee71372cad1',
          destination: '/var/lib/postgresql',
          readOnly: false,
        },
      ],
    });
  });

  test('one that was made of a single manifest by its digest is known by that digest alone', async () => {
    const inspected = sampleJson<Document>('docker-container-inspect-containerd.json') as Document;
    const { Id: id, Image: imageId } = inspected;
    const containers = await listed({
      containers: [entry({ Id: id, ImageID: imageId, Names: ['/replay-a'] })],
      inspected: { [id as string]: inspected },
    });
    expect(containers.get('replay-a')).toMatchObject({
      state: 'EXITED',
      exitCode: 0,
      image: { evidence: [{ via: 'MANIFEST', digest: imageId }] },
    });
  });
});

describe('the image of a container', () => {
  test('is known by what it was pulled as, by its configuration and by its layers', async () => {
    expect(await evidenceOf(one('nginx:1.27', [`nginx@${PULLED}`]))).toEqual([
      ['PULLED_DIGEST', PULLED],
      ['CONFIG', IMAGE],
      ['LAYERS', expect.stringMatching(/^sha256:[0-9a-f]{64}$/)],
    ]);
  });

  test('that was pulled several times has all the digests that it was pulled as', async () => {
    const evidence = await evidenceOf(one('nginx:1.27', [`nginx@${PULLED}`, `nginx@${OTHER}`]));
    expect(evidence.slice(0, 2)).toEqual([
      ['PULLED_DIGEST', PULLED],
      ['PULLED_DIGEST', OTHER],
    ]);
  });

  test('that was pulled under another name only is told so', async () => {
    const evidence = await evidenceOf(one('registry.example.com/nginx:1.27', [`nginx@${PULLED}`]));
    expect(evidence[0]).toEqual(['OTHER_REPOSITORY', PULLED]);
  });

  test.each(['mirror.gcr.io/library/nginx:1.27', 'docker.io/library/nginx', 'nginx'])(
    'that was asked for as %s was pulled from Docker Hub, whichever way the engine writes that',
    async (reference) => {
      for (const name of ['nginx', 'docker.io/library/nginx', 'mirror.gcr.io/library/nginx']) {
        expect((await evidenceOf(one(reference, [`${name}@${PULLED}`])))[0]).toEqual(['PULLED_DIGEST', PULLED]);
      }
    },
  );

  test('that was asked for by digest has that digest, wherever the tag before it points', async () => {
    const evidence = await evidenceOf(one(`nginx:1.27@${OTHER}`, [`nginx@${PULLED}`]));
    expect(evidence.slice(0, 2)).toEqual([
      ['REQUESTED_DIGEST', OTHER],
      ['PULLED_DIGEST', PULLED],
    ]);
  });

  test.each(['45d983c91b11', IMAGE, IMAGE.slice(7)])(
    'that was asked for by the id %s is of no repository',
    async (reference) => {
      const containers = await listed(one(reference, [`nginx@${PULLED}`]));
      const found = containers.get('web');
      expect(found?.imageReference).toBe(reference);
      expect(found?.image.evidence.slice(0, 2)).toEqual([
        { via: 'OTHER_REPOSITORY', digest: PULLED },
        { via: 'CONFIG', digest: IMAGE },
      ]);
    },
  );

  test('that was built here is known by its configuration and its layers', async () => {
    for (const none of [[], null, ['<none>@<none>']]) {
      const evidence = await evidenceOf(one('app:dev', none));
      expect(evidence.map(([via]) => via)).toEqual(['CONFIG', 'LAYERS']);
    }
  });

  test('that was removed by force is known by its id alone', async () => {
    const containers = await listed({ ...one('nginx:1.27', []), inspectedImages: {} });
    expect(containers.get('web')?.image).toEqual({ evidence: [{ via: 'CONFIG', digest: IMAGE }], platform: null });
  });

  test('of the containerd store is never said to be known by its configuration', async () => {
    const info = { DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']] };
    const built = { ...one('app:dev', [`app@${IMAGE}`]), info };
    expect(await evidenceOf(built)).toEqual([
      ['PULLED_DIGEST', IMAGE],
      ['LAYERS', expect.anything()],
    ]);
    expect(await evidenceOf({ ...built, inspectedImages: {} })).toEqual([['OTHER_REPOSITORY', IMAGE]]);
  });

  test('has the platform of its own, not the one of the host', async () => {
    const containers = await listed(one('nginx:1.27', []));
    expect(containers.get('web')?.image.platform).toEqual({
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      osVersion: null,
    });
  });

  test('has no layers where the engine tells those of another platform', async () => {
    const descriptor = { digest: MANIFEST, platform: { os: 'linux', architecture: 'amd64' } };
    const options = one('nginx:1.27', [`nginx@${IMAGE}`]);
    options.inspected = { [ID]: inspection('nginx:1.27', { ImageManifestDescriptor: descriptor }) };
    const containers = await listed(options);
    expect(containers.get('web')?.image).toEqual({
      evidence: [
        { via: 'MANIFEST', digest: MANIFEST },
        { via: 'PULLED_DIGEST', digest: IMAGE },
      ],
      platform: { os: 'linux', architecture: 'amd64', variant: null, osVersion: null },
    });
  });

  test('is looked at once, however many containers are made of it, and again with the next list', async () => {
    const ids = Array.from({ length: 100 }, (_, at) => at.toString(16).padStart(64, '0'));
    const engine = await engineWith({
      containers: ids.map((id) => entry({ Id: id, Names: [`/${id}`] })),
      inspected: Object.fromEntries(ids.map((id) => [id, inspection('nginx:1.27', { Id: id })])),
      inspectedImages: { [IMAGE]: image([]) },
    });
    const runtime = await open(engine);
    const looks = () => engine.requests.filter((request) => request.includes('/images/')).length;
    expect((await containersOf(runtime)).size).toBe(100);
    expect(looks()).toBe(1);
    engine.state.inspectedImages[IMAGE] = image([`nginx@${PULLED}`]);
    const again = await containersOf(runtime);
    expect(again.get(ids[99] as string)?.image.evidence[0]).toEqual({ via: 'PULLED_DIGEST', digest: PULLED });
    expect(looks()).toBe(2);
  });

  test('that was committed without a change has the same layers, and another configuration', async () => {
    const other = { ...image([]), Id: OTHER };
    const containers = await listed({
      containers: [entry(), entry({ Id: 'd'.repeat(64), Names: ['/committed'], ImageID: OTHER })],
      refused: /^\/containers\/[0-9a-f]+\/json/,
      inspectedImages: { [IMAGE]: image([]), [OTHER]: other },
    });
    const [before, after] = ['web', 'committed'].map((name) => containers.get(name)?.image.evidence ?? []);
    expect(before?.at(-1)).toEqual(after?.at(-1));
    expect([before?.[0]?.digest, after?.[0]?.digest]).toEqual([IMAGE, OTHER]);
  });
});

describe('containers', () => {
  test('tell nothing of their environment', async () => {
    const containers = await listed(one('nginx:1.27', []));
    expect(JSON.stringify([...containers])).not.toContain('of-the-container');
    expect(containers.get('web')?.command).toEqual(['nginx', '-g', 'daemon off;']);
  });

  test('that are gone before they are looked at are left out', async () => {
    const containers = await listed({
      containers: [entry(), entry({ Id: 'd'.repeat(64), Names: ['/gone'] })],
      inspected: { [ID]: inspection('nginx') },
    });
    expect([...containers.keys()]).toEqual(['web']);
  });

  test.each([
    [500, 'dead', 'DEAD'],
    [409, 'removing', 'REMOVING'],
  ])('whose inspection is answered %i because they are %s keep what the list says', async (status, State, state) => {
    const containers = await listed({ containers: [entry({ State })], inspected: { [ID]: status } });
    expect(containers.get('web')).toMatchObject({
      state,
      imageReference: 'nginx:1.27',
      createdAt: new Date(1787327000_000),
      command: ['nginx -g x'],
      restartCount: null,
    });
  });

  test('are told as far as a proxy lets through, which is asked once', async () => {
    const ids = Array.from({ length: 100 }, (_, at) => at.toString(16).padStart(64, '0'));
    const engine = await engineWith({
      containers: ids.map((id, at) => entry({ Id: id, Names: [`/${id}`], ImageID: digest(String(at)) })),
      refused: /^\/(version|info|images\/.*|containers\/[0-9a-f]+\/json)$/,
    });
    const runtime = await open(engine);
    expect((await containersOf(runtime)).size).toBe(100);
    expect(await runtime.describe(unaborted())).toEqual({ version: null, os: null, architecture: null });
    expect(engine.requests.filter((request) => /\/(images|containers)\/[0-9a-f]{3}/.test(request)).length).toBeLessThan(
      9,
    );
    expect(engine.requests.filter((request) => /\/images\/sha256/.test(request)).length).toBeLessThan(9);
    expect(engine.requests.filter((request) => request.includes('/containers/json'))).toEqual([
      '/v1.47/containers/json?all=1',
    ]);
    expect(await runtime.listLocalImages?.(unaborted())).toBeNull();
  });

  test('have labels of bounded number and length, whatever their names', async () => {
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`label-${at}`, 'x']));
    const containers = await listed({
      containers: [
        entry({
          Names: ['/odd'],
          Labels: {
            'a=b': 'c',
            'half\ud83d': 'nul\0',
            long: 'x'.repeat(1024 * 1024),
            number: 1,
            ['k'.repeat(2000)]: '',
          },
        }),
        entry({ Id: 'd'.repeat(64), Names: ['/many'], Labels: many }),
      ],
      refused: /^\/containers\/[0-9a-f]+\/json/,
    });
    expect(containers.get('odd')?.labels).toEqual({
      'a=b': 'c',
      'half\uFFFD': 'nul\uFFFD',
      long: 'x'.repeat(32 * 1024),
    });
    expect(Object.keys(containers.get('many')?.labels ?? {})).toHaveLength(1000);
  });

  test('of Compose, Swarm and Kubernetes are told by their labels', async () => {
    const labels: [string, Document][] = [
      ['composed', { 'com.docker.compose.service': 'web', 'com.docker.compose.project': 'shop' }],
      ['swarmed', { 'com.docker.swarm.service.name': 'shop_web', 'com.docker.stack.namespace': 'shop' }],
      ['paused', { 'io.kubernetes.docker.type': 'podsandbox' }],
    ];
    const containers = await listed({
      containers: labels.map(([name, Labels], at) => entry({ Id: String(at).repeat(64), Names: [`/${name}`], Labels })),
      refused: /^\/containers\/[0-9a-f]+\/json/,
    });
    expect([...containers].map(([name, { workload }]) => [name, workload])).toEqual([
      ['composed', { kind: 'ComposeService', name: 'web', namespace: 'shop' }],
      ['swarmed', { kind: 'SwarmService', name: 'shop_web', namespace: 'shop' }],
    ]);
  });
});

describe('an engine', () => {
  test.each([
    ['1.41', '1.12', '/v1.41/'],
    ['1.99', '1.40', '/v1.54/'],
    ['1.99', '1.60', '/v1.60/'],
    ['nonsense', null, '/containers/json'],
  ])('that speaks %s down to %s is asked below %s', async (ApiVersion, MinAPIVersion, start) => {
    const engine = await engineWith({
      version: { Version: '1', ApiVersion, MinAPIVersion, Os: 'linux', Arch: 'amd64' },
    });
    await containersOf(await open(engine));
    expect(engine.requests.find((request) => request.includes('/containers/json'))?.startsWith(start)).toBe(true);
  });

  test('that was exchanged for another one is asked in the version of that one', async () => {
    const engine = await engineWith();
    const runtime = await open(engine);
    await containersOf(runtime);
    engine.state.version = { ...engine.state.version, ApiVersion: '1.41' };
    engine.requests.length = 0;
    await containersOf(runtime);
    expect(engine.requests).toEqual(['/version', '/v1.41/info', '/v1.41/containers/json?all=1']);
  });

  test('that keeps its images in the other store since is told so by the next list', async () => {
    const engine = await engineWith({ ...one('nginx:1.27', []), inspectedImages: {} });
    const runtime = await open(engine);
    const evidence = async () => (await containersOf(runtime)).get('web')?.image.evidence;
    expect(await evidence()).toEqual([{ via: 'CONFIG', digest: IMAGE }]);
    engine.state.info = { DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']] };
    expect(await evidence()).toEqual([{ via: 'OTHER_REPOSITORY', digest: IMAGE }]);
  });

  test('tells its version and platform', async () => {
    const runtime = await open(await engineWith());
    expect(await runtime.describe(unaborted())).toEqual({ version: '27.5.1', os: 'linux', architecture: 'amd64' });
  });

  test('that is not there, or is no engine, is told by its endpoint and what to do', async () => {
    const engine = await engineWith({ byHand: { '/version': (response) => response.writeHead(404).end('<html>') } });
    await expect(containersOf(await open(engine))).rejects.toMatchObject({
      code: 'MALFORMED',
      message: `${engine.endpoint}/version was answered 404: an engine does not answer so.`,
    });
    const nowhere = await openAt('DOCKER', 'unix:///nowhere/engine.sock');
    await expect(nowhere.describe(unaborted())).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/^unix:\/\/\/nowhere\/engine.sock is not there: start the engine/),
    });
    const closed = await openAt('DOCKER', 'tcp://127.0.0.1:1', { insecure: true });
    await expect(closed.describe(unaborted())).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('tcp://127.0.0.1:1 refuses connections'),
    });
  });

  test('that is asked no longer rejects with the reason why', async () => {
    const engine = await engineWith({
      byHand: { '/containers/json': (response) => response.writeHead(200).write('[') },
    });
    const runtime = await open(engine);
    const stop = new AbortController();
    const listing = containersOf(runtime, stop.signal);
    const reason = new Error('enough');
    setTimeout(() => stop.abort(reason), 50);
    await expect(listing).rejects.toBe(reason);
  });
});

describe('a hostile engine', () => {
  test('that lists containers without an end is left at 64 MiB or 100,000', async () => {
    const endless = (text: string) =>
      engineWith({
        byHand: {
          '/containers/json': (response) => {
            response.writeHead(200).write('[');
            const more = () => {
              while (!response.destroyed && response.write(text));
            };
            response.on('drain', more).on('error', () => undefined);
            more();
          },
        },
      });
    const large = await open(await endless(`${JSON.stringify(entry({ Labels: { a: 'x'.repeat(100_000) } }))},`));
    await expect(containersOf(large)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('bytes'),
    });
    const many = await open(await endless(`{"Id":"${ID}"},`.repeat(100)));
    await expect(containersOf(many)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('100000'),
    });
  }, 60_000);

  test.each([
    ['[{"Id":', 'breaks off'],
    ['[{"Id":"x"}]', 'is no id'],
    ['[{}]', 'is no id'],
    ['[1]', 'no object'],
    ['{"a":{"Id":"x"}}', 'no list'],
    ['[{"Id" "x"}]', 'not JSON'],
    [`[${'['.repeat(100)}`, 'nested'],
    ['', 'breaks off'],
    ['<html>', 'not JSON'],
  ])('that lists %s is told to be malformed', async (body, message) => {
    const engine = await engineWith({
      byHand: { '/containers/json': (response) => response.writeHead(200).end(body) },
    });
    await expect(containersOf(await open(engine))).rejects.toMatchObject({
      code: 'MALFORMED',
      message: expect.stringContaining(message),
    });
  });

  test.each(['http://127.0.0.1:1/', 'nowhere://x', 'x'])('that redirects to %s is not followed', async (location) => {
    const engine = await engineWith({
      byHand: { '/containers/json': (response) => response.writeHead(302, { location }).end() },
    });
    await expect(containersOf(await open(engine))).rejects.toMatchObject({
      code: 'MALFORMED',
      message: expect.stringContaining('was answered 302'),
    });
  });

  test('whose answer about a container has no end, or is none, fails the list', async () => {
    const path = `/containers/${ID}/json`;
    const endless = await engineWith({
      containers: [entry()],
      byHand: { [path]: (response) => response.writeHead(200).end(JSON.stringify({ a: 'x'.repeat(5 * 1024 * 1024) })) },
    });
    await expect(containersOf(await open(endless))).rejects.toMatchObject({ code: 'TOO_LARGE' });
    const broken = await engineWith({
      containers: [entry()],
      byHand: { [path]: (response) => response.writeHead(200).end('{') },
    });
    await expect(containersOf(await open(broken))).rejects.toMatchObject({ code: 'MALFORMED' });
  });
});

describe('what changes', () => {
  const event = (Action: string, more: Document = {}): Document => ({
    Type: 'container',
    Action,
    Actor: { ID, Attributes: { image: 'nginx:1.27', name: 'web', ...more } },
    timeNano: 1787328001123456789,
  });

  test('is told after an empty change, with what is seen then', async () => {
    const engine = await engineWith();
    const watched = await watch(await open(engine));
    engine.state.containers = [entry()];
    engine.state.inspected = { [ID]: inspection('nginx:1.27') };
    engine.tell(event('create'), event('start'));
    const change = await watched.next();
    expect(change.seen).toMatchObject([{ containerId: ID, name: 'web', state: 'RUNNING', status: 'Up' }]);
    expect(change).toMatchObject({ removed: [], commits: [], hasOtherImages: false });
    expect(engine.requests.filter((request) => request.includes(`/containers/${ID}/json`))).toHaveLength(1);
    watched.stop();
    await expect(watched.next()).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('is found out however the events are cut up and set apart', async () => {
    const engine = await engineWith({ containers: [entry()], inspected: { [ID]: inspection('nginx:1.27') } });
    const watched = await watch(await open(engine));
    const text = JSON.stringify(event('start', { 'a "label" of }{': '\u00e9}' }));
    for (const character of text) engine.tell(character);
    engine.tell('\n\n', text, text, '\r\n ');
    expect((await watched.next()).seen).toHaveLength(1);
  });

  test('by actions with a colon is looked at, and what runs inside is not', async () => {
    const engine = await engineWith({ containers: [entry()], inspected: { [ID]: inspection('nginx:1.27') } });
    const watched = await watch(await open(engine));
    engine.tell(
      event('exec_create: sh -c x'),
      event('top'),
      event('never heard of'),
      { Type: 'network', Action: 'create' },
      '1',
    );
    engine.tell({ Type: 'container', Action: 'start', Actor: { ID: '../../images/json' } });
    engine.tell(event('health_status: healthy'));
    expect((await watched.next()).seen).toHaveLength(1);
    expect(engine.requests.filter((request) => request.includes('filters=%7B%22id'))).toEqual([
      `/v1.47/containers/json?all=1&filters=${encodeURIComponent(JSON.stringify({ id: [ID] }))}`,
    ]);
  });

  test('to one that is no more is told as a removal, whether it was destroyed or is just not there', async () => {
    const engine = await engineWith();
    const watched = await watch(await open(engine));
    const other = 'd'.repeat(64);
    engine.tell(event('start'), { ...event('start'), Actor: { ID: other } }, event('destroy'));
    const change = await watched.next();
    expect(change.seen).toEqual([]);
    expect([...change.removed].sort()).toEqual([ID, other]);
  });

  test('by a commit is told with the image, whatever labels the container has', async () => {
    const engine = await engineWith({ containers: [entry()] });
    const watched = await watch(await open(engine));
    engine.tell(event('commit', { imageID: OTHER, imageRef: 'docker.io/library/made:1' }));
    expect(await watched.next()).toEqual({
      seen: [],
      removed: [],
      commits: [{ containerId: ID, imageId: OTHER }],
      hasOtherImages: true,
    });
  });

  test.each(['load', 'import', 'delete', 'untag', 'tag', 'pull', 'create'])(
    'of images by %s is told, and their names are read again',
    async (Action) => {
      const engine = await engineWith(one('nginx:1.27', []));
      const watched = await watch(await open(engine));
      engine.tell(event('start'));
      expect((await watched.next()).seen[0]?.image.evidence[0]?.via).toBe('CONFIG');
      engine.state.inspectedImages[IMAGE] = image([`nginx@${PULLED}`]);
      engine.tell(
        { Type: 'image', Action, Actor: { ID: 'nginx:1.27', Attributes: { name: 'nginx' } } },
        event('start'),
      );
      const change = await watched.next();
      expect(change.hasOtherImages).toBe(true);
      expect(change.seen[0]?.image.evidence[0]).toEqual({ via: 'PULLED_DIGEST', digest: PULLED });
    },
  );

  test('until the engine hangs up', async () => {
    const engine = await engineWith();
    const watched = await watch(await open(engine));
    engine.hangUp();
    await expect(watched.end()).resolves.toBeUndefined();
  });

  test('until the connection breaks', async () => {
    const engine = await engineWith();
    const watched = await watch(await open(engine));
    await engine.close();
    await expect(watched.end()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining(engine.endpoint),
    });
  });

  test('is refused where a proxy does not let it through', async () => {
    const runtime = await open(await engineWith({ refused: /^\/events/ }));
    await expect(watch(runtime)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('by an event without an end or by one that is none, ends the watch', async () => {
    const fault = async (...events: string[]) => {
      const engine = await engineWith();
      const watched = await watch(await open(engine));
      engine.tell(...events);
      return watched.end().then(
        () => null,
        (error: unknown) => (error as { code: unknown }).code,
      );
    };
    expect(await fault(`{"a":"${'x'.repeat(2 * 1024 * 1024)}`)).toBe('TOO_LARGE');
    expect(await fault('{"a" 1}')).toBe('MALFORMED');
    expect(await fault('['.repeat(1000))).toBe('MALFORMED');
  });

  test('faster than anybody takes it ends the watch', async () => {
    const engine = await engineWith();
    const watched = await watch(await open(engine));
    engine.tell(event('destroy'));
    await watched.next();
    const ids = Array.from({ length: 10_001 }, (_, at) => at.toString(16).padStart(64, '0'));
    engine.tell(...ids.map((id) => ({ ...event('start'), Actor: { ID: id } })));
    await engine.deserted();
    await expect(watched.end()).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining(engine.endpoint),
    });
  });

  describeSamples('as it was recorded', () => {
    test('is told once, with the commit and the removal', async () => {
      const engine = await engineWith();
      const watched = await watch(await open(engine));
      engine.tell(sample('docker-events.ndjson').toString());
      expect(await watched.next()).toEqual({
        seen: [],
        removed: ['ba91f1f55c4a3b1601b2ec0ce905293d236b02f39d2f434629891e898fefe065'],
        commits: [
          {
            containerId: 'ba91f1f55c4a3b1601b2ec0ce905293d236b02f39d2f434629891e898fefe065',
            imageId: 'sha256:cc962289af2873dd6dad32931554372a7d2d2de5bd5859c8265eb58b5197a88e',
          },
        ],
        hasOtherImages: true,
      });
    });
  });
});

describe('images that no registry has', () => {
  const DANGLING = digest('dada');
  const images: Document[] = [
    { Id: IMAGE, RepoTags: ['nginx:1.27'], RepoDigests: [`nginx@${PULLED}`] },
    { Id: OTHER, RepoTags: ['app:dev'], RepoDigests: null },
    { Id: DANGLING, RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] },
    { Id: digest('eeee'), RepoTags: [], RepoDigests: [] },
  ];

  test('are those without a digest, with a name or a container', async () => {
    const engine = await engineWith({ images });
    const runtime = await open(engine);
    expect(await runtime.listLocalImages?.(unaborted())).toEqual([OTHER]);
    engine.state.containers = [entry({ ImageID: DANGLING, State: 'exited' })];
    expect(await runtime.listLocalImages?.(unaborted())).toEqual([OTHER, DANGLING]);
  });

  test('are in the containerd store those that were built and neither pulled nor pushed', async () => {
    const [built, pushed, pulled, unknown] = ['1', '2', '3', '4'].map(digest) as [Digest, Digest, Digest, Digest];
    const runtime = await open(
      await engineWith({
        info: { DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']] },
        images: [built, pushed, pulled, unknown].map((Id) => ({ Id, RepoTags: ['a:1'], RepoDigests: [`a@${Id}`] })),
        inspectedImages: {
          [built]: { Identity: { Build: [{ Ref: 'x' }] } },
          [pushed]: { Identity: { Build: [{ Ref: 'x' }], Pull: [{ Repository: 'docker.io/library/a' }] } },
          [pulled]: { Identity: { Pull: [{ Repository: 'docker.io/library/a' }] } },
          [unknown]: {},
        },
      }),
    );
    expect(await runtime.listLocalImages?.(unaborted())).toEqual([built]);
  });

  test('have the configuration that the engine tells, without the environment', async () => {
    const history = [
      { Id: OTHER, Created: 1787162400, CreatedBy: 'sleep 1', Size: 0, Comment: 'my message' },
      { Id: '<missing>', Created: 1787162300, CreatedBy: 'COPY app /app # buildkit', Size: 4567890, Comment: '' },
      { Id: '<missing>', Created: 1785542400, CreatedBy: 'CMD ["sh"]', Size: 0 },
      { Id: '<missing>', Created: 1785542400, CreatedBy: 'ADD file:x in /', Size: 7777788 },
    ];
    const made = image(null, {
      Created: '2026-08-20T10:00:00.123456789Z',
      Author: 'somebody',
      Container: ID,
      Config: {
        Cmd: ['sleep', '1'],
        Env: ['PASSWORD=of-the-container'],
        Labels: { a: 'b' },
        User: 'app',
        Hostname: 'x',
      },
    });
    const runtime = await open(
      await engineWith({ inspectedImages: { [OTHER]: made }, histories: { [OTHER]: history } }),
    );
    const found = await runtime.fetchLocalImage?.(OTHER, unaborted());
    const text = Buffer.from(found?.configuration ?? []).toString();
    expect(found?.layerSizes).toEqual([7777788, 4567890]);
    expect(text).not.toContain('of-the-container');
    expect(JSON.parse(text)).toMatchObject({ container: ID });
    expect(parseImageConfig(Buffer.from(text))).toMatchObject({
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      author: 'somebody',
      createdAt: new Date('2026-08-20T10:00:00.123Z'),
      run: { command: ['sleep', '1'], user: 'app', environment: [] },
      labels: { a: 'b' },
      diffIds: LAYERS,
      history: [
        { createdBy: 'ADD file:x in /', isEmptyLayer: false, createdAt: '2026-08-01T00:00:00.000Z' },
        { createdBy: 'CMD ["sh"]', isEmptyLayer: true },
        { createdBy: 'COPY app /app # buildkit', isEmptyLayer: false },
        { createdBy: 'sleep 1', isEmptyLayer: true, comment: 'my message' },
      ],
    });
  });

  test('have no history where it does not fit their layers, and are null when they are gone', async () => {
    const histories = { [OTHER]: [{ Created: 1, CreatedBy: 'x', Size: 1 }] };
    const runtime = await open(await engineWith({ inspectedImages: { [OTHER]: image(null) }, histories }));
    const found = await runtime.fetchLocalImage?.(OTHER, unaborted());
    expect(found?.layerSizes).toEqual([null, null]);
    expect(parseImageConfig(found?.configuration ?? new Uint8Array()).history).toEqual([]);
    expect(await runtime.fetchLocalImage?.(IMAGE, unaborted())).toBeNull();
  });

  test.each([
    ['the list of them', /^\/images\/json/],
    ['what they are', /^\/images\/.*\/json/],
    ['their history', /history/],
  ])('are not told where a proxy does not let %s through', async (_, refused) => {
    const inspectedImages = { [OTHER]: image(null) };
    const runtime = await open(await engineWith({ images, inspectedImages, histories: { [OTHER]: [] }, refused }));
    const ids = await runtime.listLocalImages?.(unaborted());
    expect(ids === null || (await runtime.fetchLocalImage?.(OTHER, unaborted())) === null).toBe(true);
  });

  test('are refused where there are more than 10,000', async () => {
    const many = Array.from({ length: 10_001 }, (_, at) => ({ Id: digest(at.toString(16)), RepoTags: ['a:1'] }));
    const runtime = await open(await engineWith({ images: many }));
    await expect(runtime.listLocalImages?.(unaborted())).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });
});
