import { chainIds } from './chain-id.ts';
import type { Digest } from './digest.ts';
import { RegistryError } from './errors.ts';
import type { ImageConfiguration } from './image-config.ts';
import type { ImageManifest, VerifiableDescriptor } from './manifest.ts';
import { isForeignLayerType } from './media-type.ts';

/** A layer at its place in one image. */
export interface StackedLayer {
  readonly position: number;
  readonly diffId: Digest;
  readonly chainId: Digest;
  /** The packing that this image names. */
  readonly blob: VerifiableDescriptor;
  readonly isForeign: boolean;
  readonly isEmpty: boolean;
}

/** diff id of the tar that holds nothing (1,024 zero bytes), which builders write for steps without files. */
export const EMPTY_LAYER = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef' as Digest;

/**
 * Joins a manifest's layers with the diff ids of its configuration, bottom first. Where the two disagree in number the
 * image can't be run anywhere, and is refused rather than half read.
 */
export function stackLayers(manifest: ImageManifest, configuration: ImageConfiguration): StackedLayer[] {
  const { diffIds } = configuration;
  if (diffIds.length !== manifest.layers.length) {
    throw new RegistryError(
      'MALFORMED',
      `the manifest has ${manifest.layers.length} layers, its configuration ${diffIds.length} diff ids`,
    );
  }
  const chain = chainIds(diffIds);
  return manifest.layers.map((blob, position) => {
    const diffId = diffIds[position] as Digest;
    return {
      position,
      diffId,
      chainId: chain[position] as Digest,
      blob,
      isForeign: isForeignLayerType(blob.mediaType),
      isEmpty: diffId === EMPTY_LAYER,
    };
  });
}
