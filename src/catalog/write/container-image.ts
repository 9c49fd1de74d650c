import type { Connection } from '../database.ts';
import { chooseImage, type CandidateImage, type FoundImage } from '../../domain/container-image.ts';
import type { ImageIdentity } from '../../domain/container.ts';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import type { Reference } from '../../domain/reference.ts';
import { BY_KEY } from './by-key.ts';
import { isBeingDeleted } from './image-deletion.ts';

/** What is known of a container's image, and the repository that it was asked for from; null where it names none. */
export interface SoughtImage {
  readonly identity: ImageIdentity;
  readonly named: Pick<Reference, 'host' | 'repository'> | null;
}

/**
 * The images that containers were created from, in the order in which they are sought; null for one that the catalog does
 * not have, or that is just being deleted. To be run in a transaction that shares the content.
 */
export async function findImages(
  connection: Connection,
  sought: readonly SoughtImage[],
): Promise<(FoundImage | null)[]> {
  const digests = new Set(sought.flatMap(({ identity }) => identity.evidence.map(({ digest }) => digest)));
  if (digests.size === 0) return sought.map(() => null);
  const [candidates, repositories] = await Promise.all([
    candidatesOf(connection, [...digests]),
    repositoryIds(connection, sought),
  ]);
  return sought.map(({ identity, named }) =>
    chooseImage(identity, candidates, named && (repositories.get(`${named.host}/${named.repository}`) ?? null)),
  );
}

/** Of one digest: images with one configuration or stack may be many, and are as good as each other. */
const MAX_CANDIDATES = 20;
/** As deep as reads follow an index. */
const MAX_INDEX_DEPTH = 4;

const PLATFORM_OF = (os: string, architecture: string, variant: string, osVersion: string, osFeatures: string) =>
  `jsonb_build_object('os', ${os}, 'architecture', ${architecture}, 'variant', ${variant}, 'osVersion', ${osVersion},
    'osFeatures', coalesce(${osFeatures}, '{}'))`;

const OWN_PLATFORM = PLATFORM_OF('i.os', 'i.architecture', 'i.variant', 'i.os_version', 'i.os_features');
const LISTED_PLATFORM = PLATFORM_OF(
  'coalesce(below.os, i.os)',
  'coalesce(below.architecture, i.architecture)',
  'case when below.os is null then i.variant else below.variant end',
  'coalesce(below.os_version, i.os_version)',
  'case when below.os is null then i.os_features else below.os_features end',
);

/** What can be reached from the manifests that `named` (key, id) has, in the order of their indexes. */
const below = (named: string) => `
  below (key, id, depth, position, os, architecture, variant, os_version, os_features) as (
    select named.key, named.id, 0, 0, null::text, null::text, null::text, null::text, null::text[]
    from (${named}) named
    union
    select below.key, x.child_id, below.depth + 1, x.position, x.os, x.architecture, x.variant, x.os_version,
      x.os_features
    from below join index_entry x on x.index_id = below.id
    where x.child_id is not null and below.depth < ${MAX_INDEX_DEPTH}
  )`;

interface CandidateRow extends CandidateImage {
  readonly key: string;
}

/** By manifest, through its indexes; by configuration; by stack. */
async function candidatesOf(
  connection: Connection,
  digests: readonly Digest[],
): Promise<Map<Digest, CandidateImage[]>> {
  const rows = await connection.run<CandidateRow>(
    `/* catalog.candidateImages */
     with recursive sought (digest) as materialized (
       select unnest($1::bytea[])
     ), ${below(`select sought.digest as key, m.id from sought cross join lateral (
       select m.id from manifest m where m.digest = sought.digest ${BY_KEY}
     ) m`)},
     found (key, image_id, platform, is_member, place) as (
       select below.key, i.manifest_id, ${LISTED_PLATFORM}, below.depth > 0, below.position
       from below join image i on i.manifest_id = below.id
       union all
       select sought.digest, i.id, i.platform, false, i.id
       from sought cross join lateral (
         select i.manifest_id as id, ${OWN_PLATFORM} as platform
         from image i
         where substring(i.config_digest from 1 for 4) = substring(sought.digest from 1 for 4)
           and i.config_digest = sought.digest
         limit ${MAX_CANDIDATES}
       ) i
       union all
       select sought.digest, i.id, i.platform, false, i.id
       from sought cross join lateral (
         select i.manifest_id as id, ${OWN_PLATFORM} as platform
         from image i where i.top_chain_id = sought.digest limit ${MAX_CANDIDATES}
       ) i
     )
     select digest_text(found.key) as key, found.image_id as "imageId", digest_text(i.config_digest) as "configDigest",
       found.platform, found.is_member as "isMember",
       array(
         select rm.repository_id from repository_manifest rm where rm.manifest_id = found.image_id ${BY_KEY}
       ) as "repositoryIds"
     from found join image i on i.manifest_id = found.image_id
     where not ${isBeingDeleted('found.image_id')}
     order by found.place, found.image_id`,
    [digests.map(digestBytes)],
  );
  return Map.groupBy(rows, ({ key }) => key as Digest);
}

/** The images that each of these manifests reaches, in the order of its index. */
export async function imagesBelow(
  connection: Connection,
  manifestIds: readonly number[],
): Promise<Map<number, CandidateImage[]>> {
  if (manifestIds.length === 0) return new Map();
  const rows = await connection.run<CandidateRow>(
    `/* catalog.imagesBelow */
     with recursive ${below('select unnest($1::int[]) as key, unnest($1::int[]) as id')}
     select below.key, i.manifest_id as "imageId", digest_text(i.config_digest) as "configDigest",
       ${LISTED_PLATFORM} as platform, below.depth > 0 as "isMember", array[]::int[] as "repositoryIds"
     from below join image i on i.manifest_id = below.id
     order by below.position, i.manifest_id`,
    [manifestIds],
  );
  return Map.groupBy(rows, ({ key }) => Number(key));
}

/** By host and name. */
async function repositoryIds(connection: Connection, sought: readonly SoughtImage[]): Promise<Map<string, number>> {
  const named = new Map(sought.flatMap(({ named }) => (named ? [[`${named.host}/${named.repository}`, named]] : [])));
  const places = [...named.values()];
  const rows = await connection.run<{ key: string; id: number }>(
    `/* catalog.repositoryIds */
     select n.host || '/' || n.repository as key, r.id
     from unnest($1::text[], $2::text[]) as n(host, repository)
     join registry g on g.host = n.host join repository r on r.registry_id = g.id and r.name = n.repository`,
    [places.map(({ host }) => host), places.map(({ repository }) => repository)],
  );
  return new Map(rows.map(({ key, id }) => [key, id]));
}
