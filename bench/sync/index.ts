import { startPart, type Part } from '../part.ts';
import { processorTime, spentBetween } from '../query/processor-time.ts';
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

/**
 * Measures a first sync, a second, and a third after one in a hundred tags has moved, each against a loop that only
 * sends the same requests.
 */
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
  readonly first: Pair;
  readonly second: Pair;
  readonly third: Pair;
  readonly peakMemory: number;
}

interface Pair {
  readonly milliseconds: number;
  /** Of undici as it comes. */
  readonly bareMilliseconds: number;
  /** The same with connections kept after a HEAD, as our client does. */
  readonly keptMilliseconds: number;
  readonly requests: number;
  /** Milliseconds of processor time, of the worker and of its backends. */
  readonly processor: { readonly own: number; readonly database: number };
}

async function measureRound(server: BenchServer, registry: Part, origin: string): Promise<Round> {
  const databaseUrl = await server.createDatabase();
  const worker = startPart('./sync/worker-part.ts');
  const bare = startPart('./sync/bare-loop.ts');
  try {
    await worker.call('start', { databaseUrl, origin, concurrency: REPOSITORIES_AT_A_TIME } satisfies WorkerStart);
    const first = await measurePair(worker, bare, registry, origin, databaseUrl);
    const second = await measurePair(worker, bare, registry, origin, databaseUrl);
    await registry.call('moveTags');
    const third = await measurePair(worker, bare, registry, origin, databaseUrl);
    return { first, second, third, peakMemory: await worker.call<number>('peakMemory') };
  } finally {
    await worker.stop();
    await bare.stop();
    await server.dropDatabase(databaseUrl);
  }
}

async function measurePair(
  worker: Part,
  bare: Part,
  registry: Part,
  origin: string,
  databaseUrl: string,
): Promise<Pair> {
  await registry.call('record');
  const before = await processorTime(worker, databaseUrl);
  const { milliseconds, status, errors } = await worker.call<SyncResult>('sync');
  const { own, database } = spentBetween(before, await processorTime(worker, databaseUrl));
  if (status !== 'SUCCEEDED') throw new Error(`the sync ended as ${status}, with ${errors} errors`);
  const requests = await registry.call<SentRequest[]>('takeRecord');
  const bareRun = (keepsAlive: boolean) =>
    bare.call<number>('run', { origin, requests, connections: CONNECTIONS, keepsAlive } satisfies BareRun);
  const bareMilliseconds = await bareRun(false);
  const keptMilliseconds = await bareRun(true);
  const processor = { own: own / 1000, database: database / 1000 };
  return { milliseconds, bareMilliseconds, keptMilliseconds, requests: requests.length, processor };
}

function report({ tags }: SyncBench, rounds: readonly Round[]): void {
  const rate = (milliseconds: number) => (tags * 1000) / milliseconds;
  const head = [
    'round',
    'first: images/s',
    'bare',
    'kept',
    'second: tags/s',
    'bare',
    'kept',
    'third: tags/s',
    'peak MB',
  ];
  const rows = rounds.map(({ first, second, third, peakMemory }, at) => [
    String(at + 1),
    ...[first, second].flatMap((pair) => [
      rate(pair.milliseconds),
      rate(pair.bareMilliseconds),
      rate(pair.keptMilliseconds),
    ]),
    rate(third.milliseconds),
    peakMemory,
  ]);
  printTable(head, rows);

  const line = (name: string, of: 'first' | 'second' | 'third', wanted: string) => {
    const pairs = rounds.map((round) => round[of]);
    return [name, ...compare(tags, pairs, wanted)];
  };
  printTable(
    [
      'medians',
      'rate',
      'requests',
      'of the bare loop',
      'wanted',
      'of one that keeps its connections',
      'processor ms of the worker, for 1000',
      'of PostgreSQL',
    ],
    [
      line('first sync, images/s', 'first', '>= 0.50'),
      line('second sync, tags/s', 'second', '>= 0.70'),
      line('third sync, 1 % of the tags moved, tags/s', 'third', ''),
    ],
  );
  const share = median(rounds.map(({ first, third }) => third.milliseconds / first.milliseconds));
  const work = ({ processor }: Pair) => processor.own + processor.database;
  const workShare = median(rounds.map(({ first, third }) => work(third) / work(first)));
  printTable(
    ['', 'measured', 'wanted'],
    [
      ['third sync, of the time of the first', share, '< 0.10'],
      ['the same by processor time', workShare, '< 0.10'],
      ['peak memory of the worker, MB', Math.max(...rounds.map((round) => round.peakMemory)), '< 400'],
    ],
  );
}

function compare(tags: number, pairs: readonly Pair[], wanted: string): (string | number)[] {
  const took = median(pairs.map((pair) => pair.milliseconds));
  const requests = String(pairs[0]?.requests ?? 0);
  const bare = median(pairs.map((pair) => pair.bareMilliseconds)) / took;
  const kept = median(pairs.map((pair) => pair.keptMilliseconds)) / took;
  const work = (of: 'own' | 'database') => (median(pairs.map(({ processor }) => processor[of])) * 1000) / tags;
  return [(tags * 1000) / took, requests, bare, wanted, kept, work('own'), work('database')];
}
