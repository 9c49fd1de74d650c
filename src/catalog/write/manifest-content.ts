import type { BaseClaim } from '../../domain/base-claim.ts';
import type { Digest } from '../../domain/digest.ts';
import type { StackedLayer } from '../../domain/image.ts';
import type { ImageConfiguration } from '../../domain/image-config.ts';
import type { ArtifactManifest, ImageManifest, IndexManifest } from '../../domain/manifest.ts';

/** A manifest with all that it takes to record it. */
export type ManifestContent = {
  readonly digest: Digest;
  readonly raw: Uint8Array;
  /** The manifest that this one is about, where the document itself or the index that it stands in says so. */
  readonly subject: Digest | null;
  /** What it says of the bases of images: its own, of those that it lists, or of the one that it attests. */
  readonly claims: readonly BaseClaim[];
} & (
  | { readonly manifest: IndexManifest | ArtifactManifest }
  | {
      readonly manifest: ImageManifest;
      readonly configuration: ImageConfiguration;
      readonly layers: readonly StackedLayer[];
    }
);

export type ImageContent = Extract<ManifestContent, { configuration: ImageConfiguration }>;
