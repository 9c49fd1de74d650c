import type { Database } from '../../src/catalog/database.ts';
import { recordContainers, saveRuntime } from '../../src/catalog/write/index.ts';
import type {
  ContainerReport,
  ImageEvidence,
  ImageIdentity,
  ObservedContainer,
  RuntimeKindName,
} from '../../src/domain/container.ts';

/** A running container of which a runtime says nothing that a test does not say. */
export function observed(
  container: Partial<Omit<ObservedContainer, 'image'>> & {
    containerId: string;
    evidence?: readonly ImageEvidence[];
  } & Partial<Pick<ImageIdentity, 'platform'>>,
): ObservedContainer {
  const { evidence = [], platform = null, ...rest } = container;
  return {
    name: container.containerId,
    imageReference: 'docker.io/library/nginx:1.27',
    state: 'RUNNING',
    status: null,
    exitCode: null,
    createdAt: null,
    startedAt: null,
    finishedAt: null,
    command: [],
    ports: [],
    mounts: [],
    labels: {},
    workload: null,
    role: null,
    node: null,
    restartCount: null,
    ...rest,
    image: { evidence, platform },
  };
}

/** A runtime that an agent reports of; answers with its id. */
export function addRuntime(database: Database, name: string, kind: RuntimeKindName = 'DOCKER'): Promise<number> {
  return saveRuntime(database, { name, kind, managedBy: 'API', settings: null });
}

/** What the runtime has at an instant, all of it unless the report says otherwise. */
export function report(
  database: Database,
  runtimeId: number,
  at: string,
  seen: readonly ObservedContainer[],
  rest: Partial<ContainerReport> = {},
): Promise<number | null> {
  return database.transaction((connection) =>
    recordContainers(connection, {
      runtimeId,
      at: new Date(at),
      seen,
      present: seen.map(({ containerId }) => containerId),
      removed: [],
      commits: [],
      ...rest,
    }),
  );
}
