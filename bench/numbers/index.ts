import { request } from 'undici';
import { loadCatalog } from '../catalog.ts';
import { startPart } from '../part.ts';
import { median, print, printTable } from '../report.ts';
import { openBenchServer } from '../server.ts';

export interface NumbersBench {
  readonly images: number;
  /** How often each question is asked, one after the other. */
  readonly times: number;
}

/** Asks what dashboards ask of a large catalog, and tells how long each answer takes. */
export async function benchNumbers({ images, times }: NumbersBench, serverUrl: string | undefined): Promise<void> {
  const server = await openBenchServer(serverUrl);
  const graph = startPart('./query/graph-part.ts');
  try {
    const databaseUrl = await server.createDatabase();
    await loadCatalog(databaseUrl, images);
    const url = await graph.call<string>('start', databaseUrl);
    const rows: (string | number)[][] = [];
    for (const query of QUESTIONS) {
      const elapsed: number[] = [];
      for (let at = 0; at <= times; at++) elapsed.push(await ask(url, query));
      const [first = NaN, ...others] = elapsed;
      rows.push([query, first, median(others), Math.max(...others)]);
    }
    print(`Milliseconds, the first time and then ${times} times.\n`);
    printTable(['question', 'first', 'median', 'most'], rows);
  } finally {
    await graph.stop();
    await server.close();
  }
}

const METRICS = ['IMAGES', 'LAYERS', 'STORED_SIZE', 'TAGS', 'TAG_EVENTS'];
const BYS = ['REGISTRY', 'REPOSITORY', 'OS', 'ARCHITECTURE', 'MEDIA_TYPE'];
/** The generated catalog was seen from the beginning of 2025 on, a few months long. */
const RANGES = { month: 'from: "2025-02-01", to: "2025-03-01"', year: 'from: "2025-01-01", to: "2026-01-01"' };

const QUESTIONS: readonly string[] = [
  '{ statistics { images layers tags repositories nominalSize storedSize } }',
  '{ statistics(registry: "registry-1.example.com") { images layers tags nominalSize storedSize } }',
  ...METRICS.flatMap((metric) => BYS.map((by) => `{ breakdown(metric: ${metric}, by: ${by}) { key value } }`)),
  ...['REGISTRY', 'REPOSITORY', 'OS'].map((kind) => `{ options(kind: ${kind}) { text value } }`),
  '{ options(kind: REPOSITORY, text: "team-7") { text value } }',
  '{ annotations(from: "2025-02-01", to: "2025-03-01") { time title } }',
  ...Object.values(RANGES).flatMap((range) =>
    METRICS.map((metric) => `{ timeline(metric: ${metric}, ${range}, maxDataPoints: 100) { time value } }`),
  ),
  ...METRICS.flatMap((metric) =>
    BYS.map((by) => `{ timeline(metric: ${metric}, by: ${by}, ${RANGES.month}, interval: DAY) { time series value } }`),
  ),
];

/** Milliseconds until the whole answer is here. */
async function ask(url: string, query: string): Promise<number> {
  const began = performance.now();
  const { body } = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { errors } = (await body.json()) as { errors?: { message: string }[] };
  if (errors) throw new Error(`${query}: ${errors.map(({ message }) => message).join('; ')}`);
  return performance.now() - began;
}
