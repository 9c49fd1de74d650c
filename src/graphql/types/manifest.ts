import { asOfKey, type CatalogReads, type ManifestRecord, type PageArguments } from '../../catalog/read/index.ts';
import type { Digest } from '../../domain/digest.ts';
import { CatalogError } from '../../domain/errors.ts';
import { formatReference, type Reference } from '../../domain/reference.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import type { GraphQLContext } from '../context.ts';
import { connectionFields } from '../connection.ts';
import { batchMany, batchOne, batchPages } from '../loader.ts';
import { formatNodeId } from '../node-id.ts';
import type { Loaders } from './index.ts';

export const manifestLoaders = (reads: CatalogReads) => ({
  manifestById: batchOne(reads.manifestsById),
  manifestByDigest: batchOne(reads.manifestsByDigest),
  manifestIdByReference: batchOne(reads.manifestIdsByReference, formatReference),
  manifestIdAsOf: batchOne(reads.manifestIdsAsOf, asOfKey),
  rawByManifest: batchOne(reads.rawByManifest),
  annotationsByManifest: batchMany(reads.annotationsByManifest),
  sightingByManifest: batchOne(reads.sightingsByManifest),
  tagsByManifest: batchPages(reads.tagsByManifest),
  repositoriesByManifest: batchPages(reads.repositoriesByManifest),
  referrersByManifest: batchPages(reads.referrersByManifest),
  blobsByArtifact: batchMany(reads.blobsByArtifact),
});

/** What either argument names; throws INVALID_ARGUMENT unless exactly one of them is given. */
export async function manifestNamed(
  loaders: Loaders,
  { reference, digest }: { readonly reference?: Reference | null; readonly digest?: Digest | null },
): Promise<ManifestRecord | null> {
  if (reference != null && digest == null) {
    const id = await loaders.manifestIdByReference.load(reference);
    return id === null ? null : loaders.manifestById.load(id);
  }
  if (digest != null && reference == null) return loaders.manifestByDigest.load(digest);
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `${digest == null ? 'Neither reference nor digest is' : 'Both reference and digest are'} given: give one of them, such as reference: "nginx:1.27".`,
  );
}

/** What all three kinds of manifest have. */
export const manifestFields = {
  id: ({ __typename, digest }) => formatNodeId(__typename, digest),
  annotations: ({ manifestId }, _, { loaders }) => loaders.annotationsByManifest.load(manifestId),
  tags: ({ manifestId }, args, { loaders }) => loaders.tagsByManifest.connection(manifestId, args),
  repositories: ({ manifestId }, args, { loaders }) => loaders.repositoriesByManifest.connection(manifestId, args),
  subject: ({ subjectDigest }, _, { loaders }) =>
    subjectDigest === null ? null : loaders.manifestByDigest.load(subjectDigest),
  referrers: ({ manifestId }, args, { loaders }) => loaders.referrersByManifest.connection(manifestId, args),
  async lastSeenAt({ manifestId, firstSeenAt }, _, { loaders }) {
    const lastSeenAt = (await loaders.sightingByManifest.load(manifestId))?.lastSeenAt;
    return lastSeenAt != null && lastSeenAt > firstSeenAt ? lastSeenAt : firstSeenAt;
  },
  isAvailable: async ({ manifestId }, _, { loaders }) =>
    (await loaders.sightingByManifest.load(manifestId))?.isAvailable ?? false,
  raw: async ({ manifestId }, _, { loaders }) => (await loaders.rawByManifest.load(manifestId)) ?? '',
} satisfies Record<string, (manifest: ManifestRecord, args: ManifestListArguments, context: GraphQLContext) => unknown>;

type ManifestListArguments = PageArguments & {
  readonly includeMoved?: boolean | null;
  readonly artifactType?: string | null;
};

export const manifestResolvers: Resolvers = {
  Query: {
    manifest: (_, args, { loaders }) => manifestNamed(loaders, args),
    async manifestAsOf(_, args, { loaders }) {
      const id = await loaders.manifestIdAsOf.load(args);
      return id === null ? null : loaders.manifestById.load(id);
    },
  },
  Artifact: {
    ...manifestFields,
    blobs: ({ manifestId }, _, { loaders }) => loaders.blobsByArtifact.load(manifestId),
  },
  ArtifactConnection: connectionFields,
};
