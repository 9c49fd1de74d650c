import { CatalogError, RegistryError } from '../../domain/errors.ts';
import type { HttpClient } from '../../http/index.ts';
import { confirmGone } from '../deletion.ts';
import { openClient } from '../client.ts';
import { givenCredential, issuedCredentials } from '../oci/credential-source.ts';
import { ociRegistryOn, withoutCatalog } from '../oci/index.ts';
import { Session } from '../oci/session.ts';
import type { Credential, OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { EcrApi } from './api.ts';
import { parseEcrHost, type EcrHost } from './host.ts';

/**
 * Amazon's private registries: tags with digests and dates, repositories and deletions by the API of AWS, the rest by
 * the registry. https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
 */
export const ecr: RegistryKind = {
  kind: 'ECR',
  recognises: (url) => parseEcrHost(url.hostname) !== null,
  takesAmbient: (url) => parseEcrHost(url.hostname) !== null,
  open: async (settings) => openEcr(settings),
};

/**
 * With an access key, or with the identity of the worker, the API is asked. With the user AWS and a password that was
 * made of them elsewhere only the registry can be: it lists names alone, and no repositories.
 */
export function openEcr(settings: RegistrySettings, http: HttpClient = openClient(settings)): OpenRegistry {
  if (!isAccess(settings.credential)) {
    return withoutCatalog(ociRegistryOn(new Session(settings, http, givenCredential(settings))));
  }
  const api = new EcrApi(settings, hostOf(settings), http);
  const credentials = issuedCredentials(settings, (signal) => api.issueCredential(signal));
  const registry = ociRegistryOn(new Session(settings, http, credentials));
  return {
    ...registry,
    async *listTags(repository, signal) {
      try {
        yield* api.listTags(repository, signal);
      } catch (error) {
        if (!isForbidden(error)) throw error;
        yield* registry.listTags(repository, signal);
      }
    },
    listRepositories: (_prefix, signal) => api.listRepositories(signal),
    // Nobody reads here without signing in. There are no stars, and pulls are not counted.
    describeRepository: () => Promise.resolve({ description: null, isPrivate: true, starCount: null, pullCount: null }),
    async deleteManifest(repository, target, signal) {
      await api.deleteImage(repository, target, signal);
      await confirmGone(registry, repository, target, signal);
    },
    traffic: api.requests.trafficWith(registry.traffic),
    async close() {
      await Promise.all([registry.close(), api.requests.close()]);
    },
  };
}

/** What signs requests to the API of AWS. */
export function isAccess(credential: Credential | null): boolean {
  return credential?.kind === 'ambient' || (credential?.kind === 'basic' && credential.username !== 'AWS');
}

/** Whoever may pull need not be allowed to describe. */
export function isForbidden(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'FORBIDDEN';
}

/** The name that references carry says the region, also where the registry is reached at another address. */
function hostOf({ host, url }: RegistrySettings): EcrHost {
  const found = parseEcrHost(host) ?? parseEcrHost(url.hostname);
  if (found !== null) return found;
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `"${host}" is no host of Amazon ECR: write 123456789012.dkr.ecr.eu-west-1.amazonaws.com, with your account and region.`,
  );
}
