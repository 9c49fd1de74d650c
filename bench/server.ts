import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../src/catalog/migrate.ts';
import { startEmbedded } from '../src/postgres/index.ts';

/** A PostgreSQL server for measurements. */
export interface BenchServer {
  /** A database with our tables and nothing in them; its address. */
  createDatabase(): Promise<string>;
  dropDatabase(url: string): Promise<void>;
  close(): Promise<void>;
}

/** The server of DATABASE_URL, whose user must be a superuser, or one of our own in a folder that goes away. */
export async function openBenchServer(databaseUrl: string | undefined): Promise<BenchServer> {
  const server = databaseUrl === undefined ? await startOwn() : { url: databaseUrl, stop: () => Promise.resolve() };
  const { url } = server;
  const template = `stowage_bench_${randomBytes(4).toString('hex')}`;
  const made: string[] = [];

  async function run(sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }
  const drop = (name: string) => run(`drop database if exists ${name} with (force)`);

  await run(`create database ${template}`);
  await migrate(withDatabase(url, template));
  return {
    async createDatabase() {
      const name = `${template}_${made.length}`;
      made.push(name);
      await run(`create database ${name} template ${template}`);
      return withDatabase(url, name);
    },
    dropDatabase: (created) => drop(new URL(created).pathname.slice(1)),
    async close() {
      for (const name of [...made, template]) await drop(name);
      await server.stop();
    },
  };
}

async function startOwn(): Promise<{ url: string; stop(): Promise<void> }> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'stowage-bench-'));
  // Run by root, the server belongs to another user, who has to reach it.
  await chmod(dataDirectory, 0o755);
  const server = await startEmbedded({ dataDirectory, log: (line) => process.stderr.write(`${line}\n`) });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
