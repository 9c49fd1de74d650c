export {
  forgetContainers,
  hasUnlinkedContainers,
  linkContainers,
  lockContainers,
  recordContainers,
} from './container.ts';
export * from './content-lock.ts';
export * from './credential.ts';
export { lockCounts, releaseImages } from './held-image.ts';
export * from './deletion.ts';
export * from './host-pace.ts';
export { countImages } from './image.ts';
export { beginDeletion, endDeletion } from './image-deletion.ts';
export { recordImageTexts } from './image-text.ts';
export * from './local-image.ts';
export * from './manifest.ts';
export type { ManifestContent } from './manifest-content.ts';
export * from './notification.ts';
export * from './registry.ts';
export * from './repository.ts';
export * from './runtime.ts';
export * from './sync-error.ts';
export { addRunRepositories, completeRunRepositories } from './sync-repository.ts';
export * from './sync-run.ts';
export * from './sync-source.ts';
export { sumTallies, type SyncTally } from './sync-tally.ts';
export { countTags, findTag, forgetTags, moveTags, namesBeside, type StoredTag } from './tag.ts';
