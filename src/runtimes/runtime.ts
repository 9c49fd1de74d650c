import type { ObservedCommit, ObservedContainer, RuntimeKindName } from '../domain/container.ts';
import type { Digest } from '../domain/digest.ts';

/**
 * What the catalog needs of whatever runs containers. It is only ever read. Every call rejects with a RuntimeFault, and
 * with the signal's reason when it is aborted.
 */
export interface Runtime {
  describe(signal: AbortSignal): Promise<RuntimeDescription>;

  /**
   * All containers in whatever state, in batches. Finishing without an error means that these were all: who is not among
   * them is no more. Rejects with TOO_LARGE rather than leave some out.
   */
  listContainers(signal: AbortSignal): AsyncIterable<readonly ObservedContainer[]>;

  /** Frees connections. */
  close(): Promise<void>;
}

/** Null where the runtime does not say. */
export interface RuntimeDescription {
  readonly version: string | null;
  /** Of the host; of a cluster, what most of its nodes have. */
  readonly os: string | null;
  readonly architecture: string | null;
}

/**
 * Can tell what changes. The first thing that is yielded is an empty change: it is connected, and a list that is read
 * from now on misses nothing. Ends, or rejects, when what happened since may be incomplete: then connect again, and
 * read the list again.
 */
export interface WatchesContainers {
  watchContainers(signal: AbortSignal): AsyncIterable<ContainerChange>;
}

/** What has happened since the one before. A container that was both seen and removed meanwhile is among the removed alone. */
export interface ContainerChange {
  readonly seen: readonly ObservedContainer[];
  /** Their containerId. */
  readonly removed: readonly string[];
  readonly commits: readonly ObservedCommit[];
  /** Images that were built, loaded, made from a container or deleted: the list of local images is to be read again. */
  readonly hasOtherImages: boolean;
}

/** Can tell of images that no registry has: built, loaded, made from a container. */
export interface HoldsLocalImages {
  /**
   * Their ids: the digests of their configurations, or of their manifests or indexes where the engine has the store of
   * containerd. Finishing without an error means that these were all; null means that what stands before the engine does
   * not let them be asked for.
   */
  listLocalImages(signal: AbortSignal): Promise<readonly Digest[] | null>;
  /** Null where it is gone, or may not be asked for. */
  fetchLocalImage(id: Digest, signal: AbortSignal): Promise<LocalImage | null>;
}

/** As much of an image as an engine tells. */
export interface LocalImage {
  readonly id: Digest;
  /**
   * A configuration made of what the engine tells, for engines do not show the one that they have: what it says is
   * right, but its bytes are not those whose digest the id is. It has no variables of the environment: those of a
   * container would be among them.
   */
  readonly configuration: Uint8Array;
  /** Bytes of each layer of the configuration, unpacked, bottom first; null where the engine does not tell. */
  readonly layerSizes: readonly (number | null)[];
}

/** Each may be absent: "cannot", never "nothing". */
export type OpenRuntime = Runtime & Partial<WatchesContainers & HoldsLocalImages>;

export type OpenRuntimeFunction = (kind: RuntimeKindName, settings: RuntimeSettings) => Promise<OpenRuntime>;

/** How a runtime is reached. */
export interface RuntimeSettings {
  /**
   * unix:///var/run/docker.sock, tcp://host:2376, ssh://user@host[:port][/path of the socket]; of a cluster the name of a
   * context of the kubeconfig, or in-cluster.
   */
  readonly endpoint: string;
  /** Files with the certificates of tcp://; null where there are none, and no TLS then. */
  readonly tls: TlsFiles | null;
  /** tcp:// without TLS is refused unless this is true. */
  readonly insecure: boolean;
  /** Of a cluster; empty means all. */
  readonly namespaces: readonly string[];
}

export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** UNREACHABLE and UNAUTHORIZED may pass by themselves; MALFORMED and TOO_LARGE are what it answered. */
export type RuntimeFaultCode = 'UNREACHABLE' | 'UNAUTHORIZED' | 'MALFORMED' | 'TOO_LARGE';

export class RuntimeFault extends Error {
  override readonly name = 'RuntimeFault';
  readonly code: RuntimeFaultCode;

  /** The message names the runtime's endpoint, and what to do where something can be done. */
  constructor(code: RuntimeFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** One line of runtimes/index.ts. */
export interface RuntimeKind {
  readonly kind: RuntimeKindName;
  /** Throws INVALID_ARGUMENT for an endpoint that can't be one of this kind, or settings that don't go with it. */
  check(settings: RuntimeSettings): void;
  /** Reaches nothing yet. */
  open(settings: RuntimeSettings): Promise<OpenRuntime>;
}
