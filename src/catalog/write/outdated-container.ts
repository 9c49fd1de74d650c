import type { Connection } from '../database.ts';
import { isBehind, type CandidateImage } from '../../domain/container-image.ts';
import { BY_KEY } from './by-key.ts';
import { lockContainers } from './container-lock.ts';
import { imagesBelow } from './container-image.ts';
import type { RepositoryPlace } from './repository.ts';

/** An image that containers were created from, and the tag that they were asked for by. */
export interface TaggedImage {
  readonly imageId: number;
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
}

/** The same for the same image and tag. */
export function taggedKey({ imageId, host, repository, tag }: TaggedImage): string {
  return `${imageId} ${host}/${repository}:${tag}`;
}

/**
 * Whether these tags name other images by now, by taggedKey. Those of which it can't be told are not among them: the tag is
 * unknown, names nothing for the image's platform, or is of a repository that never held the image.
 */
export async function compareTags(
  connection: Connection,
  tagged: readonly TaggedImage[],
): Promise<Map<string, boolean>> {
  const distinct = [...new Map(tagged.map((each) => [taggedKey(each), each])).values()];
  if (distinct.length === 0) return new Map();
  const pairs = await connection.run<ComparedPair>(
    `/* catalog.comparedTags */
     select n.*, digest_text(i.config_digest) as "configDigest", t.manifest_id as "manifestId",
       jsonb_build_object('os', i.os, 'architecture', i.architecture, 'variant', i.variant, 'osVersion', i.os_version,
         'osFeatures', i.os_features) as platform
     from json_to_recordset($1::json) as n("imageId" int, host text, repository text, tag text)
     join registry g on g.host = n.host
     cross join lateral (
       select r.id from repository r where r.registry_id = g.id and r.name = n.repository ${BY_KEY}
     ) r
     cross join lateral (
       select t.manifest_id from tag t
       where t.repository_id = r.id and t.name = n.tag and t.manifest_id is not null ${BY_KEY}
     ) t
     cross join lateral (select i.* from image i where i.manifest_id = n."imageId" ${BY_KEY}) i
     where exists (
       select from repository_manifest rm where rm.repository_id = r.id and rm.manifest_id = n."imageId" ${BY_KEY}
     )`,
    [JSON.stringify(distinct)],
  );
  const named = await imagesBelow(connection, [...new Set(pairs.map(({ manifestId }) => manifestId))]);
  const compared = new Map<string, boolean>();
  for (const pair of pairs) {
    const isOutdated = isBehind(pair, named.get(pair.manifestId) ?? []);
    if (isOutdated !== null) compared.set(taggedKey(pair), isOutdated);
  }
  return compared;
}

type ComparedPair = TaggedImage & Pick<CandidateImage, 'configDigest' | 'platform'> & { readonly manifestId: number };

/** Says of the containers of a repository, where there are any, whether their tags name other images by now. */
export async function refreshContainers(connection: Connection, { registryId, name }: RepositoryPlace): Promise<void> {
  const [row] = await connection.run<{ host: string }>(
    `/* catalog.hasContainers */
     select g.host from registry g where g.id = $1::int and exists (
       select from container c where c.host = g.host and c.repository = $2 and c.removed_at is null
     )`,
    [registryId, name],
  );
  if (row === undefined) return;
  await lockContainers(connection);
  const { host } = row;
  const tagged = await connection.run<TaggedImage & Record<string, unknown>>(
    `/* catalog.taggedImages */
     select distinct image_id as "imageId", host, repository, tag from container
     where host = $1 and repository = $2 and removed_at is null and image_id is not null and tag is not null`,
    [host, name],
  );
  const compared = await compareTags(connection, tagged);
  const told = tagged.map((each) => ({ ...each, isOutdated: compared.get(taggedKey(each)) ?? null }));
  await connection.run(
    `/* catalog.recordOutdated */
     update container set is_outdated = told.is_outdated
     from (
       select c.id, n."isOutdated" as is_outdated
       from container c
       left join json_to_recordset($3::json) as n("imageId" int, tag text, "isOutdated" boolean)
         on n."imageId" = c.image_id and n.tag = c.tag
       where c.host = $1 and c.repository = $2 and c.removed_at is null
     ) told
     where told.id = container.id and container.is_outdated is distinct from told.is_outdated`,
    [host, name, JSON.stringify(told)],
  );
}

/** Without its registry there are no tags to compare a container with. To be run by who holds the lock of containers. */
export async function forgetOutdated(connection: Connection, registryId: number): Promise<void> {
  await connection.run(
    `/* catalog.forgetOutdated */
     update container c set is_outdated = null
     from registry g where g.id = $1::int and c.host = g.host and c.is_outdated is not null`,
    [registryId],
  );
}
