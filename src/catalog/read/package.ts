import sql, { raw } from 'sql-template-tag';
import type { PackageType } from '../../domain/package.ts';
import type { Connection } from '../database.ts';
import { imageList, scopedOrder, type ImageListArguments, type ImagesById } from './image.ts';
import type { ImageContentsRecord } from './image-contents.ts';
import { storable } from './filter.ts';
import { KeptRecords } from './kept-records.ts';
import type { KnownList } from './known-list.ts';
import { packageIs, packageTest, type PackageFilter } from './package-filter.ts';
import { nestedList, rootList } from './page.ts';
import { listsBy } from './rows.ts';

export interface PackageRecord {
  readonly __typename: 'Package';
  /** Row id. */
  readonly packageId: number;
  readonly type: PackageType;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses: readonly string[];
  /** Where an image has it; null where it was not asked for as one that an image has, or nothing tells. */
  readonly place: PackagePlace | null;
}

export interface PackagePlace {
  readonly imageId: number;
  /** Position of the layer that brought it. */
  readonly layer: number;
}

export interface PackageListArguments {
  readonly filter?: PackageFilter | null;
}

/** Sets of so many packages in all are kept across requests: what is in a set never changes. */
const KEPT_PACKAGES = 100_000;

export function packageReads(connection: Connection, imagesById: ImagesById) {
  const kept = new KeptRecords<readonly PackageRecord[]>(KEPT_PACKAGES, (packages) => packages.length + 1);

  return {
    forgetPackages: () => kept.forget(null),

    /** By name, of one name as they were found. */
    packages: rootList(connection, ({ filter }: PackageListArguments) => ({
      name: 'catalog.packages',
      columns: raw(COLUMNS),
      from: raw('package p'),
      where: packageIs(filter),
      order: {
        name: 'packages',
        givenBy: 'filter',
        direction: 'ASC',
        key: { expression: raw('p.name'), type: 'text' },
        id: raw('p.id'),
      } as const,
      toRecord: recordOf,
    })),

    packagesById: async (ids: readonly number[]): Promise<Map<number, PackageRecord>> => {
      const rows = await connection.run<PackageRow>(PACKAGES_BY_ID, [ids]);
      return new Map(rows.map((row) => [row.id, recordOf(row)]));
    },

    packagesByPurl: async (purls: readonly string[]): Promise<Map<string, PackageRecord>> => {
      const rows = await connection.run<PackageRow>(PACKAGES_BY_PURL, [purls.map(storable)]);
      return new Map(rows.map((row) => [row.purl, recordOf(row)]));
    },

    /** Of each set, in the order of their row ids. */
    packagesBySet: async (setIds: readonly number[]): Promise<Map<number, readonly PackageRecord[]>> => {
      const sets = new Map<number, readonly PackageRecord[]>();
      const missing = setIds.filter((id) => {
        const known = kept.get(id);
        if (known !== undefined) sets.set(id, known);
        return known === undefined;
      });
      if (missing.length === 0) return sets;
      const keep = kept.keeper();
      const rows = await connection.run<PackageRow & { set_id: number }>(PACKAGES_BY_SET, [missing]);
      for (const [id, packages] of listsBy(rows, (row) => row.set_id, recordOf)) {
        keep(id, packages);
        sets.set(id, packages);
      }
      return sets;
    },

    imageCountsByPackage: async (ids: readonly number[]): Promise<Map<number, number>> => {
      const rows = await connection.run<{ id: number; image_count: number }>(
        '/* catalog.imageCountsByPackage */ select id, image_count from package where id = any((select $1::int[])::int[])',
        [ids],
      );
      return new Map(rows.map((row) => [row.id, row.image_count]));
    },

    imagesByPackage: nestedList(connection, ({ filter, orderBy }: ImageListArguments) => ({
      ...imageList('imagesByPackage', WITH_PACKAGE, filter, scopedOrder(orderBy, 'c.image_id'), OF_PACKAGE),
      recordsById: imagesById,
    })),
  };
}

/** What an image has of the packages of its set, by name. */
export function packagesIn(
  { imageId, packageLayers }: ImageContentsRecord,
  set: readonly PackageRecord[],
  filter: PackageFilter | null | undefined,
): KnownList<PackageRecord> {
  const isWanted = packageTest(filter ?? {});
  const entries = set.flatMap((each, at) => {
    if (!isWanted(each)) return [];
    const layer = packageLayers?.[at] ?? null;
    return [layer === null ? each : { ...each, place: { imageId, layer } }];
  });
  const keyOf = ({ name, version, purl }: PackageRecord) => [name, version, purl].join('\0');
  entries.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return { name: 'packages of an image', givenBy: 'filter', entries, keyOf };
}

const WITH_PACKAGE =
  'package_set_entry e join image_contents c on c.package_set_id = e.set_id join image i on i.manifest_id = c.image_id';
const OF_PACKAGE = sql`e.package_id = parent.id`;

const COLUMNS = 'p.id, p.type, p.name, p.version, p.purl, p.licenses';

interface PackageRow {
  id: number;
  type: PackageType;
  name: string;
  version: string;
  purl: string;
  licenses: string[] | null;
}

const PACKAGES_BY_ID = `/* catalog.packagesById */
  select ${COLUMNS} from package p where p.id = any((select $1::int[])::int[])`;

const PACKAGES_BY_PURL = `/* catalog.packagesByPurl */
  select ${COLUMNS} from package p where p.purl = any((select $1::text[])::text[])`;

const PACKAGES_BY_SET = `/* catalog.packagesBySet */
  select e.set_id, ${COLUMNS} from package_set_entry e join package p on p.id = e.package_id
  where e.set_id = any((select $1::int[])::int[]) order by e.set_id, e.package_id`;

function recordOf({ id, type, name, version, purl, licenses }: PackageRow): PackageRecord {
  return { __typename: 'Package', packageId: id, type, name, version, purl, licenses: licenses ?? [], place: null };
}
