import { execFileSync } from 'node:child_process';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { migrate } from '../../src/catalog/migrate.ts';
import { catalogOf } from '../support/catalog.ts';
import { createTestDatabase, onServer, urlOf, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

test('applies nothing to a database that is current', async () => {
  expect(await migrate(database.url)).toEqual([]);
  const rows = await database.run<{ migration_name: string }>(
    'select migration_name from _prisma_migrations order by migration_name',
    [],
  );
  const folders = readdirSync('prisma/migrations', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(rows.map((row) => row.migration_name)).toEqual(folders.map((folder) => folder.name).sort());
  expect(await database.prisma.registry.findMany()).toEqual([]);
});

test('reads the versions of tags that are older than the columns for them', async () => {
  const build = catalogOf(database);
  const repository = await build.repository('ghcr.io/org/app');
  const image = await build.image(repository);
  for (const name of ['1.9', '1.10-alpine', 'latest']) await build.tag(repository, name, image);
  const versions = () => database.run('select name, version_group, version_key from tag order by id', []);
  const expected = await versions();
  await database.run(`update tag set version_group = default, version_key = default`, []);
  expect(await versions()).not.toEqual(expected);
  await migrate(database.url);
  expect(await versions()).toEqual(expected);
});

test.each([
  ['docker_hub', 'https://registry-1.docker.io/', 'DOCKER_HUB'],
  ['docker_hub', 'https://mirror.gcr.io/', 'OCI'],
  ['ghcr_quay', 'https://ghcr.io/', 'GHCR'],
  ['ghcr_quay', 'https://quay.io/', 'QUAY'],
  ['ghcr_quay', 'https://quay.io.example.com/', 'OCI'],
])('by the migration %s, what older catalogs have at %s is %s', async (migration, url, kind) => {
  await database.run('delete from registry', []);
  await database.run(`insert into registry (host, kind, url, managed_by) values ('docker.io', 'OCI', $1, 'API')`, [
    url,
  ]);
  const [file = ''] = globSync(`prisma/migrations/*_${migration}/migration.sql`);
  await database.pool.query(readFileSync(file, 'utf8'));
  expect(await database.run('select kind from registry', [])).toEqual([{ kind }]);
});

test('the migrations make all that the model in prisma/schema.prisma has', async () => {
  const sql = execFileSync('node', ['scripts/migration.ts', database.url], { encoding: 'utf8' });
  const name = `model_${process.pid}`;
  await onServer(`create database ${name} template template0`);
  try {
    const model = await structureOf(urlOf(name), sql);
    const migrated = await structureOf(database.url);
    expect(model.length).toBeGreaterThan(200);
    expect(model.filter((part) => !migrated.includes(part))).toEqual([]);
    // Indexes that the model can't say are in the migrations alone; columns and tables never.
    expect(migrated.filter((part) => part.startsWith('column') && !model.includes(part))).toEqual([]);
  } finally {
    await onServer(`drop database ${name} with (force)`);
  }
});

/** Columns, constraints and indexes of a database, after the SQL has run on it. */
async function structureOf(url: string, sql = ''): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
    const { rows } = await client.query<{ part: string }>(`
      select concat_ws(' ', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        case when a.attnotnull then 'not null' end, pg_get_expr(d.adbin, d.adrelid)) as part
      from pg_attribute a join pg_class c on c.oid = a.attrelid and c.relkind = 'r'
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
        and c.relname not like '\\_%'
      union all
      select concat_ws(' ', 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid))
      from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
        and conrelid::regclass::text not like '\\_%'
      union all
      select concat_ws(' ', 'index', indexdef) from pg_indexes where schemaname = 'public' and tablename not like '\\_%'`);
    return rows.map((row) => row.part);
  } finally {
    await client.end();
  }
}
