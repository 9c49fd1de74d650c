import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { parseAllDocuments } from 'yaml';
import type { ObservedContainer } from '../../src/domain/container.ts';
import type { CatalogError } from '../../src/domain/errors.ts';
import { openRuntime } from '../../src/runtimes/index.ts';
import { kubernetes, openKubernetes } from '../../src/runtimes/kubernetes/index.ts';
import type { KubernetesLimits } from '../../src/runtimes/kubernetes/limits.ts';
import type { ContainerChange, OpenRuntime, RuntimeSettings, WatchesContainers } from '../../src/runtimes/runtime.ts';
import { refusal, startApiServer, type ApiAnswer, type ApiCall, type ApiServer } from '../support/api-server.ts';
import { describeSamples, sample, sampleJson } from '../support/samples.ts';

type Answer = (call: ApiCall) => ApiAnswer;

const SETTINGS: RuntimeSettings = { endpoint: 'test', tls: null, insecure: false, namespaces: [] };
const never = new AbortController().signal;
const hex = (digit: string) => digit.repeat(64);
const at = (time: string) => new Date(`2026-08-20T${time}Z`);

let answer: Answer;
let server: ApiServer;
const opened: OpenRuntime[] = [];
const { KUBECONFIG } = process.env;

beforeAll(async () => {
  server = await startApiServer((call) => answer(call));
});

beforeEach(async () => {
  process.env['KUBECONFIG'] = server.kubeconfig;
  server.token = 'first-token';
  await server.writeToken(server.token);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((runtime) => runtime.close()));
  server.breakConnections();
});

afterAll(async () => {
  if (KUBECONFIG === undefined) delete process.env['KUBECONFIG'];
  else process.env['KUBECONFIG'] = KUBECONFIG;
  await server.close();
});

