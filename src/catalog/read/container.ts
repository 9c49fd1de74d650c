import sql, { raw, type Sql } from 'sql-template-tag';
import type { Mount, PortMapping } from '../../domain/container.ts';
import type { Digest } from '../../domain/digest.ts';
import type { NameAndValue } from '../../domain/image-config.ts';
import type { Connection } from '../database.ts';
import { containersAsOf } from './container-as-of.ts';
import { containerConditions, presentOf, type ContainerFilter } from './container-filter.ts';
import { containerOrder, type ContainerOrder } from './container-order.ts';
import { CONTAINER_COLUMNS, containerOf, type ContainerRecord, type ContainerRow } from './container-row.ts';
import { allOf, conditionOf, storable } from './filter.ts';
import { CONTAINERS_NOW } from './image-filter.ts';
import { namesAndValues } from './json.ts';
import { nestedList, rootList, type ListQuery } from './page.ts';

/** What of a container takes up room. */
export interface ContainerDetails {
  readonly command: readonly string[];
  readonly ports: readonly PortMapping[];
  readonly mounts: readonly Mount[];
  readonly labels: readonly NameAndValue[];
  /** What is known of its image, strongest first. */
  readonly imageDigests: readonly Digest[];
}

export interface ContainerListArguments {
  readonly filter?: ContainerFilter | null;
  readonly orderBy?: ContainerOrder | null;
}

/** A container by its runtime's name and its own id, or the beginning of that. */
export interface ContainerKey {
  readonly runtime: string;
  readonly containerId: string;
}

export function containerReads(connection: Connection) {
  return {
    /** Throws INVALID_ARGUMENT for a filter that says nothing of the past, where that is asked for. */
    containers: rootList(connection, ({ asOf, ...args }: ContainerListArguments & { readonly asOf?: Date | null }) =>
      asOf == null ? listOf('containers', args) : containersAsOf(asOf, args),
    ),
    containersOfImages: rootList(connection, ({ imageIds }: { readonly imageIds: readonly number[] }) =>
      listOf('containersOfImages', {}, sql`c.image_id = any(${imageIds}::int[])`),
    ),
    containersByRuntime: nestedList(connection, (args: ContainerListArguments) => ({
      ...listOf('containersByRuntime', args),
      within: raw('c.runtime_id'),
    })),
    containersByImage: nestedList(connection, (args: ContainerListArguments) => ({
      ...listOf('containersByImage', args),
      within: raw('c.image_id'),
    })),
    containersByLayer: nestedList(connection, (args: ContainerListArguments) =>
      listOf('containersByLayer', args, STACKS_LAYER),
    ),
    /** Those that were asked for by a name in the repository; by a tag of it below. */
    containersByRepository: nestedList(connection, (args: ContainerListArguments) =>
      listOf('containersByRepository', args, namesRepository(raw('parent.id'))),
    ),
    containersByTag: nestedList(connection, (args: ContainerListArguments) =>
      listOf('containersByTag', args, namesRepository(TAGS_REPOSITORY), NAMES_TAG),
    ),

    containersById: async (ids: readonly number[]): Promise<Map<number, ContainerRecord>> => {
      const rows = await connection.run<ContainerRow>(CONTAINERS_BY_ID, [ids]);
      return new Map(rows.map((row) => [row.id, containerOf(row)]));
    },

    /** Removed ones included. The keys of the answer are as `containerKey` writes them. */
    containersByKey: async (keys: readonly ContainerKey[]): Promise<Map<string, ContainerRecord>> => {
      const rows = await connection.run<ContainerRow & { at: number }>(CONTAINERS_BY_KEY, [
        keys.map(({ runtime }) => storable(runtime)),
        keys.map(({ containerId }) => storable(containerId)),
      ]);
      return new Map(rows.map((row) => [containerKey(keys[row.at - 1] as ContainerKey), containerOf(row)]));
    },

    detailsByContainer: async (ids: readonly number[]): Promise<Map<number, ContainerDetails>> => {
      const rows = await connection.run<DetailsRow>(DETAILS_BY_CONTAINER, [ids]);
      return new Map(rows.map(({ id, labels, ...row }) => [id, { ...row, labels: namesAndValues(labels) }]));
    },

    /** Of those that are not removed. */
    containerCountsByImage: async (ids: readonly number[]): Promise<Map<number, number>> => {
      const rows = await connection.run<{ manifest_id: number; container_count: number }>(
        '/* catalog.containerCountsByImage */ select manifest_id, container_count from image where manifest_id = any((select $1::int[])::int[])',
        [ids],
      );
      return new Map(rows.map((row) => [row.manifest_id, row.container_count]));
    },
  };
}

export function containerKey({ runtime, containerId }: ContainerKey): string {
  return JSON.stringify([runtime, containerId]);
}

const STACKS_LAYER = raw(
  'exists (select 1 from image_layer l where l.layer_id = parent.id and l.image_id = c.image_id)',
);

/** In the order of the index; the id of a repository is no part of it, since a name may come before its repository. */
function namesRepository(id: Sql): Sql {
  return sql`c.repository = (select r.name from repository r where r.id = ${id}) and c.host = (select g.host from repository r join registry g on g.id = r.registry_id where r.id = ${id})`;
}

const TAGS_REPOSITORY = raw('(select t.repository_id from tag t where t.id = parent.id)');
const NAMES_TAG = raw('c.tag = (select t.name from tag t where t.id = parent.id)');

function listOf(
  name: string,
  { filter, orderBy }: ContainerListArguments,
  ...scope: Sql[]
): ListQuery<ContainerRow, ContainerRecord> {
  return {
    name: `catalog.${name}`,
    columns: raw(CONTAINER_COLUMNS),
    from: raw('container c'),
    where: allOf([...scope, ...presentOf(filter), conditionOf(filter, containerConditions(CONTAINERS_NOW))]),
    order: containerOrder(orderBy, CONTAINERS_NOW.state),
    toRecord: containerOf,
  };
}

const CONTAINERS_BY_ID = `/* catalog.containersById */
  select ${CONTAINER_COLUMNS} from container c where c.id = any((select $1::int[])::int[])`;

/** By the whole id; else by its beginning, where that is of one container alone. */
const CONTAINERS_BY_KEY = `/* catalog.containersByKey */
  select wanted.at, ${CONTAINER_COLUMNS}
  from unnest($1::text[], $2::text[]) with ordinality as wanted (runtime, container_id, at)
  join runtime rt on rt.name = wanted.runtime
  cross join lateral (
    select coalesce(
      (select c.id from container c where c.runtime_id = rt.id and c.container_id = wanted.container_id),
      case when wanted.container_id ~ '^[0-9a-f]{12,63}$' then (
        select min(c.id) from container c
        where c.runtime_id = rt.id and starts_with(c.container_id, wanted.container_id) having count(*) = 1
      ) end
    ) as id
  ) found
  join container c on c.id = found.id`;

const DETAILS_BY_CONTAINER = `/* catalog.detailsByContainer */
  select c.id, c.command, c.ports, c.mounts, c.labels,
    array(select digest_text(e.digest) from unnest(c.image_digests) with ordinality e (digest, place) order by e.place)
      as "imageDigests"
  from container c where c.id = any((select $1::int[])::int[])`;

interface DetailsRow extends Omit<ContainerDetails, 'labels'> {
  readonly id: number;
  readonly labels: Record<string, string>;
}
