import * as catalog from '../catalog/write/index.ts';
import type { Digest } from '../domain/digest.ts';
import type { TagName } from '../domain/reference.ts';
import { inParallel } from './in-parallel.ts';
import { PARALLEL, type Look } from './look.ts';

/** Of tags that a listing lacks, those that are gone: it is a reason to ask, not proof. It may be short, or stale. */
export async function goneAmong(look: Look, missing: readonly TagName[]): Promise<TagName[]> {
  if (look.sync.registry.isMirror) return [];
  const gone = await inParallel(missing, PARALLEL, async (name) => (await look.resolve(name)) === null);
  return missing.filter((_, at) => gone[at]);
}

/** Marks tags as deleted, of which the registry says that they are not there. A mirror may say so of anything. */
export async function forgetTags(look: Look, names: readonly TagName[]): Promise<void> {
  if (names.length === 0 || look.sync.registry.isMirror) return;
  const { sync, place, known } = look;
  const at = sync.now();
  look.needsRecount = true;
  look.tagsChanged += await sync.database.transaction(async (transaction) => {
    const shared = catalog.shareContent(transaction);
    const touched = catalog.touchRepository(transaction, place, at);
    const forgotten = catalog.forgetTags(transaction, place, names, at);
    const [count] = await Promise.all([forgotten, touched, shared, transaction.commit()]);
    return count;
  });
  const left = names.flatMap((name) => known.get(name) ?? []);
  for (const name of names) known.set(name, null);
  await checkLeft(look, left);
}

/** A manifest that lost its last tag is mostly still there, under its digest; where it is not, it can't be pulled. */
export async function checkLeft(look: Look, digests: readonly Digest[]): Promise<void> {
  const { sync, place } = look;
  if (digests.length === 0 || sync.registry.isMirror) return;
  const untagged = await catalog.untaggedManifests(sync.database, place, digests);
  const gone: Digest[] = [];
  await inParallel(untagged, PARALLEL, async (digest) => {
    if ((await look.resolve(digest)) === null) gone.push(digest);
  });
  if (gone.length === 0) return;
  await sync.database.transaction(async (connection) => {
    await Promise.all([catalog.shareContent(connection), catalog.recordAbsence(connection, place, gone, sync.now())]);
  });
}
