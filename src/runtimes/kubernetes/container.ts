import type { ContainerRole, Mount, ObservedContainer, PortMapping, Workload } from '../../domain/container.ts';
import { cut, textOf, wordOf, type Json, type JsonObject } from '../../domain/json.ts';
import { parseTimestamp } from '../../domain/timestamp.ts';
import { readState } from './container-state.ts';
import { evidenceOf } from './image-evidence.ts';
import type { Host } from './nodes.ts';
import { listOf, objectOf, type Pod } from './pod.ts';

/**
 * A pod's containers: those of its specification, with what their statuses say. What they have in their environment is
 * not looked at. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
 */
export function containersOf(pod: Pod, host: Host, workload: Workload): ObservedContainer[] {
  return specified(pod).map(({ spec, name, role, statuses }) => {
    const status = listOf(pod.status[statuses]).find((one) => one['name'] === name) ?? null;
    const imageReference = cut(textOf(spec['image']) ?? '', MAX_REFERENCE);
    return {
      containerId: `${pod.uid}/${name}`,
      name: `${pod.name}/${name}`,
      imageReference,
      image: { evidence: evidenceOf(imageReference, textOf(status?.['imageID'])), platform: host.platform },
      ...readState(pod, status, host.isGone),
      // A container that was added to look into the pod came later; when, nobody says.
      createdAt: role === 'EPHEMERAL' ? null : parseTimestamp(pod.metadata['creationTimestamp']),
      command: [...textsOf(spec['command']), ...textsOf(spec['args'])],
      ports: listOf(spec['ports']).flatMap(portOf),
      mounts: listOf(spec['volumeMounts']).flatMap((mount) => mountOf(mount, pod)),
      labels: pod.labels,
      workload,
      role,
      node: pod.node,
    };
  });
}

/** Under which a pod's containers are known. */
export function containerIdsOf(pod: Pod): string[] {
  return specified(pod).map(({ name }) => `${pod.uid}/${name}`);
}

interface Specified {
  readonly spec: JsonObject;
  readonly name: string;
  readonly role: ContainerRole | null;
  readonly statuses: 'initContainerStatuses' | 'containerStatuses' | 'ephemeralContainerStatuses';
}

/** Longer than any reference. */
const MAX_REFERENCE = 1_000;
const MAX_ARGUMENTS = 1_000;
const MAX_ARGUMENT = 32 * 1024;
const MAX_PATH = 4_096;

/** In the order in which they are started. */
function specified({ spec }: Pod): Specified[] {
  const lists: [Json | undefined, Specified['statuses'], (one: JsonObject) => ContainerRole | null][] = [
    [spec['initContainers'], 'initContainerStatuses', initRoleOf],
    [spec['containers'], 'containerStatuses', () => null],
    [spec['ephemeralContainers'], 'ephemeralContainerStatuses', () => 'EPHEMERAL'],
  ];
  return lists.flatMap(([list, statuses, roleOf]) =>
    listOf(list).flatMap((one) => {
      const name = wordOf(one['name']);
      return name === null ? [] : [{ spec: one, name, role: roleOf(one), statuses }];
    }),
  );
}

/** https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/ */
function initRoleOf({ restartPolicy }: JsonObject): ContainerRole {
  return restartPolicy === 'Always' ? 'SIDECAR' : 'INIT';
}

function textsOf(value: Json | undefined): string[] {
  if (!Array.isArray(value)) return [];
  const texts = value.slice(0, MAX_ARGUMENTS).filter((text) => typeof text === 'string');
  return texts.map((text) => cut(text, MAX_ARGUMENT));
}

function portOf(port: JsonObject): PortMapping[] {
  const containerPort = portNumber(port['containerPort']);
  if (containerPort === null) return [];
  return [
    {
      containerPort,
      protocol: (wordOf(port['protocol']) ?? 'TCP').toLowerCase(),
      hostIp: wordOf(port['hostIP']),
      hostPort: portNumber(port['hostPort']),
    },
  ];
}

/** 0 stands for none. */
function portNumber(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536 ? value : null;
}

function mountOf(mount: JsonObject, pod: Pod): Mount[] {
  const destination = textOf(mount['mountPath']);
  const name = textOf(mount['name']);
  if (destination === null || name === null) return [];
  const volume = listOf(pod.spec['volumes']).find((one) => one['name'] === name) ?? {};
  const type = Object.keys(volume).find((member) => member !== 'name') ?? 'volume';
  return [
    {
      type: cut(type, 255),
      source: cut(sourceOf(objectOf(volume[type])) ?? name, MAX_PATH),
      destination: cut(destination, MAX_PATH),
      readOnly: mount['readOnly'] === true,
    },
  ];
}

/** What a volume is of, where it is of something: a path of the node, a claim, a ConfigMap, a Secret. */
function sourceOf(volume: JsonObject): string | null {
  return (
    textOf(volume['path']) ?? textOf(volume['claimName']) ?? textOf(volume['secretName']) ?? textOf(volume['name'])
  );
}
