import type { ContainerRole, ContainerState, ImageVia, Workload } from '../../domain/container.ts';
import type { Reference } from '../../domain/reference.ts';

export interface ContainerRecord {
  readonly __typename: 'Container';
  /** Row id; `containerId` is the runtime's own. */
  readonly id: number;
  readonly runtimeId: number;
  readonly containerId: string;
  readonly name: string;
  readonly imageReference: string;
  /** The tag that it was asked for by; null where the reference names none. */
  readonly tagReference: Reference | null;
  /** Null where the catalog does not know the image. */
  readonly imageId: number | null;
  readonly imageVia: ImageVia | null;
  readonly state: ContainerState;
  readonly status: string | null;
  readonly exitCode: number | null;
  readonly createdAt: Date | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly workload: Workload | null;
  readonly role: ContainerRole | null;
  readonly node: string | null;
  readonly restartCount: number | null;
  /** Null where it can't be told. */
  readonly isOutdated: boolean | null;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  readonly removedAt: Date | null;
}

/** Of a container c. One that is there is seen in every picture of its runtime. */
export const CONTAINER_COLUMNS = `c.id, c.runtime_id, c.container_id, c.name, c.image_reference, c.host, c.repository,
    c.tag, c.image_id, c.image_via, c.state, c.status, c.exit_code, c.created_at, c.started_at, c.finished_at,
    c.workload_kind, c.workload_name, c.workload_namespace, c.role, c.node, c.restart_count, c.is_outdated,
    c.first_seen_at, greatest(c.last_seen_at, case when c.removed_at is null then
      (select rt.pictured_at from runtime rt where rt.id = c.runtime_id) end) as last_seen_at, c.removed_at`;

export interface ContainerRow {
  id: number;
  runtime_id: number;
  container_id: string;
  name: string;
  image_reference: string;
  host: Reference['host'] | null;
  repository: Reference['repository'] | null;
  tag: Reference['tag'];
  image_id: number | null;
  image_via: ImageVia | null;
  state: ContainerState;
  status: string | null;
  exit_code: number | null;
  created_at: Date | null;
  started_at: Date | null;
  finished_at: Date | null;
  workload_kind: string | null;
  workload_name: string | null;
  workload_namespace: string | null;
  role: ContainerRole | null;
  node: string | null;
  restart_count: number | null;
  is_outdated: boolean | null;
  first_seen_at: Date;
  last_seen_at: Date;
  removed_at: Date | null;
}

export function containerOf(row: ContainerRow): ContainerRecord {
  return {
    __typename: 'Container',
    id: row.id,
    runtimeId: row.runtime_id,
    containerId: row.container_id,
    name: row.name,
    imageReference: row.image_reference,
    tagReference: tagReferenceOf(row),
    imageId: row.image_id,
    imageVia: row.image_via,
    state: row.state,
    status: row.status,
    exitCode: row.exit_code,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    workload: workloadOf(row),
    role: row.role,
    node: row.node,
    restartCount: row.restart_count,
    isOutdated: row.is_outdated,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
    removedAt: row.removed_at,
  };
}

function tagReferenceOf({ host, repository, tag }: ContainerRow): Reference | null {
  return host === null || repository === null || tag === null ? null : { host, repository, tag, digest: null };
}

function workloadOf(row: ContainerRow): Workload | null {
  const { workload_kind: kind, workload_name: name, workload_namespace: namespace } = row;
  return kind === null || name === null ? null : { kind, name, namespace };
}
