import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { startPart, type Part } from '../part.ts';
import { print, printTable } from '../report.ts';
import { openBenchServer } from '../server.ts';
import type { RegistrySize } from '../sync/generated-registry.ts';
import type { WorkerStart } from '../sync/worker-part.ts';
import type { ApiStart } from './api-part.ts';

export interface HooksBench {
  /** Of each storm. */
  readonly notifications: number;
  /** How many of them are sent at a time. */
  readonly connections: number;
}

const SECRET = 'a-secret-of-enough-signs';
const REGISTRY: RegistrySize = { repositories: 50, tags: 1000, layers: 5 };
const MEGABYTE = 2 ** 20;

/** Sends storms of notifications to an API, and tells how soon each was answered and how many syncs they made. */
export async function benchHooks(bench: HooksBench, serverUrl: string | undefined): Promise<void> {
  const server = await openBenchServer(serverUrl);
  const parts = ['./sync/registry-server.ts', './sync/worker-part.ts', './hooks/api-part.ts'].map(startPart);
  const [registry, worker, api] = parts as [Part, Part, Part];
  try {
    const databaseUrl = await server.createDatabase();
    const origin = await registry.call<string>('start', REGISTRY);
    const { host } = new URL(origin);
    await worker.call('start', { databaseUrl, origin, concurrency: 4 } satisfies WorkerStart);
    const url = new URL(await api.call<string>('start', { databaseUrl, host, secret: SECRET } satisfies ApiStart));
    const pool = new Pool(url.origin, { connections: bench.connections });

    async function storm(name: string, body: (at: number) => string, secret = SECRET): Promise<(string | number)[]> {
      const before = await ended(api);
      const began = performance.now();
      const times = await inTurns(bench, async (at) => {
        const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
        const answer = await pool.request({ path: url.pathname, method: 'POST', headers, body: body(at) });
        await answer.body.dump();
      });
      const elapsed = performance.now() - began;
      const syncs = (await ended(api)) - before;
      return [name, at(times, 0.5), at(times, 0.99), at(times, 1), (bench.notifications / elapsed) * 1000, syncs];
    }

    await storm('to warm up', () => pushOf(0));
    const memory = await api.call<number>('memory');
    const rows = [
      await storm('of one repository', () => pushOf(1)),
      await storm(`of ${REGISTRY.repositories} in turns`, pushOf),
      await storm('of one that nobody follows', () => JSON.stringify({ events: [] })),
      await storm('with another secret', pushOf, 'another-of-enough-signs'),
    ];
    const growth = ((await api.call<number>('memory')) - memory) / MEGABYTE;
    await pool.close();
    print(`\n${bench.notifications} notifications each, ${bench.connections} at a time`);
    printTable(['storm', 'median ms', '99 of 100 ms', 'longest ms', 'a second', 'syncs'], rows);
    print(`The API grew by ${growth.toFixed(0)} MB.`);
  } finally {
    for (const part of parts) await part.stop();
    await server.close();
  }
}

function pushOf(at: number): string {
  const repository = `team-${(at % REGISTRY.repositories) % 25}/service-${at % REGISTRY.repositories}`;
  return JSON.stringify({ events: [{ action: 'push', target: { repository, tag: '1.0.0' } }] });
}

/** Sends so many at a time; how long each took in milliseconds, sorted. */
async function inTurns(bench: HooksBench, send: (at: number) => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: bench.connections }, async () => {
      while (next < bench.notifications) {
        const began = performance.now();
        await send(next++);
        times.push(performance.now() - began);
      }
    }),
  );
  return times.sort((a, b) => a - b);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
}

/** How many runs there were when the last has ended. */
async function ended(api: Part): Promise<number> {
  for (;;) {
    const { all, unfinished } = await api.call<{ all: number; unfinished: number }>('runs');
    if (unfinished === 0) return all;
    await pause(50);
  }
}
