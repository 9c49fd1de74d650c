import { createHash } from 'node:crypto';
import type { Connection } from '../database.ts';
import type { FoundPackage } from '../../domain/package.ts';

/** A set of packages that the catalog has. */
export interface StoredPackageSet {
  readonly id: number;
  /** Package URLs, in the order of the packages' ids. */
  readonly purls: readonly string[];
}

/**
 * The set of these packages, which is made where no image has it yet. To be run in a transaction that holds the packages,
 * and ties an image to the set: what nothing uses is taken away by who deletes an image next.
 */
export async function savePackageSet(
  connection: Connection,
  packages: readonly FoundPackage[],
): Promise<StoredPackageSet> {
  const sorted = packages.toSorted((a, b) => (a.purl < b.purl ? -1 : 1));
  const digest = digestOfSet(sorted);
  const id = (await findSet(connection, digest)) ?? (await addSet(connection, digest, sorted));
  const rows = await connection.run<{ purl: string }>(
    `/* catalog.packagesOfSet */
     select p.purl from package_set_entry e join package p on p.id = e.package_id
     where e.set_id = $1::int order by e.package_id`,
    [id],
  );
  return { id, purls: rows.map(({ purl }) => purl) };
}

/** Longer ones are no packages: an index of PostgreSQL has no room for them. */
export const MAX_PURL = 2000;

async function findSet(connection: Connection, digest: Buffer): Promise<number | null> {
  const rows = await connection.run<{ id: number }>(
    `/* catalog.findPackageSet */ select id from package_set where digest = $1::bytea`,
    [digest],
  );
  return rows[0]?.id ?? null;
}

async function addSet(connection: Connection, digest: Buffer, packages: readonly FoundPackage[]): Promise<number> {
  await connection.run(
    `/* catalog.addPackages */
     insert into package (type, name, version, purl, licenses)
     select n.type, n.name, n.version, n.purl, array(select json_array_elements_text(n.licenses))
     from json_to_recordset($1::json) as n(type text, name text, version text, purl text, licenses json)
     where not exists (select from package p where p.purl = n.purl)`,
    [
      JSON.stringify(
        packages.map(({ type, name, version, purl, licenses }) => ({ type, name, version, purl, licenses })),
      ),
    ],
  );
  const rows = await connection.run<{ id: number }>(
    `/* catalog.addPackageSet */
     with added as (
       insert into package_set (digest, types) values ($1::bytea, $3::text[]) returning id
     ), filled as (
       insert into package_set_entry (set_id, package_id)
       select added.id, p.id from added, unnest($2::text[]) as n(purl) join package p on p.purl = n.purl
     )
     select id from added`,
    [digest, packages.map(({ purl }) => purl), [...new Set(packages.map(({ type }) => type))].sort()],
  );
  return (rows[0] as { id: number }).id;
}

/** Of the package URLs, a line each. */
function digestOfSet(sorted: readonly FoundPackage[]): Buffer {
  const hash = createHash('sha256');
  for (const { purl } of sorted) hash.update(`${purl}\n`);
  return hash.digest();
}
