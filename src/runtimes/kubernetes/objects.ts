import { isObject, textOf, type Json, type JsonObject } from '../../domain/json.ts';
import { RuntimeFault } from '../runtime.ts';
import type { ApiRequest, KubernetesApi } from './api.ts';
import { isExpired, nameOf } from './fault.ts';

/**
 * The objects of a resource in chunks, each once: what is in `known` by its uid is left out, and added to it otherwise.
 * A list that expires before its end is begun again, a few times.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
export async function* listObjects(
  api: KubernetesApi,
  resource: string,
  namespace: string | null,
  known: Set<string>,
  signal: AbortSignal,
): AsyncIterable<JsonObject[]> {
  const request: ApiRequest = { verb: 'list', resource, namespace };
  for (let attempt = 1; ; attempt++) {
    try {
      for await (const objects of listChunks(api, request, signal)) {
        const fresh = objects.filter((object) => isNew(object, known, request, api));
        if (fresh.length > 0) yield fresh;
      }
      return;
    } catch (error) {
      if (!isExpired(error) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** The version of the list as it is now, from which a watch can begin. */
export async function fetchListVersion(
  api: KubernetesApi,
  resource: string,
  namespace: string | null,
  signal: AbortSignal,
): Promise<string> {
  const request: ApiRequest = { verb: 'list', resource, namespace, query: { limit: '1' } };
  const version = versionOf(await api.get(request, signal));
  if (version !== null) return version;
  throw new RuntimeFault('MALFORMED', `${nameOf(request, api.endpoint)} was answered without a resourceVersion.`);
}

/** The opaque version of an object or a list; null where there is none that could be sent back. */
export function versionOf(object: Json | undefined): string | null {
  const version = textOf(metadataOf(object)['resourceVersion']);
  return version === null || version.length > MAX_VERSION ? null : version;
}

export function metadataOf(object: Json | undefined): JsonObject {
  const metadata = isObject(object) ? object['metadata'] : null;
  return isObject(metadata) ? metadata : {};
}

const MAX_ATTEMPTS = 5;
const MAX_VERSION = 200;
const MAX_CONTINUE = 8 * 1024;

async function* listChunks(api: KubernetesApi, request: ApiRequest, signal: AbortSignal): AsyncIterable<JsonObject[]> {
  const what = nameOf(request, api.endpoint);
  let next: string | null = null;
  const { chunk, chunks } = api.limits;
  for (let count = 0; count < chunks; count++) {
    const query: Record<string, string> = { limit: String(chunk), ...(next !== null && { continue: next }) };
    const list = await api.get({ ...request, query }, signal);
    const items = list['items'];
    if (!Array.isArray(items) && items !== null) {
      throw new RuntimeFault('MALFORMED', `${what} was answered without a list of items: is it a Kubernetes API?`);
    }
    yield (items ?? []).filter(isObject);
    next = textOf(metadataOf(list)['continue']);
    if (next === null) return;
    if (next.length > MAX_CONTINUE)
      throw new RuntimeFault('MALFORMED', `${what} continues by a token that is too long.`);
  }
  throw new RuntimeFault('TOO_LARGE', `${what} does not end within ${chunks} chunks.`);
}

function isNew(object: JsonObject, known: Set<string>, request: ApiRequest, api: KubernetesApi): boolean {
  const uid = textOf(metadataOf(object)['uid']);
  if (uid === null) {
    throw new RuntimeFault('MALFORMED', `${nameOf(request, api.endpoint)} was answered with an object without a uid.`);
  }
  if (known.has(uid)) return false;
  if (known.size === api.limits.objects) {
    const what = nameOf(request, api.endpoint);
    throw new RuntimeFault(
      'TOO_LARGE',
      `${what} was answered with more than ${api.limits.objects}: choose namespaces.`,
    );
  }
  known.add(uid);
  return true;
}
