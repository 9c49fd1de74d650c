import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../src/catalog/migrate.ts';
import { startEmbedded } from '../../src/postgres/index.ts';
import { onServer, urlOf } from './database.ts';

/** One server for the whole run, and a migrated template that every test copies. */
export default async function setUp() {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'stowage-test-'));
  // Tests run by root have a server that another user runs.
  await chmod(dataDirectory, 0o755);
  const server = await startEmbedded({ dataDirectory, durable: false, log: console.warn });
  globalThis.stowageTestServer = { server, dataDirectory };
  process.env['STOWAGE_TEST_SERVER'] = server.url;
  await onServer('create database stowage_template');
  await migrate(urlOf('stowage_template'));
}
