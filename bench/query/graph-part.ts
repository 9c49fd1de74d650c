import { openBenchApi } from '../api.ts';
import { answerCalls } from '../part.ts';

/** Opens the API on a database; the address of its graph. */
async function start(databaseUrl: string): Promise<string> {
  const { address } = await openBenchApi(databaseUrl);
  return `${address}/graphql`;
}

answerCalls({ start, cpu: () => process.cpuUsage(), memory: () => process.memoryUsage().rss });
