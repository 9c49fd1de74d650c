import { DOCKER_HUB, type RegistryHost } from '../domain/reference.ts';
import { CatalogError } from '../domain/errors.ts';
import type { RegistryKindName } from '../domain/registry-kind.ts';
import { acr } from './acr/index.ts';
import { artifactRegistry } from './artifact-registry/index.ts';
import { artifactory } from './artifactory/index.ts';
import { detectByAnswer, type Detection } from './detection.ts';
import { dockerHub } from './docker-hub/index.ts';
import { ecr } from './ecr/index.ts';
import { ecrPublic } from './ecr-public/index.ts';
import { ghcr } from './ghcr/index.ts';
import { gitea } from './gitea/index.ts';
import { gitlab } from './gitlab/index.ts';
import { harbor } from './harbor/index.ts';
import { isLoopback } from './loopback.ts';
import { oci } from './oci/index.ts';
import { ociLayout } from './oci-layout/index.ts';
import { quay } from './quay/index.ts';
import type { Credential, OpenRegistry, RegistryKind, RegistrySettings } from './registry.ts';
import { zot } from './zot/index.ts';

export { credentialFromDockerConfig } from './docker-config.ts';

/** Every kind of registry that there is. A new one is a folder and a line here. The first that recognises it has it. */
export const registryKinds: readonly RegistryKind[] = [
  ociLayout,
  dockerHub,
  ghcr,
  quay,
  ecr,
  ecrPublic,
  artifactRegistry,
  acr,
  harbor,
  gitlab,
  artifactory,
  gitea,
  zot,
  // Nearly everything can be spoken to as one.
  oci,
];

/** Opens a registry for one run; close it afterwards. */
export function openRegistry(kind: RegistryKindName, settings: RegistrySettings): Promise<OpenRegistry> {
  checkCredential(kind, settings.url, settings.credential);
  return kindOf(kind).open(settings);
}

/**
 * Throws INVALID_ARGUMENT where the worker's own identity is to sign in at an address that it must not be sent to, or
 * that knows no such identity.
 */
export function checkCredential(kind: RegistryKindName, url: URL, credential: Credential | null): void {
  if (credential?.kind !== 'ambient' || takesAmbient(kindOf(kind), url)) return;
  const takers = registryKinds.filter((known) => 'takesAmbient' in known).map((known) => known.kind);
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `The worker's own identity can't sign in at ${url.origin} as ${kind}: it is sent to the hosts of its own cloud alone, by HTTPS (${takers.join(', ')}). Give a user name and a password, or a token.`,
  );
}

/** The kind of what is at an address as far as the address tells; null where no kind knows the address. */
export function recogniseKind(url: URL): RegistryKindName | null {
  return registryKinds.find((known) => known.recognises(url))?.kind ?? null;
}

/**
 * The kind of what is at an address when nobody said so. Asks what is there, within five seconds, where the address does
 * not tell; what does not answer is of the usual kind, OCI. Rejects only with the signal's reason when it is aborted.
 */
export async function detectKind(
  url: URL,
  allowedNetworks: readonly string[],
  signal: AbortSignal,
): Promise<Detection> {
  const kind = recogniseKind(url);
  if (kind === oci.kind) return detectByAnswer(registryKinds, url, allowedNetworks, signal);
  return { kind: kind ?? oci.kind, fault: null };
}

/**
 * Where a registry is spoken to when only its host is known. As container engines do it: over HTTPS, on loopback over
 * plain HTTP unless `insecure` is false, elsewhere over plain HTTP only when `insecure` is true.
 */
export function defaultRegistryUrl(host: RegistryHost, insecure?: boolean): URL {
  if (host === DOCKER_HUB) return new URL('https://registry-1.docker.io');
  const { hostname } = new URL(`http://${host}`);
  const isPlain = insecure ?? isLoopback(hostname);
  return new URL(`${isPlain ? 'http' : 'https'}://${host}`);
}

/** On loopback something may stand in for a cloud. */
function takesAmbient(kind: RegistryKind, url: URL): boolean {
  if (isLoopback(url.hostname)) return 'takesAmbient' in kind;
  return url.protocol === 'https:' && (kind.takesAmbient?.(url) ?? false);
}

function kindOf(kind: RegistryKindName): RegistryKind {
  const found = registryKinds.find((known) => known.kind === kind);
  if (found) return found;
  const kinds = registryKinds.map((known) => known.kind).join(', ');
  throw new CatalogError('INVALID_ARGUMENT', `"${String(kind)}" is no kind of registry: write one of ${kinds}.`);
}
