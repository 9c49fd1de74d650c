import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A part of a measurement that runs in a process of its own, so that its time and memory are its own. */
export interface Part {
  /** Asks it for something, and waits for the answer. */
  call<T>(name: string, argument?: unknown): Promise<T>;
  stop(): Promise<void>;
}

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly fault: string });

/** Starts a module of this folder that answers calls. */
export function startPart(path: string): Part {
  const child = fork(fileURLToPath(new URL(path, import.meta.url)), {
    serialization: 'advanced',
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let asked = 0;
  child.on('message', (answer: Answer) => {
    const waiter = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('fault' in answer) waiter?.reject(new Error(`${path}: ${answer.fault}`));
    else waiter?.resolve(answer.value as never);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code) => {
      for (const { reject } of waiting.values()) reject(new Error(`${path} ended with code ${code}`));
      resolve();
    });
  });
  return {
    call: (name, argument) =>
      new Promise((resolve, reject) => {
        const id = ++asked;
        waiting.set(id, { resolve, reject });
        child.send({ id, name, argument } satisfies Question);
      }),
    async stop() {
      child.disconnect();
      await ended;
    },
  };
}

/** In the part's own process: answers the calls until the process that started it lets go. */
export function answerCalls(handlers: Record<string, (argument: never) => unknown>): void {
  process.on('message', (question: Question) => void answer(question));
  process.on('disconnect', () => process.exit());

  async function answer({ id, name, argument }: Question): Promise<void> {
    try {
      const value = await handlers[name]?.(argument as never);
      process.send?.({ id, value } satisfies Answer);
    } catch (error) {
      process.send?.({
        id,
        fault: error instanceof Error ? (error.stack ?? error.message) : String(error),
      } satisfies Answer);
    }
  }
}
