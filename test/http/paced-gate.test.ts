import { jest } from '@jest/globals';
import fc from 'fast-check';
import { RegistryError } from '../../src/domain/errors.ts';
import type { HostLimits } from '../../src/domain/host-limits.ts';
import { openPacedGate, type GatedRequest, type PacedGate, type Turn } from '../../src/http/index.ts';
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

/** A turn that is answered at once. */
async function ask(
  gate: PacedGate,
  status = 200,
  headers: Record<string, string> = {},
  request: Partial<GatedRequest> = {},
): Promise<void> {
  const turn = await gate.enter({ origin: ORIGIN, authorization: null, ...request }, signal);
  turn.answered(status, headers);
  turn.ended();
}

const refusal = (gate: PacedGate, request: Partial<GatedRequest> = {}) =>
  settled(
    ask(gate, 200, {}, request).then(
      () => null,
      (error: unknown) => error,
    ),
  );

test('a host that limits nothing is not asked about, and never gets more at a time than all may send together', async () => {
  const store = new MemoryPace();
  const gates = openGates(3, store);
  const host = new LimitedHost({ limit: null, periodMs: 1_000, form: 'nothing' });
  const random = randomOf(7);
  await settled(
    Promise.all(Array.from({ length: 3_000 }, (_, at) => send(gates[at % 3] as PacedGate, host, () => random() * 20))),
  );
  expect(host.mostInFlight).toBeLessThanOrEqual(limits.concurrency);
  expect(host.mostInFlight).toBeGreaterThan(limits.concurrency / 2);
  expect(store.changes).toBeLessThan(60);
});

test('a host is not asked about either where more is to be sent than may be at a time', async () => {
  const store = new MemoryPace();
  const gates = openGates(2, store);
  const host = new LimitedHost({ limit: null, periodMs: 1_000, form: 'nothing' });
  const lane = async (gate: PacedGate) => {
    for (let times = 0; times < 50; times++) await send(gate, host, () => 10);
  };
  await settled(Promise.all(Array.from({ length: 40 }, (_, at) => lane(gates[at % 2] as PacedGate))));
  expect(host.mostInFlight).toBeLessThanOrEqual(limits.concurrency);
  expect(store.changes).toBeLessThan(60);
});

test('more processes than there may be requests take turns', async () => {
  const gates = openGates(3, new MemoryPace(), { concurrency: 1, requestsPerSecond: null });
  const host = new LimitedHost({ limit: null, periodMs: 1_000, form: 'nothing' });
  const served = [0, 0, 0];
  let isOver = false;
  const lane = async (at: number) => {
    for (; !isOver; served[at] = (served[at] ?? 0) + 1) await send(gates[at] as PacedGate, host, () => 10);
  };
  const lanes = Promise.all([0, 0, 1, 1, 2, 2].map(lane));
  await jest.advanceTimersByTimeAsync(60_000);
  isOver = true;
  await settled(lanes);
  expect(host.mostInFlight).toBe(1);
  for (const count of served) expect(count).toBeGreaterThan(300);
});

test('half of what is left may go at once, and the rest is spread over the period', async () => {
  const store = new MemoryPace();
  const [gate] = openGates(1, store) as [PacedGate];
  const host = new LimitedHost({ limit: 100, periodMs: 60_000, form: 'reset' });
  const start = Date.now();
  await settled(Promise.all(Array.from({ length: 99 }, () => send(gate, host, () => 1))));
  const within = (seconds: number) => host.arrivals.filter((at) => at <= start + seconds * 1_000).length;
  expect(within(2)).toBeGreaterThanOrEqual(50);
  expect(within(15)).toBeLessThanOrEqual(65);
  expect(within(45)).toBeLessThanOrEqual(90);
  expect(host.over).toBe(0);
});

test.each([
  ['seconds', () => ({ 'retry-after': '30' })],
  ['an HTTP date', () => ({ 'retry-after': new Date(Date.now() + 30_000).toUTCString() })],
  ['a Unix time', () => ({ 'x-retry-after': String(Math.floor(Date.now() / 1000) + 30) })],
  [
    'a moment by a clock that is wrong',
    () => ({ date: new Date(0).toUTCString(), 'retry-after': new Date(30_000).toUTCString() }),
  ],
])('after a refusal that names %s nobody sends until then, and then one alone', async (_name, headers) => {
  const store = new MemoryPace();
  const [one, other] = openGates(2, store) as [PacedGate, PacedGate];
  await settled(ask(one));
  await settled(ask(other));
  const refusedAt = Date.now();
  await settled(ask(one, 429, headers()));
  for (const gate of [one, other]) {
    expect(await refusal(gate)).toMatchObject({ code: 'RATE_LIMITED', status: null, retryAt: expect.any(Date) });
  }
  await jest.advanceTimersByTimeAsync(refusedAt + 30_500 - Date.now());
  const trial = await settled(Promise.resolve(one.enter({ origin: ORIGIN, authorization: null }, signal)));
  let hasFollowed = false;
  const followed = ask(other).then(() => (hasFollowed = true));
  await jest.advanceTimersByTimeAsync(2_000);
  expect(hasFollowed).toBe(false);
  trial.answered(200, {});
  trial.ended();
  expect(await settled(followed)).toBe(true);
});

