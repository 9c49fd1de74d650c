import type { HostLimits } from './host-limits.ts';
import { divide, type Holder, type Presence } from './host-share.ts';
import { allowanceOf, exhaust, freeAt, isOver, observe, PULLS, spend, type Announcement, type Quota } from './quota.ts';

/**
 * What all who send to one host share. The functions below change it in place; whoever calls them has it alone. Times
 * are milliseconds of one clock that all go by, the database's.
 */
export interface HostPace {
  /** Who sends, by an id of their own. */
  holders: Record<string, Holder>;
  /** Turns that were given one by one, and whose outcome is not known yet. */
  tickets: Ticket[];
  lastTicket: number;
  /** Whether answers have shown what the host announces. */
  isKnown: boolean;
  arePullsKnown: boolean;
  /** Limits that it announced, by name. */
  quotas: Record<string, Quota>;
  pause: Pause | null;
  /** In a row. */
  failures: number;
  refusals: number;
  /** What the last failure was. */
  fault: Fault | null;
  /** When the next may go, where an operator limits requests per second. */
  nextAt: number;
}

/** Nobody asks about the host until a moment; then one goes alone, and its answer ends the pause or makes it longer. */
export interface Pause {
  readonly reason: 'REFUSED' | 'FAILED';
  readonly until: number;
}

export interface Fault {
  readonly code: 'UNAVAILABLE' | 'TIMEOUT' | 'TLS_FAILED' | 'UNAUTHORIZED';
  readonly message: string;
}

export interface Ticket {
  readonly id: number;
  readonly holder: string;
  readonly isPull: boolean;
  readonly at: number;
  /** `settled` of each quota then. */
  readonly marks: Readonly<Record<string, number>>;
}

/** Why a turn was not given. */
export interface Wait {
  /** When it is worth asking again. */
  readonly until: number;
  /** When more than one can be sent, for who comes back with work in hand. */
  readonly retryAt: number;
  /** Null where it passes in a moment. */
  readonly refusal: Refusal | null;
}

/** Why a host is not asked now. */
export interface Refusal {
  readonly code: 'RATE_LIMITED' | Fault['code'];
  /** What it did, such as "it failed 5 times in a row". */
  readonly reason: string;
}

/** What became of a request. */
export interface Outcome {
  /** Null where it went without. */
  readonly ticket: number | null;
  readonly isPull: boolean;
  readonly sentAt: number;
  readonly result:
    | { readonly kind: 'ANSWERED' }
    /** It was asked to sign in: neither good nor bad. */
    | { readonly kind: 'CHALLENGED' }
    /** 429 and the like; `retryIn` is null where the host does not say when to come back. */
    | { readonly kind: 'REFUSED'; readonly retryIn: number | null }
    | { readonly kind: 'FAILED'; readonly fault: Fault }
    /** Given up by us. */
    | { readonly kind: 'ABANDONED' };
  readonly announcements: readonly Announcement[];
}

export function newHostPace(): HostPace {
  return {
    holders: {},
    tickets: [],
    lastTicket: 0,
    isKnown: false,
    arePullsKnown: false,
    quotas: {},
    pause: null,
    failures: 0,
    refusals: 0,
    fault: null,
    nextAt: 0,
  };
}

/** Says that a holder is there, and answers with how many requests it may have in flight. */
export function renewShare(
  pace: HostPace,
  id: string,
  presence: Presence,
  { concurrency }: HostLimits,
  now: number,
): number {
  const share = divide(pace.holders, id, presence, concurrency, now);
  forgetTickets(pace, (ticket) =>
    ticket.holder === id ? !presence.tickets.includes(ticket.id) : !(ticket.holder in pace.holders),
  );
  return share;
}

/** What it may send without asking counts as in flight: to be called when a holder is told that it need not ask. */
export function loosen(pace: HostPace, id: string, limits: HostLimits): void {
  const holder = pace.holders[id];
  if (holder === undefined) return;
  if (needsNoTurn(pace, false, limits)) holder.loose = holder.share;
  if (needsNoTurn(pace, true, limits)) holder.loosePulls = holder.share;
}

/** A holder that has nothing in flight goes. */
export function leave(pace: HostPace, id: string): void {
  delete pace.holders[id];
}

/** Why nobody asks the host now, or why only one did last; null while all is well. */
export function refusalOf({ pause, failures, fault }: HostPace): Refusal | null {
  if (pause === null) return null;
  if (pause.reason === 'REFUSED' || fault === null) {
    return { code: 'RATE_LIMITED', reason: 'it refused a request because there were too many' };
  }
  return { code: fault.code, reason: `it failed ${failures} times in a row, the last time so: ${fault.message}` };
}

