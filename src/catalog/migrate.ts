import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { LOCKS } from './lock.ts';
import { withSchemaEngine } from './schema-engine.ts';
import { readTagVersions } from './tag-version.ts';

const FOLDER = join(import.meta.dirname, '../../prisma/migrations');
const LOCK_FILE = 'migration_lock.toml';

/**
 * Applies what is missing of prisma/migrations, with Prisma's own bookkeeping, so that `prisma migrate` finds what it
 * expects, and brings up to date what SQL alone can't. Processes that start together wait for each other. Answers with the names of the migrations applied.
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [LOCKS.migration]);
    const migrations = await readMigrations();
    const applied = (await isCurrent(client, migrations)) ? [] : await apply(databaseUrl, migrations);
    await readTagVersions(client);
    return applied;
  } finally {
    await client.end();
  }
}

interface Migration {
  readonly name: string;
  readonly sql: string;
}

async function readMigrations(): Promise<Migration[]> {
  const entries = await readdir(FOLDER, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => ({ name, sql: await readFile(join(FOLDER, name, 'migration.sql'), 'utf8') })),
  );
}

/** Spares a start the engine, which takes longer than all the rest of it. */
async function isCurrent(client: pg.Client, migrations: readonly Migration[]): Promise<boolean> {
  const { rows: found } = await client.query<{ exists: boolean }>(
    `select to_regclass('_prisma_migrations') is not null as exists`,
  );
  if (!found[0]?.exists) return false;
  const { rows } = await client.query<{ migration_name: string }>(
    'select migration_name from _prisma_migrations where finished_at is not null and rolled_back_at is null',
  );
  const applied = new Set(rows.map((row) => row.migration_name));
  return migrations.every((migration) => applied.has(migration.name));
}

async function apply(databaseUrl: string, migrations: readonly Migration[]): Promise<string[]> {
  return withSchemaEngine(databaseUrl, async (engine) => {
    const { appliedMigrationNames } = await engine.applyMigrations({
      migrationsList: {
        baseDir: FOLDER,
        lockfile: { path: LOCK_FILE, content: await readFile(join(FOLDER, LOCK_FILE), 'utf8') },
        shadowDbInitScript: '',
        migrationDirectories: migrations.map(({ name, sql }) => ({
          path: name,
          migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } },
        })),
      },
      filters: { externalTables: [], externalEnums: [] },
    });
    return appliedMigrationNames;
  });
}
