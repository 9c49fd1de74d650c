import { RegistryError } from '../../domain/errors.ts';
import type { HttpClient } from '../../http/index.ts';
import { confirmGone } from '../deletion.ts';
import { openClient } from '../client.ts';
import { isAccess, isForbidden } from '../ecr/index.ts';
import { givenCredential, issuedCredentials } from '../oci/credential-source.ts';
import { ociRegistryOn, withoutCatalog } from '../oci/index.ts';
import { Session } from '../oci/session.ts';
import type { OpenRegistry, RegistryKind, RegistrySettings, RepositoryDescription } from '../registry.ts';
import { EcrPublicApi } from './api.ts';
import { isPublicEcr } from './host.ts';

/**
 * Amazon's public registry. Everybody may read it, by the distribution API; of one's own repositories the API of AWS
 * tells digests, dates and descriptions. https://docs.aws.amazon.com/AmazonECR/latest/public/public-registries.html
 */
export const ecrPublic: RegistryKind = {
  kind: 'ECR_PUBLIC',
  recognises: (url) => isPublicEcr(url.hostname),
  takesAmbient: (url) => isPublicEcr(url.hostname),
  open: async (settings) => openEcrPublic(settings),
};

export function openEcrPublic(settings: RegistrySettings, http: HttpClient = openClient(settings)): OpenRegistry {
  if (!isAccess(settings.credential)) {
    return withoutCatalog(ociRegistryOn(new Session(settings, http, givenCredential(settings))));
  }
  const api = new EcrPublicApi(settings, http);
  const credentials = issuedCredentials(settings, (signal) => api.issueCredential(signal));
  const registry = ociRegistryOn(new Session(settings, http, credentials));
  return {
    ...registry,
    async *listTags(repository, signal) {
      try {
        const own = await api.findOwn(repository, signal);
        if (own !== null) {
          yield* api.listTags(own, signal);
          return;
        }
      } catch (error) {
        if (!isForbidden(error)) throw error;
      }
      yield* registry.listTags(repository, signal);
    },
    async *listRepositories(prefix, signal) {
      const own = await api.findOwn(prefix, signal);
      if (own === null) throw listsOwn(settings.host);
      yield* api.listRepositories(own, prefix.slice(0, prefix.indexOf('/')), signal);
    },
    async describeRepository(repository, signal) {
      const own = await api.findOwn(repository, signal);
      return own === null ? PUBLIC : describeOwn(() => api.describe(own, signal));
    },
    async deleteManifest(repository, target, signal) {
      const own = await api.findOwn(repository, signal);
      if (own === null) throw new RegistryError('FORBIDDEN', `${repository} at ${settings.host} is of another account`);
      await api.deleteImage(own, target, signal);
      await confirmGone(registry, repository, target, signal);
    },
    traffic: api.requests.trafficWith(registry.traffic),
    async close() {
      await Promise.all([registry.close(), api.requests.close()]);
    },
  };
}

const PUBLIC: RepositoryDescription = { description: null, isPrivate: false, starCount: null, pullCount: null };

async function describeOwn(ask: () => Promise<string>): Promise<RepositoryDescription | null> {
  try {
    return { ...PUBLIC, description: await ask() };
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'NOT_FOUND') throw error;
    return error.registryCode === 'RepositoryCatalogDataNotFoundException' ? { ...PUBLIC, description: '' } : null;
  }
}

function listsOwn(host: string): RegistryError {
  return new RegistryError(
    'UNSUPPORTED',
    `${host} lists the repositories of one's own account alone: begin the pattern with an alias of it, such as "a1b2c3d4/*"`,
  );
}
