export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json';
export const OCI_ARTIFACT_MANIFEST = 'application/vnd.oci.artifact.manifest.v1+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
export const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
export const DOCKER_PLAIN_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';
export const SCHEMA1_SIGNED = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
export const SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+json';

/** One line with every type that we read: leaving one out makes registries convert, or answer 404. */
export const MANIFEST_ACCEPT = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(', ');

/** `application/json; charset=utf-8` and `Application/JSON` are one type. */
export function essence(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}

export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_LIST;
}

/** A document that a tag can name, also of the kinds that nobody writes any more. */
export function isManifestType(mediaType: string): boolean {
  return MANIFESTS.has(mediaType);
}

const MANIFESTS = new Set([
  OCI_INDEX,
  DOCKER_LIST,
  OCI_MANIFEST,
  DOCKER_MANIFEST,
  OCI_ARTIFACT_MANIFEST,
  SCHEMA1_SIGNED,
  SCHEMA1,
]);

export function isSchema1Type(mediaType: string): boolean {
  return mediaType === SCHEMA1 || mediaType === SCHEMA1_SIGNED;
}

export function isImageConfigType(mediaType: string): boolean {
  return mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG;
}

const LAYER =
  /^application\/vnd\.(oci\.image\.layer\.(nondistributable\.)?v1\.tar([+-](gzip|zstd))?|docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.(gzip|zstd))?)(\+encrypted)?$/;
const FOREIGN = /\.(nondistributable|foreign)\./;

/** A tar of files that is stacked, in any packing. */
export function isLayerType(mediaType: string): boolean {
  return LAYER.test(mediaType);
}

/** Layers that registries do not hold, such as old Windows bases. `urls` alone makes no layer foreign. */
export function isForeignLayerType(mediaType: string): boolean {
  return FOREIGN.test(mediaType) && LAYER.test(mediaType);
}

/** A layer whose blob is the tar itself: its size unpacked is its size. */
export function isPlainTarType(mediaType: string): boolean {
  return LAYER.test(mediaType) && mediaType.endsWith('.tar');
}