describeSamples('the samples', () => {
  const WEB = { kind: 'Deployment', name: 'web', namespace: 'shop' };
  const LINUX = { os: 'linux', architecture: 'amd64', variant: null, osVersion: null };
  const WINDOWS = { os: 'windows', architecture: 'amd64', variant: null, osVersion: '10.0.20348.2402' };
  const NGINX = 'sha256:aaa44bf1a97cc06b0a6ac003be20790c4b9bfb142e9ae0115db1b7212ff3fd61';
  const APP = 'sha256:e0ba1b0f9a466e4c6e278301cb08b9f8e5d893e3446dc3ef792b7d107db66606';
  const EXPORTER = 'sha256:dd7a946de80abf41797036335be60bf207f3262c6429f4993005d91f174ecf07';
  const RUNNING = { state: 'RUNNING', startedAt: at('10:00:05'), restartCount: 0 };
  const COMPLETED = { state: 'EXITED', status: 'Completed', exitCode: 0, restartCount: 0 };

  test('give a container for each of a pod, with its image, state, role, workload and node', async () => {
    answer = sampleCluster();
    const containers = await listed(open());
    expect(containers.map(spoken)).toEqual([
      {
        containerId: 'ce68e1f9-1111-4111-8111-111111111111/migrate',
        name: 'web-7c5b8d9f6-abcde/migrate',
        imageReference: 'ghcr.io/example/migrate:1.2.0',
        evidence: ['PULLED_DIGEST sha256:c16b187c67b20b6b2fd297273f6b0e53f3230d2edd1bf944bfa4b3827cf87d28'],
        platform: LINUX,
        ...COMPLETED,
        createdAt: at('10:00:00'),
        startedAt: at('10:00:01'),
        finishedAt: at('10:00:04'),
        labels: { app: 'web', 'pod-template-hash': '7c5b8d9f6' },
        workload: WEB,
        role: 'INIT',
        node: 'node-a',
      },
      {
        containerId: 'ce68e1f9-1111-4111-8111-111111111111/mesh',
        name: 'web-7c5b8d9f6-abcde/mesh',
        imageReference: 'docker.io/istio/proxyv2:1.22.1',
        evidence: ['PULLED_DIGEST sha256:d30ca7a7a32bf5772dc5eb2a2e7bd35737eff795ad74f2479b359716b59abdfa'],
        platform: LINUX,
        ...RUNNING,
        createdAt: at('10:00:00'),
        labels: { app: 'web', 'pod-template-hash': '7c5b8d9f6' },
        workload: WEB,
        role: 'SIDECAR',
        node: 'node-a',
      },
      {
        containerId: 'ce68e1f9-1111-4111-8111-111111111111/nginx',
        name: 'web-7c5b8d9f6-abcde/nginx',
        imageReference: 'nginx:1.27',
        evidence: [`PULLED_DIGEST ${NGINX}`],
        platform: LINUX,
        ...RUNNING,
        restartCount: 2,
        createdAt: at('10:00:00'),
        labels: { app: 'web', 'pod-template-hash': '7c5b8d9f6' },
        workload: WEB,
        node: 'node-a',
      },
      {
        containerId: 'ce68e1f9-1111-4111-8111-111111111111/exporter',
        name: 'web-7c5b8d9f6-abcde/exporter',
        imageReference: `registry.example.com:5000/team/exporter@${EXPORTER}`,
        evidence: [`REQUESTED_DIGEST ${EXPORTER}`, `PULLED_DIGEST ${EXPORTER}`],
        platform: LINUX,
        ...RUNNING,
        createdAt: at('10:00:00'),
        labels: { app: 'web', 'pod-template-hash': '7c5b8d9f6' },
        workload: WEB,
        node: 'node-a',
      },
      {
        containerId: 'ce68e1f9-1111-4111-8111-111111111111/debugger-x1',
        name: 'web-7c5b8d9f6-abcde/debugger-x1',
        imageReference: 'busybox',
        evidence: ['PULLED_DIGEST sha256:3b64db95cb55c763391c707108489ae18b4112d783300de38e033b4c98c3deaf'],
        platform: LINUX,
        ...COMPLETED,
        startedAt: at('11:00:00'),
        finishedAt: at('11:05:00'),
        labels: { app: 'web', 'pod-template-hash': '7c5b8d9f6' },
        workload: WEB,
        role: 'EPHEMERAL',
        node: 'node-a',
      },
      {
        containerId: 'f8aeb3a8-1111-4111-8111-111111111111/c',
        name: 'same-content/c',
        imageReference: 'mirror.gcr.io/library/nginx:1.27',
        evidence: [`PULLED_DIGEST ${NGINX}`],
        platform: LINUX,
        ...RUNNING,
        createdAt: at('10:00:00'),
        workload: { kind: 'StatefulSet', name: 'same', namespace: 'shop' },
        node: 'node-a',
      },
      {
        containerId: '19290604-1111-4111-8111-111111111111/c',
        name: 'imported/c',
        imageReference: 'localhost/app:dev',
        evidence: [`CONFIG ${APP}`],
        platform: LINUX,
        ...RUNNING,
        createdAt: at('10:00:00'),
        workload: { kind: 'Pod', name: 'imported', namespace: 'lab' },
        node: 'node-a',
      },
      {
        containerId: '033ddefa-1111-4111-8111-111111111111/c',
        name: 'old-docker/c',
        imageReference: 'nginx:1.27',
        evidence: [`PULLED_DIGEST ${NGINX}`],
        platform: WINDOWS,
        ...RUNNING,
        createdAt: at('10:00:00'),
        workload: { kind: 'DaemonSet', name: 'agent', namespace: 'shop' },
        node: 'node-b',
      },
      {
        containerId: '033ddefa-1111-4111-8111-111111111111/l',
        name: 'old-docker/l',
        imageReference: 'app:dev',
        evidence: [`CONFIG ${APP}`],
        platform: WINDOWS,
        ...RUNNING,
        createdAt: at('10:00:00'),
        workload: { kind: 'DaemonSet', name: 'agent', namespace: 'shop' },
        node: 'node-b',
      },
      {
        containerId: '0eed347b-1111-4111-8111-111111111111/c',
        name: 'crio/c',
        imageReference: 'quay.io/example/report:7',
        evidence: ['PULLED_DIGEST sha256:7cb1221411310a91da1655d012e44cf72be6bb606510747c7e39fa88bd5958f0'],
        platform: LINUX,
        ...RUNNING,
        createdAt: at('10:00:00'),
        labels: { 'job-name': 'report-28700000' },
        workload: { kind: 'CronJob', name: 'report', namespace: 'shop' },
        node: 'node-c',
      },
      {
        containerId: '5b5c8ef2-1111-4111-8111-111111111111/c',
        name: 'crio-plain/c',
        imageReference: 'quay.io/example/report:7',
        evidence: [`CONFIG ${APP}`],
        platform: LINUX,
        ...RUNNING,
        createdAt: at('10:00:00'),
        workload: { kind: 'Pod', name: 'crio-plain', namespace: 'shop' },
        node: 'node-c',
      },
      {
        containerId: 'b32b3179-1111-4111-8111-111111111111/c',
        name: 'pulling/c',
        imageReference: 'ghcr.io/example/api:nope',
        state: 'CREATED',
        status: 'ImagePullBackOff: Back-off pulling image "ghcr.io/example/api:nope"',
        restartCount: 0,
        createdAt: at('10:00:00'),
        workload: { kind: 'Rollout', name: 'api', namespace: 'shop' },
      },
      {
        containerId: 'c2e01246-1111-4111-8111-111111111111/c',
        name: 'unscheduled/c',
        imageReference: 'ghcr.io/example/api:1',
        state: 'CREATED',
        status: 'Unschedulable',
        createdAt: at('10:00:00'),
        workload: { kind: 'Rollout', name: 'api', namespace: 'shop' },
      },
      {
        containerId: '5869ed36-1111-4111-8111-111111111111/etcd',
        name: 'etcd-node-a/etcd',
        imageReference: 'registry.k8s.io/etcd:3.5.15-0',
        evidence: ['PULLED_DIGEST sha256:c38cbd92fce41312f3fbdce60510013b7f0d4004a03b45c8e762f98f1ed4006c'],
        platform: LINUX,
        ...RUNNING,
        createdAt: at('10:00:00'),
        workload: { kind: 'Pod', name: 'etcd-node-a', namespace: 'kube-system' },
        node: 'node-a',
      },
      {
        containerId: '6b2ded51-1111-4111-8111-111111111111/c',
        name: 'done/c',
        imageReference: 'quay.io/example/report:6',
        evidence: ['PULLED_DIGEST sha256:25f1c790f16f423d2f942b70378ed075972ab0affbf3f35f12e015c13f29406f'],
        platform: LINUX,
        ...COMPLETED,
        createdAt: at('10:00:00'),
        startedAt: new Date('2026-08-19T10:00:00Z'),
        finishedAt: new Date('2026-08-19T10:01:00Z'),
        workload: { kind: 'Job', name: 'report-28600000', namespace: 'shop' },
        node: 'node-c',
      },
    ]);
  });

  test('are watched until what happened is no longer remembered', async () => {
    const ofSample = sampleCluster();
    answer = (call) => (call.verb === 'watch' ? linesOf(sample('kubernetes-watch.ndjson')) : ofSample(call));
    const changes = await all(open().watchContainers(never));
    expect(changes[0]).toEqual({ seen: [], removed: [], commits: [], hasOtherImages: false });
    expect(changes.flatMap(({ seen }) => seen).map(({ name, state }) => `${name} ${state}`)).toEqual([
      'imported/c RUNNING',
      'pulling/c CREATED',
    ]);
    expect(changes.flatMap(({ removed }) => removed)).toEqual(['6b2ded51-1111-4111-8111-111111111111/c']);
    const watches = server.calls.filter(({ verb }) => verb === 'watch');
    expect(watches.at(-1)?.query.get('resourceVersion')).toBe('10245');
  });

  test('are all that the role of docs/kubernetes-role.yaml grants, and nothing else is asked', async () => {
    const ofSample = sampleCluster();
    answer = (call) => (call.verb === 'watch' ? linesOf(sample('kubernetes-watch.ndjson')) : ofSample(call));
    const before = server.calls.length;
    const runtime = open();
    await runtime.describe(never);
    await listed(runtime);
    await all(runtime.watchContainers(never));
    // Everybody may ask for the version: system:public-info-viewer.
    const asked = server.calls.slice(before).filter(({ resource }) => resource !== '/version');
    expect([...new Set(asked.map(({ verb, resource }) => `${verb} ${resource}`))].sort()).toEqual(grants());
  });

  test('lack what is forbidden: platforms of images, and what stands behind a ReplicaSet is read from its name', async () => {
    const ofSample = sampleCluster();
    const forbidden = new Set(['nodes', 'replicasets.apps', 'jobs.batch']);
    answer = (call) => (forbidden.has(call.resource) ? refusal(403, `${call.resource} is forbidden`) : ofSample(call));
    const runtime = open();
    const containers = await listed(runtime);
    expect(containers.filter(({ image }) => image.platform !== null)).toEqual([]);
    expect(containers.filter(({ state }) => state === 'UNKNOWN')).toEqual([]);
    const workloads = new Map(containers.map(({ name, workload }) => [name, `${workload?.kind} ${workload?.name}`]));
    expect(workloads.get('web-7c5b8d9f6-abcde/nginx')).toBe('Deployment web');
    expect(workloads.get('pulling/c')).toBe('ReplicaSet api-5d4');
    expect(workloads.get('crio/c')).toBe('Job report-28700000');

    const before = server.calls.length;
    expect(await listed(runtime)).toEqual(containers);
    // What was forbidden may be allowed by now, but not each of thousands of ReplicaSets is asked for to find out.
    expect(server.calls.slice(before).map(({ resource }) => resource)).toEqual(['nodes', 'pods']);
  });

  /** Answers as the cluster of the sample's pods. */
  function sampleCluster(): Answer {
    const pods = sampleJson<object>('kubernetes-pods.json') ?? {};
    const owned = {
      'web-7c5b8d9f6': ownedBy('7bfdf2df-0000-4000-8000-000000000000', 'apps/v1', 'Deployment', 'web'),
      'api-5d4': ownedBy('109b1ef9-0000-4000-8000-000000000000', 'argoproj.io/v1alpha1', 'Rollout', 'api'),
      'report-28700000': ownedBy('0d872b6e-0000-4000-8000-000000000000', 'batch/v1', 'CronJob', 'report'),
      // Of a later one of the same name.
      'report-28600000': ownedBy('ffffffff-0000-4000-8000-000000000000', 'batch/v1', 'CronJob', 'report'),
    };
    return cluster({
      pods: () => pods,
      nodes: [node('node-a'), node('node-b', 'windows', '10.0.20348.2402'), node('node-c')],
      owned,
    });
  }
});

