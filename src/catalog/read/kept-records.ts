import { LRUCache } from 'lru-cache';

/** Records of content, which never change while their row is there, by row id: kept across requests, the last used. */
export class KeptRecords<V extends object> {
  readonly #records: LRUCache<number, V>;
  /** How often something was forgotten. */
  #forgotten = 0;

  /** Room for so much, where a record takes as much as `sizeOf` says; 1 when left out. */
  constructor(room: number, sizeOf: (record: V) => number = () => 1) {
    this.#records = new LRUCache({ maxSize: room, sizeCalculation: sizeOf });
  }

  get(id: number): V | undefined {
    return this.#records.get(id);
  }

  /**
   * To be called before the statement that reads records, for a function that keeps them. What was forgotten while the
   * statement ran may be among what it read, and then none of it is kept.
   */
  keeper(): (id: number, record: V) => void {
    const before = this.#forgotten;
    return (id, record) => {
      if (before === this.#forgotten) this.#records.set(id, record);
    };
  }

  /** The record of a row that was deleted, or all of them. */
  forget(id: number | null): void {
    this.#forgotten++;
    if (id === null) this.#records.clear();
    else this.#records.delete(id);
  }
}
