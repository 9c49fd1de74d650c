import { newHostPace, type HostPace } from '../../src/domain/host-pace.ts';
import type { PaceStore } from '../../src/http/index.ts';

/** Keeps the pace of hosts in memory, as the database does: one change at a time, in the order in which they were asked for. */
export class MemoryPace implements PaceStore {
  readonly paces = new Map<string, HostPace>();
  /** Called where there is news for others. */
  onNews: () => void = () => undefined;
  /** Awaited before and after each change. */
  delay: () => Promise<void> = () => Promise.resolve();
  changes = 0;
  #last: Promise<unknown> = Promise.resolve();

  change<T>(origin: string, change: Parameters<PaceStore['change']>[1]): Promise<T> {
    const changed = this.#last.then(async () => {
      await this.delay();
      this.changes++;
      const pace = structuredClone(this.paces.get(origin) ?? newHostPace());
      const { result, isNews } = change(pace, Date.now());
      this.paces.set(origin, pace);
      await this.delay();
      if (isNews) this.onNews();
      return result as T;
    });
    this.#last = changed.catch(() => undefined);
    return changed;
  }
}
