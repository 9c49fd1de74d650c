import type { Logger } from 'pino';
import type { RuntimeKindName } from '../domain/container.ts';
import type { KeepsLabel } from '../domain/sound-container.ts';
import { openHttpClient } from '../http/index.ts';
import { followRuntime } from '../follow/index.ts';
import type { OpenRuntime } from '../runtimes/runtime.ts';
import { createReportedRecord } from './reported-record.ts';

export interface AgentSettings {
  /** Of the Stowage that is reported to: https://stowage.example.com. */
  readonly server: URL;
  readonly token: string;
  /** What the runtime is called there. */
  readonly name: string;
  readonly kind: RuntimeKindName;
  readonly runtime: OpenRuntime;
  readonly keepsLabel: KeepsLabel;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Before it begins again after the first, second, ... fault in a row. */
  readonly pauses?: readonly number[];
}

/**
 * Reports what it sees of a runtime until the signal ends it: all of it first, then what changes. While the server is
 * away nothing is kept: when it is back, it gets a whole picture.
 */
export async function runAgent(settings: AgentSettings): Promise<void> {
  const { server, runtime, name, keepsLabel, log, signal, pauses } = settings;
  const http = openHttpClient({ trustedHostname: server.hostname, allowedNetworks: [] });
  const now = () => new Date();
  const record = createReportedRecord(http, settings);
  try {
    await followRuntime({ name, runtime, record, keepsLabel, log, now, signal, ...(pauses && { pauses }) });
  } finally {
    await http.close();
  }
}
