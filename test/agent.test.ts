import { setTimeout as pause } from 'node:timers/promises';
import pino from 'pino';
import { runAgent } from '../src/agent/index.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';
import { MemoryRuntime } from './support/memory-runtime.ts';
import { observed } from './support/observed-container.ts';
import { openTestWeb, type TestWeb } from './support/web.ts';

let database: TestDatabase;
let web: TestWeb;
let runtime: MemoryRuntime;
let lines: string[];
let stop: () => Promise<void>;

beforeEach(async () => {
  database = await createTestDatabase();
  web = await openTestWeb(database, 0, { agentToken: 'agent_test' });
  runtime = new MemoryRuntime();
  lines = [];
});

afterEach(async () => {
  await stop();
  await web.close();
  await database.close();
});

function run(token = 'agent_test', server = web.address): void {
  const ending = new AbortController();
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const ended = runAgent({
    server: new URL(server),
    token,
    name: 'host-1',
    kind: 'DOCKER',
    runtime,
    keepsLabel: (name) => name !== 'secret',
    log,
    signal: ending.signal,
    pauses: [20],
  });
  stop = () => {
    ending.abort();
    return ended;
  };
}

const stored = () =>
  database.run<{ id: string; state: string; removed: boolean; labels: object }>(
    'select container_id as id, state, labels, removed_at is not null as removed from container order by container_id',
    [],
  );

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await pause(10);
}

test('reports all that runs, and then what changes, without the labels that it is told to keep to itself', async () => {
  runtime.containers = [
    observed({ containerId: 'a', labels: { secret: 'x', team: 'shop' } }),
    observed({ containerId: 'b' }),
  ];
  run();
  await until(async () => (await stored()).length === 2);
  expect((await stored())[0]).toMatchObject({ labels: { team: 'shop' } });
  const { data } = await web.ask('{ runtime(name: "host-1") { version os isReported } }');
  expect(data).toEqual({ runtime: { version: '20.10.24', os: 'linux', isReported: true } });
  runtime.tell({ seen: [observed({ containerId: 'a', state: 'PAUSED' })], removed: ['b'] });
  await until(async () => (await stored())[1]?.removed === true);
  expect(await stored()).toMatchObject([{ state: 'PAUSED', removed: false }, { removed: true }]);
  expect(runtime.pictures).toBe(1);
});

test('reports more than one request holds', async () => {
  const labels = Object.fromEntries(Array.from({ length: 6 }, (_, at) => [`l${at}`, 'x'.repeat(30_000)]));
  runtime.containers = Array.from({ length: 40 }, (_, at) => observed({ containerId: `c${at}`, labels }));
  run();
  await until(async () => (await stored()).length === 40);
});

test('goes on when the server was away, with all that happened meanwhile', async () => {
  runtime.containers = [observed({ containerId: 'a' })];
  run();
  await until(async () => (await stored()).length === 1);
  const { port } = new URL(web.address);
  await web.close();
  runtime.containers = [observed({ containerId: 'b' })];
  runtime.tell({ seen: runtime.containers, removed: ['a'] });
  await until(() => lines.length > 2);
  web = await openTestWeb(database, Number(port), { agentToken: 'agent_test' });
  await until(async () => (await stored()).length === 2);
  await until(async () => (await stored())[0]?.removed === true);
});

test('says what the server has against its reports', async () => {
  run('another');
  await until(() => lines.length > 0);
  expect(lines[0]).toMatch(/takes no report: The token in the Authorization header is not known/);
});
