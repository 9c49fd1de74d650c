/** What syncing one repository, or listing a registry, took and did. */
export interface SyncTally {
  readonly tagsSeen: number;
  readonly tagsChanged: number;
  readonly manifestsFetched: number;
  readonly bytesFetched: number;
  readonly requests: number;
}

export function sumTallies(tallies: readonly SyncTally[]): SyncTally {
  const sum = (of: keyof SyncTally) => tallies.reduce((total, tally) => total + tally[of], 0);
  return {
    tagsSeen: sum('tagsSeen'),
    tagsChanged: sum('tagsChanged'),
    manifestsFetched: sum('manifestsFetched'),
    bytesFetched: sum('bytesFetched'),
    requests: sum('requests'),
  };
}

/** Adds five parameters, from number `first` on, to the figures of run `r`. */
export function addTally(first: number): string {
  const columns = ['tags_seen', 'tags_changed', 'manifests_fetched', 'bytes_fetched', 'requests'];
  return columns.map((column, at) => `${column} = r.${column} + $${first + at}::bigint`).join(', ');
}

export function tallyValues(tally: SyncTally): number[] {
  return [tally.tagsSeen, tally.tagsChanged, tally.manifestsFetched, tally.bytesFetched, tally.requests];
}
