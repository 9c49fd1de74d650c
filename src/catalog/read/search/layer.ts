import sql, { raw } from 'sql-template-tag';
import { ALIKE, digestBand, digestIn } from './digest.ts';
import type { Find } from './find.ts';
import type { SearchText } from './text.ts';

/** Layers by their diff ids, and by the digests of their packings. */
export function layerFinds({ digest }: SearchText): Find[] {
  if (digest === null) return [];
  const band = digestBand(digest);
  return [
    {
      band,
      found: () =>
        sql`select l.id, 0 as standing from layer l where ${digestIn(raw('l.diff_id'), digest)} order by l.diff_id ${ALIKE}`,
    },
    {
      band,
      found: () =>
        sql`select b.layer_id as id, 0 as standing from layer_blob b where ${digestIn(raw('b.digest'), digest)} order by b.digest ${ALIKE}`,
    },
  ];
}
