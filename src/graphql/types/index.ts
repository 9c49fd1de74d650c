import type { CatalogReads } from '../../catalog/read/index.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { baseImageLoaders, baseImageResolvers } from './base-image.ts';
import { containerEventLoaders, containerEventResolvers } from './container-event.ts';
import { containerLoaders, containerResolvers } from './container.ts';
import { derivedImageLoaders, derivedImageResolvers } from './derived-image.ts';
import { dashboardLoaders, dashboardResolvers } from './dashboard.ts';
import { imageContentsLoaders, imageContentsResolvers } from './image-contents.ts';
import { imageDiffResolvers } from './image-diff.ts';
import { deletionLoaders, deletionResolvers } from './deletion.ts';
import { imageIndexLoaders, imageIndexResolvers } from './image-index.ts';
import { imageLoaders, imageResolvers } from './image.ts';
import { layerLoaders, layerResolvers } from './layer.ts';
import { manifestLoaders, manifestResolvers } from './manifest.ts';
import { nodeResolvers } from './node.ts';
import { packageLoaders, packageResolvers } from './package.ts';
import { registryLoaders, registryResolvers } from './registry.ts';
import { repositoryLoaders, repositoryResolvers } from './repository.ts';
import { runtimeLoaders, runtimeResolvers } from './runtime.ts';
import { searchResolvers } from './search.ts';
import { syncLoaders, syncResolvers } from './sync.ts';
import { tagEventLoaders, tagEventResolvers } from './tag-event.ts';
import { tagLoaders, tagResolvers } from './tag.ts';

/** Every type of the schema but its scalars. */
export const typeResolvers: Resolvers[] = [
  nodeResolvers,
  registryResolvers,
  repositoryResolvers,
  tagResolvers,
  tagEventResolvers,
  manifestResolvers,
  imageIndexResolvers,
  imageResolvers,
  baseImageResolvers,
  derivedImageResolvers,
  imageDiffResolvers,
  imageContentsResolvers,
  packageResolvers,
  layerResolvers,
  runtimeResolvers,
  containerResolvers,
  containerEventResolvers,
  searchResolvers,
  syncResolvers,
  dashboardResolvers,
  deletionResolvers,
];

export type Loaders = ReturnType<typeof createLoaders>;

/** Fresh for each request: they batch what its resolvers ask for, and answer the same question once. */
export function createLoaders(reads: CatalogReads) {
  return {
    ...registryLoaders(reads),
    ...repositoryLoaders(reads),
    ...tagLoaders(reads),
    ...tagEventLoaders(reads),
    ...manifestLoaders(reads),
    ...imageIndexLoaders(reads),
    ...imageLoaders(reads),
    ...baseImageLoaders(reads),
    ...derivedImageLoaders(reads),
    ...imageContentsLoaders(reads),
    ...packageLoaders(reads),
    ...layerLoaders(reads),
    ...runtimeLoaders(reads),
    ...containerLoaders(reads),
    ...containerEventLoaders(reads),
    ...syncLoaders(reads),
    ...dashboardLoaders(reads),
    ...deletionLoaders(reads),
  };
}
