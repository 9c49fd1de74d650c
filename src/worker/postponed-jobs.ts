import type { WorkerPool } from 'graphile-worker';
import type { Database } from '../catalog/database.ts';
import { enqueue, type Job } from '../queue/index.ts';

export type PostponedJob = Job & { readonly runAt: Date };

/** Jobs that this worker puts off for a moment. It asks the queue when their time has come, not only when it next polls. */
export class PostponedJobs {
  readonly #database: Database;
  readonly #timers = new Set<NodeJS.Timeout>();
  #pool: WorkerPool | null = null;

  constructor(database: Database) {
    this.#database = database;
  }

  /** To be called whenever the queue has opened a pool. */
  assume(pool: WorkerPool): void {
    this.#pool = pool;
  }

  async add(job: PostponedJob): Promise<void> {
    await enqueue(this.#database, [job]);
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        this.#pool?.nudge(1);
      },
      Math.max(job.runAt.getTime() - Date.now(), 0) + MARGIN_MS,
    );
    this.#timers.add(timer);
  }

  /** What was put off is taken up by another worker, or by the next. */
  stop(): void {
    this.#pool = null;
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

/** A timer that fires too early by a hair would find nothing. */
const MARGIN_MS = 10;
