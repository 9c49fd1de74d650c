import type pg from 'pg';
import { listen, type Channel } from '../catalog/events.ts';
import type { Database } from '../catalog/database.ts';
import { LOCK_SPACES } from '../catalog/lock.ts';
import { forgetPaceHolder, listPaceHolders } from '../catalog/write/index.ts';

/**
 * One connection that a worker keeps while it lives. The locks that it holds end with the process, however that ends:
 * by them other workers see which repository is worked on, which runtime is followed, and which worker is no more.
 */
export interface Presence {
  /** Answers with those of the repositories that no other job has, here or in another worker. */
  claim<N extends string>(registryId: number, repositories: readonly N[]): Promise<N[]>;
  /** What claims them next waits for it. */
  release(registryId: number, repositories: readonly string[]): void;
  /** True where no other worker follows the runtime. */
  claimRuntime(runtimeId: number): Promise<boolean>;
  /** Of a runtime that was claimed: false where another took it while this worker's connection was lost. */
  hasRuntime(runtimeId: number): boolean;
  releaseRuntime(runtimeId: number): void;
  /** True where nobody looks at what the image holds, here or in another worker. */
  claimImage(imageId: number): Promise<boolean>;
  releaseImage(imageId: number): void;
  /** True where nobody downloads the layer. */
  claimLayer(layerId: number): Promise<boolean>;
  releaseLayer(layerId: number): void;
  /** Says that jobs locked in this name are this worker's. */
  assume(name: string): Promise<void>;
  /** Gives back the jobs of workers that are no more, and their shares of hosts. Answers with how many had jobs. */
  takeOver(): Promise<number>;
  close(): void;
}

