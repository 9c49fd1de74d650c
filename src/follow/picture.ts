import type { ContainerReport, ObservedContainer } from '../domain/container.ts';
import { isContainerId, soundContainer, type KeepsLabel } from '../domain/sound-container.ts';
import { RuntimeFault, type ContainerChange, type OpenRuntime } from '../runtimes/runtime.ts';

/** All containers of a runtime, in parts; the last of them says which there are. */
export async function* takePicture(
  runtime: OpenRuntime,
  keepsLabel: KeepsLabel,
  now: () => Date,
  signal: AbortSignal,
): AsyncIterable<ContainerReport> {
  // What happens while the list is read is later than the list.
  const at = now();
  const present = new Set<string>();
  let seen: ObservedContainer[] = [];
  for await (const listed of runtime.listContainers(signal)) {
    for (const container of listed) {
      const { containerId } = checked(container);
      if (present.has(containerId)) continue;
      present.add(containerId);
      seen.push(soundContainer(container, keepsLabel));
    }
    if (present.size > MAX_CONTAINERS) {
      throw new RuntimeFault('TOO_LARGE', `it lists more than ${MAX_CONTAINERS.toLocaleString('en')} containers`);
    }
    if (seen.length >= PART) {
      yield { at, seen, present: null, removed: [], commits: [] };
      seen = [];
    }
  }
  yield { at, seen, present: [...present], removed: [], commits: [] };
}

/** What has changed; null where nothing has. */
export function reportOf(change: ContainerChange, keepsLabel: KeepsLabel, at: Date): ContainerReport | null {
  const { removed, commits } = change;
  if (change.seen.length + removed.length + commits.length === 0) return null;
  const seen = change.seen.map((container) => soundContainer(checked(container), keepsLabel));
  return { at, seen, present: null, removed, commits };
}

/** Containers of one part. */
const PART = 1000;
const MAX_CONTAINERS = 100_000;

function checked(container: ObservedContainer): ObservedContainer {
  if (isContainerId(container.containerId)) return container;
  throw new RuntimeFault('MALFORMED', `it calls a container ${JSON.stringify(container.containerId.slice(0, 100))}`);
}
