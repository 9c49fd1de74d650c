import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openDatabase, type Database } from '../../src/catalog/database.ts';

export interface TestDatabase extends Database {
  readonly url: string;
  /** Texts of the statements sent since the last `statements.length = 0`. */
  readonly statements: string[];
}

/** A migrated database of its own, copied from the run's template; close() drops it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer(`create database ${name} template stowage_template`);
  const url = urlOf(name);
  const statements: string[] = [];
  const database = openDatabase({
    url,
    poolSize: 4,
    onError: () => undefined,
    onStatement: (text) => void statements.push(text),
  });
  return {
    ...database,
    url,
    statements,
    async close() {
      await database.close();
      await onServer(`drop database if exists ${name} with (force)`);
    },
  };
}

export function urlOf(database: string): string {
  const url = new URL(serverUrl());
  url.pathname = `/${database}`;
  return url.href;
}

/** Set by global-setup.mjs: the server that the run started for itself. */
function serverUrl(): string {
  const url = process.env['STOWAGE_TEST_SERVER'];
  if (!url) throw new Error('no test server: run the tests through npm test');
  return url;
}

export async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl() });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
