import { digestOf, isDigest, type Digest } from './digest.ts';
import { RegistryError } from './errors.ts';
import { arrayOf, isObject, parseJsonObject, textMap, textOf, wordOf, type Json, type JsonObject } from './json.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_ARTIFACT_MANIFEST,
  OCI_EMPTY,
  OCI_INDEX,
  OCI_MANIFEST,
  SCHEMA1,
  SCHEMA1_SIGNED,
  essence,
  isImageConfigType,
  isIndexType,
  isLayerType,
  isSchema1Type,
} from './media-type.ts';
import type { Platform } from './platform.ts';

/** What a document names: a digest, its type and its length. https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  /** A digest that we can verify, or, in an index, one of an algorithm that we don't know, kept as it is. */
  readonly digest: string;
  readonly size: number;
  readonly annotations: Record<string, string>;
  readonly urls: readonly string[];
  readonly artifactType: string | null;
}

export interface VerifiableDescriptor extends Descriptor {
  readonly digest: Digest;
}

export interface IndexEntry extends Descriptor {
  readonly platform: Platform | null;
}

interface ManifestBase {
  readonly mediaType: string;
  readonly annotations: Record<string, string>;
  /** The manifest that this one is about. */
  readonly subject: Digest | null;
}

export interface IndexManifest extends ManifestBase {
  readonly kind: 'INDEX';
  readonly artifactType: string | null;
  readonly entries: readonly IndexEntry[];
}

export interface ImageManifest extends ManifestBase {
  readonly kind: 'IMAGE';
  readonly config: VerifiableDescriptor;
  /** Bottom first. */
  readonly layers: readonly VerifiableDescriptor[];
}

export interface ArtifactManifest extends ManifestBase {
  readonly kind: 'ARTIFACT';
  readonly artifactType: string;
  readonly blobs: readonly Descriptor[];
}

export type Manifest = IndexManifest | ImageManifest | ArtifactManifest;
export type ManifestKind = Manifest['kind'];

const MAX_ENTRIES = 500;
const MAX_LAYERS = 1000;

/**
 * Reads a manifest document of any kind. `mediaType` is what a descriptor or the registry called it; null where
 * nothing did. What is what: a document with `manifests` is an index; one with an image configuration and no layers,
 * or at least one layer of a file-system type, is an image; all else is an artifact.
 */
export function parseManifest(raw: Uint8Array, mediaType: string | null): Manifest {
  const document = parseJsonObject(raw, 'the manifest');
  const type = typeOf(document, mediaType === null ? null : essence(mediaType));
  const base = {
    mediaType: type,
    annotations: textMap(document['annotations']),
    subject: subjectOf(document['subject']),
  };
  if (isSchema1Type(type)) return { ...base, kind: 'ARTIFACT', artifactType: type, blobs: [] };
  if (isIndexType(type)) return readIndex(document, base);
  return readImageOrArtifact(document, base);
}

/**
 * The digest that names a document. Signed schema 1 is hashed without its signatures; every other document as it is.
 * https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-1.md
 */
export function manifestDigest(raw: Uint8Array, mediaType: string | null): Digest {
  if (mediaType !== null && essence(mediaType) === SCHEMA1_SIGNED) {
    const payload = signedPayload(raw);
    if (payload !== null) return digestOf(payload);
  }
  return digestOf(raw);
}

/** BuildKit's mark on an index entry: the digest of the image that the entry attests; null on all others. */
export function attestedBy(entry: IndexEntry): Digest | null {
  if (entry.annotations['vnd.docker.reference.type'] !== 'attestation-manifest') return null;
  const digest = entry.annotations['vnd.docker.reference.digest'] ?? '';
  return isDigest(digest) ? digest : null;
}

/** A type counts only where the document has the members of it; the body is believed before what others called it. */
function typeOf(document: JsonObject, given: string | null): string {
  if (Array.isArray(document['manifests']) && Array.isArray(document['layers'])) {
    // https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh
    throw new RegistryError('MALFORMED', 'the manifest has both "manifests" and "layers": it could be read two ways');
  }
  const said = wordOf(document['mediaType']);
  const known = [said && essence(said), given].find((type) => type && MANIFEST_TYPES.has(type));
  const shape = shapeOf(document);
  if (shape === null) {
    // An error document, or an empty one, served with the type of a manifest.
    throw new RegistryError('MALFORMED', `the document is no manifest (its type is ${said ?? given ?? 'not given'})`);
  }
  if (known && isIndexType(known) === isIndexType(shape)) return known;
  if (known) {
    throw new RegistryError('MALFORMED', `the manifest calls itself ${known} and has the members of ${shape}`);
  }
  return shape;
}

const MANIFEST_TYPES = new Set([
  OCI_INDEX,
  OCI_MANIFEST,
  OCI_ARTIFACT_MANIFEST,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  SCHEMA1,
  SCHEMA1_SIGNED,
]);

