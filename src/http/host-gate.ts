import { RegistryError } from '../domain/errors.ts';
import type { HostLimits } from '../domain/host-limits.ts';
import {
  leave,
  loosen,
  needsNoTurn,
  renewShare,
  settle,
  takeTurn,
  type HostPace,
  type Outcome,
  type Refusal,
  type Ticket,
  type Wait,
} from '../domain/host-pace.ts';
import { LEASE_MS } from '../domain/host-share.ts';
import { PULLS } from '../domain/quota.ts';
import type { Headers } from './exchange.ts';
import type { GatedRequest, Turn } from './gate.ts';
import { HostQueue, type Waiter } from './host-queue.ts';
import { resultOf, resultOfFault } from './outcome.ts';
import type { Changed, PaceStore } from './pace-store.ts';
import { rateLimitsOf } from './rate-limit.ts';

/**
 * The gate to one host, for one process. Within its share of the concurrency, and while nothing is known to limit the
 * host, a request goes without asking anybody; else its turn is taken from what all share, for all that wait at once.
 */
export class HostGate {
  readonly #origin: string;
  readonly #store: PaceStore;
  #limits: HostLimits;
  readonly #id: string;
  readonly #queues: readonly HostQueue[] = [new HostQueue(false), new HostQueue(true)];
  readonly #heard = new WeakSet<AbortSignal>();
  readonly #tickets = new Set<number>();
  #outcomes: Outcome[] = [];
  #busy = 0;
  #loose = 0;
  #loosePulls = 0;
  /** Turns that are being taken. */
  #promised = 0;
  #view: View | null = null;
  #isAsking = false;
  #isDue = false;
  #usedAt = 0;
  #wake: NodeJS.Timeout | null = null;

  constructor(origin: string, store: PaceStore, limits: HostLimits, id: string) {
    this.#origin = origin;
    this.#id = id;
    this.#store = store;
    this.#limits = limits;
  }

