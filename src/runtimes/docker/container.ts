import type { ContainerState, ObservedContainer, Workload } from '../../domain/container.ts';
import { identify } from './evidence.ts';
import type { InspectedImage } from './image.ts';
import type { InspectedContainer } from './inspected-container.ts';
import type { ListedContainer } from './listed-container.ts';

/** What an engine told of a container, in several answers. Null is what it did not tell. */
export interface ToldContainer {
  readonly listed: ListedContainer;
  readonly inspected: InspectedContainer | null;
  readonly image: InspectedImage | null;
  readonly isContainerdStore: boolean;
}

export function observe({ listed, inspected, image, isContainerdStore }: ToldContainer): ObservedContainer {
  const imageReference = inspected?.reference ?? listed.image;
  const state = stateOf(inspected?.state ?? listed.state);
  return {
    containerId: listed.id,
    name: listed.name,
    imageReference,
    image: identify({
      reference: imageReference,
      id: inspected?.imageId ?? listed.imageId,
      manifest: inspected?.manifest ?? listed.manifest,
      image,
      isContainerdStore,
    }),
    state,
    status: listed.status,
    // Before it ends it is said to be 0.
    exitCode: HAS_ENDED.has(state) ? (inspected?.exitCode ?? null) : null,
    createdAt: inspected?.createdAt ?? listed.createdAt,
    startedAt: inspected?.startedAt ?? null,
    finishedAt: inspected?.finishedAt ?? null,
    command: inspected?.command ?? (listed.command === null ? [] : [listed.command]),
    ports: listed.ports,
    // Podman's list has none.
    mounts: inspected?.mounts ?? listed.mounts,
    labels: listed.labels,
    workload: workloadOf(listed.labels),
    role: null,
    node: null,
    restartCount: inspected?.restartCount ?? null,
  };
}

/** Podman's own words are among them: the ones that it does not translate. */
const STATES: Readonly<Record<string, ContainerState>> = {
  created: 'CREATED',
  configured: 'CREATED',
  initialized: 'CREATED',
  running: 'RUNNING',
  stopping: 'RUNNING',
  paused: 'PAUSED',
  restarting: 'RESTARTING',
  removing: 'REMOVING',
  exited: 'EXITED',
  stopped: 'EXITED',
  dead: 'DEAD',
};
const HAS_ENDED = new Set<ContainerState>(['EXITED', 'DEAD', 'RESTARTING']);

function stateOf(word: string): ContainerState {
  return Object.hasOwn(STATES, word) ? (STATES[word] ?? 'UNKNOWN') : 'UNKNOWN';
}

function workloadOf(labels: Readonly<Record<string, string>>): Workload | null {
  const composed = labels['com.docker.compose.service'];
  if (composed) {
    return { kind: 'ComposeService', name: composed, namespace: labels['com.docker.compose.project'] || null };
  }
  const swarmed = labels['com.docker.swarm.service.name'];
  return swarmed
    ? { kind: 'SwarmService', name: swarmed, namespace: labels['com.docker.stack.namespace'] || null }
    : null;
}
