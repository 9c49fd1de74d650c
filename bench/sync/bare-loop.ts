import { Agent } from 'undici';
import { answerCalls } from '../part.ts';
import type { SentRequest } from './registry-server.ts';

export interface BareRun {
  readonly origin: string;
  readonly requests: readonly SentRequest[];
  readonly connections: number;
  /** Left to itself, undici ends the connection after each HEAD. */
  readonly keepsAlive: boolean;
}

/** Sends the requests, throws the answers away, and says how many milliseconds that took. */
async function run({ origin, requests, connections, keepsAlive }: BareRun): Promise<number> {
  const agent = new Agent({ connections });
  const queue = requests.values();
  const before = performance.now();
  const senders = Array.from({ length: connections }, async () => {
    for (const { method, path, headers } of queue) {
      const { body } = await agent.request({ origin, method, path, headers, ...(keepsAlive && { reset: false }) });
      await body.dump();
    }
  });
  await Promise.all(senders);
  const took = performance.now() - before;
  await agent.close();
  return took;
}

answerCalls({ run });
