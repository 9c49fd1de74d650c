import { algorithmOf, isDigest, verifies, type Digest } from '../../domain/digest.ts';
import { RegistryError } from '../../domain/errors.ts';
import { isObject, parseJsonObject, textMap, textOf, type Json } from '../../domain/json.ts';
import { manifestDigest } from '../../domain/manifest.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import { readDocument, type LayoutFile, type LayoutFiles } from './files.ts';
import { NameList, type Layout } from './layout.ts';
import { nameOfEntry } from './names.ts';

/**
 * The OCI form: index.json and blobs by digest. A tag that stands alone belongs to the repository `fallback`.
 * https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export async function readImageLayout(
  files: LayoutFiles,
  indexFile: LayoutFile,
  fallback: RepositoryName,
): Promise<Layout> {
  const index = parseJsonObject(await readDocument(indexFile, 'index.json'), 'index.json');
  const entries = index['manifests'] ?? [];
  if (!Array.isArray(entries)) throw new RegistryError('MALFORMED', 'manifests in index.json is not a list');

  const names = new NameList();
  const mediaTypes = new Map<Digest, string>();
  for (const entry of entries.map(readEntry)) {
    if (entry === null) continue;
    if (entry.mediaType !== null) mediaTypes.set(entry.digest, entry.mediaType);
    const name = nameOfEntry(entry.annotations, fallback);
    if (name !== null) names.add(name.repository, name.tag, entry.digest);
  }
  return {
    repositories: names.repositories,
    hasManifest: async (digest) => (await files.find(pathOf(digest))) !== null,
    findBlob: (digest) => files.find(pathOf(digest)),
    async readManifest(digest, signal) {
      const file = await files.find(pathOf(digest));
      if (file === null) return null;
      const raw = await readDocument(file, digest, signal);
      const mediaType = mediaTypes.get(digest) ?? null;
      if (!verifies(digest, raw) && manifestDigest(raw, mediaType) !== digest) {
        throw new RegistryError('DIGEST_MISMATCH', `the bytes of ${pathOf(digest)} are not those of its name`);
      }
      return { digest, mediaType, raw };
    },
  };
}

interface Entry {
  readonly digest: Digest;
  readonly mediaType: string | null;
  readonly annotations: Record<string, string>;
}

/** Null where it can't be told what is meant; the other entries are not worse for it. */
function readEntry(value: Json): Entry | null {
  if (!isObject(value)) return null;
  const digest = textOf(value['digest']) ?? '';
  if (!isDigest(digest)) return null;
  return { digest, mediaType: textOf(value['mediaType']), annotations: textMap(value['annotations']) };
}

function pathOf(digest: Digest): string {
  const algorithm = algorithmOf(digest);
  return `blobs/${algorithm}/${digest.slice(algorithm.length + 1)}`;
}
