import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { print } from './report.ts';

/** Fills an empty database with a generated catalog of so many images, and with what these scripts of SQL add. */
export async function loadCatalog(databaseUrl: string, images: number, scripts: readonly URL[] = []): Promise<void> {
  const begin = performance.now();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(`set bench.images = ${images}`);
    for (const script of [CATALOG, ...scripts]) await client.query(await readFile(script, 'utf8'));
    await client.query('vacuum analyze');
    const { rows } = await client.query<{ name: string; rows: number }>(
      `select relname as name, reltuples::int as rows from pg_class where relkind = 'r' and relname = any($1) order by 2`,
      [['repository', 'tag', 'image', 'layer', 'image_layer']],
    );
    const counts = rows.map(({ name, rows }) => `${rows} of ${name}`).join(', ');
    print(`Loaded in ${((performance.now() - begin) / 1000).toFixed(0)} s: ${counts}.\n`);
  } finally {
    await client.end();
  }
}

const CATALOG = new URL('catalog.sql', import.meta.url);
