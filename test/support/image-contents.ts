import { Readable } from 'node:stream';
import type { Database } from '../../src/catalog/database.ts';
import { recordImageContents, type ImageContents } from '../../src/catalog/write/index.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { foundPackage, type FoundPackage, type PackageType } from '../../src/domain/package.ts';
import {
  encodeInspection,
  inspectLayer,
  LAYER_LIMITS,
  overlayImage,
  type LayerInspection,
} from '../../src/inspect/index.ts';
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

/** What images hold, as an inspection leaves it. */
export function contentsOf(database: Database) {
  const record = (imageId: number, contents: ImageContents) =>
    database.transaction((connection) => recordImageContents(connection, imageId, contents, new Date(INSPECTED_AT)));

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
      const inspections = await Promise.all(layers.map(inspectionOf));
      for (const [position, inspection] of inspections.entries()) {
        await database.run(
          `insert into layer_inspection (layer_id, status, reason, content, blob_digest, inspected_at, bytes_read)
           select layer_id, $3, $4, $5, ''::bytea, $6, 0 from image_layer where image_id = $1 and position = $2
           on conflict (layer_id) do nothing`,
          [image.id, position, inspection.status, inspection.reason, encodeInspection(inspection), INSPECTED_AT],
        );
      }
      const claim = { os: 'linux', osVersion: null, env: ['PATH=/bin:/usr/bin'], documentsSize: 1000 };
      const { operatingSystem, packages, shells, packageManagers, composition, ...found } = overlayImage(
        inspections,
        claim,
      );
      await record(image.id, {
        origin: 'LAYERS',
        operatingSystem,
        packages,
        files: {
          ...found,
          ...composition,
          shells: shells.map(({ path }) => path),
          packageManagers: packageManagers.map(({ path }) => path),
        },
      });
      await this.status(image, 'INSPECTED');
    },

    /** What a bill of materials tells of an image, unless more is said. */
    hold(
      { id }: Pick<ImageContent, 'id'>,
      packages: readonly FoundPackage[],
      more: Partial<ImageContents> = {},
    ): Promise<void> {
      const held = packages.map((each) => ({ ...each, layer: null }));
      return record(id, { origin: 'SBOM', operatingSystem: null, packages: held, files: null, ...more });
    },
  };
}

function inspectionOf(entries: readonly TarFields[]): Promise<LayerInspection> {
  const blob = tarOf(entries);
  const digest = digestOf(blob);
  const mediaType = 'application/vnd.oci.image.layer.v1.tar';
  return inspectLayer(
    Readable.from([blob]),
    { digest, mediaType, size: blob.length, diffId: digest },
    { readers: packageReaders, limits: LAYER_LIMITS, signal: new AbortController().signal },
  );
}
