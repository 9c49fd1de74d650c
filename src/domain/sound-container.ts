import { MAX_EVIDENCE } from './container-image.ts';
import type { ImageIdentity, Mount, ObservedContainer } from './container.ts';
import { isDigest } from './digest.ts';
import { cut, storable } from './json.ts';
import { parsePattern } from './pattern.ts';

/** Tells which labels of containers are kept. */
export type KeepsLabel = (name: string) => boolean;

/** Keeps all labels but those whose names match one of the patterns. Throws INVALID_PATTERN. */
export function labelsBut(denied: readonly string[]): KeepsLabel {
  const patterns = denied.map((text) => parsePattern(text, 'label'));
  return (name) => !patterns.some((pattern) => pattern.matches(name));
}

/** Whether a text can be the id of a container: what runtimes use as ids, and what can be typed. */
export function isContainerId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_./:-]{0,299}$/.test(text);
}

/**
 * A container as the catalog keeps it, whatever a runtime or an agent told: texts that PostgreSQL can hold, cut where
 * they are longer than anybody needs, lists likewise, and no label that is not to be kept.
 */
export function soundContainer(container: ObservedContainer, keepsLabel: KeepsLabel): ObservedContainer {
  const { workload } = container;
  return {
    ...container,
    name: text(container.name),
    imageReference: text(container.imageReference),
    image: soundIdentity(container.image),
    status: orNull(container.status, (status) => text(status)),
    exitCode: orNull(container.exitCode, integer),
    createdAt: orNull(container.createdAt, moment),
    startedAt: orNull(container.startedAt, moment),
    finishedAt: orNull(container.finishedAt, moment),
    command: withinRoom(
      container.command.map((word) => text(word, MAX_VALUE)),
      (word) => word.length,
    ),
    ports: container.ports
      .filter(({ containerPort, hostPort }) => isPort(containerPort) && isPort(hostPort ?? 0))
      .slice(0, MAX_ENTRIES)
      .map((port) => ({ ...port, protocol: text(port.protocol), hostIp: orNull(port.hostIp, (ip) => text(ip)) })),
    mounts: container.mounts.slice(0, MAX_MOUNTS).map(soundMount),
    labels: Object.fromEntries(
      withinRoom(
        Object.entries(container.labels)
          .filter(([name]) => name.length <= MAX_TEXT && keepsLabel(name))
          .map(([name, value]) => [storable(name), text(value, MAX_VALUE)] as const),
        ([name, value]) => name.length + value.length,
      ),
    ),
    workload: workload && {
      kind: text(workload.kind),
      name: text(workload.name),
      namespace: orNull(workload.namespace, (namespace) => text(namespace)),
    },
    node: orNull(container.node, (node) => text(node)),
    restartCount: orNull(container.restartCount, integer),
  };
}

/** What a runtime, or an agent, tells of what it is, likewise. */
export function soundDescription<T extends Readonly<Record<string, string | null>>>(description: T): T {
  const members = Object.entries(description).map(([name, told]) => [name, orNull(told, (value) => text(value))]);
  return Object.fromEntries(members) as T;
}

const MAX_TEXT = 1000;
const MAX_VALUE = 32 * 1024;
const MAX_ENTRIES = 1000;
const MAX_MOUNTS = 200;
/** Characters of all labels, and of a command. */
const ROOM = 256 * 1024;

function soundIdentity({ evidence, platform }: ImageIdentity): ImageIdentity {
  return {
    evidence: evidence.filter(({ digest }) => isDigest(digest)).slice(0, MAX_EVIDENCE),
    platform: platform && {
      os: text(platform.os),
      architecture: text(platform.architecture),
      variant: orNull(platform.variant, (variant) => text(variant)),
      osVersion: orNull(platform.osVersion, (version) => text(version)),
    },
  };
}

/** The first entries, as many as there is room for. */
function withinRoom<T>(entries: readonly T[], lengthOf: (entry: T) => number): T[] {
  let room = ROOM;
  return entries.slice(0, MAX_ENTRIES).filter((entry) => (room -= lengthOf(entry)) >= 0);
}

function soundMount({ type, source, destination, readOnly }: Mount): Mount {
  return {
    type: text(type),
    source: orNull(source, (path) => text(path)),
    destination: text(destination),
    readOnly,
  };
}

function orNull<T>(value: T | null, sound: (value: T) => T | null): T | null {
  return value === null ? null : sound(value);
}

function text(value: string, length = MAX_TEXT): string {
  return storable(cut(value, length));
}

function integer(value: number): number | null {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : null;
}

/** What PostgreSQL and RFC 3339 can both say; engines write year 1 for never. */
function moment(value: Date): Date | null {
  const year = value.getUTCFullYear();
  return year > 1 && year < 10_000 ? value : null;
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 65_535;
}