describe('containers', () => {
  const noted = (pods: object[], nodes: object[] = [node('a')]) => {
    answer = cluster({ pods: () => list(pods), nodes });
    return listed(open());
  };
  const stateOf = async (status: object, metadata: object = {}, spec: object = {}) => {
    const [container] = await noted([pod('p', status, metadata, spec)]);
    return { state: container?.state, status: container?.status, exitCode: container?.exitCode };
  };
  const RUNS = { phase: 'Running', containerStatuses: [{ name: 'c', state: { running: {} } }] };

  test('that fail again and again are restarting, with the exit code of the last time', async () => {
    const [container] = await noted([
      pod('p', {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'c',
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s' } },
            lastState: { terminated: { exitCode: 137, finishedAt: '2026-08-20T10:00:00Z' } },
            restartCount: 7,
          },
        ],
      }),
    ]);
    expect(container).toMatchObject({
      state: 'RESTARTING',
      status: 'CrashLoopBackOff: back-off 5m0s',
      exitCode: 137,
      finishedAt: at('10:00:00'),
      restartCount: 7,
    });
  });

  test('of a pod that was evicted have exited', async () => {
    const evicted = { phase: 'Failed', reason: 'Evicted' };
    expect(await stateOf(evicted)).toEqual({ state: 'EXITED', status: 'Evicted', exitCode: null });
    const waiting = { ...evicted, containerStatuses: [{ name: 'c', state: { waiting: {} } }] };
    expect(await stateOf(waiting)).toEqual({ state: 'EXITED', status: 'Evicted', exitCode: null });
  });

  test('of a node that does not answer, or that is gone, are unknown', async () => {
    expect(await stateOf({ ...RUNS, phase: 'Unknown' })).toMatchObject({ state: 'UNKNOWN' });
    expect(await stateOf(RUNS, {}, { nodeName: 'gone' })).toMatchObject({ state: 'UNKNOWN' });
    expect(await stateOf(RUNS, {}, { nodeName: 'a' })).toMatchObject({ state: 'RUNNING' });
  });

  test('of a node that came after the nodes were listed are as they say', async () => {
    let lists = 0;
    const rest = cluster({ pods: () => list([pod('p', RUNS, {}, { nodeName: 'new' })]), nodes: [] });
    answer = (call) => (call.resource === 'nodes' ? list(lists++ === 0 ? [] : [node('new')]) : rest(call));
    const [container] = await listed(open());
    expect(container).toMatchObject({ state: 'RUNNING', image: { platform: { os: 'linux' } } });
  });

  test('of a pod that is being deleted run on until they end', async () => {
    const metadata = { deletionTimestamp: '2026-08-20T10:00:00Z' };
    expect(await stateOf(RUNS, metadata)).toEqual({ state: 'RUNNING', status: 'Terminating', exitCode: null });
  });

  test('have their command, ports and mounts, and nothing of their environment', async () => {
    const spec = {
      containers: [
        {
          name: 'c',
          image: 'app',
          command: ['/bin/app'],
          args: ['--port', '80', 1],
          env: [{ name: 'PASSWORD', value: 'hunter2-value' }],
          envFrom: [{ secretRef: { name: 'hunter2-reference' } }],
          ports: [
            { containerPort: 80 },
            { containerPort: 53, protocol: 'UDP', hostPort: 5353, hostIP: '10.0.0.1' },
            { containerPort: 0 },
          ],
          volumeMounts: [
            { name: 'data', mountPath: '/data' },
            { name: 'logs', mountPath: '/logs', readOnly: true },
            { name: 'scratch', mountPath: '/tmp' },
            { name: 'settings', mountPath: '/etc/app' },
          ],
        },
      ],
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: 'data-0' } },
        { name: 'logs', hostPath: { path: '/var/log' } },
        { name: 'scratch', emptyDir: {} },
        { name: 'settings', configMap: { name: 'app' } },
      ],
    };
    const [container] = await noted([pod('p', RUNS, {}, spec)]);
    expect(container).toMatchObject({
      command: ['/bin/app', '--port', '80'],
      ports: [
        { containerPort: 80, protocol: 'tcp', hostIp: null, hostPort: null },
        { containerPort: 53, protocol: 'udp', hostIp: '10.0.0.1', hostPort: 5353 },
      ],
      mounts: [
        { type: 'persistentVolumeClaim', source: 'data-0', destination: '/data', readOnly: false },
        { type: 'hostPath', source: '/var/log', destination: '/logs', readOnly: true },
        { type: 'emptyDir', source: 'scratch', destination: '/tmp', readOnly: false },
        { type: 'configMap', source: 'app', destination: '/etc/app', readOnly: false },
      ],
    });
    expect(JSON.stringify(container)).not.toContain('hunter2');
  });

  test('have labels no more and no longer than is kept', async () => {
    const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`label-${index}`, 'x']));
    const [container] = await noted([pod('p', RUNS, { labels: { long: 'x'.repeat(100_000), ...many } })]);
    expect(Object.keys(container?.labels ?? {}).length).toBe(1_000);
    expect(container?.labels['long']?.length).toBe(32 * 1024);
  });
});

