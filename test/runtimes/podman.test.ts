import { containersOf, openAt, unaborted, watch } from '../support/runtime.ts';
import { startScriptedEngine, type EngineOptions, type ScriptedEngine } from '../support/scripted-engine.ts';

type Document = Record<string, unknown>;

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function podmanWith(options: EngineOptions = {}): Promise<ScriptedEngine> {
  const version = { Version: '4.3.1', ApiVersion: '1.41', MinAPIVersion: '1.24', Os: 'linux', Arch: 'amd64' };
  const engine = await startScriptedEngine({ version, info: { DriverStatus: [] }, ...options });
  closing.push(() => engine.close());
  return engine;
}

async function open(engine: ScriptedEngine) {
  const runtime = await openAt('PODMAN', engine.endpoint);
  closing.push(() => runtime.close());
  return runtime;
}

const NOT_INSPECTED = /^\/containers\/[0-9a-f]+\/json/;

function entry(at: number, name: string, Image: string, more: Document = {}): Document {
  return {
    Id: String(at).repeat(64),
    Names: [`/${name}`],
    Image,
    ImageID: digest('c0'),
    State: 'running',
    Labels: {},
    ...more,
  };
}

function digest(start: string): string {
  return `sha256:${start.padEnd(64, '0')}`;
}

test('the names of containers are left as they are, and what holds up a pod is not told', async () => {
  const engine = await podmanWith({
    containers: [
      entry(1, 'web', 'registry.access.redhat.com/ubi8:latest'),
      entry(2, '6b9064c15178-infra', 'docker.io/library/busybox:1.37'),
      entry(3, 'pause', 'localhost/podman-pause:4.3.1-0'),
      entry(4, 'older', 'k8s.gcr.io/pause:3.5'),
      entry(5, 'not-infra', 'localhost/app:latest'),
    ],
    refused: NOT_INSPECTED,
  });
  const containers = await containersOf(await open(engine));
  expect([...containers].map(([name, { imageReference }]) => [name, imageReference])).toEqual([
    ['web', 'registry.access.redhat.com/ubi8:latest'],
    ['not-infra', 'localhost/app:latest'],
  ]);
});

test.each([
  ['configured', 'CREATED'],
  ['initialized', 'CREATED'],
  ['stopping', 'RUNNING'],
  ['stopped', 'EXITED'],
  ['exited', 'EXITED'],
  ['bodhisattva', 'UNKNOWN'],
  ['constructor', 'UNKNOWN'],
])('a container that is %s is %s', async (State, state) => {
  const engine = await podmanWith({
    containers: [entry(1, 'web', 'docker.io/library/nginx:1.27', { State })],
    refused: NOT_INSPECTED,
  });
  expect((await containersOf(await open(engine))).get('web')?.state).toBe(state);
});

test('an image has the digest of the index that it was pulled by, and that of its manifest', async () => {
  const [index, manifest] = [digest('1d'), digest('3a')];
  const names = [manifest, index].map((found) => `docker.io/library/nginx@${found}`);
  const engine = await podmanWith({
    containers: [entry(1, 'web', 'docker.io/library/nginx:1.27')],
    refused: NOT_INSPECTED,
    inspectedImages: { [digest('c0')]: { RepoDigests: names, Os: 'linux', Architecture: 'amd64' } },
  });
  expect((await containersOf(await open(engine))).get('web')?.image.evidence).toEqual([
    { via: 'PULLED_DIGEST', digest: manifest },
    { via: 'PULLED_DIGEST', digest: index },
    { via: 'CONFIG', digest: digest('c0') },
  ]);
});

test('images are local that have names of this host alone, or none and a container', async () => {
  const [local, pulled, both, dangling] = ['1', '2', '3', '4'].map(digest) as [string, string, string, string];
  const engine = await podmanWith({
    images: [
      { Id: local, RepoTags: ['localhost/app:1'], RepoDigests: [`localhost/app@${digest('a')}`] },
      { Id: pulled, RepoTags: ['docker.io/library/nginx:1'], RepoDigests: [`docker.io/library/nginx@${digest('b')}`] },
      { Id: both, RepoTags: ['localhost/nginx:1'], RepoDigests: [`docker.io/library/nginx@${digest('b')}`] },
      { Id: dangling, RepoTags: [], RepoDigests: [] },
    ],
  });
  const runtime = await open(engine);
  expect(await runtime.listLocalImages?.(unaborted())).toEqual([local]);
  engine.state.containers = [entry(1, 'web', dangling, { ImageID: dangling })];
  expect(await runtime.listLocalImages?.(unaborted())).toEqual([local, dangling]);
  // Podman 4 answers nothing at all to a list that is to have digests.
  expect(engine.requests.filter((request) => request.includes('/images/json'))).toEqual([
    '/v1.41/images/json',
    '/v1.41/images/json',
  ]);
});

test('who listens does not wait for an answer before there is an event, and is told of those since it asked', async () => {
  const date = 'Thu, 26 Nov 2026 15:40:15 GMT';
  let begin: (() => void) | null = null;
  const engine = await podmanWith({
    containers: [entry(1, 'web', 'docker.io/library/nginx:1.27')],
    refused: NOT_INSPECTED,
    byHand: {
      '/info': (response) => response.writeHead(200, { date }).end('{}'),
      '/events': (response) => {
        begin = () => {
          response.writeHead(200);
          for (const Action of ['die', 'cleanup']) {
            response.write(
              JSON.stringify({ status: Action, Type: 'container', Action, Actor: { ID: '1'.repeat(64) } }),
            );
          }
          response.write(JSON.stringify({ Type: 'container', Action: 'remove', Actor: { ID: '2'.repeat(64) } }));
          response.write(JSON.stringify({ Type: 'container', Action: 'commit', Actor: { ID: '3'.repeat(64) } }));
        };
      },
    },
  });
  const watched = await watch(await open(engine));
  const next = watched.next();
  while (begin === null) await new Promise((resolve) => setTimeout(resolve, 5));
  (begin as () => void)();
  expect(await next).toMatchObject({
    seen: [{ name: 'web' }],
    removed: ['2'.repeat(64)],
    commits: [],
    hasOtherImages: true,
  });
  const asked = engine.requests.find((request) => request.startsWith('/v1.41/events'));
  expect(new URL(asked ?? '', 'http://engine').searchParams.get('since')).toBe(String(Date.parse(date) / 1000));
});

test('a watch that is refused is told so before it begins', async () => {
  const runtime = await open(await podmanWith({ refused: /^\/events/ }));
  await expect(watch(runtime)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
});
