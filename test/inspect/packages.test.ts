import { createHash } from 'node:crypto';
import { packageReaders } from '../../src/inspect/packages/index.ts';
import type { FoundPackage } from '../../src/domain/package.ts';
import { documentsOfLayers } from '../support/image-documents.ts';
import { describeImages, readExpected } from '../support/shared-images.ts';

const readerOf = (path: string) => packageReaders.find((reader) => reader.recognises(path));

/** What the reader that recognises the path finds in the bytes. */
function read(path: string, bytes: Uint8Array): readonly FoundPackage[] {
  const reader = readerOf(path) ?? packageReaders.find((other) => other.recognisesContent?.(bytes.subarray(0, 512)));
  if (!reader) throw new Error(`no reader recognises ${path}`);
  return reader.read(path, bytes);
}

describeImages('the packages of the real images', () => {
  const documentsOf = documentsOfLayers((path) => readerOf(path) !== undefined);
  const { manifests } = readExpected();
  const images = Object.entries(manifests).flatMap(
    ([
      digest,
      {
        tagged_as: [name = digest],
        layers,
        contents,
      },
    ]) => {
      const packages = Object.entries(contents?.packages ?? {});
      return packages.length > 0 ? [{ name, layers: layers ?? [], packages }] : [];
    },
  );

  test('are of all three package managers', () => {
    const kinds = images.flatMap(({ packages }) => packages.map(([kind]) => kind));
    expect(new Set(kinds)).toEqual(new Set(['apk', 'deb', 'rpm']));
  });

  test.each(images)('are all found in $name', async ({ layers, packages }) => {
    const documents = await documentsOf(layers.map(({ digest }) => digest));
    const found = [...documents].flatMap(([path, bytes]) => read(path, bytes));
    for (const [kind, expected] of packages) {
      const lines = found
        .filter(({ type }) => type === kind.toUpperCase())
        .map(({ name, version }) => `${name} ${version}`);
      for (const { name, version } of expected.samples) expect(lines).toContain(`${name} ${version}`);
      expect(lines).toHaveLength(expected.count);
      const list = lines.map((line) => Buffer.from(`${line}\n`)).sort((a, b) => Buffer.compare(a, b));
      expect(createHash('sha256').update(Buffer.concat(list)).digest('hex')).toBe(expected.list_sha256);
    }
  });
});
