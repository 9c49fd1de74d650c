import { LRUCache } from 'lru-cache';
import type { Workload } from '../../domain/container.ts';
import type { KubernetesApi } from './api.ts';
import { StatusFault } from './fault.ts';
import { metadataOf } from './objects.ts';
import { ownerOf, type Owner, type Pod } from './pod.ts';

/**
 * What pods are a part of: upwards from the one that controls the pod, as far as the kinds in between are known and may
 * be read. https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
 */
export class Workloads {
  readonly #api: KubernetesApi;
  /** By the uid of what is owned; an owner never changes. */
  readonly #known = new LRUCache<string, Above>({ max: MAX_KNOWN });
  /** Resources that are forbidden in a namespace, for a while. */
  readonly #forbidden = new LRUCache<string, true>({ max: MAX_KNOWN, ttl: FORBIDDEN });

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /** Each of the pods with what it is a part of, in their order. */
  async withWorkloads(pods: readonly Pod[], signal: AbortSignal): Promise<{ pod: Pod; workload: Workload }[]> {
    const asked = new Map<string, Promise<Above>>();
    const ask = (owner: Owner, resource: string, namespace: string) => {
      const answer = asked.get(owner.uid) ?? this.#above(owner, resource, namespace, signal);
      asked.set(owner.uid, answer);
      return answer;
    };
    return Promise.all(pods.map(async (pod) => ({ pod, workload: await workloadOf(pod, ask) })));
  }

  async #above(owner: Owner, resource: string, namespace: string, signal: AbortSignal): Promise<Above> {
    const known = this.#known.get(owner.uid);
    if (known !== undefined) return known;
    const place = `${resource} in ${namespace}`;
    if (this.#forbidden.has(place)) return UNREADABLE;
    try {
      const above = await this.#fetch(owner, resource, namespace, signal);
      this.#known.set(owner.uid, above);
      return above;
    } catch (error) {
      if (!(error instanceof StatusFault) || error.status !== 403) throw error;
      this.#forbidden.set(place, true);
      return UNREADABLE;
    }
  }

  async #fetch(owner: Owner, resource: string, namespace: string, signal: AbortSignal): Promise<Above> {
    try {
      const request = { verb: 'get', resource, namespace, name: owner.name, metadataOnly: true } as const;
      const metadata = metadataOf(await this.#api.get(request, signal));
      // Another one may have got the name since.
      return metadata['uid'] === owner.uid ? { owner: ownerOf(metadata) } : UNREADABLE;
    } catch (error) {
      if (error instanceof StatusFault && error.status === 404) return UNREADABLE;
      throw error;
    }
  }
}

/** What controls the controller, where that could be read: an owner, or nothing. */
type Above = { readonly owner: Owner | null } | typeof UNREADABLE;

const UNREADABLE = 'unreadable';
const MAX_KNOWN = 50_000;
/** So long in milliseconds nobody asks again for what was forbidden. */
const FORBIDDEN = 10 * 60_000;
/** Longer chains are none of Kubernetes. */
const MAX_STEPS = 5;

/** Kinds that others stand behind. Whatever else controls a pod is taken for the workload itself. */
const BETWEEN = new Map([
  ['apps/ReplicaSet', 'replicasets.apps'],
  ['batch/Job', 'jobs.batch'],
]);

async function workloadOf(
  pod: Pod,
  ask: (owner: Owner, resource: string, namespace: string) => Promise<Above>,
): Promise<Workload> {
  let workload: Pick<Owner, 'kind' | 'name'> = { kind: 'Pod', name: pod.name };
  let owner = pod.owner;
  // A node owns the mirrors of its static pods.
  for (let step = 0; owner !== null && owner.kind !== 'Node' && step < MAX_STEPS; step++) {
    workload = owner;
    const resource = BETWEEN.get(`${owner.apiVersion.split('/')[0]}/${owner.kind}`);
    if (resource === undefined) break;
    const above: Above = await ask(owner, resource, pod.namespace);
    if (above === UNREADABLE) {
      workload = deploymentOf(owner, pod) ?? owner;
      break;
    }
    owner = above.owner;
  }
  return { kind: workload.kind, name: workload.name, namespace: pod.namespace };
}

/** Of a ReplicaSet that a Deployment made, as its name tells. */
function deploymentOf(owner: Owner, pod: Pod): Pick<Owner, 'kind' | 'name'> | null {
  const hash = pod.labels['pod-template-hash'];
  if (owner.kind !== 'ReplicaSet' || !hash || !owner.name.endsWith(`-${hash}`)) return null;
  return { kind: 'Deployment', name: owner.name.slice(0, -hash.length - 1) };
}
