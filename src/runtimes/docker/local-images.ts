import type { Digest } from '../../domain/digest.ts';
import { isObject } from '../../domain/json.ts';
import { inParallel } from '../../domain/in-parallel.ts';
import { RuntimeFault, type LocalImage } from '../runtime.ts';
import type { EngineClient } from './client.ts';
import { listContainers } from './containers.ts';
import type { Dialect } from './dialect.ts';
import { readListedImage } from './listed-image.ts';
import { composeLocalImage } from './local-image.ts';
import { hasContainerdStore } from './store.ts';

/** As `HoldsLocalImages` wants them. What has no name counts where a container is made of it. */
export async function listLocalImages(
  client: EngineClient,
  dialect: Dialect,
  signal: AbortSignal,
): Promise<Digest[] | null> {
  await client.describe(signal);
  const images = await unlessRefused(client.list('/images/json', {}, MAX_IMAGES, readListedImage, signal));
  if (images === null) return null;
  if (await hasContainerdStore(client, signal)) {
    const ids = images.map(({ id }) => id);
    const wereBuilt = await inParallel(ids, CONCURRENCY, (id) => wasBuiltHere(client, id, signal));
    return ids.filter((_, at) => wereBuilt[at]);
  }
  const local = images.filter((image) => dialect.isLocal(image));
  const named = local.filter(({ repoTags }) => repoTags.length > 0);
  if (named.length === local.length) return local.map(({ id }) => id);
  const used = new Set((await listContainers(client, {}, signal)).map(({ imageId }) => imageId));
  return local.filter(({ id, repoTags }) => repoTags.length > 0 || used.has(id)).map(({ id }) => id);
}

export async function fetchLocalImage(
  client: EngineClient,
  id: Digest,
  signal: AbortSignal,
): Promise<LocalImage | null> {
  const inspected = await unlessRefused(client.find(`/images/${id}/json`, {}, signal));
  if (!isObject(inspected)) return null;
  const history = await unlessRefused(client.list(`/images/${id}/history`, {}, MAX_STEPS, (step) => step, signal));
  if (history === null) return null;
  return composeLocalImage(id, inspected, history);
}

const MAX_IMAGES = 10_000;
const MAX_STEPS = 10_000;
const CONCURRENCY = 8;

/** Null where a proxy lets all but this through. */
async function unlessRefused<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RuntimeFault && error.code === 'UNAUTHORIZED') return null;
    throw error;
  }
}

/**
 * In this store names with digests are there for all images, so it is told by where they came from, as engines do from
 * API 1.53 on. https://docs.docker.com/reference/api/engine/version/v1.57/schemas/Identity/
 */
async function wasBuiltHere(client: EngineClient, id: Digest, signal: AbortSignal): Promise<boolean> {
  const { document } = await client.ask(`/images/${id}/json`, {}, signal);
  const identity = isObject(document) ? document['Identity'] : null;
  if (!isObject(identity)) return false;
  const { Build: build, Pull: pull } = identity;
  return Array.isArray(build) && build.length > 0 && !(Array.isArray(pull) && pull.length > 0);
}