describe('a list', () => {
  test('that expires before its end is begun again, and tells each pod once', async () => {
    let expired = 0;
    answer = cluster({
      pods: ({ query }) => {
        const token = query.get('continue');
        if (token === null) return list([pod('a')], expired === 0 ? 'stale' : 'fresh');
        if (token === 'stale') return refusal((expired++, 410), 'The provided continue parameter is too old');
        return list([pod('b')]);
      },
    });
    expect((await listed(open())).map(({ name }) => name)).toEqual(['a/c', 'b/c']);
    expect(expired).toBe(1);
  });

  test('that expires always is given up', async () => {
    answer = cluster({ pods: ({ query }) => (query.has('continue') ? refusal(410, 'too old') : list([], 'stale')) });
    await expect(listed(open())).rejects.toMatchObject({ name: 'RuntimeFault', code: 'UNREACHABLE' });
  });

  test('asks for chunks of 500, in each of the namespaces that were chosen', async () => {
    answer = cluster({ pods: ({ namespace }) => list([pod(`in-${namespace}`)]) });
    const before = server.calls.length;
    const containers = await listed(open({ namespaces: ['shop', 'lab', 'shop'] }));
    expect(containers.map(({ name }) => name)).toEqual(['in-shop/c', 'in-lab/c']);
    const asked = server.calls.slice(before).filter(({ resource }) => resource === 'pods');
    expect(asked.map(({ namespace, query }) => `${namespace} ${query.toString()}`)).toEqual([
      'shop limit=500',
      'lab limit=500',
    ]);
  });

  test('waits as long as a busy server asks', async () => {
    let refused = 0;
    answer = cluster({
      pods: () => (refused++ === 0 ? refusal(429, 'slow down', { 'retry-after': '0' }) : list([pod('a')])),
    });
    expect(await listed(open())).toHaveLength(1);
  });

  test('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    answer = cluster({ pods: () => () => controller.abort(new Error('that is enough')) });
    await expect(listed(open(), controller.signal)).rejects.toThrow('that is enough');
  });
});

