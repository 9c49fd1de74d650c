import * as catalog from '../catalog/write/index.ts';
import type { Digest } from '../domain/digest.ts';
import type { TagName } from '../domain/reference.ts';
import { inParallel } from '../domain/in-parallel.ts';
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
  if (digests.length === 0 || look.sync.registry.isMirror) return;
  await check(look, await catalog.untaggedManifests(look.sync.database, look.place, digests));
}

/** Asks once more for those of which an earlier look could not find it out. */
export async function checkDoubtful(look: Look): Promise<void> {
  if (!look.before?.hasDoubts) return;
  await check(look, await catalog.doubtfulManifests(look.sync.database, look.place));
}

async function check(look: Look, untagged: readonly Digest[]): Promise<void> {
  const { sync, place, before } = look;
  const gone: Digest[] = [];
  const doubtful: Digest[] = [];
  await inParallel(untagged, PARALLEL, async (digest) => {
    const found = await look.resolve(digest);
    if (found === null) gone.push(digest);
    if (found === undefined) doubtful.push(digest);
  });
  if (gone.length + doubtful.length === 0 && !before?.hasDoubts) return;
  const at = sync.now();
  look.needsRecount = true;
  await sync.database.transaction(async (connection) => {
    await Promise.all([
      catalog.shareContent(connection),
      catalog.touchRepository(connection, place, at),
      catalog.recordAbsence(connection, place, gone, at),
      catalog.recordDoubt(connection, place, untagged, doubtful),
    ]);
  });
}