function shapeOf(document: JsonObject): string | null {
  if ('manifests' in document) return OCI_INDEX;
  if ('config' in document || 'layers' in document) return OCI_MANIFEST;
  if ('blobs' in document) return OCI_ARTIFACT_MANIFEST;
  if ('fsLayers' in document) return 'signatures' in document ? SCHEMA1_SIGNED : SCHEMA1;
  return null;
}

function readIndex(document: JsonObject, base: ManifestBase): IndexManifest {
  const entries = arrayOf(document['manifests'], 'manifests', MAX_ENTRIES).map((entry, at): IndexEntry => {
    const descriptor = readDescriptor(entry, `manifests[${at}]`);
    return { ...descriptor, platform: readPlatform((entry as JsonObject)['platform']) };
  });
  return { ...base, kind: 'INDEX', artifactType: wordOf(document['artifactType']), entries };
}

function readImageOrArtifact(document: JsonObject, base: ManifestBase): ImageManifest | ArtifactManifest {
  const listed = document['layers'] ?? document['blobs'];
  const layers = arrayOf(listed, 'layers', MAX_LAYERS).map((layer, at) => readDescriptor(layer, `layers[${at}]`));
  const config = isObject(document['config']) ? readDescriptor(document['config'], 'config') : null;
  const hasFiles = layers.length === 0 || layers.some((layer) => isLayerType(layer.mediaType));

  if (config && isImageConfigType(config.mediaType) && hasFiles) {
    return {
      ...base,
      kind: 'IMAGE',
      config: verifiable(config, 'config'),
      layers: layers.map((layer, at) => verifiable(layer, `layers[${at}]`)),
    };
  }
  const configType =
    config && !isImageConfigType(config.mediaType) && config.mediaType !== OCI_EMPTY ? config.mediaType : null;
  const artifactType = wordOf(document['artifactType']) ?? configType ?? layers[0]?.mediaType ?? base.mediaType;
  return { ...base, kind: 'ARTIFACT', artifactType, blobs: layers };
}

function readDescriptor(value: Json, place: string): Descriptor {
  if (!isObject(value)) throw new RegistryError('MALFORMED', `${place} is not a descriptor`);
  const { digest, size } = value;
  if (typeof digest !== 'string' || digest.length > MAX_DIGEST || !OPAQUE_DIGEST.test(digest)) {
    throw new RegistryError('MALFORMED', `${place}.digest is ${show(digest)}, not a digest`);
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new RegistryError('MALFORMED', `${place}.size is ${show(size)}, not a number of bytes`);
  }
  return {
    mediaType: essence(wordOf(value['mediaType']) ?? 'application/octet-stream'),
    digest,
    size,
    annotations: textMap(value['annotations']),
    urls: arrayOf(value['urls'], `${place}.urls`, 100).filter((url): url is string => typeof url === 'string'),
    artifactType: wordOf(value['artifactType']),
  };
}

const MAX_DIGEST = 600;
const OPAQUE_DIGEST = /^[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]{1,512}$/;

function verifiable(descriptor: Descriptor, place: string): VerifiableDescriptor {
  if (isDigest(descriptor.digest)) return descriptor as VerifiableDescriptor;
  throw new RegistryError('MALFORMED', `${place}.digest is ${show(descriptor.digest)}, which can't be verified`);
}

/** https://github.com/opencontainers/image-spec/blob/main/image-index.md#image-index-property-descriptions */
function readPlatform(value: Json | undefined): Platform | null {
  if (!isObject(value)) return null;
  const os = wordOf(value['os']);
  const architecture = wordOf(value['architecture']);
  if (os === null || architecture === null) return null;
  const features = arrayOf(value['os.features'], 'os.features', 100);
  return {
    os,
    architecture,
    variant: wordOf(value['variant']),
    osVersion: wordOf(value['os.version']),
    osFeatures: features.filter((feature): feature is string => typeof feature === 'string'),
  };
}

function subjectOf(value: Json | undefined): Digest | null {
  const digest = isObject(value) ? value['digest'] : null;
  return typeof digest === 'string' && isDigest(digest) ? digest : null;
}

function show(value: Json | undefined): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 100);
}

function signedPayload(raw: Uint8Array): Uint8Array | null {
  const document = parseJsonObject(raw, 'the manifest');
  // The type comes from outside: any other document would choose its own digest by carrying such a member.
  if (shapeOf(document) !== SCHEMA1_SIGNED) return null;
  const { signatures, ...unsigned } = document;
  const first = Array.isArray(signatures) ? signatures[0] : null;
  const encoded = isObject(first) ? textOf(first['protected']) : null;
  if (encoded === null) return null;
  const header = parseJsonObject(Buffer.from(encoded, 'base64url'), 'the signature');
  const { formatLength, formatTail } = header;
  if (typeof formatLength !== 'number' || typeof formatTail !== 'string') return null;
  const payload = Buffer.concat([raw.subarray(0, formatLength), Buffer.from(formatTail, 'base64url')]);
  // What is hashed must say what is read: else a signature could lend the digest of any other document.
  const said = parseJsonObject(payload, 'the signed part of the manifest');
  return JSON.stringify(said) === JSON.stringify(unsigned) ? payload : null;
}