describe('a watch', () => {
  test('is connected first, and misses nothing that happens after', async () => {
    const watched = watchedCluster('41');
    const { next } = watching();
    expect(await next()).toEqual({ seen: [], removed: [], commits: [], hasOtherImages: false });
    expect(watched.versions).toEqual(['41']);
    watched.tell('ADDED', pod('new'));
    expect((await next()).seen.map(({ name }) => name)).toEqual(['new/c']);
  });

  test('tells of a burst together, and of what was removed meanwhile that alone', async () => {
    const watched = watchedCluster('1');
    const { next } = watching();
    await next();
    watched.tell('ADDED', pod('a'));
    watched.tell('ADDED', pod('b'));
    watched.tell('MODIFIED', pod('a', { phase: 'Failed' }));
    watched.tell('DELETED', pod('b'));
    const changes = [await next()];
    // A slow machine may tell in two what came in one burst; it must tell the same.
    while (!changes.some(({ removed }) => removed.length > 0)) changes.push(await next());
    expect(changes.flatMap(({ removed }) => removed)).toEqual(['uid-b/c']);
    const seen = changes.flatMap((change) => change.seen);
    expect(seen.findLast(({ name }) => name === 'a/c')?.state).toBe('EXITED');
    expect(changes.at(-1)?.seen.map(({ name }) => name)).not.toContain('b/c');
  });

  test('that the server closes goes on at the version of its last bookmark', async () => {
    const watched = watchedCluster('1');
    const { next } = watching();
    await next();
    watched.tell('ADDED', pod('a', {}, { resourceVersion: '5' }));
    await next();
    watched.tell('BOOKMARK', { metadata: { resourceVersion: '9' } });
    watched.end();
    await watched.connected(2);
    watched.tell('DELETED', pod('a'));
    expect((await next()).removed).toEqual(['uid-a/c']);
    expect(watched.versions).toEqual(['1', '9']);
  });

  test('whose connection breaks within an event has that event again', async () => {
    const watched = watchedCluster('1');
    const { next } = watching();
    await next();
    watched.write('{"type":"ADDED","object":{"metadata":{"uid":"half');
    server.breakConnections();
    await watched.connected(2);
    watched.tell('ADDED', pod('half'));
    expect((await next()).seen.map(({ name }) => name)).toEqual(['half/c']);
    expect(watched.versions).toEqual(['1', '1']);
  });

  test('that says nothing beyond its time is taken for dead and begun again', async () => {
    const watched = watchedCluster('1');
    const { next } = watching({}, { watch: 100, watchMargin: 100 });
    await next();
    await watched.connected(2);
    expect(watched.versions).toEqual(['1', '1']);
  });

  test.each([
    ['told', () => ({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old resource version' } })],
    ['answered', null],
  ])('whose version is %s to be too old ends, so that the list is read again', async (_how, event) => {
    const watched = watchedCluster('1');
    const { next, end } = watching();
    await next();
    if (event) watched.write(`${JSON.stringify(event())}\n`);
    else {
      const rest = answer;
      answer = (call) => (call.verb === 'watch' ? refusal(410, 'too old resource version') : rest(call));
      watched.end();
    }
    await end();
  });

  test('of several namespaces is connected when all are, and fails as the first does', async () => {
    const shop = watchedCluster('1');
    const ofShop = answer;
    answer = (call) => (call.verb === 'watch' && call.namespace === 'lab' ? refusal(403, 'forbidden') : ofShop(call));
    const { next } = watching({ namespaces: ['shop', 'lab'] });
    await expect(next()).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining('the verb watch on pods'),
    });
    expect(shop.versions.length).toBeLessThanOrEqual(1);
  });

  test('reads no faster than it is taken from, and loses nothing', async () => {
    const watched = watchedCluster('1');
    const { next } = watching({}, { burst: 1, burstBytes: 1_000 });
    await next();
    const names = Array.from({ length: 200 }, (_, index) => `p${index}`);
    for (const name of names) watched.tell('ADDED', pod(name));
    const seen: string[] = [];
    while (seen.length < names.length) {
      const change = await next();
      expect(change.seen.length).toBeLessThan(20);
      seen.push(...change.seen.map(({ name }) => name));
    }
    expect(seen).toEqual(names.map((name) => `${name}/c`));
  });

  test('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    watchedCluster('1');
    const changes = open().watchContainers(controller.signal)[Symbol.asyncIterator]();
    await changes.next();
    const ended = changes.next();
    controller.abort(new Error('that is enough'));
    await expect(ended).rejects.toThrow('that is enough');
  });
});

