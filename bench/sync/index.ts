import { startPart, type Part } from '../part.ts';
import { median, print, printTable } from '../report.ts';
import { openBenchServer, type BenchServer } from '../server.ts';
import type { BareRun } from './bare-loop.ts';
import type { RegistrySize } from './generated-registry.ts';
import type { SentRequest } from './registry-server.ts';
import type { SyncResult, WorkerStart } from './worker-part.ts';

export interface SyncBench extends RegistrySize {
  readonly rounds: number;
}

/** As the worker and its HTTP client have them. */
const REPOSITORIES_AT_A_TIME = 4;
const CONNECTIONS = 16;

/** Measures a first and a second sync against a loop that only sends the same requests, in turns. */
export async function benchSync(bench: SyncBench, databaseUrl: string | undefined): Promise<void> {
  const server = await openBenchServer(databaseUrl);
  const registry = startPart('./sync/registry-server.ts');
  try {
    const origin = await registry.call<string>('start', bench);
    print(`${bench.repositories} repositories, ${bench.tags} tags and images of ${bench.layers} layers at ${origin}\n`);
    const rounds: Round[] = [];
    for (let at = 1; at <= bench.rounds; at++) rounds.push(await measureRound(server, registry, origin));
    report(bench, rounds);
  } finally {
    await registry.stop();
    await server.close();
  }
}

interface Round {
  /** Rates, of images in the first and of tags in the second sync. */
  readonly first: Pair;
  readonly second: Pair;
  readonly peakMemory: number;
}

interface Pair {
  readonly milliseconds: number;
  /** Of undici as it comes. */
  readonly bareMilliseconds: number;
  /** The same with connections kept after a HEAD, as our client does. */
  readonly keptMilliseconds: number;
  readonly requests: number;
}

async function measureRound(server: BenchServer, registry: Part, origin: string): Promise<Round> {
  const databaseUrl = await server.createDatabase();
  const worker = startPart('./sync/worker-part.ts');
  const bare = startPart('./sync/bare-loop.ts');
  try {
    await worker.call('start', { databaseUrl, origin, concurrency: REPOSITORIES_AT_A_TIME } satisfies WorkerStart);
    const first = await measurePair(worker, bare, registry, origin);
    const second = await measurePair(worker, bare, registry, origin);
    return { first, second, peakMemory: await worker.call<number>('peakMemory') };
  } finally {
    await worker.stop();
    await bare.stop();
    await server.dropDatabase(databaseUrl);
  }
}

async function measurePair(worker: Part, bare: Part, registry: Part, origin: string): Promise<Pair> {
  await registry.call('record');
  const { milliseconds, status, errors } = await worker.call<SyncResult>('sync');
  if (status !== 'SUCCEEDED') throw new Error(`the sync ended as ${status}, with ${errors} errors`);
  const requests = await registry.call<SentRequest[]>('takeRecord');
  const bareRun = (keepsAlive: boolean) =>
    bare.call<number>('run', { origin, requests, connections: CONNECTIONS, keepsAlive } satisfies BareRun);
  const bareMilliseconds = await bareRun(false);
  return { milliseconds, bareMilliseconds, keptMilliseconds: await bareRun(true), requests: requests.length };
}

function report({ tags }: SyncBench, rounds: readonly Round[]): void {
  const rate = (milliseconds: number) => (tags * 1000) / milliseconds;
  const head = ['round', 'first: images/s', 'bare', 'kept', 'second: tags/s', 'bare', 'kept', 'peak MB'];
  const rows = rounds.map(({ first, second, peakMemory }, at) => [
    String(at + 1),
    ...[first, second].flatMap((pair) => [
      rate(pair.milliseconds),
      rate(pair.bareMilliseconds),
      rate(pair.keptMilliseconds),
    ]),
    peakMemory,
  ]);
  printTable(head, rows);
  printTable(
    ['medians', 'rate', 'requests', 'of the bare loop', 'wanted', 'of one that keeps its connections'],
    [
      [
        'first sync, images/s',
        ...compare(
          tags,
          rounds.map((round) => round.first),
          '>= 0.50',
        ),
      ],
      [
        'second sync, tags/s',
        ...compare(
          tags,
          rounds.map((round) => round.second),
          '>= 0.70',
        ),
      ],
      ['peak memory of the worker, MB', Math.max(...rounds.map((round) => round.peakMemory)), '', '', '< 300', ''],
    ],
  );
}

function compare(tags: number, pairs: readonly Pair[], wanted: string): (string | number)[] {
  const took = median(pairs.map((pair) => pair.milliseconds));
  const requests = String(pairs[0]?.requests ?? 0);
  const bare = median(pairs.map((pair) => pair.bareMilliseconds)) / took;
  const kept = median(pairs.map((pair) => pair.keptMilliseconds)) / took;
  return [(tags * 1000) / took, requests, bare, wanted, kept];
}
