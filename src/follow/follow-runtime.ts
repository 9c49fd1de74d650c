import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ContainerReport } from '../domain/container.ts';
import { messageOf } from '../domain/errors.ts';
import type { KeepsLabel } from '../domain/sound-container.ts';
import { reportOf, takePicture } from './picture.ts';
import {
  RuntimeFault,
  type ContainerChange,
  type OpenRuntime,
  type RuntimeDescription,
  type WatchesContainers,
} from '../runtimes/runtime.ts';

/** Where what is seen of a runtime is written down. What it rejects with is a reason to try again from the start. */
export interface RuntimeRecord {
  describe(description: RuntimeDescription): Promise<void>;
  /** A change, or a part of a picture. */
  report(report: ContainerReport): Promise<void>;
  /** The runtime may have other images than the last time. Absent where nobody wants to know. */
  readImages?(runtime: OpenRuntime, signal: AbortSignal): Promise<void>;
  /** It was read; or, with a fault, could not be. */
  conclude(fault: RuntimeFault | null): Promise<void>;
}

export interface FollowSettings {
  /** For people. */
  readonly name: string;
  readonly runtime: OpenRuntime;
  readonly record: RuntimeRecord;
  readonly keepsLabel: KeepsLabel;
  readonly log: Logger;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Between two pictures of a runtime that tells its changes, and of one that does not. */
  readonly pictureMs?: number;
  readonly pollMs?: number;
  /** Before it is begun again after the first, second, ... fault in a row. */
  readonly pauses?: readonly number[];
}

/**
 * Keeps the record of a runtime's containers true until the signal ends it: connects to what it tells first, then takes a
 * picture, then reports each change; and takes a picture again on a schedule, and whenever something may have been missed.
 */
export async function followRuntime(settings: FollowSettings): Promise<void> {
  const { signal, log, name, pauses = PAUSES_MS } = settings;
  const follow = new Following(settings);
  for (let failures = 0; !signal.aborted;) {
    try {
      await follow.once();
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      // Once it was well, it begins anew.
      failures = follow.takeWell() ? 1 : failures + 1;
      log.warn(`runtime ${name}: ${messageOf(error)}`);
      if (error instanceof RuntimeFault) await conclude(settings, error);
      await rest(pauses[Math.min(failures, pauses.length) - 1] ?? 0, signal);
    }
  }
}

const PICTURE_MS = 10 * 60_000;
const POLL_MS = 30_000;
const PAUSES_MS = [500, 1_000, 2_000, 5_000, 15_000, 30_000];

class Following {
  readonly #settings: FollowSettings;
  #isWell = false;
  /** It has refused to tell changes: behind a proxy, say, that lets lists alone through. */
  #isMute = false;

  constructor(settings: FollowSettings) {
    this.#settings = settings;
  }

  /** Whether it was well since this was last asked. */
  takeWell(): boolean {
    const isWell = this.#isWell;
    this.#isWell = false;
    return isWell;
  }

  /** Until what it tells may be incomplete; rejects where it can't be read. */
  async once(): Promise<void> {
    const { runtime, record, signal, log, name } = this.#settings;
    await record.describe(await runtime.describe(signal));
    if (!canWatch(runtime) || this.#isMute) return this.#poll();
    try {
      await this.#watch(runtime);
    } catch (error) {
      if (!(error instanceof RuntimeFault) || error.code !== 'UNAUTHORIZED' || this.#isWell) throw error;
      this.#isMute = true;
      log.info(`runtime ${name} does not tell changes, so it is asked every ${POLL_MS / 1000} s: ${error.message}`);
    }
  }

  async #poll(): Promise<void> {
    const { signal, pictureMs = PICTURE_MS, pollMs = POLL_MS } = this.#settings;
    const end = performance.now() + pictureMs;
    do {
      await this.#picture();
      await rest(pollMs, signal);
    } while (!signal.aborted && performance.now() < end);
    this.#isMute = false;
  }

  async #watch(runtime: OpenRuntime & WatchesContainers): Promise<void> {
    const { signal, pictureMs = PICTURE_MS } = this.#settings;
    const ending = new AbortController();
    const changes = runtime.watchContainers(AbortSignal.any([signal, ending.signal]))[Symbol.asyncIterator]();
    let next = changes.next();
    try {
      let due = 0;
      let change: IteratorResult<ContainerChange> | null = await next;
      while (change === null || !change.done) {
        if (change !== null) next = changes.next();
        if (change !== null) await this.#report(change.value);
        if (performance.now() >= due) {
          await this.#picture();
          due = performance.now() + pictureMs;
        } else if (change?.value.hasOtherImages) {
          await this.#images();
        }
        change = await within(next, due - performance.now());
      }
    } finally {
      ending.abort();
      // It may hang on what it waits for.
      next.catch(() => undefined);
      void changes.return?.().catch(() => undefined);
    }
  }

  async #report(change: ContainerChange): Promise<void> {
    const { record, keepsLabel, now } = this.#settings;
    const report = reportOf(change, keepsLabel, now());
    if (report !== null) await record.report(report);
  }

  async #picture(): Promise<void> {
    const { runtime, record, keepsLabel, now, signal } = this.#settings;
    for await (const part of takePicture(runtime, keepsLabel, now, signal)) {
      signal.throwIfAborted();
      await record.report(part);
    }
    this.#isWell = true;
    await this.#images();
  }

  /** What an engine does not tell of its images is written down, and keeps nobody from following its containers. */
  async #images(): Promise<void> {
    const { runtime, record, signal, log, name } = this.#settings;
    let fault: RuntimeFault | null = null;
    try {
      await record.readImages?.(runtime, signal);
    } catch (error) {
      if (!(error instanceof RuntimeFault)) throw error;
      fault = error;
      log.warn(`runtime ${name}: ${fault.message}`);
    }
    await record.conclude(fault);
  }
}

function canWatch(runtime: OpenRuntime): runtime is OpenRuntime & WatchesContainers {
  return 'watchContainers' in runtime;
}

/** Null where nothing came in time. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | null> {
  const waiting = new AbortController();
  const late = pause(Math.max(0, milliseconds), null, { signal: waiting.signal, ref: false }).catch(() => null);
  return Promise.race([promise, late]).finally(() => waiting.abort());
}

/** What can't be written down now is when it is met with again. */
async function conclude({ record, log, name }: FollowSettings, fault: RuntimeFault): Promise<void> {
  await record.conclude(fault).catch((error: unknown) => {
    log.warn(`runtime ${name}: that it is away can't be written down: ${messageOf(error)}`);
  });
}

async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  await pause(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
