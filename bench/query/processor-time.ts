import { readFile } from 'node:fs/promises';
import pg from 'pg';
import type { Part } from '../part.ts';

/** Processor time in microseconds, of a part and of the backends of its database. */
export interface ProcessorTime {
  readonly own: number;
  /** By process, since backends come and go. NaN where the server's processes can't be seen from here. */
  readonly backends: ReadonlyMap<number, number>;
}

export async function processorTime(part: Part, databaseUrl: string): Promise<ProcessorTime> {
  const { user, system } = await part.call<NodeJS.CpuUsage>('cpu');
  return { own: user + system, backends: await backendTimes(databaseUrl) };
}

/** What was spent from one time to the other. */
export function spentBetween(before: ProcessorTime, after: ProcessorTime): { own: number; database: number } {
  const database = after.backends
    .entries()
    .reduce((sum, [pid, time]) => sum + time - (before.backends.get(pid) ?? 0), 0);
  return { own: after.own - before.own, database };
}

/** Of a tick, as Linux counts them for /proc. */
const MICROSECONDS = 10_000;

async function backendTimes(databaseUrl: string): Promise<Map<number, number>> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client
    .query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`,
    )
    .finally(() => client.end());
  return new Map(await Promise.all(rows.map(async ({ pid }) => [pid, await timeOf(pid)] as const)));
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function timeOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  const [name, rest] =
    text === null ? [] : [text.slice(0, text.lastIndexOf(')')), text.slice(text.lastIndexOf(')') + 2)];
  if (!name?.endsWith('(postgres')) return Number.NaN;
  const fields = rest?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS;
}
