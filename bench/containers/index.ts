import { request } from 'undici';
import { openBenchApi, type BenchApi } from '../api.ts';
import { loadCatalog } from '../catalog.ts';
import { median, print, printTable } from '../report.ts';
import { openBenchServer } from '../server.ts';
import { busiestBase, runnableImages } from './images.ts';
import { observe, reportOf, type RunnableImage } from './reports.ts';

export interface ContainersBench {
  readonly images: number;
  readonly runtimes: number;
  /** Of each runtime. */
  readonly containers: number;
  readonly seconds: number;
  readonly times: number;
}

/** Changes of state that a fleet of this size is to take in a minute. */
const CHANGES_PER_MINUTE = 5000;

/** Fills a large catalog with containers, and tells what reports, changes and questions about them take. */
export async function benchContainers(bench: ContainersBench, serverUrl: string | undefined): Promise<void> {
  const server = await openBenchServer(serverUrl);
  try {
    const databaseUrl = await server.createDatabase();
    await loadCatalog(databaseUrl, bench.images);
    const api = await openBenchApi(databaseUrl);
    const images = await runnableImages(api.database, 5000);
    await measureReports(api, images, bench);
    await measureChanges(api, images, bench);
    await measureQuestions(api, bench);
    await api.close();
  } finally {
    await server.close();
  }
}

const START = Date.parse('2026-01-01T00:00:00Z');
/** Each look is later than the one before. */
let looks = 0;
const nextLook = () => new Date(START + ++looks * 1000);

async function measureReports(
  { commands, database }: BenchApi,
  images: readonly RunnableImage[],
  { runtimes, containers, times }: ContainersBench,
): Promise<void> {
  const fills: number[] = [];
  for (let runtime = 0; runtime < runtimes; runtime++) {
    const input = reportOf(`host-${runtime}`, nextLook(), observe(`host-${runtime}`, containers, images));
    fills.push(await timed(() => commands.reportContainers(input)));
  }
  await database.pool.query('vacuum analyze');
  const rows: (string | number)[][] = [];
  const seen = observe('large', 1000, images);
  const report = (containers: typeof seen) => commands.reportContainers(reportOf('large', nextLook(), containers));
  const first: number[] = [];
  const same: number[] = [];
  const changed: number[] = [];
  for (let round = 0; round < times; round++) {
    const named = seen.map((container) => ({ ...container, containerId: `${container.containerId}-${round}` }));
    first.push(await timed(() => report(named)));
    same.push(await timed(() => report(named)));
    changed.push(await timed(() => report(named.map((each) => ({ ...each, state: 'PAUSED' as const })))));
  }
  await report([]);
  rows.push([
    `first report of each of ${runtimes} runtimes, ${containers} containers`,
    median(fills),
    Math.max(...fills),
  ]);
  rows.push(['1,000 containers, all new, as many removed', median(first), Math.max(...first)]);
  rows.push(['1,000 containers, nothing new', median(same), Math.max(...same)]);
  rows.push(['1,000 containers, all of another state', median(changed), Math.max(...changed)]);
  print('Milliseconds of one report.\n');
  printTable(['report', 'median', 'most'], rows);
}

/** Of containers here and there, one by one, as those who follow runtimes write them: first as they come, then all at once. */
async function measureChanges(
  { commands }: BenchApi,
  images: readonly RunnableImage[],
  { runtimes, containers, seconds }: ContainersBench,
): Promise<void> {
  let changes = 0;
  const change = async () => {
    const at = changes++;
    const name = `host-${at % runtimes}`;
    const [container] = observe(name, containers, images).slice(at % containers);
    const state = at % 2 === 0 ? ('EXITED' as const) : ('RUNNING' as const);
    const input = reportOf(name, nextLook(), container ? [{ ...container, state }] : []);
    return timed(() => commands.reportContainers({ ...input, isPartial: true }));
  };

  const waits: number[] = [];
  const began = performance.now();
  const open = new Set<Promise<void>>();
  for (let sent = 0; performance.now() - began < seconds * 1000; sent++) {
    const due = began + (sent * 60_000) / CHANGES_PER_MINUTE;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    const one: Promise<void> = change().then((elapsed) => void (waits.push(elapsed), open.delete(one)));
    open.add(one);
  }
  await Promise.all(open);

  const before = changes;
  const end = performance.now() + seconds * 1000;
  const work = async () => {
    while (performance.now() < end) await change();
  };
  await Promise.all([work(), work(), work(), work()]);
  const most = ((changes - before) / seconds) * 60;
  waits.sort((a, b) => a - b);
  print(`Changes of state: at ${CHANGES_PER_MINUTE.toLocaleString('en')} a minute each is written within`);
  print(
    `${median(waits).toFixed(1)} ms (median), 99 of 100 within ${(waits[Math.floor(waits.length * 0.99)] ?? NaN).toFixed(1)} ms;`,
  );
  print(`at most ${Math.round(most).toLocaleString('en')} a minute, 4 at a time.\n`);
}

async function measureQuestions({ address, database }: BenchApi, { times }: ContainersBench): Promise<void> {
  const base = await busiestBase(database);
  const questions = [
    `{ image(digest: "${base}") { impact { runningContainers } } }`,
    `{ image(digest: "${base}") { impact { runningContainers breakdown(by: RUNTIME) { key value } } } }`,
    `{ image(digest: "${base}") { derivedImages(first: 20, filter: { inUse: true }) { nodes { digest containerCount } } } }`,
    '{ containers(filter: { state: [RUNNING] }) { nodes { name runtime { name } image { digest tags(first: 3) { nodes { name } } } } } }',
    '{ containers(filter: { isOutdated: true }) { nodes { name drift { movesBehind since tag { name } } } } }',
    '{ containers(asOf: "2026-01-01T00:05:00Z") { nodes { name state } totalCount } }',
    '{ images(orderBy: { field: CONTAINER_COUNT }) { nodes { digest containerCount } } }',
    '{ statistics { containers unusedImages outdatedContainers } }',
    '{ breakdown(metric: CONTAINERS, by: RUNTIME) { key value } }',
    '{ breakdown(metric: CONTAINERS, by: CONTAINER_STATE) { key value } }',
  ];
  const rows: (string | number)[][] = [];
  for (const query of questions) {
    const elapsed: number[] = [];
    for (let at = 0; at <= times; at++) elapsed.push(await timed(() => ask(address, query)));
    const [first = NaN, ...others] = elapsed;
    rows.push([query.replace(base, '...'), first, median(others), Math.max(...others)]);
  }
  print(`Milliseconds of one answer, the first time and then ${times} times.\n`);
  printTable(['question', 'first', 'median', 'most'], rows);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function ask(address: string, query: string): Promise<void> {
  const { body } = await request(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { errors } = (await body.json()) as { errors?: { message: string }[] };
  if (errors) throw new Error(`${query}: ${errors.map(({ message }) => message).join('; ')}`);
}
