import type { Database } from '../catalog/database.ts';
import type { Seal } from '../catalog/write/index.ts';
import type { KeepsLabel } from '../domain/sound-container.ts';
import { createContainerCommands, type ContainerCommands } from './container.ts';
import { createDeletionCommands, type DeletionCommands } from './deletion.ts';
import { createInspectionCommands, type InspectionCommands } from './inspection.ts';
import { createNotificationCommands, type NotificationCommands } from './notification.ts';
import { createRegistryDeletion } from './registry-deletion.ts';
import { createRegistryCommands, type RegistryCommands, type RegistryKinds } from './registry.ts';
import { createRepositoryCommands, type RepositoryCommands } from './repository.ts';
import { createRuntimeCommands, type RuntimeCommands } from './runtime.ts';
import { createSyncRunCommands, type SyncRunCommands } from './sync-run.ts';
import { createSyncSourceCommands, type SyncSourceCommands } from './sync-source.ts';

export {
  applyConfiguration,
  type Declaration,
  type DeclaredRegistry,
  type DeclaredRuntime,
  type DeclaredSource,
} from './apply-configuration.ts';
export type { ReportedContainer } from './reported-container.ts';
export type { Webhook } from './notification.ts';
export { parseRegistryUrl, type RegistryKinds } from './registry.ts';
export type { UserError } from './user-error.ts';

/** What is asked for; each answers with what it did, or with what was wrong, and then did nothing. */
export type Commands = RegistryCommands &
  RepositoryCommands &
  SyncSourceCommands &
  SyncRunCommands &
  RuntimeCommands &
  ContainerCommands &
  DeletionCommands &
  InspectionCommands &
  NotificationCommands;

export interface CommandSettings {
  readonly database: Database;
  readonly seal: Seal;
  readonly kinds: RegistryKinds;
  /** Of containers; all of them where nothing is said. */
  readonly keepsLabel?: KeepsLabel;
  readonly now?: () => Date;
}

export function createCommands(settings: CommandSettings): Commands {
  const { database, seal, kinds, keepsLabel = () => true, now = () => new Date() } = settings;
  return {
    ...createRegistryCommands(database, seal, kinds, now),
    ...createRepositoryCommands(database),
    ...createSyncSourceCommands(database, now),
    ...createSyncRunCommands(database, now),
    ...createRuntimeCommands(database),
    ...createContainerCommands(database, keepsLabel, now),
    ...createDeletionCommands(database, createRegistryDeletion(database, seal, kinds), now),
    ...createInspectionCommands(database, now),
    ...createNotificationCommands(database, seal),
  };
}
