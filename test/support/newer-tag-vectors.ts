/** vectors-newer-tags.json of the samples. */
export interface NewerTagVectors {
  readonly vectors: readonly {
    readonly current: string;
    readonly tags: readonly string[];
    readonly expected: { readonly none: string } | { readonly newer: readonly { tag: string; level: string }[] };
  }[];
}