describe('a cluster that lies', () => {
  test('may list endlessly', async () => {
    let count = 0;
    answer = cluster({ pods: () => list([pod(`p${count++}`)], 'more') });
    await expect(listed(open({}, { objects: 20 }))).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('more than 20'),
    });
    answer = cluster({ pods: () => list([], 'more') });
    await expect(listed(open({}, { chunks: 20 }))).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  test('may send a pod of 100 MB', async () => {
    answer = cluster({
      pods: () => (response) => {
        response.write('{"items":[{"metadata":{"name":"');
        endlessly(response, 100);
      },
    });
    await expect(listed(open())).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  test('may send a line of a watch that does not end', async () => {
    const rest = cluster({ pods: () => list([]) });
    answer = (call) => (call.verb === 'watch' ? (response) => endlessly(response, 100) : rest(call));
    const { next } = watching();
    await next();
    await expect(next()).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  test.each([
    ['broken JSON', '{"items":['],
    ['a page for people', '<html>sign in</html>'],
    ['something else', '{"swagger":"2.0"}'],
    ['JSON that is nested too deep', `{"items":${'['.repeat(1_000)}${']'.repeat(1_000)}}`],
    ['a pod without a uid', '{"items":[{"metadata":{"name":"a","namespace":"b"}}]}'],
    ['a pod without a name', '{"items":[{"metadata":{"uid":"a","namespace":"b"}}]}'],
  ])('may send %s', async (_what, body) => {
    answer = cluster({ pods: () => (response) => response.end(body) });
    await expect(listed(open())).rejects.toMatchObject({ name: 'RuntimeFault', code: 'MALFORMED' });
  });

  test('may send broken JSON in a watch', async () => {
    const watched = watchedCluster('1');
    const { next } = watching();
    await next();
    watched.write('{"type":\n');
    await expect(next()).rejects.toMatchObject({ code: 'MALFORMED' });
  });

  test('may send pods in which nothing is of its kind', async () => {
    const metadata = { labels: [1], ownerReferences: 'none', creationTimestamp: 7 };
    const spec = { containers: [null, 7, { name: 'c', image: 7, ports: {}, command: 'sh', volumeMounts: [{}] }] };
    answer = cluster({
      pods: () => list([pod('p', { containerStatuses: 'x' }, metadata, { ...spec, nodeName: null })]),
    });
    expect(await listed(open())).toMatchObject([
      { name: 'p/c', imageReference: '', state: 'CREATED', ports: [], command: [], mounts: [], createdAt: null },
    ]);
  });

  test('may never answer', async () => {
    answer = cluster({ pods: () => () => undefined });
    await expect(listed(open({}, { firstByte: 50 }))).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });

  test('may make owners go in a circle', async () => {
    const circle = ownedBy('uid-of-r', 'apps/v1', 'ReplicaSet', 'r', 'uid-of-r');
    const owner = { ownerReferences: [reference('apps/v1', 'ReplicaSet', 'r', 'uid-of-r')] };
    answer = cluster({ pods: () => list([pod('p', {}, owner)]), owned: { r: circle } });
    expect(await listed(open())).toMatchObject([{ workload: { kind: 'ReplicaSet', name: 'r' } }]);
  });
});

describe('signing in', () => {
  test('takes the token of the file as it is now', async () => {
    answer = cluster({ pods: () => list([pod('a')]) });
    const runtime = open();
    expect(await listed(runtime)).toHaveLength(1);
    server.token = 'second-token';
    await server.writeToken('second-token');
    expect(await listed(runtime)).toHaveLength(1);
  });

  test('says what to do where the token is refused', async () => {
    answer = cluster({ pods: () => list([]) });
    server.token = 'another-token';
    await expect(listed(open())).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringMatching(/^test: list nodes was answered with 401 .*renew/),
    });
  });

  test('names the right that is missing', async () => {
    answer = cluster({ pods: () => refusal(403, 'pods is forbidden') });
    await expect(listed(open({ namespaces: ['shop'] }))).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message:
        'test: list pods in shop was answered with 403 (pods is forbidden): it needs the verb list on pods, as in docs/kubernetes-role.yaml.',
    });
  });

  test('trusts the authority of the context alone, and sends no token in the clear', async () => {
    answer = cluster({ pods: () => list([]) });
    const before = server.calls.length;
    await expect(listed(open({ endpoint: 'untrusted' }))).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('certificate'),
    });
    await expect(listed(open({ endpoint: 'plain' }))).rejects.toMatchObject({ name: 'RuntimeFault' });
    expect(server.calls.length).toBe(before);
  });

  test('knows which contexts there are', async () => {
    await expect(listed(open({ endpoint: 'nowhere' }))).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: 'nowhere: the kubeconfig has no context of this name; it has test, untrusted, plain.',
    });
  });

  test('finds a kubeconfig that came later', async () => {
    answer = cluster({ pods: () => list([pod('a')]) });
    process.env['KUBECONFIG'] = `${server.kubeconfig}-to-come`;
    const runtime = open();
    await expect(listed(runtime)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    process.env['KUBECONFIG'] = server.kubeconfig;
    expect(await listed(runtime)).toHaveLength(1);
  });

  test('knows when it is in no pod', async () => {
    await expect(listed(open({ endpoint: 'in-cluster' }))).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('runs in no pod'),
    });
  });

  test('shows nothing of a kubeconfig that it can not read', async () => {
    const broken = `${server.kubeconfig}-broken`;
    await writeFile(broken, 'users:\n  - name: a\n    user: { token: s3cret\n');
    process.env['KUBECONFIG'] = broken;
    const fault = await listed(open()).catch((error: unknown) => error);
    expect(fault).toMatchObject({ name: 'RuntimeFault', code: 'UNREACHABLE' });
    expect(String(fault)).not.toContain('s3cret');
  });

  test('says why where nobody answers', async () => {
    const gone = await startApiServer(() => undefined);
    await gone.close();
    const config = await readFile(server.kubeconfig, 'utf8');
    const address = gone.url.replace('127.0.0.1', 'localhost');
    process.env['KUBECONFIG'] = `${server.kubeconfig}-gone`;
    await writeFile(process.env['KUBECONFIG'], config.replace(server.url, address));
    await expect(listed(open())).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/^test: list nodes: .*ECONNREFUSED/),
    });
  });
});

