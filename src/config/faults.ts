import { CatalogError } from '../domain/errors.ts';

/** Everything that is wrong with the configuration, a line for each fault, with its place. */
export class InvalidConfiguration extends CatalogError {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super('INVALID_CONFIGURATION', faults.join('\n'));
    this.faults = faults;
  }
}

/** The known name that was probably meant; null where none is near. */
export function nearestName(name: string, known: readonly string[]): string | null {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, Math.floor(name.length / 3)) ? best.candidate : null;
}

/** Insertions, deletions and replacements that make one word of the other. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
