import type pg from 'pg';
import { versionColumns } from '../domain/version.ts';

const BATCH = 10_000;

/** Reads the version in the names of tags that are older than its columns. Does nothing where there are none. */
export async function readTagVersions(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ id: number; name: string }>(UNREAD, [BATCH]);
    if (rows.length === 0) return;
    const versions = rows.map(({ name }) => versionColumns(name));
    await client.query(RECORD, [
      rows.map(({ id }) => id),
      versions.map(({ group }) => group),
      versions.map(({ key }) => key),
    ]);
  }
}

const UNREAD = `/* catalog.unreadTagVersions */
  select id, name from tag where version_group = '?' order by id limit $1`;

const RECORD = `/* catalog.recordTagVersions */
  update tag t set version_group = n.version_group, version_key = n.version_key
  from unnest($1::int[], $2::text[], $3::text[]) as n(id, version_group, version_key) where t.id = n.id`;