  /** As Gate has it. */
  enter(request: GatedRequest, signal: AbortSignal): Turn | Promise<Turn> {
    this.#usedAt = performance.now();
    const queue = this.#queues[request.isPull ? 1 : 0] as HostQueue;
    if (queue.waiters.length === 0 && this.#isFree(queue)) return this.#begin(request, null);
    this.#hear(signal);
    return new Promise((resolve, reject) => {
      queue.waiters.push({ request, signal, since: performance.now(), resolve, reject });
      if (this.#view?.share === 0 || (this.#view && performance.now() < queue.notBefore)) this.#sleep();
      else if (this.#hasRoom()) this.#askSoon();
    });
  }

  /** Others are allowed from now on. */
  obey(limits: HostLimits): void {
    this.#limits = limits;
    this.refresh();
  }

  /** Somebody else has news of the host. */
  refresh(): void {
    if (this.#view !== null) this.#askSoon();
  }

  /** Gives the share back; to be called when nothing is in flight. */
  async close(): Promise<void> {
    if (this.#wake) clearTimeout(this.#wake);
    if (this.#view === null || this.#isAsking) return;
    this.#isAsking = true;
    this.#view = null;
    try {
      await this.#store.change(this.#origin, (pace) => ({ result: leave(pace, this.#id), isNews: false }));
    } catch {
      // It runs out by itself.
    } finally {
      this.#isAsking = false;
      if (this.#isDue) this.#askNow();
    }
  }

  #isFree({ isPull }: HostQueue): boolean {
    const view = this.#view;
    if (view === null || this.#busy + this.#promised >= view.share) return false;
    return (isPull ? view.isOpenToPulls : view.isOpen) && performance.now() - view.at < VALID_MS;
  }

  /** Else nothing is gained by asking before a request ends. */
  #hasRoom(): boolean {
    return this.#view === null || this.#busy + this.#promised < this.#view.share;
  }

  #begin(request: GatedRequest, ticket: Ticket | null): Turn {
    this.#busy++;
    if (ticket !== null) this.#tickets.add(ticket.id);
    else this.#loose++;
    if (ticket === null && request.isPull) this.#loosePulls++;
    const sentAt = this.#now();
    return {
      answered: (status, headers) => this.#answered(request, ticket, sentAt, status, headers),
      failed: (error) => this.#learn(request, ticket, sentAt, resultOfFault(error), []),
      ended: () => this.#ended(request, ticket),
    };
  }

  #answered(request: GatedRequest, ticket: Ticket | null, sentAt: number, status: number, headers: Headers): void {
    const now = Date.now();
    const result = resultOf(status, headers, request, now);
    this.#learn(request, ticket, sentAt, result, rateLimitsOf(headers, now));
  }

  /** What shows nothing that is not known is kept to ourselves. */
  #learn(
    { isPull = false }: GatedRequest,
    ticket: Ticket | null,
    sentAt: number,
    result: Outcome['result'],
    announcements: Outcome['announcements'],
  ): void {
    const view = this.#view;
    const isGood = result.kind === 'ANSWERED' || result.kind === 'CHALLENGED' || result.kind === 'ABANDONED';
    const isNew = !announcements.every(({ name }) => name === PULLS && !isPull && view?.arePullsLimited);
    if (ticket === null && isGood && !isNew && view?.isTroubled === false) {
      if (announcements.length === 0 || performance.now() - view.at < REPEAT_MS) return;
    }
    // Nobody goes on as if nothing had happened until it is clear what follows.
    if (view !== null && (!isGood || isNew)) this.#view = { ...view, isOpen: false, isOpenToPulls: false };
    this.#outcomes.push({ ticket: ticket?.id ?? null, isPull, sentAt, result, announcements });
    this.#askSoon();
  }

  #ended({ isPull }: GatedRequest, ticket: Ticket | null): void {
    this.#busy--;
    if (ticket !== null) this.#tickets.delete(ticket.id);
    else this.#loose--;
    if (ticket === null && isPull) this.#loosePulls--;
    this.#usedAt = performance.now();
    if (this.#view?.isAboveShare) this.#askSoon();
    if (this.#isWaited()) this.#serve();
  }

  /** Lets those go that need not ask, and asks for the others. */
  #serve(): void {
    for (const queue of this.#queues) {
      while (queue.waiters.length > 0 && this.#isFree(queue)) {
        const { request, resolve } = queue.waiters.shift() as Waiter;
        resolve(this.#begin(request, null));
      }
      const isInTime = performance.now() >= queue.notBefore;
      if (queue.waiters.length > 0 && isInTime && this.#hasRoom()) this.#askSoon();
    }
  }

  /** All that happens in one turn of the event loop is asked and told together. */
  #askSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#askNow();
  }

  #askNow(): void {
    setImmediate(() => {
      if (this.#isDue && !this.#isAsking) void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    this.#isDue = false;
    const told: Outcome[] = [];
    try {
      const answer = await this.#store.change(this.#origin, (pace, now) => {
        told.push(...this.#outcomes.splice(0));
        return this.#exchange(pace, told, now);
      });
      this.#promised = 0;
      for (const [at, queue] of this.#queues.entries()) this.#handOut(queue, answer.turns[at] as Turns, answer.now);
      this.#serve();
    } catch (error) {
      this.#promised = 0;
      this.#view = null;
      this.#outcomes = [...told, ...this.#outcomes].slice(-MOST_OUTCOMES);
      for (const { waiters } of this.#queues) for (const { reject } of waiters.splice(0)) reject(error as Error);
    } finally {
      this.#isAsking = false;
      if (this.#isDue) this.#askNow();
      else this.#sleep();
    }
  }

  /** Tells what is known, and takes what is wanted; with nobody else at it. */
  #exchange(pace: HostPace, outcomes: readonly Outcome[], now: number): Changed<Answer> {
    const before = newsOf(pace, this.#limits);
    const isNew = !(this.#id in pace.holders);
    const tickets = [...this.#tickets, ...outcomes.flatMap(({ ticket }) => ticket ?? [])];
    const isWaited = this.#isWaited();
    const presence = { busy: this.#busy, isWaited, tickets, loose: this.#loose, loosePulls: this.#loosePulls };
    const share = renewShare(pace, this.#id, presence, this.#limits, now);
    for (const outcome of outcomes) settle(pace, outcome, now);
    this.#promised = 0;
    const turns = this.#queues.map((queue) => this.#takeTurns(pace, queue, share, now));
    loosen(pace, this.#id, this.#limits);
    // At once: what goes without asking until this is written has to be among what it tells of.
    this.#view = {
      share,
      isAboveShare: this.#busy > share,
      isOpen: needsNoTurn(pace, false, this.#limits),
      isOpenToPulls: needsNoTurn(pace, true, this.#limits),
      isTroubled: pace.failures > 0 || pace.refusals > 0 || pace.pause !== null,
      arePullsLimited: PULLS in pace.quotas,
      at: performance.now(),
      now,
    };
    const hasToShare = isNew && Object.keys(pace.holders).length > 1;
    return { result: { turns, now }, isNews: hasToShare || before !== newsOf(pace, this.#limits) };
  }

  #takeTurns(pace: HostPace, { isPull, waiters }: HostQueue, share: number, now: number): Turns {
    const tickets: Ticket[] = [];
    if (needsNoTurn(pace, isPull, this.#limits)) return { tickets, wait: null };
    while (tickets.length < waiters.length && this.#busy + this.#promised < share) {
      const taken = takeTurn(pace, { holder: this.#id, isPull }, this.#limits, now);
      if ('until' in taken) return { tickets, wait: taken };
      tickets.push(taken);
      this.#promised++;
    }
    return { tickets, wait: null };
  }

  #handOut(queue: HostQueue, { tickets, wait }: Turns, now: number): void {
    for (const ticket of tickets) {
      const waiter = queue.waiters.shift();
      if (waiter) waiter.resolve(this.#begin(waiter.request, ticket));
      // Whoever wanted it has given up meanwhile; nothing was sent.
      else this.#learn({ origin: this.#origin, authorization: null }, ticket, now, { kind: 'ABANDONED' }, []);
    }
    queue.notBefore = 0;
    if (wait === null) return;
    queue.notBefore = performance.now() + Math.max(wait.until - now, LEAST_WAIT_MS);
    if (wait.refusal === null) return;
    const isTooLong = ({ since }: Waiter) => queue.notBefore - since > LONGEST_HOLD_MS;
    const refused = queue.waiters.filter(isTooLong);
    queue.waiters = queue.waiters.filter((waiter) => !isTooLong(waiter));
    for (const { reject } of refused) reject(errorOf(this.#origin, wait.refusal, wait));
  }

  /** Until there is something to do without being told: those that wait, the share to be kept or to be given back. */
  #sleep(): void {
    if (this.#wake) clearTimeout(this.#wake);
    this.#wake = null;
    const now = performance.now();
    const isUsed = this.#busy > 0 || this.#isWaited() || now - this.#usedAt < IDLE_MS;
    if (!isUsed) {
      void this.close();
      return;
    }
    if (this.#view === null) return;
    const dues = this.#queues.filter(({ waiters }) => waiters.length > 0).map(({ notBefore }) => notBefore);
    const isStarved = this.#view.share === 0 && this.#isWaited();
    const due = Math.min(now + (isStarved ? LEAST_WAIT_MS : RENEW_MS), ...dues.filter((at) => at > now));
    this.#wake = setTimeout(() => this.#askSoon(), Math.ceil(due - now)).unref();
  }

  #isWaited(): boolean {
    return this.#queues.some(({ waiters }) => waiters.length > 0);
  }

  /** By the clock of the store, never ahead of it. */
  #now(): number {
    return this.#view === null ? 0 : this.#view.now + performance.now() - this.#view.at;
  }

  /** One listener for each signal, however many requests wait under it. */
  #hear(signal: AbortSignal): void {
    if (this.#heard.has(signal)) return;
    this.#heard.add(signal);
    signal.addEventListener('abort', () => {
      for (const queue of this.#queues) {
        const left = Map.groupBy(queue.waiters, (waiter) => waiter.signal === signal);
        queue.waiters = left.get(false) ?? [];
        for (const { reject } of left.get(true) ?? []) reject(signal.reason as Error);
      }
    });
  }
}

/** Longer than a job should be held for; whoever asked comes back then. */
const LONGEST_HOLD_MS = 10_000;
/** Before what passes in a moment is asked about again. */
const LEAST_WAIT_MS = 50;
const RENEW_MS = 3_000;
/** Without a request for so long, the share is given back. */
const IDLE_MS = 5_000;
/** A view that could not be renewed for so long is not acted on: others may soon think that we are no more. */
const VALID_MS = LEASE_MS - 5_000;
/** How often what is known to be limited is told again by requests that are not. */
const REPEAT_MS = 1_000;
const MOST_OUTCOMES = 1_000;

/** What was known when it was asked last. */
interface View {
  readonly share: number;
  /** More are in flight than the share: it has become smaller. */
  readonly isAboveShare: boolean;
  readonly isOpen: boolean;
  readonly isOpenToPulls: boolean;
  /** Good answers are to be told. */
  readonly isTroubled: boolean;
  readonly arePullsLimited: boolean;
  /** By our own clock, and by that of the store. */
  readonly at: number;
  readonly now: number;
}

interface Turns {
  readonly tickets: readonly Ticket[];
  readonly wait: Wait | null;
}

interface Answer {
  /** For each queue. */
  readonly turns: readonly Turns[];
  readonly now: number;
}

/** What others go by when they don't ask. */
function newsOf(pace: HostPace, limits: HostLimits): string {
  const { pause } = pace;
  return `${needsNoTurn(pace, false, limits)} ${needsNoTurn(pace, true, limits)} ${pause?.until ?? ''}`;
}

function errorOf(origin: string, { code, reason }: Refusal, { until, retryAt }: Wait): RegistryError {
  const text = `${origin} is left alone until ${new Date(until).toISOString()}: ${reason}`;
  return new RegistryError(code, text, { retryAt: new Date(retryAt) });
}