describe('what a cluster is', () => {
  test('is its version, and the platform of most of its nodes', async () => {
    const nodes = [node('a', 'windows', '10.0.20348'), node('b'), node('c')];
    answer = cluster({ pods: () => list([]), nodes });
    expect(await open().describe(never)).toEqual({ version: 'v1.34.1', os: 'linux', architecture: 'amd64' });
  });

  test('is its version alone where nodes are forbidden', async () => {
    const rest = cluster({ pods: () => list([]) });
    answer = (call) => (call.resource === 'nodes' ? refusal(403, 'forbidden') : rest(call));
    expect(await open().describe(never)).toEqual({ version: 'v1.34.1', os: null, architecture: null });
  });
});

describe('settings', () => {
  test.each(['in-cluster', 'kind-kind', 'arn:aws:eks:eu-west-1:123456789012:cluster/shop', 'admin@shop'])(
    'may name %s',
    (endpoint) => {
      expect(() => kubernetes.check({ ...SETTINGS, endpoint, namespaces: ['shop', 'kube-system'] })).not.toThrow();
    },
  );

  test.each<[string, Partial<RuntimeSettings>]>([
    ['no endpoint', { endpoint: '' }],
    ['an address', { endpoint: 'https://10.0.0.1:6443' }],
    ['a blank at the end', { endpoint: 'test ' }],
    ['a line break', { endpoint: 'te\nst' }],
    ['an endless name', { endpoint: 'x'.repeat(501) }],
    ['certificates', { tls: { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' } }],
    ['insecure', { insecure: true }],
    ['a namespace that can not be', { namespaces: ['../secrets'] }],
    ['too many namespaces', { namespaces: Array.from({ length: 51 }, (_, index) => `n${index}`) }],
  ])('with %s are refused', (_what, settings) => {
    const refused = expect.objectContaining<Partial<CatalogError>>({ name: 'CatalogError', code: 'INVALID_ARGUMENT' });
    expect(() => kubernetes.check({ ...SETTINGS, ...settings })).toThrow(refused);
  });

  test('are checked before anything is opened', async () => {
    const refused = { name: 'CatalogError', code: 'INVALID_ARGUMENT' };
    await expect(openRuntime('KUBERNETES', { ...SETTINGS, endpoint: '' })).rejects.toMatchObject(refused);
    opened.push(await openRuntime('KUBERNETES', SETTINGS));
  });
});

function open(
  settings: Partial<RuntimeSettings> = {},
  limits: Partial<KubernetesLimits> = {},
): OpenRuntime & WatchesContainers {
  const runtime = openKubernetes({ ...SETTINGS, ...settings }, { resumePause: 1, ...limits });
  opened.push(runtime);
  return runtime;
}

async function listed(runtime: OpenRuntime, signal = never): Promise<ObservedContainer[]> {
  return (await all(runtime.listContainers(signal))).flat();
}

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of iterable) found.push(one);
  return found;
}

function watching(settings: Partial<RuntimeSettings> = {}, limits: Partial<KubernetesLimits> = {}) {
  const changes = open(settings, limits).watchContainers(never)[Symbol.asyncIterator]();
  return {
    async next(): Promise<ContainerChange> {
      const { value, done } = await changes.next();
      if (done) throw new Error('the watch ended');
      return value;
    },
    async end(): Promise<void> {
      expect((await changes.next()).done).toBe(true);
    },
  };
}

/** Answers as a cluster whose pods are watched; what happens is told to whoever is connected. */
function watchedCluster(version: string) {
  const connections: ServerResponse[] = [];
  const versions: (string | null)[] = [];
  let connected = Promise.withResolvers<void>();
  const rest = cluster({ pods: () => ({ metadata: { resourceVersion: version }, items: [] }) });
  answer = (call) => {
    if (call.verb !== 'watch') return rest(call);
    return (response) => {
      response.writeHead(200).flushHeaders();
      connections.push(response);
      versions.push(call.query.get('resourceVersion'));
      connected.resolve();
      connected = Promise.withResolvers();
    };
  };
  const write = (text: string) => connections.at(-1)?.write(text);
  return {
    versions,
    write,
    tell: (type: string, object: object) => write(`${JSON.stringify({ type, object })}\n`),
    end: () => connections.at(-1)?.end(),
    async connected(count: number) {
      while (connections.length < count) await connected.promise;
    },
  };
}

function cluster(parts: {
  pods: (call: ApiCall) => ApiAnswer;
  nodes?: object[];
  owned?: Record<string, object>;
}): Answer {
  return (call) => {
    if (call.resource === '/version') return { gitVersion: 'v1.34.1' };
    if (call.resource === 'nodes') return list(parts.nodes ?? []);
    if (call.resource === 'pods') return parts.pods(call);
    return parts.owned?.[call.name ?? ''];
  };
}

function list(items: object[], token = ''): object {
  return { metadata: { resourceVersion: '1', continue: token }, items };
}

function pod(name: string, status: object = {}, metadata: object = {}, spec: object = {}): object {
  return {
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, ...metadata },
    spec: { containers: [{ name: 'c', image: `app@sha256:${hex('a')}` }], ...spec },
    status,
  };
}

