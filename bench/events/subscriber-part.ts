import { once } from 'node:events';
import { WebSocket } from 'ws';
import { answerCalls } from '../part.ts';

export interface Subscribers {
  /** Address of the graph, over HTTP. */
  readonly url: string;
  readonly count: number;
}

const QUERY = 'subscription { tagEvents { kind tagName repository { reference } to { digest } } }';
/** Connections that are opened at a time. */
const AT_ONCE = 50;

/** When each subscriber was told of a tag, by the tag. */
const told = new Map<string, number[]>();
const awakened = new Set<number>();
let subscribed = 0;
let onTold = (): void => undefined;

/** Opens that many subscriptions, each on a socket of its own. */
async function open({ url, count }: Subscribers): Promise<void> {
  while (subscribed < count) {
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - subscribed) }, () => subscribe(url, subscribed++)),
    );
  }
}

async function subscribe(url: string, subscriber: number): Promise<void> {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { perMessageDeflate: false });
  socket.on('close', (code) => process.stderr.write(`a socket was closed with ${code}\n`));
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as {
      type: string;
      payload?: { data?: { tagEvents: { tagName: string } } };
    };
    const tag = message.payload?.data?.tagEvents.tagName;
    if (message.type !== 'next' || tag === undefined) throw new Error(`unexpected message ${data.toString()}`);
    awakened.add(subscriber);
    const times = told.get(tag) ?? [];
    told.set(tag, times);
    // The same in every process.
    times.push(performance.timeOrigin + performance.now());
    if (times.length === subscribed) onTold();
  });
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY } }));
}

/** When the first and the last subscriber were told of the last of these tags, once all were told of all. */
async function awaitAll(tags: readonly string[]): Promise<{ first: number; last: number }> {
  await new Promise<void>((resolve) => {
    onTold = () => {
      if (tags.every((tag) => told.get(tag)?.length === subscribed)) resolve();
    };
    onTold();
  });
  const times = told.get(tags.at(-1) ?? '') ?? [];
  told.clear();
  return { first: Math.min(...times), last: Math.max(...times) };
}

answerCalls({ open, awake: () => awakened.size, await: awaitAll });
