import type { Digest } from '../../domain/digest.ts';
import { isObject } from '../../domain/json.ts';
import { isRefusal, type EngineClient } from './client.ts';
import { readInspectedImage, type InspectedImage } from './image.ts';

/** Images that containers are made of, each looked at once until `forget`. */
export class EngineImages {
  readonly #client: EngineClient;
  readonly #kept = new Map<Digest, Promise<InspectedImage | null>>();
  #isRefused = false;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  /** Null where the engine has it no more, or may not be asked. */
  async find(id: Digest, signal: AbortSignal): Promise<InspectedImage | null> {
    const kept = this.#kept.get(id);
    if (kept) return kept;
    if (this.#isRefused) return null;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    const found = this.#fetch(id, signal);
    this.#kept.set(id, found);
    found.catch(() => this.#kept.delete(id));
    return found;
  }

  /** The names that an image has change as it is pulled, pushed and tagged. */
  forget(): void {
    this.#kept.clear();
  }

  async #fetch(id: Digest, signal: AbortSignal): Promise<InspectedImage | null> {
    const { status, document } = await this.#client.ask(`/images/${id}/json`, {}, signal);
    if (isRefusal(status)) this.#isRefused = true;
    return status === 200 && isObject(document) ? readInspectedImage(document) : null;
  }
}

const MAX_KEPT = 10_000;
