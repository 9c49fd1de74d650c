import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { isUnavailable, messageOf } from '../domain/errors.ts';
import type { InspectionLimits } from '../domain/inspection-limits.ts';
import { LayerPool } from '../inspect/index.ts';
import { inspectImage, type ImageInspectionTools } from '../sync/index.ts';
import { inSpan } from '../telemetry/index.ts';
import type { OpenRegistries } from './open-registries.ts';
import type { Presence } from './presence.ts';
import { nextGo } from './retry.ts';

export interface InspectionsSettings {
  readonly database: Database;
  readonly registries: OpenRegistries;
  readonly presence: Presence;
  readonly limits: InspectionLimits;
  readonly log: Logger;
  readonly now: () => Date;
  /** As those of jobs. */
  readonly pauses: readonly number[];
}

/**
 * Looks at what queued images hold, one image at a time, beside the jobs and the inspections of other workers. An image
 * whose worker dies is taken by another; layers that it had looked at are not downloaded again.
 */
export interface Inspections {
  /** Begins where something is due, and nothing is looked at yet. */
  look(): void;
  close(): Promise<void>;
}

export function createInspections(settings: InspectionsSettings): Inspections {
  const { database, registries, presence, limits, log, now } = settings;
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const { signal } = ending;
  const pool = new LayerPool({ size: LAYERS });
  const tools: ImageInspectionTools = {
    database,
    pool,
    limits,
    useRegistry: (id, work) => registries.use(id, (shared) => work(shared?.registry ?? null), 'INSPECTION'),
    claimLayer: (id) => presence.claimLayer(id),
    releaseLayer: (id) => presence.releaseLayer(id),
    signal,
    now,
  };

  /** Until nothing is due that is free. */
  async function workOff(): Promise<void> {
    let taken: number;
    do {
      taken = 0;
      for (const queued of await catalog.dueInspections(database, now(), AT_ONCE)) {
        if (signal.aborted) return;
        if (!(await presence.claimImage(queued.imageId))) continue;
        taken++;
        try {
          const dueAt = await inspect(settings, tools, queued);
          if (dueAt !== null) wake(dueAt.getTime() - now().getTime());
        } finally {
          presence.releaseImage(queued.imageId);
        }
      }
    } while (taken > 0);
  }

  /** For what is due before anybody asks again. */
  function wake(milliseconds: number): void {
    if (milliseconds < SOON_MS) setTimeout(look, Math.max(milliseconds, 0) + MARGIN_MS).unref();
  }

  let working: Promise<void> | null = null;
  let isAskedAgain = false;

  function look(): void {
    isAskedAgain = working !== null;
    if (isAskedAgain || signal.aborted) return;
    working = workOff()
      .catch((error: unknown) => {
        if (!signal.aborted) log.warn(`looking at what images hold stopped: ${messageOf(error)}`);
      })
      .finally(() => {
        working = null;
        if (isAskedAgain) look();
      });
  }

  return {
    look,
    async close() {
      ending.abort(new Error('the worker stops'));
      await working;
      await pool.close();
    },
  };
}

/** Layers at a time: what is unpacked keeps a core busy each. */
const LAYERS = 2;
/** Images that are read of the queue together; other workers take what is free of them. */
const AT_ONCE = 20;
/** When an image is looked at again of which another worker is downloading a layer. */
const AGAIN_MS = 1_000;
const SOON_MS = 10_000;
/** A timer that fires too early by a hair would find nothing. */
const MARGIN_MS = 10;

/** Answers with when it is to be looked at again; null where that is not to be. */
async function inspect(
  settings: InspectionsSettings,
  tools: ImageInspectionTools,
  queued: catalog.QueuedImage,
): Promise<Date | null> {
  const { database, log, now } = settings;
  const { imageId, attempts } = queued;
  const image = await catalog.findInspectedImage(database, imageId, now());
  if (image === null) return null;
  try {
    const outcome = await inSpan('inspect-image', { attributes: { 'stowage.image': image.digest } }, () =>
      inspectImage(tools, image),
    );
    if (outcome === 'AGAIN') return await postpone(new Date(now().getTime() + AGAIN_MS), null);
    if (outcome === 'TOMORROW') return await postpone(tomorrow(now()), 'What may be downloaded on a day is used up.');
    return null;
  } catch (error) {
    if (tools.signal.aborted || isUnavailable(error)) throw error;
    const next = nextGo(settings, [error], { attempt: attempts + 1 });
    const reason = `${messageOf(error)}.`;
    log.warn(`${image.digest} could not be inspected: ${reason}${next === null ? '' : ' It is tried again.'}`);
    // What was put off, since the host allows no more, has not failed.
    if (next !== null) return postpone(next.runAt, reason, next.putOff ? attempts : attempts + 1);
    await catalog.recordInspection(database, imageId, { status: 'FAILED', reason }, now());
    return null;
  }

  async function postpone(dueAt: Date, reason: string | null, failures = attempts): Promise<Date> {
    await catalog.postponeInspection(database, { imageId, attempts: failures }, dueAt, reason);
    return dueAt;
  }
}

function tomorrow(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1));
}
