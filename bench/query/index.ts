import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { request } from 'undici';
import { startPart, type Part } from '../part.ts';
import { median, print, printTable } from '../report.ts';
import { openBenchServer } from '../server.ts';
import type { Load, LoadResult } from './load-part.ts';
import { processorTime } from './processor-time.ts';
import { prepareScenarios } from './prepare.ts';
import type { Scenario } from './scenarios.ts';

export interface QueryBench {
  readonly connections: number;
  readonly seconds: number;
  readonly rounds: number;
}

/** Measures queries of the graph beside hand-written SQL for the same, on a large catalog, in turns. */
export async function benchQuery(bench: QueryBench, serverUrl: string | undefined): Promise<void> {
  const server = await openBenchServer(serverUrl);
  const [graph, plain, load] = ['graph', 'plain', 'load'].map((name) => startPart(`./query/${name}-part.ts`)) as [
    Part,
    Part,
    Part,
  ];
  try {
    const databaseUrl = await server.createDatabase();
    await loadCatalog(databaseUrl);
    const graphUrl = await graph.call<string>('start', databaseUrl);
    const scenarios = await prepareScenarios(databaseUrl, graphUrl);
    const statements = scenarios.map(({ sql }) => sql);
    const plainUrl = await plain.call<string>('start', { databaseUrl, statements });

    const all: Measured[] = [];
    for (const [at, scenario] of scenarios.entries()) {
      const sides: Record<Side, [Part, Omit<Load, 'seconds'>]> = {
        graph: [graph, { url: graphUrl, connections: bench.connections, bodies: graphBodies(scenario) }],
        SQL: [plain, { url: `${plainUrl}/${at}`, connections: bench.connections, bodies: plainBodies(scenario) }],
      };
      for (const side of SIDES)
        await load.call('run', { ...sides[side][1], seconds: Math.min(2, bench.seconds) } satisfies Load);
      await checkSame(sides);
      for (let round = 0; round < bench.rounds; round++) {
        for (const side of SIDES) {
          const [part, what] = sides[side];
          all.push({
            scenario,
            side,
            ...(await measure(part, load, { ...what, seconds: bench.seconds }, databaseUrl)),
          });
        }
      }
    }
    report(scenarios, all);
  } finally {
    await Promise.all([graph, plain, load].map((part) => part.stop()));
    await server.close();
  }
}

type Side = 'graph' | 'SQL';
const SIDES: readonly Side[] = ['graph', 'SQL'];

interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly rate: number;
  /** Processor time of a request in microseconds: the process that answers, and PostgreSQL. */
  readonly own: number;
  readonly database: number;
}

type Measured = Figures & { readonly scenario: Scenario; readonly side: Side };

async function loadCatalog(databaseUrl: string): Promise<void> {
  const begin = performance.now();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(await readFile(new URL('catalog.sql', import.meta.url), 'utf8'));
    await client.query('vacuum analyze');
    const { rows } = await client.query<{ name: string; rows: number }>(
      `select relname as name, reltuples::int as rows from pg_class where relkind = 'r' and relname = any($1) order by 2`,
      [['repository', 'tag', 'image', 'layer', 'image_layer']],
    );
    const counts = rows.map(({ name, rows }) => `${rows} of ${name}`).join(', ');
    print(`loaded in ${((performance.now() - begin) / 1000).toFixed(0)} s: ${counts}\n`);
  } finally {
    await client.end();
  }
}

/** Both sides must name the same digests as often, or they would not have done the same. */
async function checkSame(sides: Record<Side, [Part, Pick<Load, 'url' | 'bodies'>]>): Promise<void> {
  const [graph, plain] = await Promise.all(SIDES.map((side) => digestsIn(sides[side][1])));
  if (graph?.length === 0 || graph?.join() !== plain?.join()) {
    throw new Error(`the graph answers with ${graph?.length} digests, the SQL with ${plain?.length}, or with others`);
  }
}

async function digestsIn({ url, bodies }: Pick<Load, 'url' | 'bodies'>): Promise<string[]> {
  const headers = { 'content-type': 'application/json' };
  const { body } = await request(url, { method: 'POST', headers, body: bodies[0] ?? '' });
  return ((await body.text()).match(/sha256:[0-9a-f]{64}/g) ?? []).sort();
}

function graphBodies({ query, requests }: Scenario): string[] {
  return requests.map(({ variables }) => JSON.stringify({ query, variables }));
}

function plainBodies({ requests }: Scenario): string[] {
  return requests.map(({ values }) => JSON.stringify(values));
}

async function measure(part: Part, load: Part, what: Load, databaseUrl: string): Promise<Figures> {
  const before = await processorTime(part, databaseUrl);
  const { latencies, seconds } = await load.call<LoadResult>('run', what);
  const after = await processorTime(part, databaseUrl);
  const sorted = latencies.sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return {
    p50: at(0.5),
    p99: at(0.99),
    rate: sorted.length / seconds,
    own: (after.own - before.own) / sorted.length,
    database: (after.database - before.database) / sorted.length,
  };
}

function report(scenarios: readonly Scenario[], all: readonly Measured[]): void {
  const figures: readonly (keyof Figures)[] = ['p50', 'p99', 'rate', 'own', 'database'];
  const rows = scenarios.flatMap((scenario) =>
    SIDES.map((side) => {
      const measured = all.filter((one) => one.scenario === scenario && one.side === side);
      return [`${scenario.name}, ${side}`, ...figures.map((figure) => median(measured.map((one) => one[figure])))];
    }),
  );
  printTable(
    ['medians of the rounds', 'p50 ms', 'p99 ms', 'requests/s', 'CPU us/request', 'PostgreSQL us/request'],
    rows,
  );

  const ratios = scenarios.map((scenario) => {
    const of = (side: Side, figure: keyof Figures) =>
      median(all.filter((one) => one.scenario === scenario && one.side === side).map((one) => one[figure]));
    const both = (side: Side) => of(side, 'own') + of(side, 'database');
    return [
      scenario.name,
      of('graph', 'rate') / of('SQL', 'rate'),
      of('graph', 'own') / of('SQL', 'own'),
      both('graph') / both('SQL'),
    ];
  });
  printTable(['graph against SQL', 'requests/s', 'CPU', 'CPU with PostgreSQL'], ratios);
}
