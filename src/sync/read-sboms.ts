import * as catalog from '../catalog/write/index.ts';
import { isDigest } from '../domain/digest.ts';
import { parseManifest } from '../domain/manifest.ts';
import type { FoundPackage } from '../domain/package.ts';
import { parseSbom, sbomsOf } from '../domain/sbom.ts';
import { fetchDocument } from './fetch-document.ts';
import type { Look } from './look.ts';

/**
 * Reads the SBOMs that are cataloged of images which the wanted tags reach, as far as nothing else tells what these hold:
 * of each image the first that names packages. What can't be read is a fault of the artifact that has it.
 */
export async function readSboms(look: Look): Promise<void> {
  const { database, signal } = look.sync;
  const digests = [...new Set(look.wanted.flatMap((name) => look.known.get(name) ?? []))];
  for (let from = 0; from < digests.length; from += CHUNK) {
    const artifacts = await catalog.artifactsOfUnknownImages(database, look.place, digests.slice(from, from + CHUNK));
    const read = new Set<number>();
    for (const artifact of artifacts) {
      signal.throwIfAborted();
      if (read.has(artifact.imageId)) continue;
      try {
        if (await readSbom(look, artifact)) read.add(artifact.imageId);
      } catch (error) {
        look.blame(`@${artifact.digest}`, error);
      }
    }
  }
}

const CHUNK = 500;
const MAX_SBOM = 32 * 1024 * 1024;

/** False where it tells of no packages. */
async function readSbom({ sync }: Look, artifact: catalog.ImageArtifact): Promise<boolean> {
  const { database, registry, name: repository, signal, now } = sync;
  const manifest = parseManifest(artifact.raw, artifact.mediaType);
  if (manifest.kind !== 'ARTIFACT') return false;
  for (const { digest, size } of sbomsOf(manifest)) {
    if (!isDigest(digest)) continue;
    const document = await fetchDocument({ registry, repository, signal }, { digest, size }, 'SBOM', MAX_SBOM);
    const packages = parseSbom(document);
    if (packages.length === 0) continue;
    await database.transaction((connection) =>
      catalog.recordImageContents(connection, artifact.imageId, contentsOf(packages), now()),
    );
    return true;
  }
  return false;
}

function contentsOf(packages: readonly FoundPackage[]): catalog.ImageContents {
  const held = packages.map((each) => ({ ...each, layer: null }));
  return { origin: 'SBOM', operatingSystem: null, packages: held, files: null };
}
