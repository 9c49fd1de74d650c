import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import type { ObservedContainer } from '../domain/container.ts';
import { isContainerId, soundContainer, type KeepsLabel } from '../domain/sound-container.ts';
import { RuntimeFault, type ContainerChange, type OpenRuntime } from '../runtimes/runtime.ts';

/** A runtime that is followed. */
export interface RuntimeSync {
  readonly database: Database;
  readonly runtimeId: number;
  readonly runtime: OpenRuntime;
  readonly keepsLabel: KeepsLabel;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** Reads all containers of a runtime, and writes down what they are and which are no more. */
export async function recordPicture(sync: RuntimeSync): Promise<void> {
  const { runtime, now, signal } = sync;
  // What happens while the list is read is later than the list.
  const at = now();
  const present = new Set<string>();
  let batch: ObservedContainer[] = [];
  for await (const listed of runtime.listContainers(signal)) {
    for (const container of sound(sync, listed)) {
      if (present.has(container.containerId)) continue;
      present.add(container.containerId);
      batch.push(container);
    }
    if (present.size > MAX_CONTAINERS) {
      throw new RuntimeFault('TOO_LARGE', `it lists more than ${MAX_CONTAINERS.toLocaleString('en')} containers`);
    }
    if (batch.length >= BATCH) {
      await record(sync, { at, seen: batch, present: null, removed: [], commits: [] });
      batch = [];
    }
  }
  await record(sync, { at, seen: batch, present: [...present], removed: [], commits: [] });
}

/** Writes down what has changed. */
export async function recordChange(sync: RuntimeSync, { seen, removed, commits }: ContainerChange): Promise<void> {
  if (seen.length + removed.length + commits.length === 0) return;
  await record(sync, { at: sync.now(), seen: sound(sync, seen), present: null, removed, commits });
}

/** Written at once. */
const BATCH = 1000;
const MAX_CONTAINERS = 100_000;

function sound({ keepsLabel }: RuntimeSync, containers: readonly ObservedContainer[]): ObservedContainer[] {
  return containers.map((container) => {
    if (isContainerId(container.containerId)) return soundContainer(container, keepsLabel);
    throw new RuntimeFault('MALFORMED', `it calls a container ${JSON.stringify(container.containerId.slice(0, 100))}`);
  });
}

async function record(
  { database, runtimeId, signal }: RuntimeSync,
  report: Omit<catalog.ContainerReport, 'runtimeId'>,
): Promise<void> {
  signal.throwIfAborted();
  await database.transaction((connection) => catalog.recordContainers(connection, { runtimeId, ...report }));
}
