import { Agent } from 'undici';
import { answerCalls } from '../part.ts';

export interface Load {
  readonly url: string;
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  /** Of each request, in milliseconds. */
  readonly latencies: Float64Array;
  readonly seconds: number;
}

/** Each connection sends its next request when it has the answer to the last one. */
async function run({ url, bodies, connections, seconds }: Load): Promise<LoadResult> {
  const agent = new Agent({ connections });
  const { origin, pathname: path } = new URL(url);
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const latencies: number[] = [];
  const begin = performance.now();
  const end = begin + seconds * 1000;
  let next = 0;
  const senders = Array.from({ length: connections }, async () => {
    while (performance.now() < end) {
      const sent = performance.now();
      const { statusCode, body } = await agent.request({
        origin,
        path,
        method: 'POST',
        headers,
        body: bodies[next++ % bodies.length] ?? '',
      });
      if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}: ${(await body.text()).slice(0, 500)}`);
      await body.dump({ limit: 64 * 1024 * 1024 });
      latencies.push(performance.now() - sent);
    }
  });
  await Promise.all(senders);
  const took = (performance.now() - begin) / 1000;
  await agent.close();
  return { latencies: Float64Array.from(latencies), seconds: took };
}

answerCalls({ run });
