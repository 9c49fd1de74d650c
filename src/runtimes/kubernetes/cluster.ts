import type { ObservedContainer } from '../../domain/container.ts';
import { textOf } from '../../domain/json.ts';
import type { ContainerChange, Runtime, RuntimeDescription, WatchesContainers } from '../runtime.ts';
import type { KubernetesApi } from './api.ts';
import { containerIdsOf, containersOf } from './container.ts';
import { gather } from './gather.ts';
import { Nodes } from './nodes.ts';
import { listObjects } from './objects.ts';
import { watchPods, type PodEvent } from './pod-watch.ts';
import { readPod, type Pod } from './pod.ts';
import { Workloads } from './workloads.ts';

/** The containers of the pods of a cluster. */
export class Cluster implements Runtime, WatchesContainers {
  readonly #api: KubernetesApi;
  /** Null is all of them. */
  readonly #namespaces: readonly (string | null)[];
  readonly #nodes: Nodes;
  readonly #workloads: Workloads;

  constructor(api: KubernetesApi, namespaces: readonly string[]) {
    this.#api = api;
    this.#namespaces = namespaces.length === 0 ? [null] : namespaces;
    this.#nodes = new Nodes(api);
    this.#workloads = new Workloads(api);
  }

  async describe(signal: AbortSignal): Promise<RuntimeDescription> {
    const version = await this.#api.get({ verb: 'get', resource: '/version', namespace: null }, signal);
    await this.#nodes.read(signal);
    const platform = this.#nodes.usualPlatform();
    return {
      version: textOf(version['gitVersion']),
      os: platform?.os ?? null,
      architecture: platform?.architecture ?? null,
    };
  }

  async *listContainers(signal: AbortSignal): AsyncIterable<readonly ObservedContainer[]> {
    await this.#nodes.read(signal);
    const known = new Set<string>();
    for (const namespace of this.#namespaces) {
      for await (const documents of listObjects(this.#api, 'pods', namespace, known, signal)) {
        const pods = documents.map((document) => readPod(document, this.#api.endpoint));
        yield await this.#observe(pods, signal);
      }
    }
  }

  async *watchContainers(signal: AbortSignal): AsyncIterable<ContainerChange> {
    const watches = this.#namespaces.map(
      (namespace) => (either: AbortSignal) => watchPods(this.#api, namespace, either),
    );
    for await (const events of gather(watches, this.#api.limits, signal)) yield await this.#changeOf(events, signal);
  }

  async close(): Promise<void> {
    this.#api.close();
  }

  /** Of each pod what was told last; one that was deleted does not come again. */
  async #changeOf(events: readonly PodEvent[], signal: AbortSignal): Promise<ContainerChange> {
    const last = new Map(events.map((event) => [event.pod.uid, event]));
    const podsThat = (areDeleted: boolean) =>
      [...last.values()].filter(({ isDeleted }) => isDeleted === areDeleted).map(({ pod }) => pod);
    return {
      seen: await this.#observe(podsThat(false), signal),
      removed: podsThat(true).flatMap(containerIdsOf),
      commits: [],
      hasOtherImages: false,
    };
  }

  async #observe(pods: readonly Pod[], signal: AbortSignal): Promise<ObservedContainer[]> {
    await this.#nodes.know(new Set(pods.flatMap(({ node }) => node ?? [])), signal);
    const known = await this.#workloads.withWorkloads(pods, signal);
    return known.flatMap(({ pod, workload }) => containersOf(pod, this.#nodes.hostOf(pod.node), workload));
  }
}
