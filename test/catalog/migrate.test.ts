import { createTestDatabase } from '../support/database.ts';
import { migrate } from '../../src/catalog/migrate.ts';

test('applies nothing to a database that is current', async () => {
  const database = await createTestDatabase();
  try {
    expect(await migrate(database.url)).toEqual([]);
    const rows = await database.run<{ count: number }>('select count(*) from _prisma_migrations', []);
    expect(rows).toEqual([{ count: readdirSync('prisma/migrations').length - 1 }]);
    expect(await database.prisma.registry.findMany()).toEqual([]);
  } finally {
    await database.close();
  }
});
