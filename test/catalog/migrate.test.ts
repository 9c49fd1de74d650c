import { readdirSync } from 'node:fs';
import { migrate } from '../../src/catalog/migrate.ts';
import { catalogOf } from '../support/catalog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

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
