import { request } from 'undici';
import { hostileRequests, type HostileRequest } from '../../test/support/hostile-requests.ts';
import { startPart, type Part } from '../part.ts';
import { median, print, printTable } from '../report.ts';
import { openBenchServer } from '../server.ts';

export interface HostileBench {
  /** How often each is sent, one after the other. */
  readonly times: number;
}

const MEGABYTE = 2 ** 20;

/** Sends what the tests call hostile to an API of its own, and tells what refusing it costs. */
export async function benchHostile({ times }: HostileBench, serverUrl: string | undefined): Promise<void> {
  const server = await openBenchServer(serverUrl);
  const graph = startPart('./query/graph-part.ts');
  try {
    const url = await graph.call<string>('start', await server.createDatabase());
    const rows: (string | number)[][] = [];
    for (const each of hostileRequests) rows.push([each.name, ...(await measure(graph, url, each, times))]);
    print(`\nEach sent ${times} times, after a tenth as many to warm up.\n`);
    printTable(['request', 'median ms', 'processor ms', 'growth MB'], rows);
  } finally {
    await graph.stop();
    await server.close();
  }
}

/** The median time, the processor time of the API for one, and what its process grew by. */
async function measure(graph: Part, url: string, { body }: HostileRequest, times: number): Promise<number[]> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  for (let at = 0; at < times / 10; at++) await send(url, text);
  const [memory, processor] = [await graph.call<number>('memory'), await processorOf(graph)];
  const elapsed: number[] = [];
  for (let at = 0; at < times; at++) {
    const began = performance.now();
    await send(url, text);
    elapsed.push(performance.now() - began);
  }
  const spent = (await processorOf(graph)) - processor;
  const growth = (await graph.call<number>('memory')) - memory;
  return [median(elapsed), spent / times, growth / MEGABYTE];
}

async function send(url: string, body: string): Promise<void> {
  try {
    const answer = await request(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    await answer.body.dump();
  } catch (error) {
    // A body that is too large may be cut off before the answer to it is read.
    if (!CUT_OFF.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

const CUT_OFF = ['EPIPE', 'ECONNRESET', 'UND_ERR_SOCKET'];

async function processorOf(graph: Part): Promise<number> {
  const { user, system } = await graph.call<NodeJS.CpuUsage>('cpu');
  return (user + system) / 1000;
}
