/** How an ecosystem reads its versions, and which of two it takes for the newer. */
export interface VersionScheme<V = unknown> {
  /** Null where the text is no version there. */
  parse(text: string): V | null;
  /** Below zero where the first is older. */
  compare(a: V, b: V): number;
  /** As `compare`, where the ecosystem's own conditions may leave out a part that versions have. */
  compareToLimit?(version: V, limit: V): number;
}

/** Parts are in the order of their ranks, those of one rank in the order of their values; both are of one type then. */
export interface Part {
  readonly rank: number | string;
  readonly value: bigint | string;
}

/** A version as sections, such as epoch, version and release, each of them parts; the first that differs decides. */
export type Sections = readonly (readonly Part[])[];

/** A scheme that compares part by part. `end` is what stands for the parts that the shorter of two does not have. */
export function schemeOfParts(parse: (text: string) => Sections | null, end: Part): VersionScheme<Sections> {
  return { parse, compare: (a, b) => compareSections(a, b, end) };
}

export function compareSections(a: Sections, b: Sections, end: Part): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = compareParts(a[at] ?? [], b[at] ?? [], end);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareParts(a: readonly Part[], b: readonly Part[], end: Part): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const one = a[at] ?? end;
    const other = b[at] ?? end;
    const difference = order(one.rank, other.rank) || order(one.value, other.value);
    if (difference !== 0) return difference;
  }
  return 0;
}

function order<T extends number | bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
