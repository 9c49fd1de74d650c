import { request } from 'undici';
import { loadCatalog } from '../catalog.ts';
import { startPart, type Part } from '../part.ts';
import { installPostgraphile } from '../postgraphile/install.ts';
import { openBenchServer, type BenchServer } from '../server.ts';
import type { Load, LoadResult } from './load-part.ts';
import { prepareScenarios, type Scenario } from './prepare.ts';
import { processorTime, spentBetween } from './processor-time.ts';
import { QUESTIONS, SIDES, type Side } from './questions.ts';
import { reportGrowth, reportSides, type Figures, type Measured } from './report.ts';

export interface QueryBench {
  /** Of the large catalog. */
  readonly images: number;
  /** How many times fewer the small one has. */
  readonly scale: number;
  readonly connections: number;
  readonly seconds: number;
  readonly rounds: number;
}

/** Asks every side the same questions on a large catalog, and the graph those of a small one too, in turns. */
export async function benchQuery(bench: QueryBench, serverUrl: string | undefined): Promise<void> {
  await installPostgraphile();
  const server = await openBenchServer(serverUrl);
  const parts: Part[] = [];
  const start = (path: string) => {
    const part = startPart(path);
    parts.push(part);
    return part;
  };
  try {
    const fewer = Math.round(bench.images / bench.scale);
    const large = await openCatalog(server, start, { images: bench.images, sides: SIDES });
    const small = await openCatalog(server, start, { images: fewer, sides: ['graph'] });
    const load = start('./query/load-part.ts');
    const measured: Measured[] = [];
    for (const [at, { name }] of large.scenarios.entries()) {
      const runs = [...large.runsOf(at), ...small.runsOf(at)];
      for (const run of runs) await load.call('run', loadOf(run, bench.connections, Math.min(2, bench.seconds)));
      await checkSame(runs.filter(({ images }) => images === bench.images));
      for (let round = 0; round < bench.rounds; round++) {
        for (const run of runs) {
          const figures = await measure(run, load, loadOf(run, bench.connections, bench.seconds));
          measured.push({ scenario: name, side: run.side, images: run.images, round, ...figures });
        }
      }
    }
    reportSides(measured.filter(({ images }) => images === bench.images));
    reportGrowth(measured, fewer, bench.images);
  } finally {
    await Promise.all(parts.map((part) => part.stop()));
    await server.close();
  }
}

/** One side of a catalog, and what it is asked. */
interface Run {
  readonly side: Side;
  readonly images: number;
  readonly part: Part;
  readonly databaseUrl: string;
  readonly url: string;
  readonly bodies: readonly string[];
}

interface OpenCatalog {
  readonly scenarios: readonly Scenario[];
  runsOf(scenario: number): Run[];
}

/** What PostGraphile needs besides. */
const POSTGRAPHILE_SCHEMA = new URL('../postgraphile/schema.sql', import.meta.url);

const PARTS: Record<Side, string> = {
  graph: './query/graph-part.ts',
  postgraphile: './postgraphile/part.js',
  sql: './query/plain-part.ts',
};

async function openCatalog(
  server: BenchServer,
  start: (path: string) => Part,
  { images, sides }: { images: number; sides: readonly Side[] },
): Promise<OpenCatalog> {
  const databaseUrl = await server.createDatabase();
  await loadCatalog(databaseUrl, images, [POSTGRAPHILE_SCHEMA]);
  const answering = sides.map((side) => ({ side, part: start(PARTS[side]) }));
  const urls: Partial<Record<Side, string>> = {};
  for (const { side, part } of answering) urls[side] = await part.call<string>('start', databaseUrl);
  const scenarios = await prepareScenarios({ databaseUrl, images, urls: { ...urls, graph: urls.graph ?? '' } });
  return {
    scenarios,
    runsOf: (at) =>
      answering.map(({ side, part }) => {
        const { question, requests } = scenarios[at] as Scenario;
        const query = QUESTIONS[question][side];
        const url = side === 'sql' ? `${urls.sql}/${question}` : (urls[side] ?? '');
        const bodies = requests.map((values) =>
          JSON.stringify(side === 'sql' ? values.sql : { query, variables: values[side] }),
        );
        return { side, images, part, databaseUrl, url, bodies };
      }),
  };
}

function loadOf({ url, bodies }: Run, connections: number, seconds: number): Load {
  return { url, bodies, connections, seconds };
}

/** All sides must name the same things as often, or they would not have done the same. */
async function checkSame(runs: readonly Run[]): Promise<void> {
  const [graph, ...others] = await Promise.all(runs.map(namesIn));
  for (const [at, other] of others.entries()) {
    if (graph?.length !== 0 && graph?.join() === other.join()) continue;
    const side = runs[at + 1]?.side;
    throw new Error(
      `the graph answers with ${graph?.length} names and digests, ${side} with ${other.length}, or others`,
    );
  }
}

async function namesIn({ url, bodies }: Run): Promise<string[]> {
  const headers = { 'content-type': 'application/json' };
  const { body } = await request(url, { method: 'POST', headers, body: bodies[0] ?? '' });
  const names = (await body.text()).matchAll(/sha256:[0-9a-f]{64}|"name" ?: ?"([^"]*)"/g);
  return [...names.map(([digest, name]) => name ?? digest)].sort();
}

async function measure({ part, databaseUrl }: Run, load: Part, what: Load): Promise<Figures> {
  const before = await processorTime(part, databaseUrl);
  const { latencies, seconds } = await load.call<LoadResult>('run', what);
  const { own, database } = spentBetween(before, await processorTime(part, databaseUrl));
  const sorted = latencies.sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return {
    p50: at(0.5),
    p99: at(0.99),
    rate: sorted.length / seconds,
    own: own / sorted.length,
    database: database / sorted.length,
  };
}
