import type { ImagePlatform } from '../../domain/container.ts';
import { wordOf, type JsonObject } from '../../domain/json.ts';
import type { KubernetesApi } from './api.ts';
import { StatusFault } from './fault.ts';
import { listObjects, metadataOf } from './objects.ts';
import { objectOf } from './pod.ts';

/** Where a container runs. */
export interface Host {
  /** Null where it is not known. */
  readonly platform: ImagePlatform | null;
  /** True when the cluster has no node of that name. */
  readonly isGone: boolean;
}

/** The nodes of a cluster, as they were last listed; nothing is known of them where that is forbidden. */
export class Nodes {
  readonly #api: KubernetesApi;
  #platforms: ReadonlyMap<string, ImagePlatform | null> | null = null;
  #readAt: number | null = null;
  /** That were asked for, and that the list lacked. */
  #gone = new Set<string>();

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  async read(signal: AbortSignal): Promise<void> {
    this.#readAt = Date.now();
    this.#platforms = await this.#list(signal);
    this.#gone = new Set();
  }

  /** Lists them again where one of these was not there when that was last done. */
  async know(names: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    if (this.#readAt === null) await this.read(signal);
    const missing = [...names].filter((name) => this.#platforms?.has(name) === false);
    if (missing.length === 0) return;
    const isOld = Date.now() - (this.#readAt ?? 0) > OLD;
    if (isOld || missing.some((name) => !this.#gone.has(name))) await this.read(signal);
    for (const name of missing) if (this.#platforms?.has(name) === false) this.#gone.add(name);
  }

  /** Of a pod that is on no node yet, null. */
  hostOf(name: string | null): Host {
    if (name === null || this.#platforms === null) return { platform: null, isGone: false };
    return { platform: this.#platforms.get(name) ?? null, isGone: !this.#platforms.has(name) };
  }

  /** What most of them have; null where nothing is known. */
  usualPlatform(): ImagePlatform | null {
    const counts = new Map<string, { platform: ImagePlatform; count: number }>();
    for (const platform of this.#platforms?.values() ?? []) {
      if (platform === null) continue;
      const key = `${platform.os}/${platform.architecture}`;
      counts.set(key, { platform, count: (counts.get(key)?.count ?? 0) + 1 });
    }
    return [...counts.values()].sort((a, b) => b.count - a.count)[0]?.platform ?? null;
  }

  async #list(signal: AbortSignal): Promise<ReadonlyMap<string, ImagePlatform | null> | null> {
    const platforms = new Map<string, ImagePlatform | null>();
    try {
      for await (const nodes of listObjects(this.#api, 'nodes', null, new Set(), signal)) {
        for (const node of nodes) platforms.set(wordOf(metadataOf(node)['name']) ?? '', platformOf(node));
      }
      return platforms;
    } catch (error) {
      if (error instanceof StatusFault && error.status === 403) return null;
      throw error;
    }
  }
}

/** After so many milliseconds a node that was gone is looked for again. */
const OLD = 30_000;

/** https://kubernetes.io/docs/reference/node/node-status/#info */
function platformOf(node: JsonObject): ImagePlatform | null {
  const info = objectOf(objectOf(node['status'])['nodeInfo']);
  const os = wordOf(info['operatingSystem']);
  const architecture = wordOf(info['architecture']);
  if (os === null || architecture === null) return null;
  // Windows takes images of its own build alone; there the kernel's version is the build.
  return { os, architecture, variant: null, osVersion: os === 'windows' ? wordOf(info['kernelVersion']) : null };
}
