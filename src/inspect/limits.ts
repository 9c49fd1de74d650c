/** How far the inspection of one layer goes. Sizes are in bytes. */
export interface LayerLimits {
  /** As the layer is stored. A larger one is not begun. */
  readonly compressedBytes: number;
  /** As it is unpacked. */
  readonly uncompressedBytes: number;
  /** How many times its stored size a layer may unpack to, once it has unpacked to `ratioFrom` bytes. */
  readonly ratio: number;
  readonly ratioFrom: number;
  /** Of files together, holes of sparse ones counted: sums of them stay exact. */
  readonly fileBytes: number;
  readonly entries: number;
  /** Characters of a path, or of what a link points to. */
  readonly nameLength: number;
  /** Directories that a path goes through. */
  readonly depth: number;
  /** What is kept of all entries. */
  readonly entriesBytes: number;
  /** Files that are read to find packages in them. */
  readonly documents: number;
  readonly documentsBytes: number;
  readonly packages: number;
  /** Characters of what is kept of those files. */
  readonly foundCharacters: number;
  readonly milliseconds: number;
}

export const LAYER_LIMITS: LayerLimits = {
  compressedBytes: 8 * 2 ** 30,
  uncompressedBytes: 32 * 2 ** 30,
  ratio: 300,
  ratioFrom: 256 * 2 ** 20,
  fileBytes: 2 ** 43,
  entries: 1_000_000,
  nameLength: 4096,
  depth: 256,
  entriesBytes: 64 * 2 ** 20,
  documents: 200_000,
  documentsBytes: 4 * 2 ** 30,
  packages: 200_000,
  foundCharacters: 2 ** 25,
  milliseconds: 30 * 60_000,
};

/**
 * Why a layer was not read to its end. TOO_LARGE: its bytes are more than is allowed. PARTIAL: another limit was met, and
 * what was found until then counts. FAILED: it is not what it should be, and nothing of it counts.
 */
export class LayerStop extends Error {
  override readonly name = 'LayerStop';
  readonly status: 'PARTIAL' | 'TOO_LARGE' | 'FAILED';

  constructor(status: LayerStop['status'], message: string) {
    super(message);
    this.status = status;
  }
}
