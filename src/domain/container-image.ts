import type { ImageIdentity, ImageVia } from './container.ts';
import type { Digest } from './digest.ts';
import { bestFor, type Platform, type WantedPlatform } from './platform.ts';
import { parseReference, type Reference } from './reference.ts';

/** An image of the catalog that some of what a runtime says of a container's image leads to. */
export interface CandidateImage {
  readonly imageId: number;
  readonly configDigest: Digest;
  /** For which it is listed in the index that led to it; else its own. */
  readonly platform: Platform;
  /** An index led to it, which lists others for other platforms. */
  readonly isMember: boolean;
  /** Repositories that hold it, or held it. */
  readonly repositoryIds: readonly number[];
}

export interface FoundImage {
  readonly image: CandidateImage;
  readonly via: ImageVia;
}

/**
 * What a container's reference names; null where it is an image id (also the beginning of one, which looks like a name)
 * or can't be a name at all.
 */
export function namedBy(imageReference: string, { evidence }: ImageIdentity): Reference | null {
  if (imageReference.startsWith('sha256:')) return null;
  const isIdOf = (digest: Digest) => digest.slice(digest.indexOf(':') + 1).startsWith(imageReference);
  if (/^[0-9a-f]{4,64}$/.test(imageReference) && evidence.some(({ digest }) => isIdOf(digest))) return null;
  try {
    return parseReference(imageReference);
  } catch {
    return null;
  }
}

/**
 * The image that a container was created from: what the strongest evidence leads to that leads to any. Of several that
 * fit, one that the repository holds which was asked for (null where none was, or it is unknown) goes before one that any
 * repository holds, and that before one that an engine alone has.
 */
export function chooseImage(
  { evidence, platform }: ImageIdentity,
  candidates: ReadonlyMap<Digest, readonly CandidateImage[]>,
  repositoryId: number | null,
): FoundImage | null {
  for (const { digest, via } of evidence) {
    const image = preferred(fitting(candidates.get(digest) ?? [], platform), repositoryId);
    if (image !== null) return { image, via };
  }
  return null;
}

/**
 * Whether a tag names another image now than the one that a container was created from: null where it names none for
 * that platform. Two manifests of one configuration are one image, packed twice.
 */
export function isBehind(
  image: Pick<CandidateImage, 'imageId' | 'configDigest' | 'platform'>,
  named: readonly CandidateImage[],
): boolean | null {
  const current = bestFor(named, image.platform);
  if (current === null) return null;
  return current.imageId !== image.imageId && current.configDigest !== image.configDigest;
}

/** Digests beyond these say no more of an image. */
export const MAX_EVIDENCE = 20;

/** Members of an index are chosen by platform; where nobody knows it, by being the only one. */
function fitting(candidates: readonly CandidateImage[], platform: WantedPlatform | null): readonly CandidateImage[] {
  const whole = candidates.filter(({ isMember }) => !isMember);
  if (whole.length > 0) return ofPlatform(whole, platform);
  if (platform === null) return new Set(candidates.map(({ imageId }) => imageId)).size === 1 ? candidates : [];
  const best = bestFor(candidates, platform);
  return best === null ? [] : [best];
}

/** Images of one configuration or stack, which most often have one platform: it decides where it can. */
function ofPlatform(candidates: readonly CandidateImage[], platform: WantedPlatform | null): readonly CandidateImage[] {
  if (platform === null || candidates.length === 1) return candidates;
  const fits = candidates.filter((candidate) => bestFor([candidate], platform) !== null);
  return fits.length > 0 ? fits : candidates;
}

function preferred(candidates: readonly CandidateImage[], repositoryId: number | null): CandidateImage | null {
  const isAsked = ({ repositoryIds }: CandidateImage) => repositoryId !== null && repositoryIds.includes(repositoryId);
  const isHeld = ({ repositoryIds }: CandidateImage) => repositoryIds.length > 0;
  return candidates.find(isAsked) ?? candidates.find(isHeld) ?? candidates[0] ?? null;
}
