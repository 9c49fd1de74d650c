import { isObject } from '../../domain/json.ts';
import type { EngineClient } from './client.ts';

/**
 * Whether images lie in the store of containerd, where ids are digests of manifests and indexes, rather than in that of
 * a graph driver, where they are those of configurations. False where the engine may not be asked.
 * https://docs.docker.com/engine/storage/containerd/
 */
export async function hasContainerdStore(client: EngineClient, signal: AbortSignal): Promise<boolean> {
  const { document } = await client.ask('/info', {}, signal);
  const pairs = isObject(document) ? document['DriverStatus'] : null;
  return (
    Array.isArray(pairs) &&
    pairs.some((pair) => Array.isArray(pair) && pair[0] === 'driver-type' && pair[1] === 'io.containerd.snapshotter.v1')
  );
}
