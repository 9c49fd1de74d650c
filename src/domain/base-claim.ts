import { isDigest, type Digest } from './digest.ts';
import { isObject, parseJsonObject, textOf, type Json, type JsonObject } from './json.ts';
import { attestedBy, type ArtifactManifest, type Descriptor, type Manifest } from './manifest.ts';
import { parseReference, tagNamed, type Reference, type TagName } from './reference.ts';

export type BaseClaimEvidence = 'ANNOTATION' | 'PROVENANCE';

/** What somebody says that an image was built on. Digest, name or both. */
export interface BaseClaim {
  /** The image that it is said of. */
  readonly image: Digest;
  readonly evidence: BaseClaimEvidence;
  /** Of the base's manifest, or of an index that lists it. */
  readonly digest: Digest | null;
  /** The tag that the base was taken from. */
  readonly name: BaseName | null;
}

export type BaseName = Pick<Reference, 'host' | 'repository'> & { readonly tag: TagName };

/**
 * What the annotations of a manifest say: of itself where it is an image, of each image that it lists where it is an
 * index. What stands at an entry goes before what stands at the index.
 * https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys
 */
export function annotatedBases(digest: Digest, manifest: Manifest): BaseClaim[] {
  if (manifest.kind === 'IMAGE') return claimIn(manifest.annotations, digest);
  if (manifest.kind !== 'INDEX') return [];
  return manifest.entries.flatMap((entry) => {
    if (!isDigest(entry.digest) || attestedBy(entry) !== null) return [];
    const own = claimIn(entry.annotations, entry.digest);
    return own.length > 0 ? own : claimIn(manifest.annotations, entry.digest);
  });
}

/** The provenance statements that an attestation holds. https://slsa.dev/spec/v1.0/provenance */
export function provenanceOf({ blobs }: ArtifactManifest): Descriptor[] {
  return blobs.filter(
    ({ mediaType, annotations }) =>
      mediaType === 'application/vnd.in-toto+json' &&
      annotations['in-toto.io/predicate-type']?.startsWith('https://slsa.dev/provenance/'),
  );
}

/**
 * The images that a build took in, by its provenance: every base is one of them, and so are the images of other
 * stages. Throws MALFORMED for what is not JSON.
 */
export function attestedBases(image: Digest, statement: Uint8Array): BaseClaim[] {
  const { predicate } = parseJsonObject(statement, 'the provenance');
  const claims: BaseClaim[] = [];
  for (const material of materialsOf(predicate)) {
    const claim = isObject(material) ? materialClaim(image, material) : null;
    if (claim !== null) claims.push(claim);
    if (claims.length === MAX_CLAIMS) break;
  }
  return claims;
}

/** Of one statement. */
const MAX_CLAIMS = 50;

function claimIn(annotations: Readonly<Record<string, string>>, image: Digest): BaseClaim[] {
  const reference = referenceOf(annotations['org.opencontainers.image.base.name'] ?? '');
  const written = annotations['org.opencontainers.image.base.digest'] ?? '';
  const digest = isDigest(written) ? written : (reference?.digest ?? null);
  if (reference === null && digest === null) return [];
  return [{ image, evidence: 'ANNOTATION', digest, name: nameOf(reference) }];
}

/** Version 0.2 lists materials, version 1 resolved dependencies; both have a URI and digests. */
function materialsOf(predicate: Json | undefined): Json[] {
  if (!isObject(predicate)) return [];
  const definition = predicate['buildDefinition'];
  const listed = isObject(definition) ? definition['resolvedDependencies'] : predicate['materials'];
  return Array.isArray(listed) ? listed : [];
}

function materialClaim(image: Digest, material: JsonObject): BaseClaim | null {
  const parts = packageUrl(textOf(material['uri']) ?? '');
  if (parts === null) return null;
  const { name, version, qualifiers } = parts;
  const tag = qualifiers.get('tag') ?? (version.includes(':') ? '' : version);
  const reference = referenceOf(tag === '' ? name : `${name}:${tag}`);
  const digest = [sha256Of(material['digest']), qualifiers.get('digest'), version].find(
    (text) => text && isDigest(text),
  );
  if (reference === null && digest === undefined) return null;
  // A digest alone names no tag, where a reference without a tag means latest.
  const isNamed = tag !== '' || digest === undefined;
  return {
    image,
    evidence: 'PROVENANCE',
    digest: (digest as Digest) ?? null,
    name: isNamed ? nameOf(reference) : null,
  };
}

/**
 * An image in a package URL: pkg:docker/alpine@3.18?platform=linux%2Famd64, pkg:oci/app@sha256%3A...?repository_url=...
 * https://github.com/package-url/purl-spec/blob/main/types-doc/docker-definition.md
 */
function packageUrl(uri: string): { name: string; version: string; qualifiers: URLSearchParams } | null {
  const [, type, path = '', query = ''] = /^pkg:(docker|oci)\/([^?#]+)(?:\?([^#]*))?/.exec(uri) ?? [];
  if (type === undefined) return null;
  const at = path.lastIndexOf('@');
  const written = decoded(at < 0 ? path : path.slice(0, at));
  const version = at < 0 ? '' : decoded(path.slice(at + 1));
  const qualifiers = new URLSearchParams(query);
  const place = qualifiers.get('repository_url');
  const name = place === null ? written : type === 'oci' ? place : `${place}/${written}`;
  return { name, version, qualifiers };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function sha256Of(digests: Json | undefined): string | null {
  const hex = isObject(digests) ? textOf(digests['sha256']) : null;
  return hex && `sha256:${hex}`;
}

/** Null for what is no reference: what is claimed in words that nobody understands is not claimed. */
function referenceOf(text: string): Reference | null {
  try {
    return parseReference(text);
  } catch {
    return null;
  }
}

function nameOf(reference: Reference | null): BaseName | null {
  if (reference === null || (reference.tag === null && reference.digest !== null)) return null;
  const { host, repository } = reference;
  return { host, repository, tag: tagNamed(reference) };
}
