import { DOCKER_HUB, type RegistryHost } from '../domain/reference.ts';
import { CatalogError } from '../domain/errors.ts';
import type { RegistryKindName } from '../domain/registry-kind.ts';
import { oci } from './oci/index.ts';
import { ociLayout } from './oci-layout/index.ts';
import { dockerHub } from './docker-hub/index.ts';
import type { OpenRegistry, RegistryKind, RegistrySettings } from './registry.ts';

export { credentialFromDockerConfig } from './docker-config.ts';

/** Every kind of registry that there is. A new one is a folder and a line here. */
export const registryKinds: readonly RegistryKind[] = [ociLayout, dockerHub, oci];

/** Opens a registry for one run; close it afterwards. */
export function openRegistry(kind: RegistryKindName, settings: RegistrySettings): Promise<OpenRegistry> {
  const found = registryKinds.find((known) => known.kind === kind);
  if (found) return found.open(settings);
  const kinds = registryKinds.map((known) => known.kind).join(', ');
  throw new CatalogError('INVALID_ARGUMENT', `"${String(kind)}" is no kind of registry: write one of ${kinds}.`);
}

/** The kind of what is at an address when nobody said so; null where no kind knows the address. */
export function recogniseKind(url: URL): RegistryKindName | null {
  return registryKinds.find((known) => known.recognises(url))?.kind ?? null;
}

/**
 * Where a registry is spoken to when only its host is known. As container engines do it: over HTTPS, on loopback over
 * plain HTTP unless `insecure` is false, elsewhere over plain HTTP only when `insecure` is true.
 */
export function defaultRegistryUrl(host: RegistryHost, insecure?: boolean): URL {
  if (host === DOCKER_HUB) return new URL('https://registry-1.docker.io');
  const { hostname } = new URL(`http://${host}`);
  const isPlain = insecure ?? LOOPBACK.test(hostname);
  return new URL(`${isPlain ? 'http' : 'https'}://${host}`);
}

const LOOPBACK = /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;