/** What people are shown of it. */
export interface ShownPace {
  /** The limit of which the least is left; null where the host announced none. */
  readonly rateLimit: (Pick<Quota, 'limit' | 'remaining' | 'observedAt'> & { readonly resetsAt: number }) | null;
  readonly refusal: Refusal | null;
  readonly pausedUntil: number | null;
}

export function paceShown(pace: HostPace): ShownPace {
  const [tightest] = Object.values(pace.quotas).sort((a, b) => a.remaining - b.remaining);
  const rateLimit = tightest === undefined ? null : { ...tightest, resetsAt: tightest.endsAt };
  return { rateLimit, refusal: refusalOf(pace), pausedUntil: pace.pause?.until ?? null };
}

/** Whether holders may send within their share without asking: nothing is known to limit the host. */
export function needsNoTurn(pace: HostPace, isPull: boolean, { requestsPerSecond }: HostLimits): boolean {
  if (!pace.isKnown || (isPull && !pace.arePullsKnown)) return false;
  if (pace.pause !== null || requestsPerSecond !== null) return false;
  return !Object.keys(pace.quotas).some((name) => counts(name, isPull));
}

/** Gives a turn, or says when to ask again. */
export function takeTurn(
  pace: HostPace,
  request: { readonly holder: string; readonly isPull: boolean },
  limits: HostLimits,
  now: number,
): Ticket | Wait {
  const wait = obstacleOf(pace, request.isPull, limits, now);
  if (wait !== null) return wait;
  if (limits.requestsPerSecond !== null) pace.nextAt = now + 1_000 / limits.requestsPerSecond;
  const marks = Object.fromEntries(Object.entries(pace.quotas).map(([name, { settled }]) => [name, settled]));
  const ticket: Ticket = { id: ++pace.lastTicket, ...request, at: now, marks };
  pace.tickets.push(ticket);
  return ticket;
}

/** Takes in what became of a request. */
export function settle(pace: HostPace, outcome: Outcome, now: number): void {
  const ticket = pace.tickets.find(({ id }) => id === outcome.ticket) ?? null;
  pace.tickets = pace.tickets.filter((other) => other !== ticket);
  const sentAt = ticket?.at ?? outcome.sentAt;
  learn(pace, outcome, { sentAt, marks: ticket?.marks ?? {} }, now);

  const { result, isPull } = outcome;
  // What was sent before the pause was over says nothing of the host as it is after it.
  const isTold = pace.pause !== null && sentAt < pace.pause.until;
  if (result.kind === 'ANSWERED' || result.kind === 'CHALLENGED') {
    if (result.kind === 'ANSWERED') pace.isKnown = true;
    if (result.kind === 'ANSWERED' && isPull) pace.arePullsKnown = true;
    if (!isTold) recover(pace, result.kind);
  } else if (result.kind === 'REFUSED') {
    refuse(pace, isPull, result.retryIn, isTold, now);
  } else if (result.kind === 'FAILED' && !isTold) {
    fail(pace, result.fault, now);
  }
}

/** Failures in a row after which a host is left alone. */
const FAILURES_TO_PAUSE = 5;
const FIRST_PAUSE_AFTER_FAILURE = 1_000;
/** After a refusal that does not say for how long; it doubles with each. */
const FIRST_PAUSE_AFTER_REFUSAL = 15_000;
const LONGEST_PAUSE = 15 * 60_000;
/** That one host may announce; more are not kept. */
const MOST_QUOTAS = 8;

function counts(name: string, isPull: boolean): boolean {
  return name !== PULLS || isPull;
}

/** Of those whose outcome nobody will tell. */
function forgetTickets(pace: HostPace, isLost: (ticket: Ticket) => boolean): void {
  for (const ticket of pace.tickets.filter(isLost)) {
    for (const [name, quota] of Object.entries(pace.quotas)) {
      if (counts(name, ticket.isPull)) pace.quotas[name] = { ...spend(quota), settled: quota.settled + 1 };
    }
  }
  pace.tickets = pace.tickets.filter((ticket) => !isLost(ticket));
}

function inFlightOf(pace: HostPace, name: string): number {
  const loose = Object.values(pace.holders).reduce(
    (sum, holder) => sum + (name === PULLS ? holder.loosePulls : holder.loose),
    0,
  );
  return pace.tickets.filter(({ isPull }) => counts(name, isPull)).length + loose;
}

