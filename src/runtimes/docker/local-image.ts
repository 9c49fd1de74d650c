import type { Digest } from '../../domain/digest.ts';
import { isObject, textOf, type Json, type JsonObject } from '../../domain/json.ts';
import type { LocalImage } from '../runtime.ts';
import { isEngineId } from './listed-container.ts';
import { readInspectedImage } from './image.ts';

/**
 * Puts together what an engine tells of an image: the answers to /images/{id}/json and /images/{id}/history. Variables
 * of the environment are left out: an image made from a container has the container's, secrets among them.
 */
export function composeLocalImage(id: Digest, inspected: JsonObject, history: readonly JsonObject[]): LocalImage {
  const { diffIds, platform } = readInspectedImage(inspected);
  const { Container: container } = inspected;
  const { steps, sizes } = matchHistory(history, diffIds.length);
  const configuration = {
    ...(platform && {
      os: platform.os,
      architecture: platform.architecture,
      ...(platform.variant !== null && { variant: platform.variant }),
      ...(platform.osVersion !== null && { 'os.version': platform.osVersion }),
    }),
    created: inspected['Created'] ?? null,
    ...(textOf(inspected['Author']) !== null && { author: inspected['Author'] }),
    ...(isEngineId(container) && { container }),
    config: runConfigOf(inspected['Config']),
    rootfs: { type: 'layers', diff_ids: diffIds },
    ...(steps !== null && { history: steps }),
  };
  return { id, configuration: Buffer.from(JSON.stringify(configuration)), layerSizes: sizes };
}

interface MatchedHistory {
  /** Oldest first; null where it can't be told which steps made layers. */
  readonly steps: readonly object[] | null;
  readonly sizes: readonly (number | null)[];
}

/** The newest stands first. A step of no bytes made no layer, if so they are as many as there are layers. */
function matchHistory(history: readonly JsonObject[], layerCount: number): MatchedHistory {
  const oldestFirst = history.toReversed();
  const isLayer = ruleFor(oldestFirst, layerCount);
  if (!isLayer) return { steps: null, sizes: Array.from({ length: layerCount }, () => null) };
  return {
    steps: oldestFirst.map((step) => ({
      ...createdOf(step['Created']),
      ...memberOf('created_by', step['CreatedBy']),
      ...memberOf('comment', step['Comment']),
      ...(!isLayer(step) && { empty_layer: true }),
    })),
    sizes: oldestFirst.filter(isLayer).map((step) => sizeOf(step)),
  };
}

function ruleFor(steps: readonly JsonObject[], layerCount: number): ((step: JsonObject) => boolean) | null {
  if (steps.filter((step) => sizeOf(step) > 0).length === layerCount) return (step) => sizeOf(step) > 0;
  return steps.length === layerCount ? () => true : null;
}

function sizeOf({ Size: size }: JsonObject): number {
  return typeof size === 'number' && Number.isSafeInteger(size) && size > 0 ? size : 0;
}

/** Seconds. */
function createdOf(seconds: Json | undefined): { created?: string } {
  if (typeof seconds !== 'number' || seconds <= 0 || seconds > 2 ** 37) return {};
  return { created: new Date(seconds * 1000).toISOString() };
}

function memberOf(name: string, value: Json | undefined): Record<string, string> {
  const text = textOf(value);
  return text === null ? {} : { [name]: text };
}

function runConfigOf(config: Json | undefined): JsonObject {
  if (!isObject(config)) return {};
  return Object.fromEntries(Object.entries(config).filter(([name]) => RUN_CONFIG.has(name)));
}

const RUN_CONFIG = new Set([
  'Cmd',
  'Entrypoint',
  'ExposedPorts',
  'Healthcheck',
  'Labels',
  'OnBuild',
  'Shell',
  'StopSignal',
  'User',
  'Volumes',
  'WorkingDir',
]);