test('refusals that do not say for how long make longer and longer pauses', async () => {
  const [gate] = openGates(1, new MemoryPace()) as [PacedGate];
  const pauses: number[] = [];
  for (let times = 0; times < 4; times++) {
    await settled(ask(gate, 429));
    const { retryAt } = (await refusal(gate)) as RegistryError;
    pauses.push(Math.round(((retryAt as Date).getTime() - Date.now()) / 1000));
    await jest.advanceTimersByTimeAsync((retryAt as Date).getTime() - Date.now() + 100);
  }
  expect(pauses.map((pause) => Math.ceil(pause / 15) * 15)).toEqual([15, 30, 60, 120]);
});

test('a limit of pulls holds up pulls alone', async () => {
  const [gate] = openGates(1, new MemoryPace()) as [PacedGate];
  const spent = {
    'ratelimit-limit': '100;w=21600',
    'ratelimit-remaining': '0;w=21600',
    'docker-ratelimit-source': 'x',
  };
  await settled(ask(gate, 200, spent));
  expect(await refusal(gate, { isPull: true })).toMatchObject({
    code: 'RATE_LIMITED',
    message: expect.stringContaining('100 manifests'),
  });
  expect(await refusal(gate)).toBeNull();
  // Another answer shows that there are some again.
  await jest.advanceTimersByTimeAsync(6 * 3_600_000 + 1_000);
  expect(await refusal(gate, { isPull: true })).toBeNull();
});

test('of several limits the one of which the least is left decides', async () => {
  const [gate] = openGates(1, new MemoryPace()) as [PacedGate];
  const headers = { ratelimit: '"burst";r=10;t=1, "daily";r=0;t=40000', 'ratelimit-policy': '"burst";q=10;w=1' };
  await settled(ask(gate, 200, headers));
  const { retryAt } = (await refusal(gate)) as RegistryError;
  expect((retryAt as Date).getTime() - Date.now()).toBeGreaterThan(39_000_000);
});

test('a user name and a password that are refused are not tried on and on, and a token is', async () => {
  const [gate] = openGates(1, new MemoryPace()) as [PacedGate];
  for (let times = 0; times < 10; times++) await settled(ask(gate, 401, {}, { authorization: 'Bearer x' }));
  expect(await refusal(gate)).toBeNull();
  for (let times = 0; times < 9; times++) await settled(ask(gate, 401, {}, { authorization: 'Basic x' }));
  expect(await refusal(gate)).toMatchObject({ code: 'UNAUTHORIZED', isTransient: false });
});

test('a process that is gone without a word takes nothing with it for long', async () => {
  const store = new MemoryPace();
  const [dead, other] = openGates(2, store) as [PacedGate, PacedGate];
  const announced = { 'ratelimit-limit': '4', 'ratelimit-remaining': '3', 'ratelimit-reset': '600' };
  await settled(ask(dead, 200, announced));
  await settled(Promise.resolve(dead.enter({ origin: ORIGIN, authorization: null }, signal)));
  store.onNews = () => other.refresh();
  const pace = store.paces.get(ORIGIN);
  expect(pace?.tickets).toHaveLength(1);
  for (const holder of Object.values(pace?.holders ?? {})) holder.seenAt -= 20_000;
  await settled(ask(other, 200, { ...announced, 'ratelimit-remaining': '1' }));
  expect(store.paces.get(ORIGIN)?.tickets).toEqual([]);
});

test('whoever gives up waiting is let go, and one whose database is gone is told so', async () => {
  const store = new MemoryPace();
  const [gate] = openGates(1, store) as [PacedGate];
  await settled(ask(gate, 429, { 'retry-after': '8' }));
  const aborts = new AbortController();
  const waiting = Promise.resolve(gate.enter({ origin: ORIGIN, authorization: null }, aborts.signal));
  await jest.advanceTimersByTimeAsync(1_000);
  aborts.abort(new Error('the run was cancelled'));
  await expect(waiting).rejects.toThrow('the run was cancelled');

  store.delay = () => Promise.reject(new Error('the database does not answer'));
  await jest.advanceTimersByTimeAsync(10_000);
  expect(await refusal(gate)).toMatchObject({ message: 'the database does not answer' });
  store.delay = () => Promise.resolve();
  expect(await refusal(gate)).toBeNull();
});

test('requests per second are no more than an operator allows', async () => {
  const gates = openGates(2, new MemoryPace(), { concurrency: 16, requestsPerSecond: 20 });
  const host = new LimitedHost({ limit: null, periodMs: 1_000, form: 'nothing' });
  await settled(Promise.all(Array.from({ length: 100 }, (_, at) => send(gates[at % 2] as PacedGate, host, () => 1))));
  const most = Math.max(
    ...host.arrivals.map((from) => host.arrivals.filter((at) => at >= from && at < from + 1_000).length),
  );
  expect(most).toBeLessThanOrEqual(21);
  expect(most).toBeGreaterThan(10);
});

test('a registry that points to ever more hosts fills no table with them', async () => {
  const store = new MemoryPace();
  const [gate] = openGates(1, store) as [PacedGate];
  for (let at = 0; at < 100; at++) await settled(ask(gate, 200, {}, { origin: `https://h${at}.example.com` }));
  expect(store.paces.size).toBe(65);
});