function obstacleOf(pace: HostPace, isPull: boolean, limits: HostLimits, now: number): Wait | null {
  const { pause, tickets } = pace;
  const soon = (until: number): Wait => ({ until, retryAt: until, refusal: null });
  if (pause !== null) {
    if (now < pause.until) return { until: pause.until, retryAt: pause.until, refusal: refusalOf(pace) };
    if (tickets.some(({ at }) => at >= pause.until)) return soon(now);
  }
  if (!pace.isKnown && tickets.length > 0) return soon(now);
  if (isPull && !pace.arePullsKnown && tickets.some((ticket) => ticket.isPull)) return soon(now);
  if (limits.requestsPerSecond !== null && pace.nextAt > now) return soon(pace.nextAt);
  for (const [name, quota] of Object.entries(pace.quotas)) {
    if (!counts(name, isPull)) continue;
    const inFlight = inFlightOf(pace, name);
    const isUnderWay = tickets.some((ticket) => counts(name, ticket.isPull) && ticket.at >= quota.endsAt);
    if (allowanceOf(quota, inFlight, isUnderWay, now) >= 1) continue;
    const isInDoubt = inFlight > 0 && (isOver(quota, now) || (quota.remaining > 0 && quota.remaining <= inFlight));
    if (isInDoubt) return soon(now);
    const worthwhile = Math.max(Math.min(Math.ceil(quota.base / 10), quota.remaining - inFlight), 1);
    const [until, retryAt] = [1, worthwhile].map((wanted) => freeAt(quota, inFlight, wanted, now)) as [number, number];
    return { until, retryAt, refusal: { code: 'RATE_LIMITED', reason: spentOf(name, quota) } };
  }
  return null;
}

function spentOf(name: string, { limit, remaining }: Quota): string {
  const what = name === PULLS ? 'manifests' : 'requests';
  return `it allows ${limit ?? 'so many'} ${what} in a period, and the ${remaining} that are left are spread over it`;
}

function learn(
  pace: HostPace,
  { isPull, result, announcements }: Outcome,
  { sentAt, marks }: { readonly sentAt: number; readonly marks: Readonly<Record<string, number>> },
  now: number,
): void {
  for (const said of announcements) {
    const known = pace.quotas[said.name] ?? null;
    if (known === null && Object.keys(pace.quotas).length >= MOST_QUOTAS) continue;
    const mark = counts(said.name, isPull) ? (marks[said.name] ?? null) : null;
    const quota = observe(known, said, { sentAt, mark }, now);
    if (quota !== null) pace.quotas[said.name] = quota;
  }
  for (const [name, quota] of Object.entries(pace.quotas)) {
    if (!counts(name, isPull)) continue;
    const isSilent = !announcements.some((said) => said.name === name);
    if (isSilent && result.kind === 'ANSWERED' && isOver(quota, now) && sentAt >= quota.endsAt) {
      delete pace.quotas[name];
    } else {
      pace.quotas[name] = { ...(isSilent ? spend(quota) : quota), settled: quota.settled + 1 };
    }
  }
}

/** An answer came, which a host that is well gives. */
function recover(pace: HostPace, kind: 'ANSWERED' | 'CHALLENGED'): void {
  pace.pause = null;
  // Whoever is asked to sign in has not shown a credential that is good.
  if (kind === 'CHALLENGED' && pace.fault?.code === 'UNAUTHORIZED') return;
  pace.failures = 0;
  pace.refusals = 0;
  pace.fault = null;
}

function refuse(pace: HostPace, isPull: boolean, retryIn: number | null, isTold: boolean, now: number): void {
  const pulls = pace.quotas[PULLS];
  if (isPull && pulls !== undefined) {
    pace.quotas[PULLS] = exhaust(pulls, retryIn, now);
    return;
  }
  if (!isTold) pace.refusals++;
  else if (retryIn === null) return;
  const pause = retryIn ?? doubled(FIRST_PAUSE_AFTER_REFUSAL, pace.refusals);
  const until = Math.max(now + Math.min(pause, LONGEST_PAUSE), pace.pause?.until ?? 0);
  pace.pause = { reason: 'REFUSED', until };
}

function fail(pace: HostPace, fault: Fault, now: number): void {
  pace.failures++;
  pace.fault = fault;
  if (pace.failures < FAILURES_TO_PAUSE) return;
  const until = now + doubled(FIRST_PAUSE_AFTER_FAILURE, pace.failures - FAILURES_TO_PAUSE + 1);
  pace.pause = { reason: 'FAILED', until };
}

function doubled(first: number, times: number): number {
  return Math.min(first * 2 ** (times - 1), LONGEST_PAUSE);
}
