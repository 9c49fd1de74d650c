import type { InspectedImage, InspectedImageLayer } from '../catalog/write/index.ts';
import { RegistryError } from '../domain/errors.ts';
import { LAYER_LIMITS, type InspectedLayer } from '../inspect/index.ts';
import type { ImageInspectionTools } from './inspect-image.ts';

/** A layer that was looked at, or what came of asking each registry for it. */
export type FetchedLayer =
  { readonly inspected: InspectedLayer } | { readonly inspected: null; readonly fault: RegistryError | null };

/** What was downloaded, whatever came of it. */
export interface LayerTraffic {
  bytesRead: number;
}

/**
 * Downloads a layer from the first place that has it, and looks at it on the way. `fault` is what the last place said, or
 * the first that may say something else later; null where there is no place. What a place sent that is not the layer is
 * told as its fault, not as one of the layer.
 */
export async function fetchLayer(
  tools: ImageInspectionTools,
  { places }: InspectedImage,
  layer: InspectedImageLayer,
  traffic: LayerTraffic,
): Promise<FetchedLayer> {
  const { signal } = tools;
  const faults: RegistryError[] = [];
  for (const { registryId, name } of places) {
    try {
      const inspected = await tools.useRegistry(registryId, async (registry) => {
        if (registry === null) return null;
        const download = new Download(registry.fetchBlob(name, layer.blob, layer.size, signal));
        try {
          return await inspect(tools, download, layer);
        } finally {
          traffic.bytesRead += download.bytesRead;
          download.close();
        }
      });
      if (inspected !== null) return { inspected };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RegistryError)) throw error;
      faults.push(error);
    }
  }
  const fault = faults.find(({ isTransient }) => isTransient) ?? faults.at(-1) ?? null;
  return { inspected: null, fault };
}

async function inspect(
  { pool, limits, signal }: ImageInspectionTools,
  download: Download,
  { blob: digest, mediaType, size, diffId }: InspectedImageLayer,
): Promise<InspectedLayer> {
  const inspected = await pool.inspect(
    download,
    { digest, mediaType, size, diffId },
    { limits: { ...LAYER_LIMITS, compressedBytes: limits.maxLayerBytes }, signal },
  );
  // Bytes that are no layer may be those of another blob: the rest of them tells.
  if (inspected.status === 'FAILED') await download.drain();
  return inspected;
}

/** A blob as it comes. Whoever reads it may stop before its end, and somebody else go on. */
class Download implements AsyncIterable<Uint8Array> {
  bytesRead = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  /** Goes to the end: rejects where the bytes are not those of the blob. */
  async drain(): Promise<void> {
    while ((await this.#next()).done !== true);
  }

  /** No more of it is wanted. A sender that says nothing is not waited for. */
  close(): void {
    this.#chunks.return?.().catch(() => undefined);
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const next = await this.#chunks.next();
    if (next.done !== true) this.bytesRead += next.value.length;
    return next;
  }
}
