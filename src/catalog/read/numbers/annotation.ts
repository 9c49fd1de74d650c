import sql, { raw } from 'sql-template-tag';
import { checkRange, type TimeRange } from '../../../domain/time-bucket.ts';
import type { Digest } from '../../../domain/digest.ts';
import type { Connection } from '../../database.ts';
import { allOf, instantIn } from '../filter.ts';
import { lengthOf, MAX_PAGE } from '../page.ts';
import { tagEventConditions, type TagEventFilter } from '../tag-event-filter.ts';
import type { TagEventKind } from '../tag-event.ts';

export interface AnnotationArguments extends TimeRange {
  readonly filter?: TagEventFilter | null;
  readonly first?: number | null;
}

/** A mark on a chart. */
export interface AnnotationRecord {
  readonly time: Date;
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
}

export function annotationReads(connection: Connection) {
  return {
    /** Movements of tags in a range, newest first; as many as a page may have where nothing is said. */
    annotations: async ({ from, to, filter, first }: AnnotationArguments): Promise<AnnotationRecord[]> => {
      const size = lengthOf(first, MAX_PAGE);
      checkRange({ from, to });
      const condition = allOf([instantIn(raw('e.at'), { from, to }), ...tagEventConditions(filter ?? {})]);
      const rows = await connection.query<AnnotationRow>(
        sql`/* catalog.annotations */
select e.kind, e.at, e.tag, g.host, r.name, digest_text(coalesce(was.digest, e.from_digest)) as was, digest_text(coalesce(now.digest, e.to_digest)) as now from (select e.id, e.kind, e.at, e.repository_id, e.from_id, e.to_id, e.from_digest, e.to_digest, t.name as tag from tag_event e join tag t on t.id = e.tag_id where ${condition} order by e.at desc, e.id desc limit ${size}) e join repository r on r.id = e.repository_id join registry g on g.id = r.registry_id left join manifest was on was.id = e.from_id left join manifest now on now.id = e.to_id order by e.at desc, e.id desc`,
      );
      return rows.map(annotationOf);
    },
  };
}

interface AnnotationRow {
  kind: TagEventKind;
  at: Date;
  tag: string;
  host: string;
  name: string;
  /** Kept in the event where the manifest was deleted from the catalog. */
  was: Digest | null;
  now: Digest | null;
}

const HAPPENED: Record<TagEventKind, string> = { CREATED: 'created', MOVED: 'moved', DELETED: 'deleted' };

function annotationOf({ kind, at, tag, host, name, was, now }: AnnotationRow): AnnotationRecord {
  return {
    time: at,
    title: `${host}/${name}:${tag} ${HAPPENED[kind]}`,
    text: [was && `from ${was}`, now && `to ${now}`].filter(Boolean).join(' '),
    tags: [kind, host, name, tag],
  };
}
