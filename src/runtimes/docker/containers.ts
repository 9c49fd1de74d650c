import type { ObservedContainer } from '../../domain/container.ts';
import { isObject } from '../../domain/json.ts';
import { inParallel } from '../../domain/in-parallel.ts';
import { isRefusal, type EngineClient, type Query } from './client.ts';
import { observe } from './container.ts';
import type { Dialect } from './dialect.ts';
import { EngineImages } from './images.ts';
import { readInspectedContainer, type InspectedContainer } from './inspected-container.ts';
import { readListedContainer, type ListedContainer } from './listed-container.ts';
import { hasContainerdStore } from './store.ts';

/** Looks at the engine itself first: what it speaks, and how it keeps images, may have changed since the last time. */
export async function openContainers(
  client: EngineClient,
  dialect: Dialect,
  signal: AbortSignal,
): Promise<EngineContainers> {
  await client.describe(signal);
  return new EngineContainers(client, dialect, await hasContainerdStore(client, signal));
}

/** As the list tells them, without a look at each. */
export function listContainers(client: EngineClient, query: Query, signal: AbortSignal): Promise<ListedContainer[]> {
  return client.list('/containers/json', { all: 1, ...query }, MAX_CONTAINERS, readListedContainer, signal);
}

/** The containers of an engine: listed first, then looked at one by one as far as that is allowed. */
export class EngineContainers {
  /** Those that containers were made of. */
  readonly images: EngineImages;
  readonly #client: EngineClient;
  readonly #dialect: Dialect;
  readonly #isContainerdStore: boolean;
  #isRefused = false;

  constructor(client: EngineClient, dialect: Dialect, isContainerdStore: boolean) {
    this.images = new EngineImages(client);
    this.#client = client;
    this.#dialect = dialect;
    this.#isContainerdStore = isContainerdStore;
  }

  async *all(signal: AbortSignal): AsyncGenerator<readonly ObservedContainer[]> {
    const listed = await listContainers(this.#client, {}, signal);
    for (let from = 0; from < listed.length; from += BATCH) {
      yield await this.#look(listed.slice(from, from + BATCH), signal);
    }
  }

  /** Those of these ids that are still there. */
  async some(ids: readonly string[], signal: AbortSignal): Promise<readonly ObservedContainer[]> {
    const found: ObservedContainer[] = [];
    for (let from = 0; from < ids.length; from += BATCH) {
      const filters = JSON.stringify({ id: ids.slice(from, from + BATCH) });
      found.push(...(await this.#look(await listContainers(this.#client, { filters }, signal), signal)));
    }
    return found;
  }

  async #look(batch: readonly ListedContainer[], signal: AbortSignal): Promise<ObservedContainer[]> {
    return (await inParallel(batch, CONCURRENCY, (listed) => this.#tell(listed, signal))).flat();
  }

  async #tell(listed: ListedContainer, signal: AbortSignal): Promise<ObservedContainer[]> {
    const inspected = await this.#inspect(listed.id, signal);
    if (inspected === 'gone') return [];
    if (this.#dialect.isInfrastructure(listed, inspected?.reference ?? listed.image)) return [];
    const imageId = inspected?.imageId ?? listed.imageId;
    const image = imageId === null ? null : await this.images.find(imageId, signal);
    return [observe({ listed, inspected, image, isContainerdStore: this.#isContainerdStore })];
  }

  /** Null for one that can't be looked at, as those that are dead or being removed, and where that is not allowed. */
  async #inspect(id: string, signal: AbortSignal): Promise<InspectedContainer | 'gone' | null> {
    if (this.#isRefused) return null;
    const { status, document } = await this.#client.ask(`/containers/${id}/json`, {}, signal);
    if (status === 404) return 'gone';
    if (isRefusal(status)) this.#isRefused = true;
    return status === 200 && isObject(document) ? readInspectedContainer(document) : null;
  }
}

const MAX_CONTAINERS = 100_000;
/** So many ids fit into the line of a request that proxies let through. */
const BATCH = 64;
const CONCURRENCY = 8;
