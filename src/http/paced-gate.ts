import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { GivenHostLimits, HostLimits } from '../domain/host-limits.ts';
import type { Gate } from './gate.ts';
import { HostGate } from './host-gate.ts';
import type { PaceStore } from './pace-store.ts';

/** The gate to the hosts of one registry, for one process; what they allow is shared through the store. */
export interface PacedGate extends Gate {
  /** An operator allows others from now on. */
  obey(limits: GivenHostLimits): void;
  /** Another process has news of a host. */
  refresh(): void;
  /** Gives back what was its share; to be called when nothing is in flight. */
  close(): Promise<void>;
}

/** Where an operator says nothing. */
export const DEFAULT_HOST_LIMITS: HostLimits = { concurrency: 16, requestsPerSecond: null };

function limitsOf({ concurrency, requestsPerSecond }: GivenHostLimits): HostLimits {
  return { concurrency: concurrency ?? DEFAULT_HOST_LIMITS.concurrency, requestsPerSecond };
}

/** `holder` names the process among those that share. */
export function openPacedGate(store: PaceStore, given: GivenHostLimits, holder: string = randomUUID()): PacedGate {
  let limits = limitsOf(given);
  const hosts = new Map<string, HostGate>();

  function hostOf(origin: string): HostGate {
    const key = hosts.has(origin) || hosts.size < MOST_HOSTS ? origin : OTHERS;
    const known = hosts.get(key);
    if (known) return known;
    const opened = new HostGate(key, store, limits, holder);
    hosts.set(key, opened);
    return opened;
  }

  return {
    enter: (request, signal) => hostOf(request.origin).enter(request, signal),
    obey(changed) {
      if (isDeepStrictEqual(limits, limitsOf(changed))) return;
      limits = limitsOf(changed);
      for (const host of hosts.values()) host.obey(limits);
    },
    refresh() {
      for (const host of hosts.values()) host.refresh();
    },
    async close() {
      await Promise.all([...hosts.values()].map((host) => host.close()));
    },
  };
}

/** A registry may redirect to as many hosts as it likes; beyond so many they count as one. */
const MOST_HOSTS = 64;
const OTHERS = 'others';
