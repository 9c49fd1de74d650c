import type { RepositoryName } from '../domain/reference.ts';

/** Tags, deleted ones too, that the repositories of a batch have at most, as far as the catalog knows. */
export const MOST_TAGS = 256;
const MOST_REPOSITORIES = 16;
/** Of fewer repositories than that each has a job of its own, so that all workers have something to do. */
const LEAST_JOBS = 64;

/**
 * Parts the repositories of a run into batches, each for one job that reads what is known of all of them together. One
 * that is large, or of which nothing is known yet, is a batch of its own: it would keep others waiting.
 */
export function batchesOf(
  names: readonly RepositoryName[],
  tagCounts: ReadonlyMap<RepositoryName, number>,
): RepositoryName[][] {
  const most = Math.min(Math.ceil(names.length / LEAST_JOBS), MOST_REPOSITORIES);
  const batches: RepositoryName[][] = [];
  let open: RepositoryName[] = [];
  let tags = 0;
  for (const name of names) {
    const count = tagCounts.get(name) ?? MOST_TAGS;
    if (count >= MOST_TAGS) {
      batches.push([name]);
      continue;
    }
    if (open.length === 0 || open.length >= most || tags + count > MOST_TAGS) {
      batches.push((open = []));
      tags = 0;
    }
    open.push(name);
    tags += count;
  }
  return batches;
}
