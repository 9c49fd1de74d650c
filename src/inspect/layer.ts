import type { Digest } from '../domain/digest.ts';
import { ByteReader } from './byte-reader.ts';
import type { DocumentReader } from './document.ts';
import { Gauge } from './gauge.ts';
import { LayerDocuments, type LayerDocument } from './layer-document.ts';
import { LayerEntriesWriter, type LayerEntries, type LayerEntry } from './layer-entry.ts';
import { LayerStop, type LayerLimits } from './limits.ts';
import { Notes } from './notes.ts';
import { depthOf } from './path.ts';
import { readTar, type TarEntry } from './tar.ts';
import { layerEntry } from './tar-entry.ts';
import { unpack } from './unpack.ts';

/** What a manifest, and the configuration beside it, say of a layer. */
export interface LayerClaim {
  readonly digest: Digest;
  readonly mediaType: string;
  /** In bytes, as it is stored. */
  readonly size: number;
  /** Null where no configuration says it. */
  readonly diffId: Digest | null;
}

/** All that one layer tells, whatever images it is in. */
export interface LayerInspection {
  /** INSPECTED: to its end, and it is what its digest says. For the others see LayerStop. */
  readonly status: 'INSPECTED' | LayerStop['status'];
  /** Why it is not INSPECTED, as a sentence; null when it is. */
  readonly reason: string | null;
  /** Computed; null where the layer was not read to its end. */
  readonly diffId: Digest | null;
  /** Bytes that were unpacked. */
  readonly uncompressedSize: number;
  readonly entries: LayerEntries;
  readonly documents: readonly LayerDocument[];
  /** Entries and files that were left out, and why. */
  readonly notes: readonly string[];
}

export interface LayerInspectionOptions {
  readonly readers: readonly DocumentReader[];
  readonly limits: LayerLimits;
  readonly signal: AbortSignal;
}

/**
 * Reads a layer as a stream, once and without keeping it. What is wrong with the layer is told in what resolves; rejects
 * with the error of the source, and with the signal's reason.
 */
export async function inspectLayer(
  blob: AsyncIterable<Uint8Array>,
  claim: LayerClaim,
  { readers, limits, signal }: LayerInspectionOptions,
): Promise<LayerInspection> {
  const notes = new Notes();
  const entries = new LayerEntriesWriter();
  const documents = new LayerDocuments(readers, limits, notes);
  const gauge = new Gauge(claim, limits, signal);
  const tar = new ByteReader(gauge.unpacked(unpack(new ByteReader(gauge.stored(blob)))));
  let stop: LayerStop | null = null;
  try {
    refuse(claim, limits);
    for await (const entry of readTar(tar, limits)) await take(entry);
    await tar.drain();
    gauge.verify();
    if (documents.reason !== null) stop = new LayerStop('PARTIAL', documents.reason);
  } catch (error) {
    if (!(error instanceof LayerStop)) throw error;
    stop = error;
  } finally {
    await tar.close();
  }
  const isWrong = stop?.status === 'FAILED';
  return {
    status: stop?.status ?? 'INSPECTED',
    reason: stop?.message ?? null,
    diffId: gauge.diffId,
    uncompressedSize: gauge.uncompressedSize,
    entries: (isWrong ? new LayerEntriesWriter() : entries).entries(),
    documents: isWrong ? [] : documents.list(),
    notes: notes.list(),
  };

  async function take(tarEntry: TarEntry): Promise<void> {
    gauge.countEntry(tarEntry);
    const entry = layerEntry(tarEntry, notes);
    if (entry === null) return;
    checkPath(entry, limits);
    entries.add(entry);
    if (entries.size > limits.entriesBytes) {
      throw new LayerStop('PARTIAL', `The names in the layer take more than ${limits.entriesBytes} bytes.`);
    }
    if (entry.whiteout === null && entry.type === 'FILE') await documents.take(entry.path, tarEntry);
    else if (entry.whiteout === null) documents.forget(entry.path);
  }
}

function refuse({ size, mediaType }: LayerClaim, { compressedBytes }: LayerLimits): void {
  if (mediaType.endsWith('+encrypted')) throw new LayerStop('FAILED', 'The layer is encrypted.');
  if (size <= compressedBytes) return;
  throw new LayerStop('TOO_LARGE', `The layer has ${size} bytes; ${compressedBytes} are read at most.`);
}

function checkPath({ path, linkTarget }: LayerEntry, { nameLength, depth }: LayerLimits): void {
  const length = Math.max(path.length, linkTarget?.length ?? 0);
  if (length > nameLength) {
    throw new LayerStop('PARTIAL', `The layer has a name of ${length} characters; ${nameLength} are read at most.`);
  }
  if (depthOf(path) > depth) throw new LayerStop('PARTIAL', `The layer has a path of more than ${depth} directories.`);
}