function node(name: string, operatingSystem = 'linux', kernelVersion = '6.1.0'): object {
  return {
    metadata: { name, uid: `uid-${name}` },
    status: { nodeInfo: { operatingSystem, architecture: 'amd64', kernelVersion } },
  };
}

function ownedBy(uid: string, apiVersion: string, kind: string, name: string, ownerUid = 'above'): object {
  return { metadata: { uid, ownerReferences: [reference(apiVersion, kind, name, ownerUid)] } };
}

function reference(apiVersion: string, kind: string, name: string, uid: string): object {
  return { apiVersion, kind, name, uid, controller: true };
}

function linesOf(bytes: Uint8Array) {
  return (response: ServerResponse) => void response.writeHead(200).end(bytes);
}

function endlessly(response: ServerResponse, megabytes: number): void {
  const megabyte = Buffer.alloc(1024 * 1024, 'x');
  const more = (left: number) => {
    if (left === 0 || response.destroyed) response.end();
    else response.write(megabyte, () => more(left - 1));
  };
  more(megabytes);
}

/** What a container says; what it does not say is left out. */
function spoken({ image, ...container }: ObservedContainer): object {
  const evidence = image.evidence.map(({ via, digest }) => `${via} ${digest}`);
  const said = Object.entries({ ...container, evidence, platform: image.platform });
  return Object.fromEntries(said.filter(([, value]) => value !== null && !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && !(value instanceof Date) && Object.keys(value as object).length === 0;
}

/** `verb resource` of each that the role grants. */
function grants(): string[] {
  const file = new URL('../../docs/kubernetes-role.yaml', import.meta.url);
  const documents = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as Granting);
  const role = documents.find(({ kind }) => kind === 'ClusterRole');
  const granted = (role?.rules ?? []).flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((plural) => verbs.map((verb) => `${verb} ${group === '' ? plural : `${plural}.${group}`}`)),
    ),
  );
  return granted.sort();
}

interface Granting {
  readonly kind: string;
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}
