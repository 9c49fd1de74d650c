import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { sampleLayout } from '../../scripts/samples/images.ts';
import { digestOf, isDigest, type Digest } from '../../src/domain/digest.ts';
import { parseImageConfig, stepsOfLayers } from '../../src/domain/image-config.ts';
import { stackLayers } from '../../src/domain/image.ts';
import { attestedBy, parseManifest } from '../../src/domain/manifest.ts';
import { parseRegistryHost, type RepositoryName } from '../../src/domain/reference.ts';
import { ociLayout } from '../../src/registries/oci-layout/index.ts';
import type { ListedTag, OpenRegistry } from '../../src/registries/registry.ts';

const folder = fileURLToPath(new URL('../../samples/', import.meta.url));
const signal = new AbortController().signal;

test('the bundled layout is what the script makes, and small', async () => {
  const made = await sampleLayout();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const committed = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => {
      return `${parentPath}/${name}`.replaceAll('//', '/').slice(folder.length);
    });
  expect(committed.sort()).toEqual([...made.keys()]);
  for (const [path, bytes] of made)
    expect([path, digestOf(await readFile(folder + path))]).toEqual([path, digestOf(bytes)]);
  expect([...made.values()].reduce((sum, bytes) => sum + bytes.length, 0)).toBeLessThan(300_000);
});

test('every name of the bundled layout leads to images that are whole', async () => {
  const registry = await ociLayout.open({
    host: parseRegistryHost('samples.localhost'),
    url: pathToFileURL(folder),
    credential: null,
  });
  try {
    const tags = await tagsOf(registry);
    expect(Object.fromEntries(Object.entries(tags).map(([name, list]) => [name, list.map((tag) => tag.name)]))).toEqual(
      {
        'demo/base': ['1.0', 'latest', '1.1'],
        'demo/web': [
          '2.0.0',
          '2',
          'latest',
          expect.stringMatching(/^sha256-/),
          '2.1.0',
          expect.stringMatching(/^sha256-/),
        ],
        'demo/worker': ['1.4.2', 'latest'],
        'demo/tools': ['0.3'],
        'demo/windows-agent': ['ltsc2022'],
      },
    );
    const latest = tags['demo/base']?.find((tag) => tag.name === 'latest');
    const [one, , two] = tags['demo/base'] ?? [];
    expect([latest?.digest, latest?.previous]).toEqual([two?.digest, [one?.digest]]);

    const chains = new Map<string, Set<Digest>>();
    for (const [name, list] of Object.entries(tags)) {
      for (const tag of list) if (tag.digest) await walk(registry, name as RepositoryName, tag.digest, chains);
    }
    const shared = [...(chains.get('demo/web') ?? [])].filter((chain) => chains.get('demo/worker')?.has(chain));
    expect(shared).toHaveLength(2);
    expect(chains.get('demo/tools')?.size).toBe(7);
  } finally {
    await registry.close();
  }
});

async function tagsOf(registry: OpenRegistry): Promise<Record<string, ListedTag[]>> {
  const tags: Record<string, ListedTag[]> = {};
  for await (const names of registry.listRepositories?.('', signal) ?? []) {
    for (const name of names) {
      tags[name] = [];
      for await (const page of registry.listTags(name, signal)) tags[name].push(...page);
    }
  }
  return tags;
}

/** Reads everything below a manifest, and checks that each layer is what its diff id says. */
async function walk(registry: OpenRegistry, name: RepositoryName, digest: Digest, chains: Map<string, Set<Digest>>) {
  const { raw, mediaType } = await registry.fetchManifest(name, digest, signal);
  const manifest = parseManifest(raw, mediaType);
  if (manifest.kind === 'INDEX') {
    const digests = manifest.entries.map((entry) => entry.digest);
    expect(manifest.entries.map(attestedBy).every((about) => about === null || digests.includes(about))).toBe(true);
    for (const child of digests) if (isDigest(child)) await walk(registry, name, child, chains);
  }
  if (manifest.kind !== 'IMAGE') return;
  const config = parseImageConfig(await readBlob(registry, name, manifest.config));
  const stack = stackLayers(manifest, config);
  expect(stepsOfLayers(config.history, stack.length)).not.toContain(null);
  const seen = chains.get(name) ?? new Set();
  chains.set(name, seen);
  for (const { blob, diffId, chainId, isForeign } of stack) {
    seen.add(chainId);
    if (isForeign) continue;
    const packed = await readBlob(registry, name, blob);
    const tar = blob.mediaType.endsWith('zstd') ? zstdDecompressSync(packed) : gunzipSync(packed);
    expect(digestOf(tar)).toBe(diffId);
  }
}

async function readBlob(registry: OpenRegistry, name: RepositoryName, blob: { digest: Digest; size: number }) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of registry.fetchBlob(name, blob.digest, blob.size, signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
