import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import type { RegistryError } from '../domain/errors.ts';
import type { InspectionLimits } from '../domain/inspection-limits.ts';
import { isForeignLayerType } from '../domain/media-type.ts';
import type { LayerPool } from '../inspect/index.ts';
import type { OpenRegistry } from '../registries/registry.ts';
import { fetchLayer } from './fetch-layer.ts';
import { inParallel } from '../domain/in-parallel.ts';
import { recordContents, type Refusal } from './record-contents.ts';

/** What it takes to look at images. */
export interface ImageInspectionTools {
  readonly database: Database;
  readonly pool: LayerPool;
  readonly limits: InspectionLimits;
  /** Hands `work` a registry; null where the catalog follows it no more. */
  useRegistry<T>(id: number, work: (registry: OpenRegistry | null) => Promise<T>): Promise<T>;
  /** False where somebody else is downloading the layer. */
  claimLayer(layerId: number): Promise<boolean>;
  releaseLayer(layerId: number): void;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

/**
 * What came of it: all that can be known is written down; somebody else is downloading one of its layers, or an
 * inspection is of a form that is read no more, and it is to be taken again soon; the day has no bytes left for it.
 */
export type InspectionOutcome = 'DONE' | 'AGAIN' | 'TOMORROW';

/**
 * Looks at the layers of an image that nobody has looked at, puts all of them on one another, and writes down what the
 * image holds. What can't be had is told as the reason, and is no error. Rejects with a transient RegistryError where it
 * may be had later, and with the signal's reason; the layers that were looked at until then stay so.
 */
export async function inspectImage(
  tools: ImageInspectionTools,
  image: catalog.InspectedImage,
): Promise<InspectionOutcome> {
  const { limits } = tools;
  const distinct = [...new Map(image.layers.map((layer) => [layer.layerId, layer])).values()];
  const refusals = new Map(distinct.flatMap((layer) => refusalOf(layer, limits)));
  const wanted = distinct.filter(({ layerId, isInspected }) => !isInspected && !refusals.has(layerId));
  const size = wanted.reduce((sum, layer) => sum + layer.size, 0);
  if (size > limits.maxImageBytes) {
    const reason = `${size} bytes would have to be downloaded; ${limits.maxImageBytes} are at most.`;
    for (const { layerId } of wanted) refusals.set(layerId, { status: 'TOO_LARGE', reason });
  } else {
    const fates = await inParallel(wanted, PARALLEL, (layer) => inspectLayerOf(tools, image, layer));
    for (const postponed of ['TOMORROW', 'AGAIN'] as const) if (fates.includes(postponed)) return postponed;
    for (const [at, fate] of fates.entries()) {
      if (typeof fate === 'object') refusals.set((wanted[at] as catalog.InspectedImageLayer).layerId, fate);
    }
  }
  return (await recordContents(tools, image, refusals)) ? 'DONE' : 'AGAIN';
}

/** Layers at a time. */
const PARALLEL = 2;

function refusalOf(layer: catalog.InspectedImageLayer, { maxLayerBytes }: InspectionLimits): [number, Refusal][] {
  const { layerId, mediaType, size, isInspected } = layer;
  if (isInspected) return [];
  if (isForeignLayerType(mediaType)) {
    return [[layerId, { status: 'TOO_LARGE', reason: 'It is foreign: registries do not hold it.' }]];
  }
  if (size <= maxLayerBytes) return [];
  const reason = `It has ${size} bytes; ${maxLayerBytes} are downloaded at most.`;
  return [[layerId, { status: 'TOO_LARGE', reason }]];
}

async function inspectLayerOf(
  tools: ImageInspectionTools,
  image: catalog.InspectedImage,
  layer: catalog.InspectedImageLayer,
): Promise<'KNOWN' | 'AGAIN' | 'TOMORROW' | Refusal> {
  const { database, limits, now } = tools;
  const { layerId, blob, size } = layer;
  if (!(await tools.claimLayer(layerId))) return 'AGAIN';
  try {
    if (await catalog.isLayerInspected(database, layerId, blob)) return 'KNOWN';
    const today = now();
    if (!(await catalog.takeInspectionBytes(database, today, size, limits.maxBytesPerDay))) return 'TOMORROW';
    const traffic = { bytesRead: 0 };
    const fetched = await fetchLayer(tools, image, layer, traffic).finally(() =>
      catalog.giveBackInspectionBytes(database, today, size - traffic.bytesRead),
    );
    if (fetched.inspected === null) return refusalFor(fetched.fault);
    const { status, reason, encoded: content, uncompressedSize } = fetched.inspected;
    const found = { layerId, status, reason, content, blob, ...traffic, uncompressedSize };
    await database.transaction((connection) => catalog.recordLayerInspection(connection, found, now()));
    return 'KNOWN';
  } finally {
    tools.releaseLayer(layerId);
  }
}

/** Throws what may pass by itself. Null: nobody could be asked. */
function refusalFor(fault: RegistryError | null): Refusal {
  if (fault?.isTransient) throw fault;
  const why = fault?.message ?? 'no registry that is followed has it';
  return { status: 'FAILED', reason: `It can't be downloaded: ${why}.` };
}
