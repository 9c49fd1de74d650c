import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import type { RuntimeRecord } from '../follow/index.ts';
import { recordLocalImages } from './record-local-images.ts';

/**
 * Writes down in the catalog what is seen of a runtime. While the runtime is away its containers stay as they were last
 * seen.
 */
export function createRuntimeRecord(database: Database, runtimeId: number, now: () => Date): RuntimeRecord {
  return {
    describe: (description) => catalog.describeRuntime(database, runtimeId, description),
    async report(report) {
      await database.transaction((connection) => catalog.recordContainers(connection, { runtimeId, ...report }));
    },
    readImages: (runtime, signal) => recordLocalImages(database, runtimeId, runtime, now(), signal),
    conclude(fault) {
      const health = {
        status: fault === null ? 'HEALTHY' : STATUSES[fault.code],
        message: fault?.message ?? null,
      } as const;
      return catalog.recordRuntimeHealth(database, runtimeId, health, now());
    },
  };
}

const STATUSES = {
  UNREACHABLE: 'UNREACHABLE',
  UNAUTHORIZED: 'UNAUTHORIZED',
  MALFORMED: 'DEGRADED',
  TOO_LARGE: 'DEGRADED',
} as const;
