import { isDeepStrictEqual } from 'node:util';
import type { Connection, Database } from '../catalog/database.ts';
import { notify } from '../catalog/events.ts';
import * as catalog from '../catalog/write/index.ts';
import { CatalogError } from '../domain/errors.ts';
import type { GivenHostLimits } from '../domain/host-limits.ts';
import type { RegistryHost } from '../domain/reference.ts';
import { parseSchedule } from '../domain/schedule.ts';
import type { RegistryKindName } from '../domain/registry-kind.ts';
import { queueSourceRun } from './sync-run.ts';

/** A registry that the configuration declares, checked. */
export interface DeclaredRegistry extends catalog.RegistrySecrets {
  readonly host: RegistryHost;
  readonly kind: RegistryKindName;
  readonly title: string | null;
  readonly url: URL;
  readonly limits?: GivenHostLimits;
}

/** A source that the configuration declares, checked. */
export type DeclaredSource = Omit<catalog.NewSyncSource, 'registryId' | 'managedBy' | 'nextRunAt'> & {
  readonly registry: RegistryHost;
};

/** A runtime that the configuration declares, checked. */
export type DeclaredRuntime = Omit<catalog.NewRuntime, 'managedBy'>;

export interface Declaration {
  readonly registries: readonly DeclaredRegistry[];
  readonly sources: readonly DeclaredSource[];
  readonly runtimes: readonly DeclaredRuntime[];
}

/**
 * Makes the catalog follow what the configuration declares: adds and changes what is in it, and stops keeping what was
 * in it before and is no more (a registry or runtime with what it holds stays, in the hands of mutations; a source goes). What
 * mutations added stays beside it. Sources that are new, have never run, or whose images are to be
 * inspected from now on, get a run at once.
 */
export async function applyConfiguration(
  database: Database,
  seal: catalog.Seal,
  { registries, sources, runtimes }: Declaration,
  now: Date,
): Promise<void> {
  await database.transaction(async (connection) => {
    await applyRuntimes(connection, runtimes);
    const ids: number[] = [];
    for (const registry of registries) {
      const secrets = catalog.sealSecrets(seal, registry.host, registry);
      const declared = { ...registry, ...secrets, url: registry.url.href, managedBy: 'CONFIG' } as const;
      const known = await catalog.findRegistry(connection, { host: registry.host });
      const id = await catalog.saveRegistry(connection, declared);
      if (known && !isSameAccess(seal, known, registry)) await catalog.forgetPace(connection, id);
      await notify(connection, 'stowage_registry_changed', id);
      ids.push(id);
    }
    await catalog.releaseRegistries(connection, ids);

    const stored = await catalog.listDeclaredSources(connection);
    const kept = new Set<number>();
    for (const source of sources) {
      const registry = await catalog.findRegistry(connection, { host: source.registry });
      if (registry === null) throw unknownRegistry(source);
      const same = stored.find((known) => isSame(known, registry.id, source) && !kept.has(known.id));
      kept.add(await saveSource(connection, source, registry.id, same ?? null, now));
    }
    for (const { id } of stored) if (!kept.has(id)) await catalog.removeSyncSource(connection, id);
  });
}

async function applyRuntimes(connection: Connection, runtimes: readonly DeclaredRuntime[]): Promise<void> {
  const ids: number[] = [];
  for (const runtime of runtimes) ids.push(await catalog.saveRuntime(connection, { ...runtime, managedBy: 'CONFIG' }));
  await catalog.releaseRuntimes(connection, ids);
  for (const id of ids) await notify(connection, 'stowage_runtime_changed', id);
}

/** Whether it is reached, and signed in to, as before. */
function isSameAccess(
  seal: catalog.Seal,
  known: catalog.StoredRegistry,
  { url, credential }: DeclaredRegistry,
): boolean {
  if (known.url !== url.href) return false;
  try {
    return isDeepStrictEqual(known.credential && seal.open(known.credential, known.host), credential);
  } catch {
    // Sealed with a key that is no more.
    return false;
  }
}

/** Answers with its id. */
async function saveSource(
  connection: Connection,
  { registry: _registry, ...source }: DeclaredSource,
  registryId: number,
  known: catalog.SyncSource | null,
  now: Date,
): Promise<number> {
  const isPlanned = known !== null && known.nextRunAt !== null && known.schedule === source.schedule;
  const next = source.schedule === null ? null : parseSchedule(source.schedule).next(now);
  const nextRunAt = isPlanned ? known.nextRunAt : next;
  const declared = { ...source, registryId, managedBy: 'CONFIG', nextRunAt } as const;
  const id = known?.id ?? (await catalog.addSyncSource(connection, declared));
  if (known !== null) await catalog.replaceSyncSource(connection, id, declared);
  const isToBeInspected = source.inspectContents && !known?.inspectContents;
  if (!source.paused && (isToBeInspected || !(await catalog.hasFinishedRun(connection, id)))) {
    await queueSourceRun(connection, id, 'STARTUP');
  }
  return id;
}

/** What makes it another source, rather than the same one looked at in another way. */
function isSame(known: catalog.SyncSource, registryId: number, source: Omit<DeclaredSource, 'registry'>): boolean {
  return known.registryId === registryId && known.repositories === source.repositories && known.tags === source.tags;
}

function unknownRegistry({ registry, repositories }: DeclaredSource): CatalogError {
  return new CatalogError(
    'INVALID_CONFIGURATION',
    `The source "${repositories}" names the registry "${registry}", which is neither declared nor in the catalog.`,
  );
}
