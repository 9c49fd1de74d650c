import type { ContainerMatch, ImageMatch, NameMatch, PackageMatch } from './document-query.ts';

/**
 * From which score on, and how far, things are ranked that matched in one way; within it, by what is known of them.
 * Clients see a fraction of `WHOLE`.
 */
export interface ScoreBand {
  readonly from: number;
  readonly width: number;
  /** Where it was found, as clients read it. */
  readonly matchedOn:
    | 'name'
    | 'id'
    | 'reference'
    | 'tag'
    | 'digest'
    | 'workload'
    | 'description'
    | 'label'
    | 'annotation'
    | 'instruction';
}

/** Scores are whole numbers in SQL, so that pages continue exactly where they ended. */
export const WHOLE = 1_000_000_000;

/** Of repository_text.standing, below which it always is. */
export const STANDINGS = 256_000;

/** The very thing that was named. */
export const NAMED: ScoreBand = { from: 1, width: 0, matchedOn: 'name' };
export const WHOLE_DIGEST: ScoreBand = { from: 0.99, width: 0, matchedOn: 'digest' };
export const WHOLE_ID: ScoreBand = { from: 0.98, width: 0, matchedOn: 'id' };
export const REFERENCE: ScoreBand = { from: 0.97, width: 0, matchedOn: 'reference' };
export const DIGEST: ScoreBand = { from: 0.95, width: 0, matchedOn: 'digest' };
export const ID: ScoreBand = { from: 0.94, width: 0, matchedOn: 'id' };
/** Has what the digest is of, but is not it. */
export const DIGEST_HOLDER: ScoreBand = { from: 0.92, width: 0, matchedOn: 'digest' };
export const TAG: ScoreBand = { from: 0.49, width: 0, matchedOn: 'tag' };
/** What a pull of the name alone would get. */
export const LATEST: ScoreBand = { from: 0.48, width: 0, matchedOn: 'reference' };
/** Not as words, but within them. */
export const WITHIN: ScoreBand = { from: 0.3, width: 0.05, matchedOn: 'description' };

export const NAME_BANDS: Record<NameMatch, ScoreBand> = {
  path: { from: 0.8, width: 0.1, matchedOn: 'name' },
  pathPrefix: { from: 0.7, width: 0.1, matchedOn: 'name' },
  word: { from: 0.6, width: 0.1, matchedOn: 'name' },
  wordPrefix: { from: 0.55, width: 0.05, matchedOn: 'name' },
  misspelling: { from: 0.5, width: 0.05, matchedOn: 'name' },
  fragment: { from: 0.45, width: 0.03, matchedOn: 'name' },
  description: { from: 0.4, width: 0.05, matchedOn: 'description' },
  annotation: { from: 0.2, width: 0.05, matchedOn: 'annotation' },
};

export const IMAGE_BANDS: Record<ImageMatch, ScoreBand> = {
  label: { from: 0.25, width: 0, matchedOn: 'label' },
  annotation: { from: 0.2, width: 0, matchedOn: 'annotation' },
  instruction: { from: 0.1, width: 0, matchedOn: 'instruction' },
};

export const CONTAINER_BANDS: Record<ContainerMatch, ScoreBand> = {
  path: { from: 0.8, width: 0, matchedOn: 'name' },
  word: { from: 0.6, width: 0, matchedOn: 'name' },
  wordPrefix: { from: 0.55, width: 0, matchedOn: 'name' },
  workload: { from: 0.42, width: 0, matchedOn: 'workload' },
  reference: { from: 0.4, width: 0, matchedOn: 'reference' },
  label: { from: 0.25, width: 0, matchedOn: 'label' },
};

export const PACKAGE_BANDS: Record<PackageMatch, ScoreBand> = {
  path: { from: 0.8, width: 0.02, matchedOn: 'name' },
  pathPrefix: { from: 0.7, width: 0.02, matchedOn: 'name' },
  word: { from: 0.6, width: 0.02, matchedOn: 'name' },
  wordPrefix: { from: 0.55, width: 0.02, matchedOn: 'name' },
  misspelling: { from: 0.5, width: 0.02, matchedOn: 'name' },
};
