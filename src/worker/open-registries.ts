import type { Database } from '../catalog/database.ts';
import {
  findRegistry,
  pacesOfRegistry,
  type Seal,
  type StoredRegistry,
  type SyncTally,
} from '../catalog/write/index.ts';
import { openPacedGate, type PacedGate } from '../http/index.ts';
import type { OpenRegistry, OpenRegistryFunction } from '../registries/registry.ts';

/** A registry that jobs share, so that they share its connections, its token and its limits. */
export interface SharedRegistry {
  readonly stored: StoredRegistry;
  readonly registry: OpenRegistry;
  /** Requests and bytes since this was last asked. */
  takeTraffic(): Pick<SyncTally, 'requests' | 'bytesFetched'>;
}

/** What is counted apart: the traffic of a run is not that of inspections beside it. */
export type Purpose = 'SYNC' | 'INSPECTION';

export interface OpenRegistries {
  /** Hands `work` the registry; null where the catalog follows it no more. */
  use<T>(id: number, work: (shared: SharedRegistry | null) => Promise<T>, purpose?: Purpose): Promise<T>;
  /** Its settings have changed: the next use opens it anew. */
  reopen(id: number): void;
  /** Another process has news of the pace of its hosts. */
  refresh(id: number): void;
  close(): Promise<void>;
}

/** How long connections and what was learnt of the registry are kept. */
const KEPT_MS = 60_000;

/** `holder` names this worker where workers share what hosts allow. */
export function createOpenRegistries(
  database: Database,
  seal: Seal,
  open: OpenRegistryFunction,
  holder: string,
): OpenRegistries {
  const entries = new Map<EntryKey, Promise<Entry | null>>();
  /** Kept for as long as the worker lives: an open registry and the next one of the same id are one to its hosts. */
  const gates = new Map<number, PacedGate>();

  function gateOf({ id, limits }: StoredRegistry): PacedGate {
    const gate = gates.get(id) ?? openPacedGate(pacesOfRegistry(database, id), limits, holder);
    gate.obey(limits);
    gates.set(id, gate);
    return gate;
  }

  async function load(id: number): Promise<Entry | null> {
    const stored = await findRegistry(database, { id });
    if (stored === null) return null;
    const registry = await open(stored.kind, {
      host: stored.host,
      url: new URL(stored.url),
      credential: stored.credential && seal.open(stored.credential, stored.host),
      gate: gateOf(stored),
    });
    return { stored, registry, users: 0, requests: 0, bytes: 0, expired: false };
  }

  function entryOf(id: number, purpose: Purpose): Promise<Entry | null> {
    const key: EntryKey = `${purpose} ${id}`;
    const known = entries.get(key);
    if (known) return known;
    const loading = load(id);
    entries.set(key, loading);
    const forget = setTimeout(() => void expire(key), KEPT_MS);
    forget.unref();
    loading.catch(() => entries.delete(key));
    return loading;
  }

  /** Whoever uses it now goes on with it; whoever comes next gets it by the settings of then. */
  async function expire(key: EntryKey): Promise<void> {
    const entering = entries.get(key);
    entries.delete(key);
    const entry = await entering?.catch(() => null);
    if (!entry) return;
    entry.expired = true;
    await closeUnused(entry);
  }

  return {
    async use(id, work, purpose = 'SYNC') {
      const entry = await entryOf(id, purpose);
      if (entry === null) return work(null);
      entry.users++;
      try {
        return await work({ ...entry, takeTraffic: () => takeTraffic(entry) });
      } finally {
        entry.users--;
        await closeUnused(entry);
      }
    },
    reopen(id) {
      for (const purpose of PURPOSES) void expire(`${purpose} ${id}`);
      gates.get(id)?.refresh();
    },
    refresh: (id) => gates.get(id)?.refresh(),
    async close() {
      await Promise.all([...entries.keys()].map(expire));
      await Promise.all([...gates.values()].map((gate) => gate.close()));
    },
  };
}

const PURPOSES: readonly Purpose[] = ['SYNC', 'INSPECTION'];

type EntryKey = `${Purpose} ${number}`;

interface Entry {
  readonly stored: StoredRegistry;
  readonly registry: OpenRegistry;
  users: number;
  requests: number;
  bytes: number;
  expired: boolean;
}

async function closeUnused(entry: Entry): Promise<void> {
  if (entry.expired && entry.users === 0) await entry.registry.close();
}

function takeTraffic(entry: Entry): Pick<SyncTally, 'requests' | 'bytesFetched'> {
  const { requests, bytes } = entry.registry.traffic;
  const taken = { requests: requests - entry.requests, bytesFetched: bytes - entry.bytes };
  entry.requests = requests;
  entry.bytes = bytes;
  return taken;
}
