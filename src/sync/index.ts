export { listRepositories } from './list-repositories.ts';
export { syncRepository, type RepositoryReport, type RepositorySync } from './sync-repository.ts';
