import { request } from 'undici';
import { loadCatalog } from './catalog.ts';
import { startPart } from './part.ts';
import { median, print, printTable } from './report.ts';
import { openBenchServer } from './server.ts';

export interface AnswersBench {
  readonly images: number;
  /** How often each question is asked, one after the other. */
  readonly times: number;
}

/** Asks a large catalog, with what these scripts of SQL add to it, and tells how long each answer takes. */
export async function benchAnswers(
  { images, times }: AnswersBench,
  questions: readonly string[],
  scripts: readonly URL[],
  serverUrl: string | undefined,
): Promise<void> {
  const server = await openBenchServer(serverUrl);
  const graph = startPart('./query/graph-part.ts');
  try {
    const databaseUrl = await server.createDatabase();
    await loadCatalog(databaseUrl, images, scripts);
    const url = await graph.call<string>('start', databaseUrl);
    const rows: (string | number)[][] = [];
    for (const query of questions) {
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
