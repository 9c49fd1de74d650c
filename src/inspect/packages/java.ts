import { foundPackage, type FoundPackage } from '../../domain/package.ts';
import type { DocumentReader } from '../document.ts';
import { collect } from './found.ts';
import { jarsIn, type Jar } from './jar.ts';

/** Java archives, and those inside of them. */
export const java: DocumentReader = {
  recognises: (path) => /\.(?:jar|war|ear|jpi|hpi)$/.test(path),
  read: (path, bytes) => collect(jarsIn(path, bytes).flatMap(packagesOf), path),
};

/**
 * What Maven wrote into an archive, of all that were put together in it; else what its manifest and its name say.
 * https://maven.apache.org/shared/maven-archiver/#pom-properties-content
 */
function packagesOf({ fileName, poms, manifest }: Jar): (FoundPackage | null)[] {
  const licenses = [licenseOf(manifest)];
  if (poms.length > 0) {
    return poms.map((pom) => {
      const name = `${pom.get('groupId') ?? ''}:${pom.get('artifactId') ?? ''}`;
      const version = pom.get('version') ?? '';
      return foundPackage({ type: 'MAVEN', name, version, licenses: poms.length === 1 ? licenses : [] });
    });
  }
  const [, fileArtifact, fileVersion] = FILE_NAME.exec(fileName) ?? [];
  const version =
    fileVersion ?? firstOf(manifest, ['Implementation-Version', 'Bundle-Version', 'Specification-Version']);
  const artifact = fileArtifact ?? '';
  // As artifacts of old are, one of which no group is known is in that of its own name.
  const group = firstOf(manifest, ['Implementation-Vendor-Id']) ?? artifact;
  return [foundPackage({ type: 'MAVEN', name: `${group}:${artifact}`, version: version ?? '', licenses })];
}

/** An artifact, and perhaps its version: numbers, then words, as in guava-31.1-jre.jar. */
const FILE_NAME = /^(.+?)(?:-(\d[^-]*(?:-\d[^-]*)*(?:-[A-Za-z][^-]*)*))?\.[^.]+$/;

function firstOf(manifest: ReadonlyMap<string, string>, names: readonly string[]): string | null {
  return names.map((name) => manifest.get(name)).find((value) => value !== undefined && value !== '') ?? null;
}

/** Of a bundle: names of licences or addresses of their texts, each with parameters. Addresses are no names. */
function licenseOf(manifest: ReadonlyMap<string, string>): string {
  const [first = ''] = (manifest.get('Bundle-License') ?? '').split(/[;,]/);
  return first.includes('://') ? '' : first.replace(/^"(.*)"$/, '$1');
}
