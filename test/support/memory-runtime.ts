import type { ObservedContainer } from '../../src/domain/container.ts';
import type { Digest } from '../../src/domain/digest.ts';
import {
  RuntimeFault,
  type ContainerChange,
  type LocalImage,
  type OpenRuntime,
  type RuntimeFaultCode,
} from '../../src/runtimes/runtime.ts';

/** A runtime that has what a test says, and tells what the test wants told. */
export class MemoryRuntime implements OpenRuntime {
  containers: ObservedContainer[] = [];
  images = new Map<Digest, LocalImage>();
  /** While it is set, every call fails with it. */
  fault: RuntimeFaultCode | null = null;
  /** While it is set, every question about images fails with it. */
  imageFault: RuntimeFaultCode | null = null;
  /** As a proxy that lets lists alone through. */
  isMute = false;
  pictures = 0;
  watchers = 0;
  #changes: ContainerChange[] = [];
  #wake = Promise.withResolvers<void>();
  #isBroken = false;

  /** Tells a change to who watches. */
  tell(change: Partial<ContainerChange>): void {
    this.#changes.push({ ...NOTHING, ...change });
    this.#wake.resolve();
  }

  /** Ends the connection of who watches. */
  hangUp(): void {
    this.#isBroken = true;
    this.#wake.resolve();
  }

  async describe() {
    await this.#answer();
    return { version: '20.10.24', os: 'linux', architecture: 'amd64' };
  }

  async *listContainers(): AsyncIterable<readonly ObservedContainer[]> {
    await this.#answer();
    this.pictures++;
    yield this.containers.slice(0, 2);
    yield this.containers.slice(2);
  }

  async *watchContainers(signal: AbortSignal): AsyncIterable<ContainerChange> {
    await this.#answer();
    if (this.isMute) throw new RuntimeFault('UNAUTHORIZED', 'memory: GET /events is forbidden');
    this.#changes = [];
    this.#isBroken = false;
    this.watchers++;
    signal.addEventListener('abort', () => this.#wake.resolve());
    yield NOTHING;
    while (!signal.aborted && !this.#isBroken) {
      const change = this.#changes.shift();
      if (change !== undefined) {
        yield change;
        continue;
      }
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
    this.watchers--;
  }

  async listLocalImages(): Promise<readonly Digest[]> {
    await this.#answer(this.imageFault ?? this.fault);
    return [...this.images.keys()];
  }

  async fetchLocalImage(id: Digest): Promise<LocalImage | null> {
    await this.#answer(this.imageFault ?? this.fault);
    return this.images.get(id) ?? null;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #answer(fault = this.fault): Promise<void> {
    if (fault === null) return Promise.resolve();
    return Promise.reject(new RuntimeFault(fault, 'memory: it is away'));
  }
}

const NOTHING: ContainerChange = { seen: [], removed: [], commits: [], hasOtherImages: false };
