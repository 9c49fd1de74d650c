import * as catalog from '../catalog/write/index.ts';
import { RegistryError } from '../domain/errors.ts';
import { parseTagName, type TagName } from '../domain/reference.ts';
import { parseRepositorySelection, parseTagSelection, type Selection } from '../domain/selection.ts';
import type { ListedTag } from '../registries/registry.ts';
import { describeRepository } from './describe-repository.ts';
import { checkDoubtful, forgetTags, goneAmong } from './forget-tags.ts';
import { catalogListedReferrers, catalogReferrersTags } from './late-referrers.ts';
import { Look, type RepositoryReport, type RepositorySync } from './look.ts';
import { moveTags } from './move-tags.ts';
import { followedPlatforms, isWidened, TagPlan } from './plan.ts';
import { readSboms } from './read-sboms.ts';
import { Referrers } from './referrers.ts';
import { requestInspections } from './request-inspections.ts';

const MAX_TAGS = 200_000;
const DAY = 24 * 60 * 60 * 1000;
/** How long a repository has to be gone before its tags are asked for, and deleted. */
const GRACE = DAY;
/** How often the registry's lists of referrers are asked for what came after the manifests that they are about. */
const REFERRERS_PERIOD = DAY;

/**
 * Makes the catalog say what the registry says of one repository: asks what is there, compares, fetches only what is
 * unknown, writes it batch by batch. Running it twice changes nothing; running it after it was cut short does the rest.
 * A fault of one tag is reported and the others go on; only what stops everything (no listing) is the whole
 * repository's. Rejects with the signal's reason when aborted.
 */
export async function syncRepository(sync: RepositorySync): Promise<RepositoryReport> {
  const look = new Look(sync);
  const tags = sync.scope.tags === null ? null : parseTagSelection(sync.scope.tags);
  try {
    const isNamed = tags !== null && tags.prefixes.length === 0;
    const isThere = await (isNamed ? lookAtNamed(look, tags) : lookAtListed(look, tags));
    if (isThere) await describeRepository(look);
    if (isThere && sync.inspectContents) await requestInspections(look);
    // Nothing came that could tell more than the last time.
    else if (isThere && look.needsRecount) await readSboms(look);
  } catch (error) {
    look.blame(null, error);
  }
  return look;
}

/** Without a listing: one is asked for only where a tag seems to be gone, since it takes both to say so. */
async function lookAtNamed(look: Look, { names }: Selection): Promise<boolean> {
  const wanted = names.map((name) => ({ name: parseTagName(name) }));
  const absent = await moveTags(look, new Referrers(look, false), wanted, isWidenedFor(look));
  for (const name of absent) if (!look.known.has(name)) look.blame(`:${name}`, noSuchTag());
  const gone = absent.filter((name) => look.known.get(name));
  if (gone.length === 0) {
    // One that is not there was deleted before: it says nothing of the repository.
    const isSomeThere = absent.length < wanted.length;
    if (isSomeThere && look.faults.length === 0) await sayAvailable(look);
    return true;
  }
  const plan = planOf(look, null);
  const isThere = await list(look, plan, () => Promise.resolve());
  if (isThere) await forgetTags(look, plan.missing(gone));
  return isThere;
}

async function lookAtListed(look: Look, tags: Selection | null): Promise<boolean> {
  const { sync, before } = look;
  const referrers = new Referrers(look, true);
  const plan = planOf(look, tags);
  const widened = isWidenedFor(look);
  const gone: TagName[] = [];
  const move = async (wanted: readonly ListedTag[]) => {
    const absent = await moveTags(look, referrers, wanted, widened);
    gone.push(...absent.filter((name) => look.known.get(name)));
  };
  if (!(await list(look, plan, move))) return false;
  await move(plan.newest());
  gone.push(...(await goneAmong(look, plan.missing(look.present))));
  await forgetTags(look, gone);
  await checkDoubtful(look);
  await catalogReferrersTags(look, plan.referrersTags);
  const referrersAt = before?.referrersAt ?? null;
  const isDue = referrersAt !== null && sync.now().getTime() - referrersAt.getTime() >= REFERRERS_PERIOD;
  if (isDue) await catalogListedReferrers(look, referrers);
  look.synced = {
    platforms: followedPlatforms(before?.platforms ?? null, sync.scope.platforms),
    referrersAt: isDue || referrersAt === null ? sync.now() : referrersAt,
  };
  return true;
}

function planOf({ sync: { scope } }: Look, tags: Selection | null): TagPlan {
  return new TagPlan({ tags, maxTags: scope.maxTags, newestBy: scope.newestBy });
}

/** The source wants platforms that were not followed before. */
function isWidenedFor({ sync, before }: Look): boolean {
  return before !== null && isWidened(before.platforms, sync.scope.platforms);
}

/**
 * Hands on what the plan wants of each page as it comes. False where the repository is not there, or has not been gone
 * for long enough: then nothing is missing.
 */
async function list(look: Look, plan: TagPlan, move: (wanted: ListedTag[]) => Promise<void>): Promise<boolean> {
  const { registry, name, signal } = look.sync;
  try {
    for await (const page of registry.listTags(name, signal)) {
      await move(plan.add(page));
      if (plan.seen > MAX_TAGS) throw new RegistryError('TOO_LARGE', `more than ${MAX_TAGS} tags`);
    }
  } catch (error) {
    const isRefused = error instanceof RegistryError && REFUSALS.has(error.code) && plan.seen === 0;
    if (!isRefused) throw error;
    return hasLongBeenGone(look, error);
  }
  await sayAvailable(look);
  return true;
}

const REFUSALS: ReadonlySet<string> = new Set(['NOT_FOUND', 'UNAUTHORIZED', 'FORBIDDEN']);

async function sayAvailable({ sync, before, place }: Look): Promise<void> {
  if (!before?.unavailableSince) return;
  await catalog.recordAvailability(sync.database, place, { unavailableSince: null, missingSince: null });
}

/**
 * Registries redirect nobody to the new name of a repository, and blur what is gone with what may not be seen: so it is
 * unavailable first. One that may not be read is a fault, and loses nothing however long that lasts; so is one that was
 * asked for by name and never was there.
 */
async function hasLongBeenGone(look: Look, refusal: RegistryError): Promise<boolean> {
  const { sync, before, place } = look;
  const isGone = refusal.code === 'NOT_FOUND';
  if (before === null) {
    if (isGone && !parseRepositorySelection(sync.scope.repositories).names.includes(sync.name)) return false;
    throw refusal;
  }
  const now = sync.now();
  const missingSince = isGone ? (before.missingSince ?? now) : null;
  if (before.unavailableSince === null || before.missingSince !== missingSince) {
    const unavailableSince = before.unavailableSince ?? now;
    await catalog.recordAvailability(sync.database, place, { unavailableSince, missingSince });
  }
  if (missingSince === null) throw refusal;
  return now.getTime() - missingSince.getTime() >= GRACE;
}

function noSuchTag(): RegistryError {
  return new RegistryError('NOT_FOUND', 'the registry has no such tag');
}
