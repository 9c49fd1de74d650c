import { isDigest, type Digest } from './digest.ts';
import { RegistryError } from './errors.ts';
import {
  arrayOf,
  cut,
  isObject,
  parseJsonObject,
  textMap,
  textOf,
  type Json,
  type JsonObject,
  wordOf,
} from './json.ts';
import type { Platform } from './platform.ts';
import { parseTimestamp } from './timestamp.ts';

/**
 * What an image's configuration says, once read. A member that is missing or null there is null or empty here.
 * https://github.com/opencontainers/image-spec/blob/main/config.md
 */
export interface ImageConfiguration {
  readonly platform: Platform;
  readonly createdAt: Date | null;
  readonly author: string | null;
  readonly run: RunConfig;
  readonly labels: Record<string, string>;
  /** Oldest first. */
  readonly history: readonly HistoryStep[];
  /** Bottom first. */
  readonly diffIds: readonly Digest[];
  /**
   * Id of the container that it was made from, 64 hex digits: the one that was committed, or that of the last step of an
   * old build, which nobody else knows. Null where it names none.
   */
  readonly madeFrom: string | null;
}

/** How a container of the image is run. Stored as it is here; the names are those of the API. */
export interface RunConfig {
  /** Null where the configuration sets none, which differs from an empty one. */
  readonly entrypoint: readonly string[] | null;
  readonly command: readonly string[] | null;
  readonly environment: readonly NameAndValue[];
  readonly user: string | null;
  readonly workingDirectory: string | null;
  readonly exposedPorts: readonly Port[];
  readonly volumes: readonly string[];
  readonly stopSignal: string | null;
  readonly shell: readonly string[] | null;
  readonly onBuild: readonly string[];
  readonly healthcheck: Healthcheck | null;
}

export interface NameAndValue {
  readonly name: string;
  readonly value: string;
}

export interface Port {
  readonly port: number;
  readonly protocol: string;
}

/** Durations are in seconds; the document has nanoseconds. */
export interface Healthcheck {
  readonly test: readonly string[];
  readonly intervalSeconds: number | null;
  readonly timeoutSeconds: number | null;
  readonly startPeriodSeconds: number | null;
  readonly retries: number | null;
}

export interface HistoryStep {
  /** RFC 3339, UTC. */
  readonly createdAt: string | null;
  readonly createdBy: string | null;
  readonly author: string | null;
  readonly comment: string | null;
  readonly isEmptyLayer: boolean;
}

const MAX_LAYERS = 1000;
const MAX_STRINGS = 1000;
const MAX_TEXT = 32 * 1024;

/** Reads an image configuration. Throws MALFORMED or TOO_LARGE where it can't be one. */
export function parseImageConfig(raw: Uint8Array): ImageConfiguration {
  const document = parseJsonObject(raw, 'the image configuration');
  const rootfs = isObject(document['rootfs']) ? document['rootfs'] : {};
  const config = isObject(document['config']) ? document['config'] : {};
  return {
    platform: {
      os: wordOf(document['os']) ?? 'unknown',
      architecture: wordOf(document['architecture']) ?? 'unknown',
      variant: wordOf(document['variant']),
      osVersion: wordOf(document['os.version']),
      osFeatures: strings(document['os.features']) ?? [],
    },
    createdAt: parseTimestamp(document['created']),
    author: textOf(document['author']),
    run: readRunConfig(config),
    labels: textMap(config['Labels']),
    history: arrayOf(document['history'], 'history', MAX_LAYERS).map(readStep),
    diffIds: arrayOf(rootfs['diff_ids'], 'rootfs.diff_ids', MAX_LAYERS).map(readDiffId),
    madeFrom: readContainerId(document['container']),
  };
}

/**
 * The build step that made each layer: an entry that is not an empty layer belongs to the next layer from the bottom.
 * Null for every layer where the two disagree in number, as they do after squashing.
 */
export function stepsOfLayers(history: readonly HistoryStep[], layerCount: number): (HistoryStep | null)[] {
  const steps = history.filter((step) => !step.isEmptyLayer);
  return steps.length === layerCount ? steps : Array.from({ length: layerCount }, () => null);
}

function readRunConfig(config: JsonObject): RunConfig {
  return {
    entrypoint: strings(config['Entrypoint']),
    command: strings(config['Cmd']),
    environment: (strings(config['Env']) ?? []).map(readVariable),
    user: textOf(config['User']),
    workingDirectory: textOf(config['WorkingDir']),
    exposedPorts: names(config['ExposedPorts']).flatMap(readPort).slice(0, MAX_STRINGS),
    volumes: names(config['Volumes']),
    stopSignal: textOf(config['StopSignal']),
    shell: strings(config['Shell']),
    onBuild: strings(config['OnBuild']) ?? [],
    healthcheck: readHealthcheck(config['Healthcheck']),
  };
}

/** Very old images have a plain string where a list belongs. */
function strings(value: Json | undefined): string[] | null {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return null;
  const texts = value.filter((item): item is string => typeof item === 'string');
  return texts.slice(0, MAX_STRINGS).map((text) => cut(text, MAX_TEXT));
}

function names(value: Json | undefined): string[] {
  return isObject(value) ? Object.keys(value).sort().slice(0, MAX_STRINGS) : [];
}

function readVariable(text: string): NameAndValue {
  const equals = text.indexOf('=');
  return equals < 0 ? { name: text, value: '' } : { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** `8080/tcp`, `80` (which is tcp), `8000-8010/udp`. What is none of these names no port and is left out. */
function readPort(text: string): Port[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-z]{1,8}))?$/i.exec(text);
  if (!match) return [];
  const from = Number(match[1]);
  const to = Number(match[2] ?? from);
  if (from > to || to > 65535) return [];
  const protocol = (match[3] ?? 'tcp').toLowerCase();
  const count = Math.min(to - from + 1, MAX_STRINGS);
  return Array.from({ length: count }, (_, offset) => ({ port: from + offset, protocol }));
}

function readHealthcheck(value: Json | undefined): Healthcheck | null {
  if (!isObject(value)) return null;
  const test = strings(value['Test']) ?? [];
  const { Retries: retries } = value;
  return {
    test,
    intervalSeconds: seconds(value['Interval']),
    timeoutSeconds: seconds(value['Timeout']),
    startPeriodSeconds: seconds(value['StartPeriod']),
    retries:
      typeof retries === 'number' && Number.isInteger(retries) ? Math.min(Math.max(retries, 0), 2 ** 31 - 1) : null,
  };
}

function seconds(nanoseconds: Json | undefined): number | null {
  return typeof nanoseconds === 'number' && Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : null;
}

function readStep(value: Json): HistoryStep {
  const step = isObject(value) ? value : {};
  return {
    createdAt: parseTimestamp(step['created'])?.toISOString() ?? null,
    createdBy: cutText(step['created_by'], 4 * MAX_TEXT),
    author: cutText(step['author'], MAX_TEXT),
    comment: cutText(step['comment'], MAX_TEXT),
    isEmptyLayer: step['empty_layer'] === true,
  };
}

function cutText(value: Json | undefined, length: number): string | null {
  const text = textOf(value);
  return text === null ? null : cut(text, length);
}

function readContainerId(value: Json | undefined): string | null {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? value : null;
}

function readDiffId(value: Json, at: number): Digest {
  if (typeof value === 'string' && isDigest(value)) return value;
  throw new RegistryError(
    'MALFORMED',
    `rootfs.diff_ids[${at}] is ${JSON.stringify(value).slice(0, 100)}, not a digest`,
  );
}
