import type {
  ContainerRole,
  ContainerState,
  ImageEvidence,
  ImagePlatform,
  Mount,
  ObservedContainer,
  PortMapping,
  Workload,
} from '../domain/container.ts';
import type { Digest } from '../domain/digest.ts';
import type { NameAndValue } from '../domain/image-config.ts';
import type { PlatformInput } from './sync-source.ts';

/** A container as a report has it. */
export interface ReportedContainer {
  readonly containerId: string;
  readonly name: string;
  readonly imageReference: string;
  readonly imageDigest?: Digest | null;
  readonly imageId?: Digest | null;
  readonly imageEvidence?: readonly ImageEvidence[] | null;
  readonly platform?: PlatformInput | null;
  readonly state: ContainerState;
  readonly status?: string | null;
  readonly exitCode?: number | null;
  readonly createdAt?: Date | null;
  readonly startedAt?: Date | null;
  readonly finishedAt?: Date | null;
  readonly command?: readonly string[] | null;
  readonly ports?: readonly Optional<PortMapping>[] | null;
  readonly mounts?: readonly ReportedMount[] | null;
  readonly labels?: readonly NameAndValue[] | null;
  readonly workload?: Optional<Workload> | null;
  readonly role?: ContainerRole | null;
  readonly node?: string | null;
  readonly restartCount?: number | null;
}

/** It may be written, too, where nothing is said. */
type ReportedMount = Optional<Omit<Mount, 'readOnly'>> & { readonly readOnly?: boolean | null };

/** As runtimes tell of it; what is left out is not known. */
export function observedOf(container: ReportedContainer): ObservedContainer {
  const { imageDigest, imageId, imageEvidence, platform, workload, ...reported } = container;
  const evidence = [...(imageEvidence ?? [])];
  if (imageDigest) evidence.push({ via: 'PULLED_DIGEST', digest: imageDigest });
  if (imageId) evidence.push({ via: 'CONFIG', digest: imageId });
  return {
    containerId: reported.containerId,
    name: reported.name,
    imageReference: reported.imageReference,
    image: { evidence, platform: platform ? platformOf(platform) : null },
    state: reported.state,
    status: reported.status ?? null,
    exitCode: reported.exitCode ?? null,
    createdAt: reported.createdAt ?? null,
    startedAt: reported.startedAt ?? null,
    finishedAt: reported.finishedAt ?? null,
    command: reported.command ?? [],
    ports: (reported.ports ?? []).map(({ containerPort, protocol, hostIp, hostPort }) => ({
      containerPort,
      protocol,
      hostIp: hostIp ?? null,
      hostPort: hostPort ?? null,
    })),
    mounts: (reported.mounts ?? []).map(({ type, source, destination, readOnly }) => ({
      type,
      source: source ?? null,
      destination,
      readOnly: readOnly ?? false,
    })),
    labels: Object.fromEntries((reported.labels ?? []).map(({ name, value }) => [name, value])),
    workload: workload ? { kind: workload.kind, name: workload.name, namespace: workload.namespace ?? null } : null,
    role: reported.role ?? null,
    node: reported.node ?? null,
    restartCount: reported.restartCount ?? null,
  };
}

function platformOf({ os, architecture, variant, osVersion }: PlatformInput): ImagePlatform {
  return { os: os ?? 'linux', architecture, variant: variant ?? null, osVersion: osVersion ?? null };
}

/** What may be null may be left out. */
type Optional<T> = { [K in keyof T as null extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as null extends T[K] ? K : never]?: T[K] | undefined;
};