/** `holder` is the name by which this worker has its shares of hosts. */
export async function openPresence(
  database: Database,
  holder: string,
  listeners: Partial<Record<Channel, (id: number) => void>>,
): Promise<Presence> {
  const claimed = new Set<string>();
  let assumed: string | null = null;
  let held: Promise<Held> | null = null;
  let isClosed = false;

  /** After the connection was lost, another takes its place, with the name and the locks that others know. */
  async function connected(): Promise<pg.PoolClient> {
    if (isClosed) throw new Error('the worker has stopped');
    held ??= open();
    try {
      return (await held).client;
    } catch (error) {
      held = null;
      throw error;
    }
  }

  async function open(): Promise<Held> {
    const client = await database.pool.connect();
    const release = once(() => client.release(true));
    client.on('error', () => {
      release();
      held = null;
      if (!isClosed) void connected().catch(() => undefined);
    });
    for (const [channel, listener] of Object.entries(listeners)) await listen(client, channel as Channel, listener);
    for (const name of [holder, ...(assumed === null ? [] : [assumed])])
      await client.query('select pg_advisory_lock($1, hashtext($2))', [LOCK_SPACES.worker, name]);
    for (const key of claimed)
      await client.query('select pg_try_advisory_lock($1, hashtext($2))', [LOCK_SPACES.repository, key]);
    for (const { space, ids } of [runtimes, images, layers]) {
      for (const id of ids) {
        const locked = await client.query<{ answer: boolean }>(LOCK_ID, [space, id]);
        if (!locked.rows[0]?.answer) ids.delete(id);
      }
    }
    return { client, release };
  }

  /** One statement at a time: it is one connection. */
  let last: Promise<unknown> = Promise.resolve();
  function query<R extends pg.QueryResultRow>(sql: string, values: unknown[]): Promise<R[]> {
    const result = last.then(async () => (await (await connected()).query<R>(sql, values)).rows);
    last = result.catch(() => undefined);
    return result;
  }

  async function ask(sql: string, values: unknown[]): Promise<boolean> {
    const rows = await query<{ answer: boolean }>(sql, values);
    return rows[0]?.answer ?? false;
  }

  /** Does `work` when no worker of that name lives, and says whether. */
  async function ifDead(name: string, work: () => Promise<unknown>): Promise<boolean> {
    const isDead = await ask('select pg_try_advisory_lock($1, hashtext($2)) as answer', [LOCK_SPACES.worker, name]);
    if (!isDead) return false;
    try {
      await work();
    } finally {
      await ask('select pg_advisory_unlock($1, hashtext($2)) as answer', [LOCK_SPACES.worker, name]);
    }
    return true;
  }

  /** What is claimed by the id of its row. */
  function claimsOf(space: number) {
    const ids = new Set<number>();
    return {
      space,
      ids,
      async claim(id: number): Promise<boolean> {
        // PostgreSQL gives the same connection the same lock twice.
        if (ids.has(id)) return false;
        ids.add(id);
        const isFree = await ask(LOCK_ID, [space, id]).catch((error: unknown) => {
          ids.delete(id);
          throw error;
        });
        if (!isFree) ids.delete(id);
        return isFree;
      },
      release(id: number): void {
        ids.delete(id);
        ask('select pg_advisory_unlock($1, $2) as answer', [space, id]).catch(() => undefined);
      },
    };
  }
  const runtimes = claimsOf(LOCK_SPACES.runtime);
  const images = claimsOf(LOCK_SPACES.inspectedImage);
  const layers = claimsOf(LOCK_SPACES.inspectedLayer);

  const keyOf = (registryId: number, repository: string): string => `${registryId}/${repository}`;

  await connected();
  return {
    async claim(registryId, repositories) {
      // PostgreSQL gives the same connection the same lock twice.
      const others = repositories.filter((repository) => !claimed.has(keyOf(registryId, repository)));
      const keys = others.map((repository) => keyOf(registryId, repository));
      for (const key of keys) claimed.add(key);
      const free = new Set<string>();
      try {
        const rows = await query<{ key: string }>(
          'select key from unnest($2::text[]) as key where pg_try_advisory_lock($1, hashtext(key))',
          [LOCK_SPACES.repository, keys],
        );
        for (const { key } of rows) free.add(key);
      } finally {
        for (const key of keys) if (!free.has(key)) claimed.delete(key);
      }
      return others.filter((repository) => free.has(keyOf(registryId, repository)));
    },
    release(registryId, repositories) {
      const keys = repositories.map((repository) => keyOf(registryId, repository));
      for (const key of keys) claimed.delete(key);
      // A connection that was lost has lost its locks, too.
      query('select pg_advisory_unlock($1, hashtext(key)) from unnest($2::text[]) as key', [
        LOCK_SPACES.repository,
        keys,
      ]).catch(() => undefined);
    },
    claimRuntime: (id) => runtimes.claim(id),
    hasRuntime: (id) => runtimes.ids.has(id),
    releaseRuntime: (id) => runtimes.release(id),
    claimImage: (id) => images.claim(id),
    releaseImage: (id) => images.release(id),
    claimLayer: (id) => layers.claim(id),
    releaseLayer: (id) => layers.release(id),
    async assume(name) {
      assumed = name;
      await ask('select true as answer from pg_advisory_lock($1, hashtext($2))', [LOCK_SPACES.worker, name]);
    },
    async takeOver() {
      const rows = await query<{ name: string }>(
        'select distinct locked_by as name from graphile_worker.jobs where locked_by is not null',
        [],
      );
      let taken = 0;
      for (const { name } of rows) {
        const unlock = () => query('select graphile_worker.force_unlock_workers($1::text[])', [[name]]);
        if (name !== assumed && (await ifDead(name, unlock))) taken++;
      }
      for (const name of await listPaceHolders(database)) {
        if (name !== holder) await ifDead(name, () => forgetPaceHolder(database, name));
      }
      return taken;
    },
    close() {
      isClosed = true;
      void held?.then(({ release }) => release()).catch(() => undefined);
    },
  };
}

const LOCK_ID = 'select pg_try_advisory_lock($1, $2) as answer';

interface Held {
  readonly client: pg.PoolClient;
  /** Does so once, however often it is called. */
  readonly release: () => void;
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
