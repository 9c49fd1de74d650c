import { decodeInspection, overlayImage, type LayerInspection } from '../../inspect/index.ts';
import type { Connection } from '../database.ts';
import type { ImageContentsRecord, ImageFileRecord } from './image-contents.ts';
import { KeptRecords } from './kept-records.ts';
import type { KnownList } from './known-list.ts';
import { listsBy } from './rows.ts';

/** The files of an image as its layers were when they were inspected. */
interface FileListing {
  readonly inspectedAt: Date;
  readonly count: number;
  /** By the path of the directory, each in the order of the paths. */
  readonly byDirectory: ReadonlyMap<string, readonly ImageFileRecord[]>;
}

/** Listings of so many files in all are kept across requests: some 200 bytes each. */
const KEPT_FILES = 300_000;

export function imageFileReads(connection: Connection) {
  const kept = new KeptRecords<FileListing>(KEPT_FILES, ({ count }) => count + 1);
  const awaited = new Map<number, Promise<FileListing>>();

  async function listingOf(contents: ImageContentsRecord): Promise<FileListing> {
    const { imageId, inspectedAt } = contents;
    const known = kept.get(imageId);
    if (known?.inspectedAt.getTime() === inspectedAt.getTime()) return known;
    const others = awaited.get(imageId);
    if (others !== undefined) return others;
    const keep = kept.keeper();
    const listing = readListing(connection, contents);
    awaited.set(imageId, listing);
    try {
      keep(imageId, await listing);
      return await listing;
    } finally {
      awaited.delete(imageId);
    }
  }

  return {
    forgetFiles: (id: number | null) => kept.forget(id),

    /** What is in a directory, by path; nothing where there is no such directory. Links are not followed. */
    filesIn: async (contents: ImageContentsRecord, directory: string): Promise<KnownList<ImageFileRecord>> => {
      const { byDirectory } = await listingOf(contents);
      const path = normalized(directory);
      return {
        name: `files ${path}`,
        givenBy: 'directory',
        entries: byDirectory.get(path) ?? [],
        keyOf: (file) => file.path,
      };
    },
  };
}

const LAYERS_OF_IMAGE = `/* catalog.inspectedLayersOfImage */
  select n.content from image_layer il left join layer_inspection n on n.layer_id = il.layer_id
  where il.image_id = $1 order by il.position`;

async function readListing(
  connection: Connection,
  { imageId, inspectedAt }: ImageContentsRecord,
): Promise<FileListing> {
  const rows = await connection.run<{ content: Buffer | null }>(LAYERS_OF_IMAGE, [imageId]);
  const layers = rows.map(({ content }) => (content === null ? null : decoded(content)));
  // What an image claims decides on its programs, not on its files.
  const contents = overlayImage(layers, { os: 'linux', osVersion: null, env: [], documentsSize: 0 });
  const all = Array.from(contents.files(), (file): ImageFileRecord => ({ ...file, imageId }));
  return { inspectedAt, count: all.length, byDirectory: listsBy(all, directoryOf, (file) => file) };
}

/** Null for a layer that an older version looked at, and that is to be looked at again. */
function decoded(content: Buffer): LayerInspection | null {
  try {
    return decodeInspection(content);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function directoryOf({ path }: ImageFileRecord): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** As a shell would have it: /etc/ and etc are /etc. */
function normalized(directory: string): string {
  const names = directory.split('/').filter((name) => name !== '' && name !== '.');
  return `/${names.join('/')}`;
}
