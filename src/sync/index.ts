export { forgetContainers } from './forget-containers.ts';
export { inspectImage, type ImageInspectionTools, type InspectionOutcome } from './inspect-image.ts';
export { linkContainers } from './link-containers.ts';
export { listRepositories } from './list-repositories.ts';
export type { RepositoryReport, RepositorySync } from './look.ts';
export { syncRepository } from './sync-repository.ts';
export { createRuntimeRecord } from './runtime-record.ts';
