import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import * as catalog from '../catalog/write/index.ts';
import { messageOf } from '../domain/errors.ts';
import { RuntimeFault, type ContainerChange, type OpenRuntime, type WatchesContainers } from '../runtimes/runtime.ts';
import { recordChange, recordPicture, type RuntimeSync } from './record-picture.ts';
import { recordLocalImages } from './record-local-images.ts';

export interface FollowSettings extends RuntimeSync {
  readonly name: string;
  readonly log: Logger;
  /** Between two pictures of a runtime that tells its changes, and of one that does not. */
  readonly pictureMs?: number;
  readonly pollMs?: number;
  /** Before the runtime is reached again after the first, second, ... fault in a row. */
  readonly pauses?: readonly number[];
}

/**
 * Keeps the containers of a runtime true until the signal ends it: connects to what it tells first, then takes a picture,
 * then writes down each change; and a picture again on a schedule, and whenever something may have been missed. While the
 * runtime is away its containers stay as they were last seen.
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
      await recordFault(settings, error);
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
    const { runtime, database, runtimeId, signal } = this.#settings;
    await catalog.describeRuntime(database, runtimeId, await runtime.describe(signal));
    if (!canWatch(runtime) || this.#isMute) return this.#poll();
    try {
      await this.#watch(runtime);
    } catch (error) {
      if (!(error instanceof RuntimeFault) || error.code !== 'UNAUTHORIZED' || this.#isWell) throw error;
      this.#isMute = true;
      this.#settings.log.info(
        `runtime ${this.#settings.name} does not let its events be read, so it is asked every ${POLL_MS / 1000} s: ${error.message}`,
      );
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

  async #watch(runtime: WatchesContainers): Promise<void> {
    const { signal, pictureMs = PICTURE_MS } = this.#settings;
    const ending = new AbortController();
    const changes = runtime.watchContainers(AbortSignal.any([signal, ending.signal]))[Symbol.asyncIterator]();
    let next = changes.next();
    try {
      let due = 0;
      let change: IteratorResult<ContainerChange> | null = await next;
      while (change === null || !change.done) {
        if (change !== null) next = changes.next();
        if (change !== null) await recordChange(this.#settings, change.value);
        if (performance.now() >= due) {
          await this.#picture();
          due = performance.now() + pictureMs;
        } else if (change?.value.hasOtherImages) {
          await recordLocalImages(this.#settings);
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

  async #picture(): Promise<void> {
    const { database, runtimeId, now } = this.#settings;
    await recordPicture(this.#settings);
    await recordLocalImages(this.#settings);
    this.#isWell = true;
    await catalog.recordRuntimeHealth(database, runtimeId, { status: 'HEALTHY', message: null }, now());
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

async function recordFault({ database, runtimeId, now, log }: FollowSettings, error: unknown): Promise<void> {
  const status = error instanceof RuntimeFault ? STATUSES[error.code] : 'DEGRADED';
  const seen = { status, message: messageOf(error) };
  await catalog.recordRuntimeHealth(database, runtimeId, seen, now()).catch((fault: unknown) => {
    log.warn(`the health of a runtime can't be written down: ${messageOf(fault)}`);
  });
}

const STATUSES = {
  UNREACHABLE: 'UNREACHABLE',
  UNAUTHORIZED: 'UNAUTHORIZED',
  MALFORMED: 'DEGRADED',
  TOO_LARGE: 'DEGRADED',
} as const;

async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  await pause(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
