import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { messageOf } from '../domain/errors.ts';
import type { KeepsLabel } from '../domain/sound-container.ts';
import { followRuntime } from '../follow/index.ts';
import type { OpenRuntimeFunction } from '../runtimes/runtime.ts';
import { createRuntimeRecord } from '../sync/index.ts';
import type { Presence } from './presence.ts';

export interface RuntimeAccess {
  readonly open: OpenRuntimeFunction;
  /** Of their containers. */
  readonly keepsLabel: KeepsLabel;
}

export interface FollowedRuntimesSettings extends RuntimeAccess {
  readonly database: Database;
  readonly presence: Presence;
  readonly log: Logger;
  readonly now: () => Date;
}

/** The runtimes that this worker follows: of all that the catalog knows how to reach, those that no other has. */
export interface FollowedRuntimes {
  /** Follows what is new or free, and leaves what is gone, is reached in another way by now, or was taken by another. */
  look(): Promise<void>;
  close(): Promise<void>;
}

export function createFollowedRuntimes(settings: FollowedRuntimesSettings): FollowedRuntimes {
  const { database, presence, log } = settings;
  const followed = new Map<number, Followed>();
  let isClosed = false;

  async function leave(id: number, { ending, ended }: Followed): Promise<void> {
    ending.abort(new Error('the runtime is followed no more'));
    await ended;
    followed.delete(id);
    presence.releaseRuntime(id);
  }

  async function look(): Promise<void> {
    const runtimes = new Map((await catalog.listReachedRuntimes(database)).map((runtime) => [runtime.id, runtime]));
    for (const [id, each] of followed) {
      const isMine = presence.hasRuntime(id) && isDeepStrictEqual(runtimes.get(id), each.stored);
      if (!isMine) await leave(id, each);
    }
    for (const [id, stored] of runtimes) {
      if (isClosed || followed.has(id) || !(await presence.claimRuntime(id))) continue;
      const ending = new AbortController();
      const ended = follow(settings, stored, ending.signal).catch((error: unknown) => {
        log.error(`runtime ${stored.name} can't be followed: ${messageOf(error)}`);
        // The next look tries again.
        followed.delete(id);
        presence.releaseRuntime(id);
      });
      followed.set(id, { stored, ending, ended });
    }
  }

  /** One look at a time. */
  let last: Promise<void> = Promise.resolve();
  return {
    look() {
      const looking = last.then(() => (isClosed ? undefined : look()));
      last = looking.catch(() => undefined);
      return looking;
    },
    async close() {
      isClosed = true;
      await last;
      await Promise.all([...followed].map(([id, each]) => leave(id, each)));
    },
  };
}

interface Followed {
  readonly stored: catalog.StoredRuntime;
  readonly ending: AbortController;
  readonly ended: Promise<void>;
}

async function follow(
  { database, open, keepsLabel, log, now }: FollowedRuntimesSettings,
  { id, name, kind, settings }: catalog.StoredRuntime,
  signal: AbortSignal,
): Promise<void> {
  if (settings === null) return;
  const runtime = await open(kind, settings);
  try {
    const record = createRuntimeRecord(database, id, now);
    await followRuntime({ name, runtime, record, keepsLabel, log, now, signal });
  } finally {
    await runtime.close();
  }
}
