import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, textOf, type JsonObject } from '../../domain/json.ts';
import { RuntimeFault } from '../runtime.ts';
import type { ApiRequest, KubernetesApi } from './api.ts';
import { isExpired, nameOf, statusFault } from './fault.ts';
import { fetchListVersion, versionOf } from './objects.ts';
import { readPod, type Pod } from './pod.ts';

export interface PodEvent {
  readonly pod: Pod;
  readonly isDeleted: boolean;
  /** As long as it was on the wire. */
  readonly bytes: number;
}

/**
 * What happens to the pods of a namespace (null: of all) from now on; null first, as soon as it is connected. A watch
 * that the server or the connection ends goes on where it was. Ends when the cluster no longer remembers that far back.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export async function* watchPods(
  api: KubernetesApi,
  namespace: string | null,
  signal: AbortSignal,
): AsyncIterable<PodEvent | null> {
  let version = await fetchListVersion(api, 'pods', namespace, signal);
  for (let isFirst = true; ; isFirst = false) {
    const query = { ...QUERY, resourceVersion: version, timeoutSeconds: String(Math.ceil(api.limits.watch / 1000)) };
    const request: ApiRequest = { verb: 'watch', resource: 'pods', namespace, query };
    try {
      const lines = await api.watch(request, signal);
      if (isFirst) yield null;
      for await (const { event, bytes } of untilBroken(lines)) {
        const type = textOf(event['type']);
        if (type === 'ERROR') throw errorOf(event, request, api);
        version = versionOf(event['object']) ?? version;
        const isDeleted = type === 'DELETED';
        if (!isDeleted && type !== 'ADDED' && type !== 'MODIFIED') continue;
        yield { pod: readPod(event['object'], api.endpoint), isDeleted, bytes };
      }
    } catch (error) {
      if (isExpired(error)) return;
      throw error;
    }
    // Many watches that ended together do not come back together.
    const pause = api.limits.resumePause * (0.5 + Math.random());
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

const QUERY = { allowWatchBookmarks: 'true' };

/** A connection that breaks ends the events as one that is closed does. */
async function* untilBroken<T>(lines: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* lines;
  } catch (error) {
    if (!(error instanceof RuntimeFault) || error.code !== 'UNREACHABLE') throw error;
  }
}

/** The Status that an event tells instead of an object. */
function errorOf({ object = null }: JsonObject, request: ApiRequest, api: KubernetesApi): RuntimeFault {
  const code = isObject(object) ? object['code'] : null;
  if (typeof code === 'number') return statusFault(code, Buffer.from(JSON.stringify(object)), request, api.endpoint);
  return new RuntimeFault('MALFORMED', `${nameOf(request, api.endpoint)} told of an error without a code.`);
}
