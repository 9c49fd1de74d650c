import { isDigest, type Digest } from '../domain/digest.ts';
import { CatalogError } from '../domain/errors.ts';

/** What has an id: by digest what is content, by row what is a name. */
export type NodeKey =
  { readonly type: DigestType; readonly key: Digest } | { readonly type: RowType; readonly key: number };

export type DigestType = (typeof DIGEST_TYPES)[number];
export type RowType = (typeof ROW_TYPES)[number];

/** Opaque to clients: base64url of the type and its key. */
export function formatNodeId(type: DigestType, key: Digest): string;
export function formatNodeId(type: RowType, key: number): string;
export function formatNodeId(type: string, key: Digest | number): string {
  return Buffer.from(`${type}:${key}`).toString('base64url');
}

/** Throws INVALID_ARGUMENT for what is no id of ours; `argument` says where it stood. */
export function parseNodeId(text: string, argument: string): NodeKey {
  const key = keyOf(text);
  if (key !== null) return key;
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `${argument} "${text.slice(0, 200)}" is not an id of this catalog: use the id of an earlier answer, unchanged.`,
  );
}

/** As `parseNodeId`, for an id of one type. */
export function parseRowId(type: RowType, text: string, argument: string): number {
  const found = keyOf(text);
  if (found?.type === type) return found.key;
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `${argument} "${text.slice(0, 200)}" is not the id of a ${type}${found === null ? '' : ` but of a ${found.type}`}: use the id of an earlier answer, unchanged.`,
  );
}

const DIGEST_TYPES = ['Artifact', 'Image', 'ImageIndex', 'Layer'] as const;
const ROW_TYPES = [
  'Container',
  'Package',
  'Registry',
  'Repository',
  'Runtime',
  'SyncRun',
  'SyncSource',
  'Tag',
  'TagEvent',
] as const;

/** Rows of these are numbered beyond 2^31. */
const LONG_IDS: ReadonlySet<RowType> = new Set<RowType>(['SyncRun', 'TagEvent']);

function keyOf(text: string): NodeKey | null {
  const decoded = Buffer.from(text, 'base64url');
  // Other spellings of the same bytes would be other ids of the same thing.
  if (decoded.toString('base64url') !== text) return null;
  const [, type = '', key = ''] = /^(\w+):(.+)$/s.exec(decoded.toString()) ?? [];
  const digestType = DIGEST_TYPES.find((each) => each === type);
  if (digestType !== undefined) return isDigest(key) ? { type: digestType, key } : null;
  const rowType = ROW_TYPES.find((each) => each === type);
  if (rowType === undefined || !/^[1-9]\d{0,15}$/.test(key)) return null;
  const id = Number(key);
  return id <= (LONG_IDS.has(rowType) ? Number.MAX_SAFE_INTEGER : 2 ** 31 - 1) ? { type: rowType, key: id } : null;
}
