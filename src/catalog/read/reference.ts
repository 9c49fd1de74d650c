import { digestBytes } from '../../domain/digest.ts';
import { formatReference, tagNamed, type Reference } from '../../domain/reference.ts';
import type { Connection } from '../database.ts';

/** What a reference is asked to mean, and when. */
export interface ReferenceAsOf {
  readonly reference: Reference;
  readonly at: Date;
}

/** From references to the ids of manifests. */
export function referenceReads(connection: Connection) {
  return {
    /** The manifests that references name now. Keys are formatted references; a digest decides over a tag. */
    manifestIdsByReference: async (references: readonly Reference[]): Promise<Map<string, number>> => {
      const rows = await connection.run<FoundRow>(MANIFEST_IDS_BY_REFERENCE, partsOf(references));
      return new Map(rows.map((row) => [formatReference(references[row.at - 1] as Reference), row.manifest_id]));
    },

    /** The manifests that references named at an instant, as far as the catalog saw. Keys are as `asOfKey` writes them. */
    manifestIdsAsOf: async (wanted: readonly ReferenceAsOf[]): Promise<Map<string, number>> => {
      const rows = await connection.run<FoundRow>(MANIFEST_IDS_AS_OF, [
        ...partsOf(wanted.map(({ reference }) => reference)),
        wanted.map(({ at }) => at),
      ]);
      return new Map(rows.map((row) => [asOfKey(wanted[row.at - 1] as ReferenceAsOf), row.manifest_id]));
    },
  };
}

export function asOfKey({ reference, at }: ReferenceAsOf): string {
  return `${formatReference(reference)} ${at.toISOString()}`;
}

interface FoundRow {
  at: number;
  manifest_id: number;
}

function partsOf(references: readonly Reference[]): unknown[] {
  return [
    references.map((each) => each.host),
    references.map((each) => each.repository),
    references.map((each) => (each.digest === null ? tagNamed(each) : null)),
    references.map((each) => each.digest && digestBytes(each.digest)),
  ];
}

const MANIFEST_IDS_BY_REFERENCE = `/* catalog.manifestIdsByReference */
  select wanted.at, coalesce(t.manifest_id, m.id) as manifest_id
  from unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) with ordinality as wanted (host, repository, tag, digest, at)
  join registry g on g.host = wanted.host
  join repository r on r.registry_id = g.id and r.name = wanted.repository
  left join tag t on t.repository_id = r.id and t.name = wanted.tag
  left join manifest m on m.digest = wanted.digest
    and exists (select 1 from repository_manifest c where c.repository_id = r.id and c.manifest_id = m.id)
  where coalesce(t.manifest_id, m.id) is not null`;

/** A tag named what its last event until then says; a digest what it always names, while the repository held it. */
const MANIFEST_IDS_AS_OF = `/* catalog.manifestIdsAsOf */
  select wanted.at, coalesce(named.to_id, held.manifest_id) as manifest_id
  from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::timestamptz[]) with ordinality
    as wanted (host, repository, tag, digest, instant, at)
  join registry g on g.host = wanted.host
  join repository r on r.registry_id = g.id and r.name = wanted.repository
  left join tag t on t.repository_id = r.id and t.name = wanted.tag
  left join lateral (
    select e.to_id from tag_event e where e.tag_id = t.id and e.at <= wanted.instant order by e.id desc limit 1
  ) named on true
  left join manifest m on m.digest = wanted.digest
  left join repository_manifest held on held.repository_id = r.id and held.manifest_id = m.id
    and held.first_seen_at <= wanted.instant and (held.gone_at is null or held.gone_at > wanted.instant)
  where coalesce(named.to_id, held.manifest_id) is not null`;
