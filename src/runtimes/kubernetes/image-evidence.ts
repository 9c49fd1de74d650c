import type { ImageEvidence } from '../../domain/container.ts';
import { isDigest, type Digest } from '../../domain/digest.ts';

/**
 * How a container's image is known: by the digest that the specification asks for, and by the imageID of the status,
 * null while there is none. The imageID names the repository under which the node first had that content, which need not
 * be the one that was asked for: the digest is of the content, so it counts whatever the name before it.
 */
export function evidenceOf(imageReference: string, imageId: string | null): ImageEvidence[] {
  const requested = digestAfterName(imageReference);
  const observed = imageId === null ? null : observedOf(imageId.replace(SCHEME, ''));
  return [
    ...(requested === null ? [] : [{ via: 'REQUESTED_DIGEST', digest: requested } as const]),
    ...(observed === null ? [] : [observed]),
  ];
}

/** docker-pullable://, docker:// of Docker's own shim. */
const SCHEME = /^[a-z0-9-]+:\/\//;

/** Without a name it is the image's own id: content that was imported or built on the node. */
function observedOf(imageId: string): ImageEvidence | null {
  const pulled = digestAfterName(imageId);
  if (pulled !== null) return { via: 'PULLED_DIGEST', digest: pulled };
  const id = /^[0-9a-f]{64}$/.test(imageId) ? `sha256:${imageId}` : imageId;
  return isDigest(id) ? { via: 'CONFIG', digest: id } : null;
}

function digestAfterName(reference: string): Digest | null {
  const at = reference.lastIndexOf('@');
  const digest = reference.slice(at + 1);
  return at > 0 && isDigest(digest) ? digest : null;
}
