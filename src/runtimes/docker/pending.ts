import type { ObservedCommit } from '../../domain/container.ts';
import { RuntimeFault } from '../runtime.ts';
import type { EngineEvent } from './event.ts';

/** What events asked for since it was last taken. */
export interface PendingChange {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly commits: readonly ObservedCommit[];
  readonly hasOtherImages: boolean;
}

/** Gathers events while nobody has time for them: an engine drops those of a listener that does not listen. */
export class Pending {
  readonly #endpoint: string;
  #changed = new Set<string>();
  #removed = new Set<string>();
  #commits: ObservedCommit[] = [];
  #hasOtherImages = false;
  #end: { readonly fault: Error | null } | null = null;
  #news = Promise.withResolvers<void>();

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  /** Throws TOO_LARGE when there are more than anybody will catch up with. */
  add(event: EngineEvent): void {
    if (event.kind === 'changed') this.#changed.add(event.containerId);
    else if (event.kind === 'removed') this.#removed.add(event.containerId);
    else this.#hasOtherImages = true;
    if (event.kind === 'committed' && event.imageId !== null) {
      this.#commits.push({ containerId: event.containerId, imageId: event.imageId });
    }
    if (this.#changed.size + this.#removed.size + this.#commits.length > MAX_PENDING) {
      throw new RuntimeFault(
        'TOO_LARGE',
        `${this.#endpoint} tells of more than ${MAX_PENDING} changes at once: its containers are to be listed again.`,
      );
    }
    this.#news.resolve();
  }

  /** There will be no more, for what reason ever; null where it just ended. What was not taken by then is lost. */
  end(fault: Error | null): void {
    this.#end = { fault };
    this.#news.resolve();
  }

  /** Resolves to true when there is something to take, and to false when there will be nothing; rejects with the fault. */
  async any(): Promise<boolean> {
    await this.#news.promise;
    if (this.#end === null) return true;
    if (this.#end.fault === null) return false;
    throw this.#end.fault;
  }

  take(): PendingChange {
    const taken = {
      changed: [...this.#changed].filter((id) => !this.#removed.has(id)),
      removed: [...this.#removed],
      commits: this.#commits,
      hasOtherImages: this.#hasOtherImages,
    };
    this.#changed = new Set();
    this.#removed = new Set();
    this.#commits = [];
    this.#hasOtherImages = false;
    if (this.#end === null) this.#news = Promise.withResolvers();
    return taken;
  }
}

const MAX_PENDING = 10_000;
