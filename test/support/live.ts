import type { FormattedExecutionResult } from 'graphql';
import { createClient, type Client, type ClientOptions } from 'graphql-ws';
import { WebSocket } from 'ws';

export type Result = FormattedExecutionResult<Record<string, unknown>, unknown>;

/** Results of one operation as they come, from a client that stays connected. */
export interface Heard {
  /** The data of the next result; rejects where that has errors, or the operation was refused. */
  next<T>(): Promise<T>;
  /** The next result as it is; null at the end. */
  result(): Promise<Result | null>;
  stop(): Promise<unknown>;
}

export interface LiveTestClient extends Client {
  hear(query: string, variables?: Record<string, unknown>): Heard;
  /** The code and reason that the socket was closed with. */
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** A client over WebSocket that does not connect again. */
export function liveClient(address: string, options: Partial<ClientOptions> = {}): LiveTestClient {
  const { promise: closed, resolve } = Promise.withResolvers<{ code: number; reason: string }>();
  const client = createClient({
    url: `${address.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => undefined,
    ...options,
    on: { closed: (event) => resolve(event as { code: number; reason: string }) },
  });
  return {
    ...client,
    closed,
    hear: (query, variables = {}) => heard(client.iterate({ query, variables })),
  };
}

export function heard(results: AsyncIterableIterator<Result>): Heard {
  const result = async () => {
    const next = await results.next();
    return next.done ? null : next.value;
  };
  return {
    result,
    async next<T>() {
      const { data, errors } = (await result()) ?? {};
      if (errors || !data) throw new Error(`no data: ${JSON.stringify(errors ?? 'the end')}`);
      return data as T;
    },
    stop: async () => results.return?.(),
  };
}
