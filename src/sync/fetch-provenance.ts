import { attestedBases, provenanceOf, type BaseClaim } from '../domain/base-claim.ts';
import { isDigest, type Digest } from '../domain/digest.ts';
import type { ArtifactManifest } from '../domain/manifest.ts';
import { fetchDocument, type DocumentSource } from './fetch-document.ts';

export interface Provenance {
  readonly claims: readonly BaseClaim[];
  /** Bytes that were fetched. */
  readonly size: number;
}

/** An attestation has one, or one for each version of the format. */
const MAX_STATEMENTS = 4;

/** What an attestation says that its subject was built from. Most artifacts say nothing, and nothing is fetched. */
export async function fetchProvenance(
  source: DocumentSource,
  artifact: ArtifactManifest,
  subject: Digest | null,
): Promise<Provenance> {
  const claims: BaseClaim[] = [];
  let size = 0;
  if (subject === null) return { claims, size };
  for (const { digest, size: stated } of provenanceOf(artifact).slice(0, MAX_STATEMENTS)) {
    if (!isDigest(digest)) continue;
    const statement = await fetchDocument(source, { digest, size: stated }, 'provenance');
    size += statement.length;
    claims.push(...attestedBases(subject, statement));
  }
  return { claims, size };
}
