/** A value, and when it was read: what was learnt from the database since then is no older. */
export interface Told<T> {
  readonly value: T;
  /** As performance.now() has it. */
  readonly at: number;
}

/** Ends by return, whatever it waits for: unlike a generator, which first goes on to its next yield. */
export type Following<T> = AsyncIterableIterator<Told<T>, undefined>;

/** Values that wait for one follower at most. */
const MAX_WAITING = 1_000;
/** How long everybody waits for a follower that has no room. */
const PATIENCE_MS = 3_000;

/** Those who follow something as it happens. A queue for each stands between them and whoever tells it. */
export class Followers<T> {
  readonly #all = new Set<Follower<T>>();
  readonly #onNobody: () => void;
  #onRoom: (() => void) | null = null;

  /** Told when the last of them has left. */
  constructor(onNobody: () => void = () => undefined) {
    this.#onNobody = onNobody;
  }

  get size(): number {
    return this.#all.size;
  }

  /** From now on. It ends when what is told is not taken, and is told so at once: it may be waiting elsewhere. */
  follow({ isWanted = () => true, onDrop }: FollowSettings<T>): Following<T> {
    const follower: Follower<T> = new Follower({
      isWanted,
      onDrop,
      onTaken: () => this.#onRoom?.(),
      onEnd: () => {
        this.#all.delete(follower);
        this.#onRoom?.();
        if (this.#all.size === 0) this.#onNobody();
      },
    });
    this.#all.add(follower);
    return follower;
  }

  /** At most as many at once as there is room for. */
  tell(values: readonly T[]): void {
    const at = performance.now();
    const told = values.map((value) => ({ value, at }));
    for (const follower of this.#all) for (const each of told) follower.tell(each);
  }

  /** They get what waits for them, and then the end. */
  end(): void {
    for (const follower of this.#all) follower.end();
  }

  /** Resolves when all have room for so many values more: those that have none in time are followers no more. */
  async room(count: number): Promise<void> {
    const full = () => [...this.#all].filter((follower) => follower.waiting + count > MAX_WAITING);
    if (full().length === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const patience = setTimeout(resolve, PATIENCE_MS);
    this.#onRoom = () => {
      if (full().length === 0) resolve();
    };
    await promise;
    clearTimeout(patience);
    this.#onRoom = null;
    for (const follower of full()) follower.drop();
  }
}

interface FollowSettings<T> {
  readonly isWanted?: (value: T) => boolean;
  readonly onDrop: () => void;
}

interface FollowerSettings<T> extends Required<FollowSettings<T>> {
  readonly onTaken: () => void;
  readonly onEnd: () => void;
}

class Follower<T> implements Following<T> {
  readonly #settings: FollowerSettings<T>;
  readonly #waiting: Told<T>[] = [];
  #taker: PromiseWithResolvers<IteratorResult<Told<T>, undefined>> | null = null;
  #hasEnded = false;

  constructor(settings: FollowerSettings<T>) {
    this.#settings = settings;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  tell(told: Told<T>): void {
    if (this.#hasEnded || !this.#settings.isWanted(told.value)) return;
    if (this.#taker === null) this.#waiting.push(told);
    else this.#settle({ value: told, done: false });
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#settle(DONE);
    this.#settings.onEnd();
  }

  drop(): void {
    this.#waiting.length = 0;
    this.#settings.onDrop();
    this.end();
  }

  next(): Promise<IteratorResult<Told<T>, undefined>> {
    const value = this.#waiting.shift();
    if (value !== undefined) {
      this.#settings.onTaken();
      return Promise.resolve({ value, done: false });
    }
    if (this.#hasEnded) return Promise.resolve(DONE);
    this.#taker = Promise.withResolvers();
    return this.#taker.promise;
  }

  return(): Promise<IteratorResult<Told<T>, undefined>> {
    this.#waiting.length = 0;
    this.end();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #settle(result: IteratorResult<Told<T>, undefined>): void {
    this.#taker?.resolve(result);
    this.#taker = null;
  }
}

export const DONE: IteratorReturnResult<undefined> = { value: undefined, done: true };
