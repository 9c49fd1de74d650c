import type { Digest } from './digest.ts';
import type { Healthcheck, NameAndValue, RunConfig } from './image-config.ts';
import { formatPlatform, type Platform } from './platform.ts';

/** What tells layers apart, and what a pull of one costs. */
export interface ComparableLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly layer: { readonly diffId: Digest };
}

export interface LayerChanges<L> {
  /** Layers of `to` that `from` has too, at any place. With the added ones they are all of `to`. */
  readonly common: readonly L[];
  readonly added: readonly L[];
  /** Layers of `from` that `to` lacks. */
  readonly removed: readonly L[];
  /** Bytes of the added layers, each blob once. */
  readonly pullSize: number;
}

/**
 * Layers are the same when their diff ids are, however they are packed: a host keeps them unpacked.
 * https://github.com/opencontainers/image-spec/blob/main/config.md#layer-diffid
 */
export function compareLayers<L extends ComparableLayer>(from: readonly L[], to: readonly L[]): LayerChanges<L> {
  const before = new Set(from.map(({ layer }) => layer.diffId));
  const after = new Set(to.map(({ layer }) => layer.diffId));
  const added = to.filter(({ layer }) => !before.has(layer.diffId));
  const blobs = new Map(added.map(({ digest, size }) => [digest, size]));
  const pullSize = blobs.values().reduce((sum, size) => sum + size, 0);
  return {
    common: to.filter(({ layer }) => before.has(layer.diffId)),
    added,
    removed: from.filter(({ layer }) => !after.has(layer.diffId)),
    // Sizes are what documents claim, and a sum of claims may be beyond what JSON carries exactly.
    pullSize: Math.min(pullSize, Number.MAX_SAFE_INTEGER),
  };
}

/** All that a configuration says beside its layers and its history. */
export interface ComparableConfig {
  readonly platform: Platform;
  readonly createdAt: Date | null;
  readonly author: string | null;
  readonly run: RunConfig;
  readonly labels: readonly NameAndValue[];
}

/** A member that differs, as text; null where it is not set. */
export interface ConfigChange {
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Every member that differs, by its name. */
export function compareConfigs(from: ComparableConfig, to: ComparableConfig): ConfigChange[] {
  const before = membersOf(from);
  const after = membersOf(to);
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((field) => ({ field, before: before.get(field) ?? null, after: after.get(field) ?? null }))
    .filter((change) => change.before !== change.after);
}

/** The members that are set, under the names of the API. Of a variable that is set twice, the last one counts. */
function membersOf({ platform, createdAt, author, run, labels }: ComparableConfig): Map<string, string> {
  const single: Record<string, string | null> = {
    platform: formatPlatform(platform),
    'platform.osVersion': platform.osVersion,
    'platform.osFeatures': filled(platform.osFeatures),
    createdAt: createdAt?.toISOString() ?? null,
    author,
    entrypoint: list(run.entrypoint),
    command: list(run.command),
    user: run.user,
    workingDirectory: run.workingDirectory,
    exposedPorts: filled(run.exposedPorts.map(({ port, protocol }) => `${port}/${protocol}`)),
    volumes: filled(run.volumes),
    stopSignal: run.stopSignal,
    shell: list(run.shell),
    onBuild: filled(run.onBuild),
    healthcheck: run.healthcheck && healthcheckText(run.healthcheck),
  };
  const members = new Map<string, string>();
  for (const [name, text] of Object.entries(single)) if (text !== null) members.set(name, text);
  for (const { name, value } of run.environment) members.set(`environment.${name}`, value);
  for (const { name, value } of labels) members.set(`labels.${name}`, value);
  return members;
}

function list(texts: readonly string[] | null): string | null {
  return texts && JSON.stringify(texts);
}

/** For lists of which an empty one says no more than none. */
function filled(texts: readonly string[]): string | null {
  return texts.length === 0 ? null : JSON.stringify(texts);
}

/** Written member by member: the order of a stored one says nothing. */
function healthcheckText(healthcheck: Healthcheck): string {
  const { test, intervalSeconds, timeoutSeconds, startPeriodSeconds, retries } = healthcheck;
  const members = { test, intervalSeconds, timeoutSeconds, startPeriodSeconds, retries };
  return JSON.stringify(members, (_, value: unknown) => value ?? undefined);
}
