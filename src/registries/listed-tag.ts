import { isDigest } from '../domain/digest.ts';
import type { Json } from '../domain/json.ts';
import { isTagName } from '../domain/reference.ts';
import { parseTimestamp } from '../domain/timestamp.ts';
import type { ListedTag } from './registry.ts';

/**
 * An entry of a registry's own list of tags; null where its name is none. What it says else is left out where it is not
 * what the catalog knows a manifest by: the tag is then asked for.
 */
export function listedTag(
  name: Json | undefined,
  digest: Json | undefined,
  pushedAt: Json | undefined,
): ListedTag | null {
  if (typeof name !== 'string' || !isTagName(name)) return null;
  const moment = parseTimestamp(pushedAt);
  const isSha256 = typeof digest === 'string' && digest.startsWith('sha256:') && isDigest(digest);
  return { name, ...(isSha256 && { digest }), ...(moment !== null && { pushedAt: moment }) };
}
