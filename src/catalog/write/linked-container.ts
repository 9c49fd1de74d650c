import type { Connection } from '../database.ts';
import { namedBy } from '../../domain/container-image.ts';
import type { ImageIdentity } from '../../domain/container.ts';
import { findImages } from './container-image.ts';
import { lockContainers } from './container-lock.ts';
import { shareContent } from './content-lock.ts';
import { compareTags, taggedKey } from './outdated-container.ts';

/** Whether there are containers whose images the catalog did not have when they were last looked at. */
export async function hasUnlinkedContainers(connection: Connection): Promise<boolean> {
  const [row] = await connection.run<{ exists: boolean }>(
    `/* catalog.hasUnlinkedContainers */ select exists (select from container where ${UNLINKED})`,
    [],
  );
  return row?.exists ?? false;
}

/**
 * Ties containers of unknown images to those that the catalog has by now, a thousand behind the one with the id `after`.
 * Answers with the id of the last of these; null where there are no more.
 */
export async function linkContainers(connection: Connection, after: number): Promise<number | null> {
  await Promise.all([shareContent(connection), lockContainers(connection)]);
  const rows = await connection.run<UnlinkedContainer>(
    `/* catalog.unlinkedContainers */
     select id, image_reference as "imageReference", image_platform as platform, host, repository, tag,
       array(
         select json_build_object('digest', digest_text(e.digest), 'via', e.via)
         from unnest(image_digests, image_vias) with ordinality e(digest, via, place) order by e.place
       ) as evidence
     from container where ${UNLINKED} and id > $1::int
     order by id limit ${LINKED_AT_ONCE}`,
    [after],
  );
  const sought = rows.map(({ imageReference, evidence, platform }) => {
    const identity = { evidence, platform };
    return { identity, named: namedBy(imageReference, identity) };
  });
  const found = await findImages(connection, sought);
  const linked = rows.flatMap(({ id, host, repository, tag }, at) => {
    const image = found[at];
    return image ? [{ id, host, repository, tag, imageId: image.image.imageId, via: image.via }] : [];
  });
  if (linked.length > 0) {
    const compared = await compareTags(connection, linked.filter(isTagged));
    const told = linked.map((each) => ({
      ...each,
      isOutdated: isTagged(each) ? (compared.get(taggedKey(each)) ?? null) : null,
    }));
    await connection.run(
      `/* catalog.linkContainers */
       update container c set image_id = n."imageId", image_via = n.via, is_outdated = n."isOutdated"
       from json_to_recordset($1::json) as n(id int, "imageId" int, via text, "isOutdated" boolean) where c.id = n.id`,
      [JSON.stringify(told)],
    );
  }
  return rows.length < LINKED_AT_ONCE ? null : (rows.at(-1)?.id ?? null);
}

const LINKED_AT_ONCE = 1000;
const UNLINKED = 'image_id is null and removed_at is null and cardinality(image_digests) > 0';

interface Names {
  readonly host: string | null;
  readonly repository: string | null;
  readonly tag: string | null;
}

type UnlinkedContainer = ImageIdentity & Names & { readonly id: number; readonly imageReference: string };

/** With a tag there is a repository, and a host. */
function isTagged<T extends Names>(container: T): container is T & { [K in keyof Names]: string } {
  return container.tag !== null;
}
