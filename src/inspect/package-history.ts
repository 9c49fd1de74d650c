import { inDistribution, type FoundPackage } from '../domain/package.ts';

/** A package that an image has. */
export interface ImagePackage extends FoundPackage {
  /**
   * Position of the layer that brought it: the lowest from which on it is there in every layer. A database is written
   * anew by each layer that installs something, so the layer that the database is from does not tell.
   */
  readonly layer: number;
}

/** Which packages are there while the layers of an image are put on one another. */
export class PackageHistory {
  readonly #known = new Map<string, { readonly found: FoundPackage; documents: number; layer: number | null }>();
  readonly #touched = new Set<string>();

  /** A document with them can be seen. */
  show(packages: readonly FoundPackage[]): void {
    for (const found of packages) {
      const known = this.#known.get(found.purl);
      if (known === undefined) this.#known.set(found.purl, { found, documents: 1, layer: null });
      else known.documents++;
      this.#touched.add(found.purl);
    }
  }

  /** A document with them can't be seen any more. */
  hide(packages: readonly FoundPackage[]): void {
    for (const { purl } of packages) {
      const known = this.#known.get(purl);
      if (known !== undefined) known.documents--;
      this.#touched.add(purl);
    }
  }

  /** The layer is on; nothing else comes with it. */
  endLayer(position: number): void {
    for (const purl of this.#touched) {
      const known = this.#known.get(purl);
      if (known === undefined) continue;
      if (known.documents === 0) this.#known.delete(purl);
      else known.layer ??= position;
    }
    this.#touched.clear();
  }

  /** Those that are there, by name; those of an operating system as of the given distribution. */
  list(distributionId: string | null): ImagePackage[] {
    return [...this.#known.values()]
      .map(({ found, layer }) => ({
        ...(distributionId === null ? found : inDistribution(found, distributionId)),
        layer: layer ?? 0,
      }))
      .sort((a, b) => order(a.name, b.name) || order(a.version, b.version) || order(a.purl, b.purl));
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
