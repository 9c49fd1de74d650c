import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../../src/domain/digest.ts';
import type { Content, LayerSpec } from './content.ts';
import { tarOf, type TarFields } from './tar.ts';

/** A layer with files in it, and the blob to push. */
export interface FilledLayer extends LayerSpec {
  readonly blob: Content;
}

/** The same files are the same layer; another packing is the same in another blob. */
export function aFilledLayer(files: readonly TarFields[], packing: 'gzip' | 'zstd' = 'gzip'): FilledLayer {
  const tar = tarOf(files);
  const raw = packing === 'gzip' ? gzipSync(tar) : zstdCompressSync(tar);
  const mediaType = `application/vnd.oci.image.layer.v1.tar+${packing}`;
  const digest = digestOf(raw);
  return { diffId: digestOf(tar), digest, mediaType, size: raw.length, blob: { digest, mediaType, raw, parts: [] } };
}
