import type { ImageEvidence, ImageIdentity, ImagePlatform, ImageVia } from '../../domain/container.ts';
import type { Digest } from '../../domain/digest.ts';
import { CatalogError } from '../../domain/errors.ts';
import { DOCKER_HUB, parseReference, type Reference } from '../../domain/reference.ts';
import type { ManifestDescriptor } from './descriptor.ts';
import type { InspectedImage } from './image.ts';

/** What is known of the image that a container was made of. */
export interface KnownImage {
  /** As the container was asked for. */
  readonly reference: string;
  readonly id: Digest | null;
  readonly manifest: ManifestDescriptor | null;
  /** Null where the engine has it no more, or does not tell. */
  readonly image: InspectedImage | null;
  /** Whether ids are digests of manifests and indexes; otherwise they are those of configurations. */
  readonly isContainerdStore: boolean;
}

/**
 * What the image is known by, strongest first. An engine never says from where an image came, only under which digests
 * it knows it: that one of them is a registry's is for the catalog to find.
 */
export function identify(known: KnownImage): ImageIdentity {
  const { reference, id, manifest, image } = known;
  const asked = referenceOf(reference);
  const evidence: ImageEvidence[] = [];
  const add = (via: ImageVia, digest: Digest | null | undefined) => {
    if (digest == null || evidence.some((other) => other.digest === digest)) return;
    evidence.push({ via, digest });
  };

  add('MANIFEST', manifest?.digest);
  add('REQUESTED_DIGEST', asked?.digest);
  const pulled = (image?.repoDigests ?? []).flatMap((name) => referenceOf(name) ?? []);
  const isOfAsked = (other: Reference) => asked !== null && repositoryOf(other) === repositoryOf(asked);
  for (const other of pulled) if (isOfAsked(other)) add('PULLED_DIGEST', other.digest);
  for (const other of pulled) if (!isOfAsked(other)) add('OTHER_REPOSITORY', other.digest);
  // In the containerd store it is a digest that a registry may have, but nothing says under which name.
  const isTarget = manifest !== null || image?.target != null || known.isContainerdStore;
  add(isTarget ? 'OTHER_REPOSITORY' : 'CONFIG', id);

  const platform = manifest?.platform ?? image?.platform ?? null;
  // Of an index the engine may tell about another member than the one that the container is made of.
  if (isSame(platform, image?.platform ?? null)) add('LAYERS', image?.chainId);
  return { evidence, platform };
}

/** Docker Hub's images under the name of Google's mirror of them: https://cloud.google.com/artifact-registry/docs/pull-cached-dockerhub-images */
const HUB_MIRROR = 'mirror.gcr.io';

function repositoryOf({ host, repository }: Reference): string {
  return `${(host as string) === HUB_MIRROR ? DOCKER_HUB : host}/${repository}`;
}

/** Null for an id, and whatever else names no repository. The first digits of an id look like a name that nothing has. */
function referenceOf(text: string): Reference | null {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof CatalogError) return null;
    throw error;
  }
}

function isSame(platform: ImagePlatform | null, other: ImagePlatform | null): boolean {
  return (
    platform?.os === other?.os && platform?.architecture === other?.architecture && platform?.variant === other?.variant
  );
}
