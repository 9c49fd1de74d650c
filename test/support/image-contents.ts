import { Readable } from 'node:stream';
import type { Database } from '../../src/catalog/database.ts';
import { digestBytes, digestOf } from '../../src/domain/digest.ts';
import { foundPackage, type FoundPackage, type PackageType } from '../../src/domain/package.ts';
import { encodeInspection, inspectLayer, LAYER_LIMITS, overlayImage } from '../../src/inspect/index.ts';
import { packageReaders } from '../../src/inspect/packages/index.ts';
import type { ImageContent } from './catalog.ts';
import { tarOf, type TarFields } from './tar.ts';

export const INSPECTED_AT = '2026-02-01T00:00:00.000Z';

/** The database of Alpine's packages with these, each a name and a version. */
export function apkDatabase(
  ...packages: readonly (readonly [name: string, version: string, license?: string])[]
): TarFields {
  const stanzas = packages.map(
    ([name, version, license = 'MIT']) => `P:${name}\nV:${version}\nA:x86_64\nL:${license}\n\n`,
  );
  return { name: 'lib/apk/db/installed', body: stanzas.join('') };
}

/** What says that an image is of a release of Alpine or another system. */
export function osRelease(id: string, versionId: string): TarFields {
  return { name: 'etc/os-release', body: `ID=${id}\nVERSION_ID=${versionId}\nPRETTY_NAME="${id} v${versionId}"\n` };
}

export function packageOf(type: PackageType, name: string, version: string): FoundPackage {
  const found = foundPackage({ type, name, version });
  if (found === null) throw new Error(`${name} ${version} is no package`);
  return found;
}

/** What images hold, in the rows that an inspection leaves. */
export function contentsOf(database: Database) {
  async function recordPackages(packages: readonly FoundPackage[]): Promise<{ setId: number; ids: number[] }> {
    const ids: number[] = [];
    for (const { type, name, version, purl, licenses } of packages) {
      const [row] = await database.run<{ id: number }>(
        `insert into package (type, name, version, purl, licenses) values ($1, $2, $3, $4, $5)
         on conflict (purl) do update set name = excluded.name returning id`,
        [type, name, version, purl, licenses],
      );
      ids.push(row?.id ?? 0);
    }
    const purls = packages.map(({ purl }) => `${purl}\n`).sort();
    const [set] = await database.run<{ id: number }>(
      'insert into package_set (digest) values ($1) on conflict (digest) do update set digest = excluded.digest returning id',
      [digestBytes(digestOf(Buffer.from(purls.join(''))))],
    );
    const setId = set?.id ?? 0;
    await database.run(
      'insert into package_set_entry (set_id, package_id) select $1, unnest($2::int[]) on conflict do nothing',
      [setId, ids],
    );
    return { setId, ids };
  }

  async function record(imageId: number, columns: Record<string, unknown>): Promise<void> {
    const all: Record<string, unknown> = { image_id: imageId, inspected_at: INSPECTED_AT, ...columns };
    const names = Object.keys(all);
    await database.run(
      `insert into image_contents (${names.join(', ')}) values (${names.map((_, at) => `$${at + 1}`).join(', ')})`,
      Object.values(all),
    );
  }

  return {
    /** Where the catalog is with an image. */
    async status({ id }: Pick<ImageContent, 'id'>, status: string, reason: string | null = null): Promise<void> {
      await database.run(
        `insert into image_inspection (image_id, status, reason, requested_at, inspected_at, due_at)
         values ($1, $2, $3, $4, $4, $4)`,
        [id, status, reason, INSPECTED_AT],
      );
    },

    /** Inspects an image whose layers are these, bottom first: tars of real bytes, read as from a registry. */
    async inspect(image: Pick<ImageContent, 'id'>, layers: readonly (readonly TarFields[])[]): Promise<void> {
      const inspections = await Promise.all(
        layers.map((entries) => {
          const blob = tarOf(entries);
          const claim = {
            digest: digestOf(blob),
            mediaType: 'application/vnd.oci.image.layer.v1.tar',
            size: blob.length,
          };
          return inspectLayer(
            Readable.from([blob]),
            { ...claim, diffId: claim.digest },
            { readers: packageReaders, limits: LAYER_LIMITS, signal: new AbortController().signal },
          );
        }),
      );
      for (const [position, inspection] of inspections.entries()) {
        await database.run(
          `insert into layer_inspection (layer_id, status, reason, content, blob_digest, inspected_at, bytes_read)
           select layer_id, $3, $4, $5, ''::bytea, $6, 0 from image_layer where image_id = $1 and position = $2
           on conflict (layer_id) do nothing`,
          [image.id, position, inspection.status, inspection.reason, encodeInspection(inspection), INSPECTED_AT],
        );
      }
      const claim = { os: 'linux', osVersion: null, env: ['PATH=/bin:/usr/bin'], documentsSize: 1000 };
      const contents = overlayImage(inspections, claim);
      const { setId, ids } = await recordPackages(contents.packages);
      const layersById = new Map(contents.packages.map(({ layer }, at) => [ids[at] ?? 0, layer]));
      const { operatingSystem, composition } = contents;
      await record(image.id, {
        origin: 'LAYERS',
        os_id: operatingSystem?.id ?? null,
        os_version_id: operatingSystem?.versionId ?? null,
        os_name: operatingSystem?.prettyName ?? null,
        shells: contents.shells.map(({ path }) => path),
        package_managers: contents.packageManagers.map(({ path }) => path),
        kernels: contents.kernels,
        file_count: contents.fileCount,
        operating_system_size: composition.operatingSystemSize,
        dependency_size: composition.dependencySize,
        application_size: composition.applicationSize,
        metadata_size: composition.metadataSize,
        wasted_size: contents.wastedSize,
        largest_files: JSON.stringify(contents.largestFiles),
        package_set_id: setId,
        package_layers: [...layersById].sort(([a], [b]) => a - b).map(([, layer]) => layer),
        package_count: ids.length,
      });
      await this.status(image, 'INSPECTED');
    },

    /** What a bill of materials tells of an image, unless the columns say that it is from elsewhere. */
    async hold(
      { id }: Pick<ImageContent, 'id'>,
      packages: readonly FoundPackage[],
      columns: Record<string, unknown> = {},
    ): Promise<void> {
      const { setId, ids } = await recordPackages(packages);
      await record(id, { origin: 'SBOM', package_set_id: setId, package_count: ids.length, ...columns });
    },
  };
}
