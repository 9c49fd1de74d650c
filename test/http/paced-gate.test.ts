import { jest } from '@jest/globals';
import fc from 'fast-check';
import { RegistryError } from '../../src/domain/errors.ts';
import type { HostLimits } from '../../src/domain/host-pace.ts';
import { openPacedGate, type PacedGate, type Turn } from '../../src/http/index.ts';
import { LimitedHost, type Form } from '../support/limited-host.ts';
import { MemoryPace } from '../support/memory-pace.ts';

const signal = new AbortController().signal;
const limits: HostLimits = { concurrency: 16, requestsPerSecond: null };
const ORIGIN = 'https://registry.example.com';

beforeEach(() => jest.useFakeTimers({ now: 1_800_000_000_000 }));
afterEach(() => jest.useRealTimers());

/** Gates of several processes over one store, whose news they hear. */
function openGates(count: number, store: MemoryPace, of: HostLimits = limits): PacedGate[] {
  const gates = Array.from({ length: count }, () => openPacedGate(store, of));
  store.onNews = () => {
    for (const gate of gates) gate.refresh();
  };
  return gates;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Lets time pass until it is done. */
async function settled<T>(work: Promise<T>, longest = 3_600_000): Promise<T> {
  let isDone = false;
  const watched = work.finally(() => (isDone = true));
  watched.catch(() => undefined);
  for (let passed = 0; !isDone && passed < longest; passed += 100) await jest.advanceTimersByTimeAsync(100);
  if (!isDone) throw new Error(`not done after ${longest} ms`);
  return watched;
}

/** Random numbers below 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Sends a request, however often it is put off; each way takes a while. */
async function send(gate: PacedGate, host: LimitedHost, travel: () => number): Promise<void> {
  for (;;) {
    let turn: Turn;
    try {
      turn = await gate.enter({ origin: ORIGIN, authorization: null }, signal);
    } catch (error) {
      if (!(error instanceof RegistryError) || error.retryAt === null) throw error;
      await sleep(Math.max(error.retryAt.getTime() - Date.now(), 1));
      continue;
    }
    host.inFlight++;
    host.mostInFlight = Math.max(host.mostInFlight, host.inFlight);
    await sleep(travel());
    const { status, headers } = host.receive();
    await sleep(travel());
    host.inFlight--;
    turn.answered(status, headers);
    turn.ended();
    if (status === 200) return;
  }
}

test('a limit that is announced is never exceeded, whoever sends, however answers overtake each other', async () => {
  const forms: Form[] = ['reset', 'x-reset', 'unix', 'window', 'structured'];
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        limit: fc.integer({ min: 1, max: 40 }),
        seconds: fc.integer({ min: 2, max: 20 }),
        isSliding: fc.boolean(),
        form: fc.constantFrom(...forms),
        workers: fc.integer({ min: 1, max: 3 }),
        requests: fc.integer({ min: 1, max: 120 }),
        slowest: fc.constantFrom(5, 50, 800),
        seed: fc.nat(),
      }),
      async ({ limit, seconds, isSliding, form, workers, requests, slowest, seed }) => {
        const random = randomOf(seed);
        const store = new MemoryPace();
        store.delay = () => sleep(random() * 3);
        const gates = openGates(workers, store);
        const host = new LimitedHost({ limit, periodMs: seconds * 1_000, isSliding, form });
        const travel = () => random() * slowest;
        const work = Array.from({ length: requests }, async (_, at) => {
          await sleep(random() * 2_000);
          await send(gates[at % workers] as PacedGate, host, travel);
        });
        await settled(Promise.all(work));
        expect(host.over).toBe(0);
        expect(host.mostInFlight).toBeLessThanOrEqual(limits.concurrency);
        expect(host.arrivals).toHaveLength(requests);
      },
    ),
    { seed: 1, numRuns: 60 },
  );
}, 120_000);
