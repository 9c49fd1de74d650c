import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import type { ObservedCommit, RuntimeKindName } from '../domain/container.ts';
import { parseRuntimeName } from '../domain/runtime-name.ts';
import { isContainerId, soundContainer, soundDescription, type KeepsLabel } from '../domain/sound-container.ts';
import { observedOf, type ReportedContainer } from './reported-container.ts';
import { invalid, notFound, read, type UserError } from './user-error.ts';

/** What an agent sees of a runtime that no worker reaches. */
export interface ReportContainersInput {
  readonly runtime: string;
  readonly kind: RuntimeKindName;
  readonly observedAt: Date;
  readonly containers: readonly ReportedContainer[];
  /** Ids of all that there are. Where nothing is given, `containers` are all. */
  readonly present?: readonly string[] | null;
  /** Nothing is said of containers that are not named. */
  readonly isPartial?: boolean | null;
  readonly removed?: readonly string[] | null;
  readonly commits?: readonly ObservedCommit[] | null;
  readonly version?: string | null;
  readonly os?: string | null;
  readonly architecture?: string | null;
}

export interface ReportOutcome {
  readonly runtimeId: number | null;
  /** Containers of the report. */
  readonly seen: number;
  readonly removed: number;
  readonly userErrors: UserError[];
}

export interface ContainerCommands {
  reportContainers(input: ReportContainersInput): Promise<ReportOutcome>;
}

export function createContainerCommands(
  database: Database,
  keepsLabel: KeepsLabel,
  now: () => Date,
): ContainerCommands {
  /** The runtime that is reported of, made known where it is not; null where it is none to report of. */
  async function reportedRuntime(
    errors: UserError[],
    { runtime, kind }: ReportContainersInput,
  ): Promise<number | null> {
    const name = read(errors, 'runtime', () => parseRuntimeName(runtime));
    if (name === undefined) return null;
    const find = () => catalog.findRuntime(database, { name });
    const add = () => catalog.addRuntime(database, { name, kind, managedBy: 'API', settings: null });
    // Another may make it known at the same time.
    const stored = (await find()) ?? (await add()) ?? (await find());
    if (typeof stored === 'number') return stored;
    if (stored === null) {
      errors.push(isRemoved(name));
    } else if (stored.settings) {
      errors.push(invalid('runtime', `"${name}" is followed by the worker: it needs no reports.`));
    } else if (stored.kind !== kind) {
      errors.push(invalid('kind', `"${name}" is ${stored.kind}, not ${kind}.`));
    } else {
      return stored.id;
    }
    return null;
  }

  return {
    async reportContainers(input) {
      const errors: UserError[] = [];
      checkReport(errors, input, now());
      const runtimeId = errors.length > 0 ? null : await reportedRuntime(errors, input);
      if (runtimeId === null) return nothing(errors);
      const seen = input.containers.map((container) => soundContainer(observedOf(container), keepsLabel));
      const all = input.isPartial ? null : seen.map(({ containerId }) => containerId);
      const removed = await database.transaction((connection) =>
        catalog.recordContainers(connection, {
          runtimeId,
          at: input.observedAt,
          seen,
          present: input.present ?? all,
          removed: input.removed ?? [],
          commits: input.commits ?? [],
        }),
      );
      if (removed === null) return nothing([isRemoved(input.runtime)]);
      const { version = null, os = null, architecture = null } = input;
      if (version !== null) {
        await catalog.describeRuntime(database, runtimeId, soundDescription({ version, os, architecture }));
      }
      if (!input.isPartial) {
        await catalog.recordRuntimeHealth(database, runtimeId, { status: 'HEALTHY', message: null }, now());
      }
      return { runtimeId, seen: seen.length, removed, userErrors: [] };
    },
  };
}

function nothing(userErrors: UserError[]): ReportOutcome {
  return { runtimeId: null, seen: 0, removed: 0, userErrors };
}

function isRemoved(name: string): UserError {
  return notFound('runtime', `"${name}" was removed while it was reported of.`);
}

/** Containers of one report, and ids in it. */
const MAX_CONTAINERS = 10_000;
const MAX_IDS = 100_000;
/** That a clock may be ahead of ours. */
const MAX_SKEW_MS = 5 * 60_000;

function checkReport(errors: UserError[], input: ReportContainersInput, now: Date): void {
  const { observedAt, containers, present, removed, commits, isPartial } = input;
  if (observedAt.getTime() > now.getTime() + MAX_SKEW_MS) {
    const message = `observedAt is ${observedAt.toISOString()}, and it is ${now.toISOString()} here: set the clock.`;
    errors.push(invalid('observedAt', message));
  }
  if (isPartial && present) {
    errors.push(invalid('present', 'A partial report says nothing of other containers: leave present out.'));
  }
  checkCount(errors, 'containers', containers.length, MAX_CONTAINERS);
  checkCount(errors, 'present', present?.length ?? 0, MAX_IDS);
  checkCount(errors, 'removed', removed?.length ?? 0, MAX_IDS);
  checkCount(errors, 'commits', commits?.length ?? 0, MAX_IDS);
  if (errors.length > 0) return;
  const idsOf = (list: readonly { readonly containerId: string }[]) => list.map(({ containerId }) => containerId);
  const seen = idsOf(containers);
  checkIds(errors, seen, (at) => `containers.${at}.containerId`);
  checkIds(errors, present ?? [], (at) => `present.${at}`);
  checkIds(errors, removed ?? [], (at) => `removed.${at}`);
  checkIds(errors, idsOf(commits ?? []), (at) => `commits.${at}.containerId`);
  checkOnce(errors, seen);
  if (present) checkPresent(errors, seen, new Set(present));
}

function checkCount(errors: UserError[], path: string, count: number, most: number): void {
  if (count <= most) return;
  const advice = path === 'containers' ? ': send parts, and at last the ids of all in present' : '';
  errors.push(invalid(path, `${path} has ${count} entries; the most is ${most}${advice}.`));
}

/** Tells the first few that are wrong. */
function checkIds(errors: UserError[], ids: readonly string[], pathOf: (at: number) => string): void {
  for (const [at, id] of ids.entries()) {
    if (errors.length === MAX_TOLD) return;
    if (isContainerId(id)) continue;
    errors.push(invalid(pathOf(at), `${shown(id)} is not the id of a container: write what the runtime calls it by.`));
  }
}

function checkOnce(errors: UserError[], ids: readonly string[]): void {
  const known = new Set<string>();
  for (const [at, id] of ids.entries()) {
    if (errors.length === MAX_TOLD) return;
    if (known.has(id)) errors.push(invalid(`containers.${at}.containerId`, `${shown(id)} is in the report twice.`));
    known.add(id);
  }
}

function checkPresent(errors: UserError[], ids: readonly string[], present: ReadonlySet<string>): void {
  for (const [at, id] of ids.entries()) {
    if (errors.length === MAX_TOLD) return;
    if (present.has(id)) continue;
    errors.push(invalid(`containers.${at}.containerId`, `${shown(id)} is described, and is not in present.`));
  }
}

function shown(id: string): string {
  return JSON.stringify(id.slice(0, 100));
}

const MAX_TOLD = 10;
