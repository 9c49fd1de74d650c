import { cut } from '../domain/json.ts';

/** What was left out and why, for people; so many that they fit on a page. */
export class Notes {
  readonly #kept: string[] = [];
  #count = 0;

  add(note: string): void {
    this.#count++;
    if (this.#count <= MAX_NOTES) this.#kept.push(cut(note, MAX_LENGTH));
  }

  list(): string[] {
    const others = this.#count - this.#kept.length;
    return others > 0 ? [...this.#kept, `And ${others} more like these.`] : [...this.#kept];
  }
}

const MAX_NOTES = 100;
const MAX_LENGTH = 500;
