import type { Digest } from './digest.ts';
import { digestOf } from './digest.ts';
import { stackLayers, type StackedLayer } from './image.ts';
import { parseImageConfig, type ImageConfiguration } from './image-config.ts';
import { parseManifest, type ImageManifest } from './manifest.ts';

/** An image as an engine tells of it, which shows neither its manifest nor the bytes of its configuration. */
export interface ToldImage {
  /** Digest of its configuration. */
  readonly id: Digest;
  readonly configuration: Uint8Array;
  /** Bytes of each layer, unpacked, bottom first; null where the engine does not tell. */
  readonly layerSizes: readonly (number | null)[];
}

export interface ComposedImage {
  readonly digest: Digest;
  readonly raw: Uint8Array;
  readonly subject: null;
  readonly claims: readonly [];
  readonly manifest: ImageManifest;
  readonly configuration: ImageConfiguration;
  readonly layers: readonly StackedLayer[];
}

/** By which a manifest that we composed is known as such. */
export const LOCAL_IMAGE = 'dev.stowage.local-image';

/**
 * An image with a manifest that we compose, always the same of the same image: that of its layers as plain tars, whose
 * digests are their diff ids. Throws MALFORMED where the engine tells no image.
 */
export function composeImage({ id, configuration: document, layerSizes }: ToldImage): ComposedImage {
  const configuration = parseImageConfig(document);
  const composed = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: id, size: document.length },
    layers: configuration.diffIds.map((digest, at) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest,
      size: layerSizes[at] ?? 0,
    })),
    annotations: { [LOCAL_IMAGE]: 'true' },
  };
  const raw = Buffer.from(JSON.stringify(composed));
  const manifest = parseManifest(raw, composed.mediaType) as ImageManifest;
  return {
    digest: digestOf(raw),
    raw,
    subject: null,
    claims: [],
    manifest,
    configuration,
    layers: stackLayers(manifest, configuration),
  };
}
