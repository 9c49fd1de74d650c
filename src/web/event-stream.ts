import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { LiveClient } from '../graphql/index.ts';

/** Text as it comes. */
export type Events = AsyncGenerator<string, void, undefined>;

/** A client that takes nothing for so long is gone, or too slow. */
const PATIENCE_MS = 10_000;

/** The stream of one client, from when it is reserved; and the client of all operations on it. */
export class EventStream implements LiveClient {
  /** A page elsewhere may send what opens a stream. */
  readonly isReadOnly = true;
  open = 0;
  #events: Events | null = null;
  #raw: ServerResponse | null = null;
  #taken = Promise.withResolvers<void>();

  get isOpen(): boolean {
    return this.#events !== null;
  }

  /** Resolves when the operating system has what was written last: no operation produces faster than that. */
  get taken(): Promise<void> {
    return this.#taken.promise;
  }

  /** Sends events until there are no more, or nobody takes them. */
  async send(reply: FastifyReply, events: Events): Promise<void> {
    this.#events = events;
    const { raw } = reply.type('text/event-stream; charset=utf-8').hijack();
    this.#raw = raw;
    // It ends with its stream, and is not waited for when the server closes.
    raw.shouldKeepAlive = false;
    raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders);
    raw.once('close', () => {
      this.#taken.resolve();
      this.end();
    });
    if (raw.destroyed) this.end();
    this.#taken.resolve();
    for await (const text of events) {
      if (raw.destroyed) break;
      this.#taken = Promise.withResolvers();
      const patience = setTimeout(() => this.drop(), PATIENCE_MS);
      raw.write(text, () => this.#taken.resolve());
      await this.taken;
      clearTimeout(patience);
    }
    raw.end();
  }

  drop(): void {
    this.#raw?.destroy();
  }

  /** Ends its operations, and then itself, without saying that they are complete: who listens connects again. */
  end(): void {
    void this.#events?.return();
  }
}
