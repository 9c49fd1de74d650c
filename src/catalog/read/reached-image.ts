import { MAX_INDEX_DEPTH } from './index-tree.ts';
import { MANIFEST_COLUMNS, type ImageRecord, type ManifestRecord, type ManifestRow } from './manifest-row.ts';
import { platformOf, type PlatformRecord } from './platform.ts';

/** An image that a manifest reaches, for the platform under which the index lists it. */
export interface ReachedImage {
  readonly image: ImageRecord;
  readonly platform: PlatformRecord;
}

/**
 * The manifests asked for, with `index_id` null, and the lines of every index that they reach. Each index is read once
 * and equal lines are one, so that a hostile document costs no more than its own length.
 */
export const REACHED_LINES = `/* catalog.imagesByManifest */
  with recursive reached (id, depth) as (
    select root.id, 0 from unnest((select $1::int[])::int[]) as root(id)
    union
    select x.child_id, reached.depth + 1
    from reached join index_entry x on x.index_id = reached.id join manifest m on m.id = x.child_id
    where m.kind = 'INDEX' and reached.depth + 1 < ${MAX_INDEX_DEPTH}
  ), line (index_id, position, child_id, os, architecture, variant, os_version, os_features) as (
    select null::int, 0, root.id, null::text, null::text, null::text, null::text, null::text[]
    from unnest((select $1::int[])::int[]) as root(id)
    union all
    select x.index_id, min(x.position), x.child_id, x.os, x.architecture, x.variant, x.os_version, x.os_features
    from index_entry x where x.index_id = any(array(select reached.id from reached)) and x.child_id is not null
    group by x.index_id, x.child_id, x.os, x.architecture, x.variant, x.os_version, x.os_features
  )
  select line.index_id, line.os as entry_os, line.architecture as entry_architecture, line.variant as entry_variant,
    line.os_version as entry_os_version, line.os_features as entry_os_features, ${MANIFEST_COLUMNS}
  from line join manifest m on m.id = line.child_id left join image i on i.manifest_id = m.id
  where m.kind <> 'ARTIFACT'
  order by line.index_id, line.position`;

export interface ReachedRow extends ManifestRow {
  index_id: number | null;
  entry_os: string | null;
  entry_architecture: string | null;
  entry_variant: string | null;
  entry_os_version: string | null;
  entry_os_features: string[] | null;
}

/**
 * What each manifest reaches, in the order of its index, where an index within it stands for its own lines. An image
 * that is listed for several platforms is there for each. `keep` gives the record of a row.
 */
export function imagesReached(
  rows: readonly ReachedRow[],
  keep: (row: ReachedRow) => ManifestRecord,
): Map<number, ReachedImage[]> {
  const roots: ManifestRecord[] = [];
  const indexes = new Map<number, Line[]>();
  for (const row of rows) {
    const manifest = keep(row);
    if (row.index_id === null) roots.push(manifest);
    else appendLine(indexes, row.index_id, lineOf(manifest, row));
  }
  return new Map(roots.map((root) => [root.manifestId, reachedFrom(root, indexes)]));
}

interface Line {
  readonly manifest: ManifestRecord;
  /** Null where the index names none. */
  readonly platform: PlatformRecord | null;
  /** The same for lines of the same image and platform. */
  readonly key: string;
}

function appendLine(indexes: Map<number, Line[]>, indexId: number, line: Line): void {
  const lines = indexes.get(indexId);
  if (lines === undefined) indexes.set(indexId, [line]);
  else lines.push(line);
}

function lineOf(manifest: ManifestRecord, row: ReachedRow): Line {
  const named = platformOf({
    os: row.entry_os,
    architecture: row.entry_architecture,
    variant: row.entry_variant,
    os_version: row.entry_os_version,
    os_features: row.entry_os_features,
  });
  const platform = named ?? (manifest.__typename === 'Image' ? manifest.platform : null);
  return { manifest, platform, key: JSON.stringify([manifest.manifestId, platform]) };
}

function reachedFrom(root: ManifestRecord, indexes: ReadonlyMap<number, readonly Line[]>): ReachedImage[] {
  if (root.__typename === 'Image') return [{ image: root, platform: root.platform }];
  const found = new Map<string, ReachedImage>();
  const depths = new Map<number, number>();

  // Visited again only where it stands less deep, which may take in what was too deep before.
  function visit(indexId: number, depth: number): void {
    if ((depths.get(indexId) ?? MAX_INDEX_DEPTH) <= depth) return;
    depths.set(indexId, depth);
    for (const { manifest, platform, key } of indexes.get(indexId) ?? []) {
      if (manifest.__typename === 'ImageIndex') visit(manifest.manifestId, depth + 1);
      else if (manifest.__typename === 'Image' && platform !== null && !found.has(key)) {
        found.set(key, { image: manifest, platform });
      }
    }
  }

  visit(root.manifestId, 0);
  return [...found.values()];
}
