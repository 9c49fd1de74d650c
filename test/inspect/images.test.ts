import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Digest } from '../../src/domain/digest.ts';
import { decodeInspection, encodeInspection, inspectLayer, overlayImage } from '../../src/inspect/index.ts';
import type { ImageContents, LayerInspection } from '../../src/inspect/index.ts';
import { LAYER_LIMITS } from '../../src/inspect/limits.ts';
import { packageReaders } from '../../src/inspect/packages/index.ts';
import type { Program } from '../../src/inspect/programs.ts';
import { describeImages, readBlob, readExpected, type ExpectedLayer } from '../support/shared-images.ts';

const { signal } = new AbortController();

describeImages('the contents of real images', () => {
  test('are what other programs say of them', async () => {
    const images = Object.values(readExpected().manifests).filter(({ kind, contents }) => kind === 'image' && contents);
    expect(images.length).toBeGreaterThan(80);
    const inspections = new Map<string, LayerInspection>();
    for (const { digest, layers = [], image, contents, platform } of images) {
      for (const layer of layers) {
        if (!inspections.has(layer.digest)) inspections.set(layer.digest, await inspect(layer));
      }
      const stack = layers.map((layer) => inspections.get(layer.digest) ?? null);
      const claim = { os: platform?.os ?? '', osVersion: null, env: image?.env ?? [], documentsSize: 0 };
      const found = overlayImage(stack, claim);
      if (!contents) throw new Error('unreachable');
      const { os_release: os } = contents;
      expect({ digest, ...facts(found) }).toEqual({
        digest,
        operatingSystem: os && [os.id, os.version_id, os.pretty_name],
        packages: Object.entries(contents.packages)
          .map(([kind, { list_sha256: list }]) => [kind, list])
          .sort(),
        shells: contents.shells,
        packageManagers: contents.package_manager_paths.filter((program) => program.busybox_applet !== true),
        packageManagerNames: contents.package_managers,
        kernels: contents.kernel.paths,
        fileCount: contents.regular_files,
        fileBytes: contents.regular_bytes,
        reason: null,
        notes: [],
      });
      expect(sum(Object.values(found.composition))).toBe(found.fileBytes);
    }
    expect(inspections.size).toBeGreaterThan(200);
  }, 120_000);
});

/** Stored and read again on the way, as the catalog does. */
async function inspect({ digest, media_type: mediaType, size, ...layer }: ExpectedLayer): Promise<LayerInspection> {
  const claim = { digest: digest as Digest, mediaType, size, diffId: layer.diff_id as Digest };
  const options = { readers: packageReaders, limits: LAYER_LIMITS, signal };
  const inspection = await inspectLayer(Readable.from([readBlob(digest)]), claim, options);
  expect(inspection).toMatchObject({
    status: 'INSPECTED',
    reason: null,
    diffId: layer.diff_id,
    uncompressedSize: layer.uncompressed_size,
    notes: [],
  });
  const decoded = decodeInspection(encodeInspection(inspection));
  expect([...decoded.entries].filter(({ whiteout }) => whiteout !== null)).toHaveLength(layer.whiteouts ?? 0);
  return decoded;
}

function facts({ operatingSystem: os, ...found }: ImageContents) {
  const { shells, packageManagers, kernels, fileCount, fileBytes, reason, notes } = found;
  return {
    operatingSystem: os && [os.id, os.versionId, os.prettyName],
    packages: ['APK', 'DEB', 'RPM'].flatMap((type) => {
      const lines = found.packages.filter((each) => each.type === type && each.name !== 'gpg-pubkey').map(line);
      return lines.length === 0 ? [] : [[type.toLowerCase(), sha256(lines.sort().join(''))]];
    }),
    shells: shells.map(program),
    packageManagers: packageManagers.map(program),
    packageManagerNames: [...new Set(packageManagers.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)))].sort(),
    kernels,
    fileCount,
    fileBytes,
    reason,
    notes,
  };
}

function line({ name, version }: { name: string; version: string }): string {
  return `${name} ${version}\n`;
}

function program({ path, resolvesTo, isBusyboxApplet }: Program) {
  return { path, resolves_to: resolvesTo, ...(isBusyboxApplet && { busybox_applet: true }) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
