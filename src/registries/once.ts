import { unlessAborted } from './deadline.ts';

/**
 * What is asked once for all that want to know it, whichever runs they are of: who gives up does so alone, and the
 * question goes on for as long as somebody waits. A failure is told to those that wait; who comes next asks again.
 */
export class Once<T> {
  readonly #ask: (signal: AbortSignal) => Promise<T>;
  #question: Question<T> | null = null;

  constructor(ask: (signal: AbortSignal) => Promise<T>) {
    this.#ask = ask;
  }

  /** Rejects as the question does, and with the signal's reason when it is aborted. */
  async get(signal: AbortSignal): Promise<T> {
    const question = (this.#question ??= this.#begin());
    question.waiting++;
    try {
      return await unlessAborted(question.answer, signal);
    } finally {
      question.waiting--;
      if (signal.aborted && question.waiting === 0) this.#drop(question);
    }
  }

  #begin(): Question<T> {
    const end = new AbortController();
    const question = { answer: this.#ask(end.signal), end, waiting: 0 };
    question.answer.catch(() => this.#drop(question));
    return question;
  }

  #drop(question: Question<T>): void {
    if (this.#question === question) this.#question = null;
    question.end.abort();
  }
}

interface Question<T> {
  readonly answer: Promise<T>;
  readonly end: AbortController;
  waiting: number;
}
