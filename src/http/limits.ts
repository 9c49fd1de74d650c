/** How long and how much a request may take. Times are in milliseconds. */
export interface HttpLimits {
  readonly connect: number;
  /** From the request to the end of the answer's headers. */
  readonly firstByte: number;
  /** Between two chunks of a body. */
  readonly idle: number;
  /** Of an answer that is read into memory; a stream has none. */
  readonly total: number;
  /** Least bytes a second, averaged over each `throughputWindow`; a slower sender is cut off. */
  readonly throughput: number;
  readonly throughputWindow: number;
  readonly headerBytes: number;
  /** Of a body that only explains an error; the rest is not read. */
  readonly errorBytes: number;
  readonly redirects: number;
  /** Connections to one origin. */
  readonly connections: number;
  /** Pauses before the second, third ... attempt of a GET or HEAD; each is spread by half. */
  readonly retryPauses: readonly number[];
  /** A pause that the server asks for is kept when it is this short; else the answer is handed on. */
  readonly longestAskedPause: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  connect: 10_000,
  firstByte: 30_000,
  idle: 15_000,
  total: 60_000,
  throughput: 1024,
  throughputWindow: 10_000,
  headerBytes: 32 * 1024,
  errorBytes: 64 * 1024,
  redirects: 5,
  connections: 16,
  retryPauses: [2_000, 4_000, 8_000, 16_000, 32_000],
  longestAskedPause: 10_000,
};
