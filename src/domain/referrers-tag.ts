import type { Digest } from './digest.ts';
import type { TagName } from './reference.ts';

/*
 * Where a registry has no list of referrers, clients keep what refers to a manifest under a tag made of its digest; cosign
 * does so at every registry. They are tags like others, and what they hold refers to the manifest, whether its document
 * says so or not.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
 */

const REFERRERS_TAG = /^(sha256|sha512)-([0-9a-f]{64})(?:\.(?:sig|att|sbom))?$/;

/** The beginning of the manifest's digest, which of sha256 is all of it; null for every other tag. */
export function subjectOfTag(name: TagName): string | null {
  const [, algorithm, hex] = REFERRERS_TAG.exec(name) ?? [];
  return algorithm === undefined ? null : `${algorithm}:${hex}`;
}

/** The tags that may hold what refers to a manifest. */
export function referrersTagsOf(subject: Digest): TagName[] {
  const name = subjectPrefixOf(subject).replace(':', '-');
  return ['', '.sig', '.att', '.sbom'].map((suffix) => `${name}${suffix}` as TagName);
}

/** What subjectOfTag tells of a tag that is named after this manifest. */
export function subjectPrefixOf(digest: Digest): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `${algorithm}:${hex.slice(0, 64)}`;
}
