export { listRepositories } from './list-repositories.ts';
export type { RepositoryReport, RepositorySync } from './look.ts';
export { syncRepository } from './sync-repository.ts';
