/** How long and how much a cluster may take. Times are in milliseconds. */
export interface KubernetesLimits {
  /** Connections beside those that watch. */
  readonly connections: number;
  /** From a connection to the headers of the answer. */
  readonly firstByte: number;
  /** Of the body of an answer that is no watch. */
  readonly body: number;
  readonly bodyBytes: number;
  /** Objects that are asked for at a time. */
  readonly chunk: number;
  /** Of one list, however few objects each has. */
  readonly chunks: number;
  /** Of one list, of pods over all namespaces. */
  readonly objects: number;
  /** Of one event of a watch. */
  readonly lineBytes: number;
  /** After which the server is asked to end a watch. */
  readonly watch: number;
  /** How much later a watch is taken for dead. */
  readonly watchMargin: number;
  /** Before a watch that ended goes on; spread by half. */
  readonly resumePause: number;
  /** Events that come within it are told together. */
  readonly burst: number;
  /** Of events that nobody has taken yet; no more are read meanwhile. */
  readonly burstBytes: number;
}

export const DEFAULT_LIMITS: KubernetesLimits = {
  connections: 8,
  firstByte: 30_000,
  body: 60_000,
  bodyBytes: 64 * 1024 * 1024,
  chunk: 500,
  chunks: 10_000,
  objects: 100_000,
  lineBytes: 8 * 1024 * 1024,
  watch: 300_000,
  watchMargin: 30_000,
  resumePause: 1_000,
  burst: 100,
  burstBytes: 16 * 1024 * 1024,
};
