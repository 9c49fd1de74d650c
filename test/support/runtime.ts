import type { ObservedContainer, RuntimeKindName } from '../../src/domain/container.ts';
import { openRuntime } from '../../src/runtimes/index.ts';
import type { ContainerChange, OpenRuntime, RuntimeSettings } from '../../src/runtimes/runtime.ts';

/** Opens what is at an endpoint, as nothing but the endpoint says. */
export function openAt(
  kind: RuntimeKindName,
  endpoint: string,
  settings: Partial<RuntimeSettings> = {},
): Promise<OpenRuntime> {
  return openRuntime(kind, { endpoint, tls: null, insecure: false, namespaces: [], ...settings });
}

/** All containers, by their names. */
export async function containersOf(
  runtime: OpenRuntime,
  signal = unaborted(),
): Promise<Map<string, ObservedContainer>> {
  const containers: ObservedContainer[] = [];
  for await (const batch of runtime.listContainers(signal)) containers.push(...batch);
  return new Map(containers.map((container) => [container.name, container]));
}

export interface Watch {
  /** The next change. */
  next(): Promise<ContainerChange>;
  /** What is told until all that is asked for was seen, as one change. */
  until(isThere: (change: ContainerChange) => boolean): Promise<ContainerChange>;
  /** Resolves when it ends, rejects when it fails. */
  end(): Promise<void>;
  stop(): void;
}

/** Listens to a runtime; resolves when it is connected. */
export async function watch(runtime: OpenRuntime): Promise<Watch> {
  const stop = new AbortController();
  const changes = runtime.watchContainers?.(stop.signal)[Symbol.asyncIterator]();
  if (!changes) throw new Error('this runtime does not watch');
  const next = async () => {
    const { value, done } = await changes.next();
    if (done) throw new Error('the watch ended');
    return value;
  };
  const first = await next();
  if (first.seen.length > 0 || first.removed.length > 0) throw new Error('the first change is not empty');
  return {
    next,
    async until(isThere) {
      let sum = await next();
      while (!isThere(sum)) sum = joined(sum, await next());
      return sum;
    },
    async end() {
      while (!(await changes.next()).done);
    },
    stop: () => stop.abort(),
  };
}

export function unaborted(): AbortSignal {
  return new AbortController().signal;
}

function joined(before: ContainerChange, after: ContainerChange): ContainerChange {
  const ids = new Set(after.seen.map(({ containerId }) => containerId));
  return {
    seen: [...before.seen.filter(({ containerId }) => !ids.has(containerId)), ...after.seen],
    removed: [...before.removed, ...after.removed],
    commits: [...before.commits, ...after.commits],
    hasOtherImages: before.hasOtherImages || after.hasOtherImages,
  };
}
