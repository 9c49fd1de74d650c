import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/** Kinds of runtimes, in the words of the API. */
export const RUNTIME_KINDS = ['DOCKER', 'PODMAN', 'KUBERNETES'] as const;
export type RuntimeKindName = (typeof RUNTIME_KINDS)[number];

/** What a container is doing, in the words of the API; they are those of the Docker Engine. */
export const CONTAINER_STATES = [
  'CREATED',
  'RUNNING',
  'PAUSED',
  'RESTARTING',
  'REMOVING',
  'EXITED',
  'DEAD',
  'UNKNOWN',
] as const;
export type ContainerState = (typeof CONTAINER_STATES)[number];

/** A container as a runtime showed it. What the runtime did not say is null, or empty where it is a list. */
export interface ObservedContainer {
  /** Unique in its runtime as long as the runtime lives: of a pod's container, the pod's uid and the container's name. */
  readonly containerId: string;
  readonly name: string;
  /**
   * As it was asked for: nginx:1.27, a digest, an id or its first digits. Those look like the name of a repository; they
   * are an id where a digest of the evidence begins so.
   */
  readonly imageReference: string;
  readonly image: ImageIdentity;
  readonly state: ContainerState;
  /** The runtime's own words, without times that pass: Up (healthy), ImagePullBackOff. */
  readonly status: string | null;
  readonly exitCode: number | null;
  readonly createdAt: Date | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly command: readonly string[];
  readonly ports: readonly PortMapping[];
  readonly mounts: readonly Mount[];
  readonly labels: Readonly<Record<string, string>>;
  readonly workload: Workload | null;
  /** Null for one of those that a pod is there for, and where there are no pods. */
  readonly role: ContainerRole | null;
  /** Of a cluster, the node that it runs on. */
  readonly node: string | null;
  /** How often the runtime has started it again. */
  readonly restartCount: number | null;
}

/**
 * Containers that serve a pod's others: INIT has to end before they start, SIDECAR is started before them and goes on,
 * EPHEMERAL was added to look into the pod.
 */
export const CONTAINER_ROLES = ['INIT', 'SIDECAR', 'EPHEMERAL'] as const;
export type ContainerRole = (typeof CONTAINER_ROLES)[number];

/** What a runtime tells of the image of a container: enough to find it among images that came from registries. */
export interface ImageIdentity {
  /** Strongest first; empty where nothing is known. */
  readonly evidence: readonly ImageEvidence[];
  /** Of the image, not of the host: it chooses among the members of an index. */
  readonly platform: ImagePlatform | null;
}

export interface ImageEvidence {
  readonly via: ImageVia;
  readonly digest: Digest;
}

export type ImagePlatform = Pick<Platform, 'os' | 'architecture' | 'variant' | 'osVersion'>;

/**
 * How an image is known, strongest first: by the manifest that the runtime unpacked; by the digest that was asked for;
 * by the digest (of an index or a manifest) under which it was pulled from the repository that was asked for; by one from
 * another repository; by its configuration; by the chain id of its whole stack.
 */
export const IMAGE_VIAS = [
  'MANIFEST',
  'REQUESTED_DIGEST',
  'PULLED_DIGEST',
  'OTHER_REPOSITORY',
  'CONFIG',
  'LAYERS',
] as const;
export type ImageVia = (typeof IMAGE_VIAS)[number];

export interface PortMapping {
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostIp: string | null;
  /** Null for a port that is only exposed. */
  readonly hostPort: number | null;
}

export interface Mount {
  /** bind, volume, tmpfs, and what else runtimes have. */
  readonly type: string;
  readonly source: string | null;
  readonly destination: string;
  readonly readOnly: boolean;
}

/** What a container is a part of: Deployment, StatefulSet, DaemonSet, CronJob, Job, Pod; ComposeService, SwarmService. */
export interface Workload {
  readonly kind: string;
  readonly name: string;
  /** Namespace of a cluster, or project of Compose. */
  readonly namespace: string | null;
}

/** What was seen of a runtime. */
export interface ContainerReport {
  /** When the look began. What the catalog saw later stands. */
  readonly at: Date;
  /** Each once, as soundContainer leaves them. */
  readonly seen: readonly ObservedContainer[];
  /** Ids of all that were there: others are no more. Null where nothing is said of them. */
  readonly present: readonly string[] | null;
  /** Ids of containers that are no more. */
  readonly removed: readonly string[];
  readonly commits: readonly ObservedCommit[];
}

/** An image made from a container, as the runtime told when it was made. */
export interface ObservedCommit {
  readonly containerId: string;
  /** The image id that it got: of its configuration, or of its manifest. */
  readonly imageId: Digest;
}
